"""What is predicted, one file a choice."""

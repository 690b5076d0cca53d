"""What any memory can be given."""

"""Other people's environments, one file a suite."""

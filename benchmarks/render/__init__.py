"""Tables and pictures from the result files."""

"""Which windows of which episodes rows see, one file a choice."""

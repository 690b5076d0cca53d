"""Which steps are uncertain, one file a choice."""

"""Which future steps a query is asked about, one file a choice."""

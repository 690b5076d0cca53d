"""Programs of others, or as others would write them, that are timed beside ours."""

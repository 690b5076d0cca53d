"""Memory architectures, one file each."""

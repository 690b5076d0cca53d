"""Pages made from run directories; never imports jax."""

"""What a run is made of, as names and numbers; never imports jax."""

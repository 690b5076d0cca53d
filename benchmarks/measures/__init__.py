"""How the figures of a cell are measured; each function is given a cell, in a fresh process."""

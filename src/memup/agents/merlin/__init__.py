"""MERLIN (Wayne et al. 2018, arXiv 1803.10760)."""

"""MemUP itself: detector, selector, predictor, update."""

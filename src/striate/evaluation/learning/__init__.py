"""Accuracy against the number of training images: a power law and what more data would give."""

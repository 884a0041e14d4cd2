"""Runs on the same images, none of which any was trained on."""

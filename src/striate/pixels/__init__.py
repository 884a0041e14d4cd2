"""One image as an array: reading a file to the last pixel, and preparing it for a network. No torch."""

from striate.pixels import activations, kernels
from striate.pixels.preparation import Preparation
from striate.pixels.reading import decode_image, describe_image, read_image

__all__ = ["Preparation", "activations", "decode_image", "describe_image", "kernels", "read_image"]

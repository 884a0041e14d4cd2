"""A picture, and how it travels to the routes below /kernels and back."""

import base64
from typing import Any

import numpy as np

PHOTO = np.random.default_rng(7).integers(0, 256, (23, 31, 3), dtype=np.uint8)


def sent(picture: np.ndarray) -> dict[str, Any]:
    """A working copy as the page sends it."""
    return {"shape": list(picture.shape), "base64": base64.b64encode(picture.tobytes()).decode()}


def array(coded: dict[str, Any]) -> np.ndarray:
    """The numbers that were sent back."""
    return np.frombuffer(base64.b64decode(coded["base64"]), coded["dtype"]).reshape(coded["shape"])

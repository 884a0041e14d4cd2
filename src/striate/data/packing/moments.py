"""Sums over the pixels of each image, from which mean and deviation of any choice of images follow at once.

A stream keeps them in place of pixels. Sums of whole numbers are exact, sums of floating-point numbers are
made image by image in one fixed order, so that a pack and a stream give the same bits.
"""

import numpy as np
from jaxtyping import Shaped

WHOLE, FLOATING = np.dtype(np.int64), np.dtype(np.float64)


def moments_dtype(depth: str) -> np.dtype:
    """How the moments of pixels of this depth are kept: exactly where they can be."""
    return FLOATING if np.dtype(depth).kind == "f" else WHOLE


def moments_of(
    images: Shaped[np.ndarray, "image height width channel"],
) -> Shaped[np.ndarray, "image 2 channel"]:
    """Of each channel of each image, the sum of its values and a sum of squares.

    >>> moments_of(np.array([1, 2, 3, 4], np.uint8).reshape(1, 2, 2, 1)).tolist()
    [[[10], [30]]]

    Of whole numbers the squares are those of the values, exact; of floating-point numbers those of the
    deviations from the image's own mean.
    """
    if moments_dtype(str(images.dtype)) == FLOATING:
        return np.stack([_floating(image) for image in images])
    count, height, width, channels = images.shape
    # Whole rows of an image at a time: channels alone would be an innermost loop of one or three. Sums over
    # at most 16,384 rows of squares below 2^32 are exact in float64.
    lines = images.reshape(count, height, width * channels).astype(np.float64)
    sums, squares = lines.sum(axis=1), np.einsum("nij,nij->nj", lines, lines)
    folded = np.stack([sums, squares], axis=1).astype(WHOLE)
    return folded.reshape(count, 2, width, channels).sum(axis=2)


def _floating(image: Shaped[np.ndarray, "height width channel"]) -> Shaped[np.ndarray, "2 channel"]:
    values = np.ascontiguousarray(image.reshape(-1, image.shape[2]).T, dtype=np.float64)
    sums = values.sum(axis=1)
    return np.stack([sums, np.square(values - sums[:, None] / values.shape[1]).sum(axis=1)])

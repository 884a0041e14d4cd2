"""The principal colours of a choice of images: along which axes, and how far, their pixels' colours differ.

Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012, section 4.1.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int, Shaped

from striate.data.packing.stream import PackedPixels, gather
from striate.pixels.preparation import FULL_SCALE

TOGETHER = 1 << 20
"""Values measured at once: so few that sums of products of 16-bit values stay below 2^53, exact in float64."""
MEASURED = ("int16", "float32")
"""Depths whose values have no full scale of their own."""


@dataclass(frozen=True, eq=False)
class PrincipalColours:
    """Eigenvectors and eigenvalues of the covariance of colours, of values scaled to 0..1, greatest first.

    `axes` holds an eigenvector a column, its greatest part above zero; `full` is the value that 1 stands for.
    """

    axes: Float64[np.ndarray, "channel component"]
    variances: Float64[np.ndarray, " component"]
    full: float

    @property
    def steps(self) -> Float64[np.ndarray, "channel component"]:
        """What one standard deviation along each axis adds to a pixel: the paper's p λ, in the pixels' own values.

        The paper takes the eigenvalue λ itself, not its root, so a step depends on the scale of the values; this
        is that of 0..1. (On 0..255 the same formula would be 255 times as strong.)
        """
        return self.full * self.axes * self.variances


def principal_colours(pixels: PackedPixels, rows: Int[np.ndarray, " row"]) -> PrincipalColours:
    """The principal colours of the pixels of the given rows, each row read once, a bounded number at a time.

    >>> colours = np.array([[0, 0, 0], [255, 255, 255]], np.uint8).reshape(2, 1, 1, 3)
    >>> found = principal_colours(colours, np.array([0, 1]))
    >>> found.variances.round(6).tolist(), found.axes[:, 0].round(6).tolist()
    ([0.75, 0.0, 0.0], [0.57735, 0.57735, 0.57735])

    The order of the rows does not matter, and a pack and a stream give the same bits. One channel has one
    principal colour, its variance. Measured units and floating-point values have no full scale: their range over
    these rows is taken for it.
    """
    channels, depth = pixels.shape[3], str(pixels.dtype)
    measure = _floating_covariance if depth == "float32" else _whole_covariance
    blocks, met = _blocks(pixels, rows), Range()
    covariance = measure(met.noting(blocks) if depth in MEASURED else blocks, channels)
    full = met.width or 1.0 if depth in MEASURED else FULL_SCALE[depth]
    variances, axes = np.linalg.eigh(covariance / full**2)
    greatest = axes[np.abs(axes).argmax(axis=0), np.arange(channels)]
    axes = axes * np.sign(greatest)
    return PrincipalColours(axes[:, ::-1].copy(), np.maximum(variances[::-1], 0.0), full)


@dataclass
class Range:
    """The lowest and the highest value met so far."""

    low: float = math.inf
    high: float = -math.inf

    @property
    def width(self) -> float:
        """From the lowest to the highest; 0 where nothing was met."""
        return max(0.0, self.high - self.low)

    def noting(
        self, blocks: Iterator[Shaped[np.ndarray, "row height width channel"]]
    ) -> Iterator[Shaped[np.ndarray, "row height width channel"]]:
        """The same blocks, their values noted on the way."""
        for block in blocks:
            self.low, self.high = min(self.low, float(block.min())), max(self.high, float(block.max()))
            yield block


def _blocks(
    pixels: PackedPixels, rows: Int[np.ndarray, " row"]
) -> Iterator[Shaped[np.ndarray, "row height width channel"]]:
    _, height, width, channels = pixels.shape
    size = max(1, TOGETHER // (height * width * channels))
    ordered = np.sort(rows)
    return gather(pixels, (ordered[at : at + size] for at in range(0, len(rows), size)))


def _whole_covariance(
    blocks: Iterator[Shaped[np.ndarray, "row height width channel"]], channels: int
) -> Float64[np.ndarray, "channel channel"]:
    """All sums are exact, so their order cannot matter."""
    count = 0
    sums = np.zeros(channels, dtype=object)  # Python's whole numbers have no end
    products = np.zeros((channels, channels), dtype=object)
    for block in blocks:
        flat = block.reshape(-1, channels)
        count += len(flat)
        for at in range(0, len(flat), TOGETHER):
            planes = np.ascontiguousarray(flat[at : at + TOGETHER].T, dtype=np.float64)
            sums += planes.sum(axis=1).astype(np.int64)
            products += (planes @ planes.T).astype(np.int64)
    spread = products * count - sums[:, None] * sums
    return (spread / max(1, count) ** 2).astype(np.float64)


def _floating_covariance(
    blocks: Iterator[Shaped[np.ndarray, "row height width channel"]], channels: int
) -> Float64[np.ndarray, "channel channel"]:
    """Summed image by image, from each image's own mean, in one fixed order."""
    area = 1
    sums, products = [np.zeros((0, channels))], [np.zeros((0, channels, channels))]
    for block in blocks:
        area = block.shape[1] * block.shape[2]
        for image in block:
            values = np.ascontiguousarray(image.reshape(area, channels).T, dtype=np.float64)
            total = values.sum(axis=1)
            rest = values - total[:, None] / area
            sums.append(total[None])
            products.append(np.stack([(rest * one).sum(axis=1) for one in rest])[None])
    total, within = np.concatenate(sums), np.concatenate(products)
    count = max(1, len(total) * area)
    means = total / area - [math.fsum(column) / count for column in total.T]
    between = area * means[:, :, None] * means[:, None, :]
    pairs = np.concatenate([within, between]).reshape(-1, channels * channels)
    return np.reshape([math.fsum(column) / count for column in pairs.T], (channels, channels))

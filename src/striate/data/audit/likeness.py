"""How alike two pictures are, whatever their size, brightness, contrast, mirroring or quarter turn.

A picture is described by the lowest frequencies of the discrete cosine transform of its luma at 32 × 32. A mirror
image changes the signs of its odd frequencies and a quarter turn swaps the axes, so that all eight positions of one
picture are compared without transforming it again. The frequencies are whitened by what is usual in these very
images, for a likeness that everybody shares (a bright sky, a white page) is none.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from striate.data.audit.material import Material, grey
from striate.pixels.preparation import resampling_matrix

SIDE = 32
BANDS = 16
"""Frequencies kept along each axis: the finest has a period of 4 of the 32 pixels."""
COARSE = 8
TURNS = (
    "in the same position", "mirrored left to right", "mirrored top to bottom", "upside down",
    "mirrored along a diagonal", "a quarter turned", "a quarter turned", "mirrored along a diagonal",
)  # fmt: skip
SHRINKAGE = 1e-3


def cosine_matrix(size: int, count: int) -> Float64[np.ndarray, "count size"]:
    """The first rows of the orthonormal DCT-II (Ahmed, Natarajan and Rao 1974).

    >>> cosine_matrix(4, 2).round(3).tolist()
    [[0.5, 0.5, 0.5, 0.5], [0.653, 0.271, -0.271, -0.653]]
    """
    angles = np.pi / size * np.outer(np.arange(count), np.arange(size) + 0.5)
    matrix = np.sqrt(2 / size) * np.cos(angles)
    matrix[0] /= np.sqrt(2)
    return matrix


def small(
    pictures: Float32[np.ndarray, "image height width channel"],
) -> Float32[np.ndarray, "image 32 32 channel"]:
    """Pictures at 32 × 32, antialiased, their channels kept."""
    count, height, width, channels = pictures.shape
    if (height, width) == (SIDE, SIDE):
        return pictures
    rows = resampling_matrix(height, SIDE).astype(np.float32)
    columns = resampling_matrix(width, SIDE).astype(np.float32)
    lines = (rows @ pictures.reshape(count, height, width * channels)).reshape(count, SIDE, width, channels)
    return columns @ lines


def small_grey(
    pictures: Float32[np.ndarray, "image height width channel"],
) -> Float32[np.ndarray, "image 32 32"]:
    """The luma of pictures at 32 × 32."""
    return small(grey(pictures)[..., None])[..., 0]


def frequencies(material: Material) -> Float32[np.ndarray, "image band band"]:
    """The lowest 16 × 16 frequencies of every image."""
    result = np.empty((len(material), BANDS, BANDS), np.float32)
    matrix = cosine_matrix(SIDE, BANDS).astype(np.float32)
    for which, pictures in material.chunks():
        result[which] = matrix @ small_grey(pictures) @ matrix.T
    return result


def turned(
    bands: Float32[np.ndarray, "image band band"], turn: int
) -> Float32[np.ndarray, "image band band"]:
    """The frequencies of the same pictures in another position: bits 0 and 1 mirror the axes, bit 2 swaps them."""
    signs = np.where(np.arange(bands.shape[1]) % 2, np.float32(-1), np.float32(1))
    if turn & 4:
        bands = bands.transpose(0, 2, 1)
    if turn & 1:
        bands = bands * signs
    if turn & 2:
        bands = bands * signs[:, None]
    return bands


def back(turn: int) -> int:
    """The turn that undoes a turn: its own, but for the two quarter turns, which undo each other.

    >>> [back(turn) for turn in range(8)]
    [0, 1, 2, 3, 4, 6, 5, 7]
    """
    return {5: 6, 6: 5}.get(turn, turn)


@dataclass(frozen=True, eq=False)
class Whitening:
    """A linear map under which no frequency of these images is more usual than another, and what it keeps."""

    bands: int
    matrix: Float32[np.ndarray, "frequency component"]

    def __call__(
        self, bands: Float32[np.ndarray, "image band band"]
    ) -> Float32[np.ndarray, "image component"]:
        """Unit vectors whose products are likenesses from -1 to 1; zero for a picture without structure.

        The mean brightness is left out, and the length divided away: brightness and contrast do not count.
        """
        kept = bands[:, : self.bands, : self.bands].reshape(len(bands), self.bands**2)[:, 1:]
        values = kept @ self.matrix
        length = np.sqrt(np.einsum("ij,ij->i", values, values))[:, None]
        return np.divide(values, length, out=np.zeros_like(values), where=length > 0)


def whitening(bands: Float32[np.ndarray, "image band band"], count: int, *, joint: bool) -> Whitening:
    """The whitening of the lowest `count` × `count` frequencies: each alone, or `joint` what they share too."""
    kept = bands[:, :count, :count].reshape(len(bands), count**2)[:, 1:]
    covariance = (kept.T @ kept).astype(np.float64) / max(1, len(kept))
    ridge = SHRINKAGE * max(float(np.trace(covariance)) / len(covariance), 1e-12)
    if not joint:
        return Whitening(count, np.diag(1 / np.sqrt(np.diag(covariance) + ridge)).astype(np.float32))
    values, vectors = np.linalg.eigh(covariance)
    return Whitening(count, (vectors / np.sqrt(np.maximum(values, 0) + ridge)).astype(np.float32))

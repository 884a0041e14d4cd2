"""Hand-made features for quick fits: gradients, low frequencies of colour, and a dictionary of patches.

Nothing here sees a label. Sources: Dalal and Triggs 2005 (gradients); Coates and Ng 2012 (patches, whitening and a
dictionary by spherical k-means).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from striate.data.audit.likeness import SIDE, cosine_matrix, small
from striate.data.audit.material import Material, grey

Pictures = Float32[np.ndarray, "image 32 32 channel"]
Table = Float32[np.ndarray, "image feature"]

LEARNED_FROM = 5000
"""Images from which projections and the dictionary are learned."""
ORIENTATIONS, CLIPPED = 9, 0.2
WORDS, PATCH, STRIDE, FIELDS, SURE = 100, 6, 2, 3, 0.25
BLOCKS: tuple[tuple[str, int, float], ...] = (
    ("fine gradients", 250, 1.0),
    ("coarse gradients", 150, 1.0),
    ("colours", 100, 0.7),
    ("patches", 400, 1.5),
)
"""Each kind of feature, the dimensions kept of it, and its weight: its total deviation in the result."""


def picture_features(material: Material, step: Callable[[], None] = lambda: None) -> Table:
    """At most 900 numbers an image, in which Euclidean distances mean something; `step` is called now and then."""
    random = np.random.default_rng(material.seed)
    count = len(material)
    sample = np.sort(random.choice(count, min(count, LEARNED_FROM), replace=False))
    pictures = small(material.pictures(sample))
    dictionary = learn_dictionary(pictures, random)
    projections = [
        learn_projection(table, size, weight)
        for table, (_, size, weight) in zip(_tables(pictures, dictionary), BLOCKS, strict=True)
    ]
    result = np.empty((count, sum(projection.matrix.shape[1] for projection in projections)), np.float32)
    for which, chunk in material.chunks():
        tables = _tables(small(chunk), dictionary)
        parts = [project(table) for project, table in zip(projections, tables, strict=True)]
        result[which] = np.concatenate(parts, axis=1)
        step()
    return result


def _tables(pictures: Pictures, dictionary: "Dictionary") -> list[Table]:
    return [gradients(pictures, 4), gradients(pictures, 8), colours(pictures), dictionary(pictures)]


def gradients(pictures: Pictures, cell: int) -> Table:
    """Histograms of nine gradient directions in square cells, each normalised in its four 2 × 2 neighbourhoods.

    >>> gradients(np.zeros((1, 32, 32, 1), np.float32), 8).shape
    (1, 324)
    """
    luma = grey(pictures)
    down, across = np.zeros_like(luma), np.zeros_like(luma)
    down[:, 1:-1] = luma[:, 2:] - luma[:, :-2]
    across[:, :, 1:-1] = luma[:, :, 2:] - luma[:, :, :-2]
    strength = np.hypot(down, across)
    angle = np.arctan2(down, across) % np.float32(np.pi) * np.float32(ORIENTATIONS / np.pi)
    lower = angle.astype(np.int8)
    share = angle - lower
    cells = SIDE // cell
    histogram = np.empty((len(luma), ORIENTATIONS, cells, cells), np.float32)
    upper, rest = strength * share, strength * (1 - share)
    for bin_ in range(ORIENTATIONS):
        part = rest * (lower % ORIENTATIONS == bin_) + upper * ((lower + 1) % ORIENTATIONS == bin_)
        histogram[:, bin_] = part.reshape(-1, cells, cell, cells, cell).sum(axis=(2, 4))
    energy = np.square(histogram).sum(axis=1)
    energy = energy[:, :-1, :-1] + energy[:, 1:, :-1] + energy[:, :-1, 1:] + energy[:, 1:, 1:]
    length = np.sqrt(energy + np.float32(0.01))[:, None]
    corners = [
        np.minimum(histogram[:, :, y : cells - 1 + y, x : cells - 1 + x] / length, np.float32(CLIPPED))
        for y in (0, 1)
        for x in (0, 1)
    ]
    return np.concatenate(corners, axis=1).reshape(len(luma), -1)


def colours(pictures: Pictures) -> Table:
    """The lowest 8 × 8 frequencies of each channel: where it is bright, and of which colour."""
    matrix = cosine_matrix(SIDE, 8).astype(np.float32)
    count, _, _, channels = pictures.shape
    lines = (matrix @ pictures.reshape(count, SIDE, SIDE * channels)).reshape(count, 8, SIDE, channels)
    return (matrix @ lines).reshape(count, -1)


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Patches of 6 × 6 pixels described by how much of each word is in them, pooled over 3 × 3 fields."""

    words: Float32[np.ndarray, "value word"]
    offset: Float32[np.ndarray, " word"]

    def __call__(self, pictures: Pictures) -> Table:
        result = np.empty((len(pictures), FIELDS * FIELDS * 2 * WORDS), np.float32)
        side = (SIDE - PATCH) // STRIDE + 1
        edges = np.linspace(0, side, FIELDS + 1).round().astype(int)[:-1]
        for start in range(0, len(pictures), 64):  # what fits into the processor's cache
            part = pictures[start : start + 64]
            found = (_patches(part) @ self.words - self.offset).reshape(len(part), side, side, -1)
            signed = np.concatenate([found, -found], axis=3) - np.float32(SURE)
            np.maximum(signed, 0, out=signed)
            pooled = np.add.reduceat(np.add.reduceat(signed, edges, axis=1), edges, axis=2)
            result[start : start + 64] = np.sqrt(pooled).reshape(len(part), -1)
        return result


def learn_dictionary(pictures: Pictures, random: np.random.Generator) -> Dictionary:
    """A hundred words: directions of whitened patches by spherical k-means."""
    chosen = pictures[random.choice(len(pictures), min(len(pictures), 400), replace=False)]
    patches = _patches(chosen)
    patches = patches[random.choice(len(patches), min(len(patches), 40_000), replace=False)]
    mean = patches.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((patches - mean).T.astype(np.float64)))
    whitening = ((vectors / np.sqrt(np.maximum(values, 0) + 0.1)) @ vectors.T).astype(np.float32)
    white = (patches - mean) @ whitening
    words = white[random.choice(len(white), WORDS, replace=len(white) < WORDS)] + np.float32(1e-6)
    for _ in range(10):
        words /= np.maximum(np.linalg.norm(words, axis=1, keepdims=True), np.float32(1e-6))
        products = white @ words.T
        nearest = np.abs(products).argmax(axis=1)
        weights = np.zeros_like(products)
        weights[np.arange(len(white)), nearest] = products[np.arange(len(white)), nearest]
        words = weights.T @ white
    words /= np.maximum(np.linalg.norm(words, axis=1, keepdims=True), np.float32(1e-6))
    seen = np.ascontiguousarray(whitening @ words.T)
    return Dictionary(seen, mean @ seen)


def _patches(pictures: Pictures) -> Float32[np.ndarray, "patch value"]:
    """All patches as rows, brightness and contrast taken out; a flat patch stays near zero."""
    windows = np.lib.stride_tricks.sliding_window_view(pictures, (PATCH, PATCH), axis=(1, 2))
    rows = windows[:, ::STRIDE, ::STRIDE].reshape(-1, pictures.shape[3] * PATCH * PATCH)
    rows = rows - rows.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", rows, rows)[:, None] / rows.shape[1]
    rows /= np.sqrt(variance + np.float32(10 / 255**2))
    return rows


@dataclass(frozen=True, eq=False)
class Projection:
    """The main directions of a table of features, scaled so that each kind of feature has its weight."""

    mean: Float32[np.ndarray, " feature"]
    matrix: Float32[np.ndarray, "feature kept"]

    def __call__(self, table: Table) -> Float32[np.ndarray, "image kept"]:
        return (table - self.mean) @ self.matrix


def learn_projection(table: Table, size: int, weight: float) -> Projection:
    """Principal components, their whole variance scaled to `weight` squared."""
    mean = table.mean(axis=0)
    values, vectors = _components(table - mean, size)
    scale = weight / np.sqrt(max(float(np.maximum(values, 0).sum()), 1e-12))
    return Projection(mean, np.ascontiguousarray(vectors * scale, dtype=np.float32))


def _components(
    centred: Table, size: int
) -> tuple[Float64[np.ndarray, " kept"], Float64[np.ndarray, "feature kept"]]:
    """The greatest variances and their directions, from the smaller of the two matrices of products."""
    from scipy.linalg import eigh

    count, width = centred.shape
    tall = count >= width
    products = centred.T @ centred if tall else centred @ centred.T
    side = len(products)
    highest = (max(0, side - size), side - 1)
    values, vectors = eigh(products.astype(np.float64) / count, subset_by_index=highest)
    if tall:
        return values, vectors
    lengths = np.sqrt(np.maximum(values, 1e-12 * max(float(values.max()), 1e-12)) * count)
    return values, centred.T @ vectors / lengths

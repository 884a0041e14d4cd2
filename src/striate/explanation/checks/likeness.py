"""How alike two maps of the same picture are, and how alike maps are that have nothing in common."""

import numpy as np
from jaxtyping import Float, Float64

LEVEL = 0.95
"""Of maps that have nothing in common, so many are less alike than the limit."""
WINDOW = 1.5
"""The deviation of the Gaussian window of the structural similarity, in pixels. Wang et al. 2004, section III.C."""
K1, K2 = 0.01, 0.03

Maps = Float[np.ndarray, "images height width"]


def rank_correlations(some: Maps, others: Maps) -> Float64[np.ndarray, " images"]:
    """Spearman's rank correlation of each pair of maps, -1..1.

    >>> one = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    >>> rank_correlations(one, one**3).round(6).tolist(), rank_correlations(one, -one).round(6).tolist()
    ([1.0], [-1.0])

    A map without differences has no order: with another such map it is 1, with any other 0.
    """
    return _along(standard_ranks(some), standard_ranks(others))


def unrelated_pictures(some: Maps, others: Maps) -> Float64[np.ndarray, " pairs"]:
    """The rank correlation of each map with those of all other pictures."""
    first, second = (standard_ranks(maps).reshape(len(maps), -1) for maps in (some, others))
    flat_first, flat_second = (~ranks.any(axis=1) for ranks in (first, second))
    products = first @ second.T + np.outer(flat_first, flat_second)
    return products[~np.eye(len(products), dtype=bool)]


def shifted_limits(some: Maps, others: Maps) -> Float64[np.ndarray, " images"]:
    """The rank correlation that 95 % of the moved and mirrored copies of each map's partner stay below.

    A copy moved round the picture is as smooth as the map it comes of and has its values, but not its places. All
    displacements are gone through at once, as a product of Fourier transforms, of the map and of its three mirror
    images; the copy in place is left out.
    """
    first, second = standard_ranks(some), standard_ranks(others)
    spectrum = np.fft.rfft2(first)
    found = []
    for axes in ((), (1,), (2,), (1, 2)):
        mirrored = np.fft.rfft2(np.flip(second, axes) if axes else second)
        moved = np.fft.irfft2(spectrum * mirrored.conj(), s=first.shape[1:]).reshape(len(first), -1)
        found.append(moved if axes else moved[:, 1:])
    return np.quantile(np.concatenate(found, axis=1), LEVEL, axis=1)


def structural_similarities(some: Maps, others: Maps) -> Float64[np.ndarray, " images"]:
    """The structural similarity of each pair of maps, each divided by its largest magnitude. Wang et al. 2004.

    >>> one = np.arange(256.0).reshape(1, 16, 16)
    >>> structural_similarities(one, 3 * one).round(6).tolist()
    [1.0]

    Windows are Gaussian; the range of values is 1 where none is negative, and 2 otherwise.
    """
    x, y = _scaled(some), _scaled(others)
    span = np.where((x < 0).any(axis=(1, 2)) | (y < 0).any(axis=(1, 2)), 2.0, 1.0)[:, None, None]
    c1, c2 = (K1 * span) ** 2, (K2 * span) ** 2
    mean_x, mean_y = _smooth(x), _smooth(y)
    spread_x, spread_y = _smooth(x * x) - mean_x**2, _smooth(y * y) - mean_y**2
    common = _smooth(x * y) - mean_x * mean_y
    above = (2 * mean_x * mean_y + c1) * (2 * common + c2)
    below = (mean_x**2 + mean_y**2 + c1) * (spread_x + spread_y + c2)
    return (above / below).mean(axis=(1, 2))


def standard_ranks(maps: Maps) -> Float64[np.ndarray, "images height width"]:
    """Ranks of each map's values, equal ones sharing theirs, with mean 0 and length 1; all 0 without differences."""
    from scipy.stats import rankdata

    flat = maps.reshape(len(maps), -1)
    ranks = rankdata(flat, axis=1) - (flat.shape[1] + 1) / 2
    length = np.linalg.norm(ranks, axis=1, keepdims=True)
    return (ranks / np.where(length > 0, length, 1)).reshape(maps.shape)


def _along(first: Float64[np.ndarray, "images height width"], second: np.ndarray) -> np.ndarray:
    both_flat = ~first.any(axis=(1, 2)) & ~second.any(axis=(1, 2))
    return (first * second).sum(axis=(1, 2)) + both_flat


def _scaled(maps: np.ndarray) -> np.ndarray:
    largest = np.abs(maps).max(axis=(1, 2), keepdims=True)
    return maps.astype(np.float64) / np.where(largest > 0, largest, 1)


def _smooth(maps: np.ndarray) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(maps, (0, WINDOW, WINDOW), truncate=3.5)

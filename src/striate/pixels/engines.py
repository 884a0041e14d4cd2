"""Fast ways to the one sum that `definitions` spells out; `convolution` chooses, the tests hold them equal.

All take planes `height width channel` that are padded already and a kernel that is only slid, never flipped.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Float64, Shaped
from numpy.lib.stride_tricks import sliding_window_view

from striate.pixels.sliding import Slide

Planes = Shaped[np.ndarray, "_height _width channel"]
Maps = Shaped[np.ndarray, "_rows _columns channel"]

BLOCK_BYTES = 2**19
"""What one block of rows may fill, so that it stays in a core's own cache between the steps of a sum."""

BAND_ROWS, BAND_COLUMNS = 32, 16
"""Cells that one banded matrix makes: enough for BLAS to be quick, few enough to waste little on the zeros."""

ONE_THREAD = 2**18
"""Matrix products of at most so many multiplications stay on one thread of OpenBLAS: its threads wait badly on a
busy machine."""


def by_taps(
    planes: Planes, kernel: Shaped[np.ndarray, "window_h window_w"], rows: Slide, columns: Slide, work: type
) -> Maps:
    """Each channel alone: weight after weight is multiplied with the shifted picture and added.

    `work` is the type the sum is taken in; the result is int64 or float64. Weights of zero are left out, which
    is only right for finite pixels.
    """
    result = np.empty((rows.cells, columns.cells, planes.shape[2]), _wide(work))
    weights = [(i, j, kernel[i, j]) for i, j in np.ndindex(*kernel.shape) if kernel[i, j] != 0]
    for here, needed in _blocks(rows, planes[0].size * np.dtype(work).itemsize):
        block = planes[needed].astype(work)
        total = np.zeros((here.stop - here.start, *result.shape[1:]), work)
        product = np.empty_like(total)
        for i, j, weight in weights:
            part = block[_every(rows, i, len(total)), _every(columns, j, columns.cells)]
            np.multiply(part, work(weight), out=product)
            np.add(total, product, out=total)
        result[here] = total
    return result


def by_passes(
    planes: Planes, down: Float64[np.ndarray, " window_h"], across: Float64[np.ndarray, " window_w"]
) -> Maps:
    """Each channel alone, a short separable kernel at stride 1: a pass down the columns, one along the rows."""
    rows, columns = Slide(planes.shape[0], len(down)), Slide(planes.shape[1], len(across))
    result = np.empty((rows.cells, columns.cells, planes.shape[2]))
    for here, needed in _blocks(rows, planes[0].size * 8):
        block = planes[needed].astype(np.float64)
        count = here.stop - here.start
        between = _pass([block[i : i + count] for i in range(len(down))], down)
        shifted = [between[:, j : j + columns.cells] for j in range(len(across))]
        result[here] = _pass(shifted, across)
    return result


def by_bands(
    planes: Planes, down: Float64[np.ndarray, " window_h"], across: Float64[np.ndarray, " window_w"]
) -> Maps:
    """Each channel alone, a long separable kernel at stride 1: banded matrices, multiplied by BLAS.

    The rows of a picture keep their channels interleaved, so the matrix of the second pass does too.
    """
    height, width, channels = planes.shape
    rows, columns = Slide(height, len(down)), Slide(width, len(across))
    result = np.empty((rows.cells, columns.cells * channels))
    left = _band(down, BAND_ROWS)
    right = np.ascontiguousarray(np.kron(_band(across, BAND_COLUMNS), np.eye(channels)).T)
    flat = planes.reshape(height, -1)
    between = np.empty((BAND_ROWS, flat.shape[1]))
    piece = max(1, ONE_THREAD // left.size)
    for top in range(0, rows.cells, BAND_ROWS):
        count = min(BAND_ROWS, rows.cells - top)
        block = flat[top : top + count + len(down) - 1].astype(np.float64)
        matrix = left[:count, : len(block)]
        for start in range(0, flat.shape[1], piece):
            np.matmul(matrix, block[:, start : start + piece], out=between[:count, start : start + piece])
        for start in range(0, columns.cells, BAND_COLUMNS):
            end = min(start + BAND_COLUMNS, columns.cells)
            part = between[:count, start * channels : (end + len(across) - 1) * channels]
            band = right[: part.shape[1], : (end - start) * channels]
            np.matmul(part, band, out=result[top : top + count, start * channels : end * channels])
    return result.reshape(rows.cells, columns.cells, channels)


def by_fourier(planes: Planes, kernel: Float[np.ndarray, "window_h window_w"]) -> Maps:
    """Each channel alone, a large kernel at stride 1: products of spectra, block by block.

    Rounding is relative to the largest value near a cell, not to the cell's own; pixels must be finite.
    """
    from scipy.signal import oaconvolve

    flipped = np.ascontiguousarray(kernel[::-1, ::-1, None], dtype=np.float64)
    return oaconvolve(planes.astype(np.float64), flipped, mode="valid", axes=(0, 1))


def by_patches(
    planes: Planes,
    filters: Shaped[np.ndarray, "filter window_h window_w channel"],
    rows: Slide,
    columns: Slide,
    work: type,
) -> Shaped[np.ndarray, "_rows _columns filter"]:
    """Sums over all channels, one map a filter: every window becomes a row of a matrix, multiplied at once."""
    weights = filters.transpose(3, 1, 2, 0).reshape(-1, len(filters)).astype(work)
    result = np.empty((rows.cells, columns.cells, len(filters)), _wide(work))
    windows = rows.reach, columns.reach
    for here, needed in _blocks(rows, len(weights) * columns.cells * np.dtype(work).itemsize):
        views = sliding_window_view(planes[needed].astype(work), windows, axis=(0, 1))
        views = views[:: rows.stride, :: columns.stride, :, :: rows.dilation, :: columns.dilation]
        result[here] = (views.reshape(-1, len(weights)) @ weights).reshape(*views.shape[:2], -1)
    return result


def separated(
    kernel: Shaped[np.ndarray, "window_h window_w"],
) -> tuple[Float64[np.ndarray, " window_h"], Float64[np.ndarray, " window_w"]] | None:
    """A column and a row whose outer product is the kernel to the last digit but one, or None.

    >>> down, across = separated(np.array([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]))
    >>> down.tolist(), across.tolist()
    ([2.0, 4.0, 2.0], [0.5, 1.0, 0.5])
    """
    weights = kernel.astype(np.float64)
    row, column = np.unravel_index(np.argmax(np.abs(weights)), weights.shape)
    pivot = weights[row, column]
    if pivot == 0 or not np.isfinite(weights).all():
        return None
    down, across = weights[:, column], weights[row] / pivot
    exact = np.abs(np.outer(down, across) - weights).max() <= 1e-15 * abs(pivot)
    return (down, across) if exact else None


def _blocks(rows: Slide, row_bytes: int) -> Iterator[tuple[slice, slice]]:
    """Ranges of cells, and the padded pixels that each range needs."""
    step = max(1, BLOCK_BYTES // max(row_bytes * rows.stride, 1))
    for start in range(0, rows.cells, step):
        end = min(start + step, rows.cells)
        yield slice(start, end), slice(start * rows.stride, (end - 1) * rows.stride + rows.reach)


def _every(slide: Slide, weight: int, cells: int) -> slice:
    first = weight * slide.dilation
    return slice(first, first + (cells - 1) * slide.stride + 1, slide.stride)


def _pass(parts: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    total = parts[0] * weights[0]
    product = np.empty_like(total)
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        np.multiply(part, weight, out=product)
        np.add(total, product, out=total)
    return total


def _band(weights: Float64[np.ndarray, " window"], cells: int) -> Float64[np.ndarray, "cells reach"]:
    """The matrix that slides these weights over as many pixels as make so many cells."""
    matrix = np.zeros((cells, cells + len(weights) - 1))
    diagonal = np.arange(cells)
    for offset, weight in enumerate(weights):
        matrix[diagonal, diagonal + offset] = weight
    return matrix


def _wide(work: type) -> type:
    return np.int64 if np.issubdtype(work, np.integer) else np.float64

"""Which pictures to compare at all: the likest few of each, in every position, without comparing all with all."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int

from striate.data.audit.likeness import COARSE, back, turned, whitening

NEAREST = 4
LIKELY = 0.6
"""Crops by 2 of 32 pixels come down to this likeness at 8 × 8 frequencies; unrelated photographs seldom reach it."""
CELL, PROBED, FILED_BY = 8192, 8, 5
BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Cells:
    """Pictures filed by their coarsest structure: a picture is looked for in the eight likest cells.

    Up to 65,536 pictures that is all of them and the search is exact; beyond, its cost grows with their number and
    not with its square.
    """

    centres: Float32[np.ndarray, "cell frequency"]
    filed: Int[np.ndarray, " image"]

    def meetings(
        self, bands: Float32[np.ndarray, "query band band"]
    ) -> Iterator[tuple[Int[np.ndarray, " asking"], Int[np.ndarray, " among"]]]:
        """The queries of each cell and the pictures filed there, at most 1,024 queries at a time."""
        count = len(self.centres)
        probes = min(PROBED, count)
        best = np.zeros((len(bands), 1), np.int64)
        if count > 1:
            best = np.argpartition(-(coarse(bands) @ self.centres.T), probes - 1, axis=1)[:, :probes]
        for cell in range(count):
            asking, among = np.flatnonzero((best == cell).any(axis=1)), np.flatnonzero(self.filed == cell)
            for start in range(0, len(asking), BLOCK):
                yield asking[start : start + BLOCK], among


def cells(bands: Float32[np.ndarray, "image band band"], seed: int, size: int = CELL) -> Cells:
    """Cells of about `size` pictures each, around as many pictures chosen at random."""
    count = max(1, round(len(bands) / size))
    if count == 1:
        return Cells(np.zeros((1, 0), np.float32), np.zeros(len(bands), np.int64))
    vectors = coarse(bands)
    centres = vectors[np.random.default_rng(seed).choice(len(bands), count, replace=False)]
    filed = [
        (vectors[start : start + BLOCK] @ centres.T).argmax(axis=1) for start in range(0, len(bands), BLOCK)
    ]
    return Cells(centres, np.concatenate(filed))


def coarse(bands: Float32[np.ndarray, "image band band"]) -> Float32[np.ndarray, "image frequency"]:
    """The lowest frequencies as unit vectors, as strong as they are: what changes least by any editing."""
    kept = bands[:, :FILED_BY, :FILED_BY].reshape(len(bands), FILED_BY**2)[:, 1:]
    return kept / np.maximum(np.linalg.norm(kept, axis=1, keepdims=True), 1e-9)


def candidates(
    bands: Float32[np.ndarray, "image band band"], seed: int, size: int = CELL
) -> Int[np.ndarray, "pair 3"]:
    """Pairs worth comparing closely: image, its turn, and the other image that it may then equal.

    For each image and each of its eight positions the four likest others, where they are like at all.
    """
    white = whitening(bands, COARSE, joint=False)
    filed, place = white(bands), cells(bands, seed, size)
    found: list[Int[np.ndarray, "pair 4"]] = [np.empty((0, 4), np.int64)]
    for turn in range(8):
        asked = turned(bands, turn)
        queries = white(asked)
        for asking, among in place.meetings(asked):
            found.append(_likest(queries, filed, asking, among, turn))
    return _distinct(np.concatenate(found))


def _likest(
    queries: Float32[np.ndarray, "query component"],
    filed: Float32[np.ndarray, "image component"],
    asking: Int[np.ndarray, " asking"],
    among: Int[np.ndarray, " among"],
    turn: int,
) -> Int[np.ndarray, "pair 4"]:
    """Image, turn, other and likeness in millionths, of at most four a query."""
    likeness = queries[asking] @ filed[among].T
    position = np.searchsorted(among, asking)
    own = np.flatnonzero(np.take(among, position, mode="clip") == asking) if len(among) else np.empty(0, int)
    likeness[own, position[own]] = -1
    hopeful = np.flatnonzero(likeness.max(axis=1, initial=-1) > LIKELY)
    likeness = likeness[hopeful]
    top = (
        np.argpartition(-likeness, min(NEAREST, len(among)) - 1, axis=1)[:, :NEAREST]
        if len(hopeful)
        else likeness
    )
    values = np.take_along_axis(likeness, top.astype(np.int64), axis=1)
    query, rank = np.nonzero(values > LIKELY)
    others = among[top[query, rank].astype(np.int64)]
    millionths = (values[query, rank] * 1e6).astype(np.int64)
    return np.stack([asking[hopeful[query]], np.full(len(query), turn), others, millionths], axis=1)


def _distinct(found: Int[np.ndarray, "found 4"]) -> Int[np.ndarray, "pair 3"]:
    """Each unordered pair once, in the turn in which it is likest; the smaller index is the one that is turned.

    Of each image's up to 32 pairs the four likest are kept, and those that another image keeps.
    """
    order = np.lexsort((-found[:, 3], found[:, 0]))
    found = found[order]
    rank = np.arange(len(found)) - np.searchsorted(found[:, 0], found[:, 0])
    found = found[rank < NEAREST]
    swap = found[:, 0] > found[:, 2]
    undone = np.array([back(turn) for turn in range(8)])
    found[swap] = np.stack([found[swap, 2], undone[found[swap, 1]], found[swap, 0], found[swap, 3]], axis=1)
    found = found[np.lexsort((found[:, 1], -found[:, 3], found[:, 2], found[:, 0]))]
    first = np.ones(len(found), bool)
    first[1:] = (found[1:, 0] != found[:-1, 0]) | (found[1:, 2] != found[:-1, 2])
    return found[first, :3]

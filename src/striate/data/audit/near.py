"""Near duplicates: one picture resized, recompressed, brightened, cropped by a little, mirrored or turned."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int

from striate.data.audit import likeness
from striate.data.audit.finding import Case, Finding, plural
from striate.data.audit.likeness import BANDS, SIDE, TURNS, Whitening
from striate.data.audit.material import Material
from striate.data.audit.neighbours import candidates

CERTAIN, LEAST = 0.97, 0.75
CLOSER, CHANCE = 0.5, 0.01
"""A near duplicate is at most half as far away as unrelated images usually are, and nearer than chance explains."""
SAME_COLOURS = 0.9
REFERENCES, NEAREST, RANK, MOST_DIMENSIONS = 1000, 20, 3, 30
TRIMS = (1, 2)
"""Pixels of 32 that a crop may have taken from an axis."""
BATCH = 512
FAINT = 0.01


@dataclass(frozen=True, eq=False)
class Pairs:
    """Near duplicates: `first` as it looks after `turn` is like `second`, to a likeness of at most 1."""

    first: Int[np.ndarray, " pair"]
    second: Int[np.ndarray, " pair"]
    turn: Int[np.ndarray, " pair"]
    likeness: Float32[np.ndarray, " pair"]

    def __len__(self) -> int:
        return len(self.first)


def near_duplicates(material: Material) -> list[Finding]:
    """Pairs of near duplicates across splits and across classes as warnings, those within a class as a note."""
    pairs = near_pairs(material)
    labels, splits = material.labels, material.images.splits
    across_splits = splits[pairs.first] != splits[pairs.second]
    across_classes = labels[pairs.first] != labels[pairs.second]
    return [
        *_finding(_split_cases(material, pairs, across_splits), "splits", int(across_splits.sum())),
        *_finding(_class_cases(material, pairs, across_classes), "classes", int(across_classes.sum())),
        *_within(material, pairs, ~across_splits & ~across_classes),
    ]


def near_pairs(material: Material) -> Pairs:
    """All pairs of near duplicates among images of different pixels, the likest first.

    Images are proposed by their coarse frequencies and compared in their fine ones, in the right position, after
    undoing a crop; then they must be closer than chance allows among these images, and of the same colours.
    """
    chosen = _searchable(material)
    if len(chosen) < 2:
        empty = np.empty(0, np.int64)
        return Pairs(empty, empty, empty, np.empty(0, np.float32))
    bands = likeness.frequencies(material)[chosen]
    proposed = candidates(bands, material.seed)
    white = likeness.whitening(bands, BANDS, joint=True)
    limit = _limits(white, bands, proposed, material.seed)
    proposed[:, 0], proposed[:, 2] = chosen[proposed[:, 0]], chosen[proposed[:, 2]]
    closeness = _compared(material, white, proposed, limit)
    kept = closeness >= limit
    proposed, closeness = proposed[kept], closeness[kept]
    order = np.argsort(-closeness, kind="stable")
    return Pairs(proposed[order, 0], proposed[order, 2], proposed[order, 1], closeness[order])


def _searchable(material: Material) -> Int[np.ndarray, " image"]:
    """One image of each set of equal pixels, without those on which nothing can be seen."""
    first = np.sort(np.unique(material.pictures_known, return_index=True)[1])
    low, high = material.value_range
    return first[material.facts["deviation"][first] > FAINT * (high - low)]


def _limits(
    white: Whitening,
    bands: Float32[np.ndarray, "image band band"],
    proposed: Int[np.ndarray, "pair 3"],
    seed: int,
) -> Float32[np.ndarray, " pair"]:
    """The likeness that each pair must reach: the stricter of what its two images ask for, and never above CERTAIN."""
    reach = np.zeros(len(bands), np.float32)
    asked = np.unique(proposed[:, ::2])
    reach[asked] = _reach(white, bands, asked, seed)
    closest = np.minimum(reach[proposed[:, 0]], reach[proposed[:, 2]])
    return np.clip(1 - np.square(closest) / 2, LEAST, CERTAIN)


def _reach(
    white: Whitening,
    bands: Float32[np.ndarray, "image band band"],
    asked: Int[np.ndarray, " asked"],
    seed: int,
) -> Float32[np.ndarray, " asked"]:
    """The distance within which chance alone puts an unrelated image, in any position, once in a hundred images.

    Unrelated images within a distance grow in number as its power by the local dimension, which is estimated from the
    twenty nearest of a thousand random images in all positions (Levina and Bickel 2004, equation 8).
    """
    random = np.random.default_rng(seed)
    drawn = np.sort(random.choice(len(bands), min(REFERENCES, len(bands)), replace=False))
    references = np.concatenate([white(likeness.turned(bands[drawn], turn)) for turn in range(8)])
    nearest = min(NEAREST, len(drawn) - 1)
    reach = np.empty(len(asked), np.float32)
    for start in range(0, len(asked), BATCH):
        part = asked[start : start + BATCH]
        products = white(bands[part]) @ references.T
        products[part[:, None] == np.tile(drawn, 8)] = -1
        best = -np.sort(-np.partition(products, -nearest, axis=1)[:, -nearest:], axis=1)
        distance = np.sqrt(np.maximum(2 - 2 * best, 1e-6))[:, RANK - 1 :]
        dimension = 1 / np.maximum(np.log(distance[:, -1:] / distance).mean(axis=1), 1 / MOST_DIMENSIONS)
        chance = CHANCE * len(drawn) / (RANK * len(bands))
        reach[start : start + BATCH] = distance[:, 0] * np.minimum(CLOSER, chance ** (1 / dimension))
    return reach


def _compared(
    material: Material,
    white: Whitening,
    proposed: Int[np.ndarray, "pair 3"],
    limit: Float32[np.ndarray, " pair"],
) -> Float32[np.ndarray, " pair"]:
    """The likeness of each pair, at the crop that makes it highest; -1 where the colours differ."""
    result = np.empty(len(proposed), np.float32)
    for start in range(0, len(proposed), BATCH):
        part = slice(start, start + BATCH)
        first, second = (material.pictures(proposed[part, side]) for side in (0, 2))
        grey = _positioned(likeness.small_grey(first)[..., None], proposed[part, 1])[..., 0]
        closeness = _aligned(white, grey, likeness.small_grey(second), limit[part])
        hopeful = np.flatnonzero(closeness >= limit[part])
        coloured = _positioned(likeness.small(first[hopeful]), proposed[part, 1][hopeful])
        closeness[hopeful[~_same_colours(coloured, likeness.small(second[hopeful]))]] = -1
        result[part] = closeness
    return result


def _positioned(
    square: Float32[np.ndarray, "image side side channel"], turn: Int[np.ndarray, " image"]
) -> Float32[np.ndarray, "image side side channel"]:
    """Square pictures in the position that `turn` says, as `turned` has it for frequencies."""
    result = square.copy()
    for number in range(1, 8):
        chosen = turn == number
        picture = square[chosen]
        picture = picture.swapaxes(1, 2) if number & 4 else picture
        picture = picture[:, :, ::-1] if number & 1 else picture
        result[chosen] = picture[:, ::-1] if number & 2 else picture
    return result


def _aligned(
    white: Whitening,
    first: Float32[np.ndarray, "pair 32 32"],
    second: Float32[np.ndarray, "pair 32 32"],
    limit: Float32[np.ndarray, " pair"],
) -> Float32[np.ndarray, " pair"]:
    """The likeness whole, or where that does not suffice, of the best crop of either with the other whole."""
    plain = likeness.cosine_matrix(SIDE, BANDS).astype(np.float32)
    whole = [white(plain @ picture @ plain.T) for picture in (first, second)]
    best = np.einsum("ij,ij->i", *whole)
    rest = np.flatnonzero(best < limit)
    for trim in TRIMS:
        maps = [_cropped(plain, trim, offset) for offset in range(trim + 1)]
        for rows in maps:
            for columns in maps:
                for picture, other in ((first, whole[1]), (second, whole[0])):
                    part = white(rows @ picture[rest] @ columns.T)
                    best[rest] = np.maximum(best[rest], np.einsum("ij,ij->i", part, other[rest]))
    return best


def _cropped(plain: Float32[np.ndarray, "band 32"], trim: int, offset: int) -> Float32[np.ndarray, "band 32"]:
    """The frequencies of an axis cut by `trim` pixels, `offset` of them at its start, and enlarged again."""
    enlarged = likeness.resampling_matrix(SIDE - trim, SIDE).astype(np.float32)
    matrix = np.zeros_like(plain)
    matrix[:, offset : SIDE - trim + offset] = plain @ enlarged
    return matrix


def _same_colours(
    first: Float32[np.ndarray, "pair 32 32 channel"], second: Float32[np.ndarray, "pair 32 32 channel"]
) -> Bool[np.ndarray, " pair"]:
    """Whether two pictures agree in 4 × 4 fields of colour, brightness and contrast aside; true of grey ones."""
    if first.shape[3] == 1:
        return np.ones(len(first), bool)
    fields = [picture.reshape(len(picture), 4, 8, 4, 8, 3).mean(axis=(2, 4)) for picture in (first, second)]
    flat = [field.reshape(len(field), 48) - field.mean(axis=(1, 2, 3))[:, None] for field in fields]
    lengths = [np.linalg.norm(values, axis=1) for values in flat]
    return np.einsum("ij,ij->i", *flat) >= SAME_COLOURS * lengths[0] * lengths[1]


def _split_cases(material: Material, pairs: Pairs, chosen: Bool[np.ndarray, " pair"]) -> list[Case]:
    """The image of the training split where there is one, with its partner."""
    splits = material.images.splits
    cases = []
    for pair in np.flatnonzero(chosen).tolist():
        one, other = int(pairs.first[pair]), int(pairs.second[pair])
        if splits[other] == "train":
            one, other = other, one
        detail = (
            f"in {splits[one] or 'no split'}, the other in {splits[other] or 'no split'}; {_how(pairs, pair)}"
        )
        cases.append(material.case(one, detail, partner=other))
    return cases


def _class_cases(material: Material, pairs: Pairs, chosen: Bool[np.ndarray, " pair"]) -> list[Case]:
    """Both images of each pair, since either label may be the wrong one."""
    cases = []
    for pair in np.flatnonzero(chosen).tolist():
        both = (int(pairs.first[pair]), int(pairs.second[pair]))
        for one, other in (both, both[::-1]):
            detail = f"the other is labelled {material.label(other)}; {_how(pairs, pair)}"
            cases.append(material.case(one, detail, partner=other))
    return cases


def _how(pairs: Pairs, pair: int) -> str:
    return f"{TURNS[pairs.turn[pair]]}, likeness {pairs.likeness[pair]:.2f}"


def _finding(cases: list[Case], between: str, count: int) -> list[Finding]:
    if not cases:
        return []
    advice = {
        "splits": "The test is easier than it looks: drop the image listed, or group the two.",
        "classes": "Look at both: one of the labels may be wrong. Mirrored or turned symbols may be meant so.",
    }
    return [
        Finding(
            kind=f"near-duplicates-across-{between}",
            severity="warning",
            sentence=f"{plural(count, 'pair')} of images in different {between} look like one picture.",
            count=count,
            unit="pair",
            advice=advice[between],
            cases=tuple(cases),
            numbers={"pairs": count},
        )
    ]


def _within(material: Material, pairs: Pairs, chosen: Bool[np.ndarray, " pair"]) -> list[Finding]:
    where = np.flatnonzero(chosen).tolist()
    if not where:
        return []
    cases = tuple(
        material.case(int(pairs.second[pair]), _how(pairs, pair), partner=int(pairs.first[pair]))
        for pair in where
    )
    return [
        Finding(
            kind="near-duplicates-within-class",
            severity="note",
            sentence=f"{plural(len(cases), 'pair')} of images of one class and one split look like one picture.",
            count=len(cases),
            unit="pair",
            advice="They may end up in different splits once a split is made: name their group to keep them together.",
            cases=cases,
            numbers={"pairs": len(cases)},
        )
    ]

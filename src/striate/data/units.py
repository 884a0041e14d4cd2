"""What a split may not tear apart: images joined by equal pixels or by a group, as connected components."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Shaped


@dataclass(frozen=True, eq=False)
class Units:
    """The unit of every image, and for every unit the text that is hashed to find its place."""

    of_image: Int[np.ndarray, " image"]
    keys: list[bytes]


def units(digests: Shaped[np.ndarray, " image"], groups: Shaped[np.ndarray, " image"] | None = None) -> Units:
    """Images that share pixels or a group, directly or through others, as one unit.

    >>> made = units(np.array(["a", "b", "b", "c"], "S1"), np.array(["ann", "ann", "bob", ""]))
    >>> made.of_image.tolist(), made.keys
    ([0, 0, 0, 1], [b'group ann', b'c'])

    An image without a group ('') is joined by its pixels alone. A unit's key is its first group in the order of the
    alphabet, or else its digest, so that it does not depend on how many images the unit has.
    """
    known, by_pixels = np.unique(digests, return_inverse=True)
    if groups is None:
        return Units(by_pixels, known.tolist())
    names, by_group = np.unique(np.asarray(groups), return_inverse=True)
    joined = np.flatnonzero(names[by_group] != "")
    unit_of_pixels = _components(len(known), len(names), by_pixels[joined], by_group[joined])
    of_image = unit_of_pixels[by_pixels]
    keys: list[bytes] = [b""] * (int(of_image.max(initial=-1)) + 1)
    for unit, digest in zip(unit_of_pixels[::-1].tolist(), known[::-1].tolist(), strict=True):
        keys[unit] = digest
    order = joined[np.argsort(by_group[joined], kind="stable")][::-1]
    for unit, name in zip(of_image[order].tolist(), by_group[order].tolist(), strict=True):
        keys[unit] = b"group " + str(names[name]).encode("utf-8", "surrogateescape")
    return Units(of_image, keys)


def _components(
    pixels: int, groups: int, left: Int[np.ndarray, " edge"], right: Int[np.ndarray, " edge"]
) -> Int[np.ndarray, " pixels"]:
    """The component of each distinct picture in the graph that joins pictures with groups, numbered in order."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = pixels + groups
    graph = coo_array((np.ones(len(left), dtype=bool), (left, pixels + right)), shape=(count, count))
    _, component = connected_components(graph.tocsr(), directed=False)
    return np.unique(component[:pixels], return_inverse=True)[1]

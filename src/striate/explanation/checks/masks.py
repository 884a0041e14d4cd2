"""Agreement of maps with masks of where the evidence is: the pointing game, the energy inside, the overlap.

Pointing game: Zhang, Bargal, Lin, Brandt, Shen & Sclaroff 2018, Top-down neural attention by excitation backprop,
section 5.1. Energy: Wang et al. 2020, Score-CAM, section 4.2. Overlap: intersection over union of the mask and the
pixels above a threshold.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64

from striate.drawing.numbers import decimal, percent
from striate.errors import UsageError
from striate.evaluation.intervals import Number, wilson
from striate.explanation.checks.means import SHARE, mean_number

Maps = Float[np.ndarray, "images height width"]
Masks = Bool[np.ndarray, "masks rows columns"]
Each = Float64[np.ndarray, " images"]


@dataclass(frozen=True, eq=False)
class Agreement:
    """How maps agree with masks, image by image; images whose mask is empty are left out.

    `hits` says whether the map's peak is on the mask or within `tolerance` pixels of it, `by_chance` how large that
    part of the picture is: what a peak anywhere would hit. `energy` is the share of the map's positive values inside
    the mask, NaN where it has none, and `area` the mask's share of the picture. `overlap` is the intersection over
    union at the threshold that leaves as many pixels as the mask has, `best_overlap` the highest at any threshold.
    """

    tolerance: float
    left_out: int
    hits: Bool[np.ndarray, " images"]
    by_chance: Each
    energy: Each
    area: Each
    overlap: Each
    best_overlap: Each

    @property
    def pointing(self) -> Number:
        """The share of images whose peak hits, with Wilson's interval."""
        return wilson(int(self.hits.sum()), len(self.hits))

    def sentence(self) -> str:
        """Pointing, energy and overlap in a sentence, beside what chance reaches."""
        near = f" or within {self.tolerance:g} pixels of it" if self.tolerance else ""
        energy, overlap = (decimal(mean_number(values, SHARE)) for values in (self.energy, self.overlap))
        return (
            f"The peak is on the mask{near} in {percent(self.pointing)}; anywhere it would be in"
            f" {100 * self.by_chance.mean():.1f} %. The mask has {energy} of the map's positive values and"
            f" {self.area.mean():.3f} of the picture; overlap {overlap}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Numbers ready for JSON."""
        return {
            "pointing": self.pointing.to_dict(),
            "pointing_by_chance": float(self.by_chance.mean()),
            "tolerance": self.tolerance,
            "energy": mean_number(self.energy, SHARE).to_dict(),
            "area": float(self.area.mean()),
            "overlap": mean_number(self.overlap, SHARE).to_dict(),
            "best_overlap": mean_number(self.best_overlap, SHARE).to_dict(),
            "images_without_mask": self.left_out,
        }


def agreement(maps: Maps, masks: Masks, *, tolerance: float | int = 0) -> Agreement:
    """How the maps of some images agree with masks of where the evidence is.

    >>> maps = np.array([[[0.0, 1.0, 3.0], [0.0, 0.0, 4.0]]])
    >>> masks = np.array([[[False, False, True], [False, False, True]]])
    >>> found = agreement(maps, masks)
    >>> found.hits.tolist(), found.energy.tolist(), found.overlap.tolist()
    ([True], [0.875], [1.0])

    Several equal peaks hit only if all do, so that a map without differences does not. Raises UsageError for masks of
    another shape than the maps, for no mask that marks anything, and for a negative tolerance.
    """
    if masks.shape != maps.shape:
        raise UsageError(
            f"The masks have the shape {masks.shape}, the maps {maps.shape}; give a mask an image, of the map's size."
        )
    if not 0 <= tolerance < np.inf:
        raise UsageError(f"tolerance={tolerance}: give a distance in pixels of 0 or more.")
    marked = masks.any(axis=(1, 2))
    if not marked.any():
        raise UsageError(f"None of {len(masks):,} masks marks a pixel, so there is nothing to agree with.")
    some, wanted = maps[marked].astype(np.float64), masks[marked]
    near = np.stack([within(mask, tolerance) for mask in wanted])
    overlaps = np.array(
        [_overlaps(one.ravel(), mask.ravel()) for one, mask in zip(some, wanted, strict=True)]
    )
    peaks = some == some.max(axis=(1, 2), keepdims=True)
    return Agreement(
        tolerance=float(tolerance),
        left_out=int((~marked).sum()),
        hits=~(peaks & ~near).any(axis=(1, 2)),
        by_chance=near.mean(axis=(1, 2)),
        energy=_energy(some, wanted),
        area=wanted.mean(axis=(1, 2)),
        overlap=overlaps[:, 0],
        best_overlap=overlaps[:, 1],
    )


def within(
    mask: Bool[np.ndarray, "height width"], tolerance: float | int
) -> Bool[np.ndarray, "height width"]:
    """The pixels at most so far, in a straight line, from one of the mask.

    >>> within(np.array([[True, False, False, False]]), 2).tolist()
    [[True, True, True, False]]
    """
    from scipy.ndimage import distance_transform_edt

    return np.asarray(distance_transform_edt(~mask)) <= tolerance


def _energy(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    positive = maps.clip(min=0)
    inside, all_of_it = ((positive * part).sum(axis=(1, 2)) for part in (masks, np.ones_like(masks)))
    return np.divide(inside, all_of_it, out=np.full(len(maps), np.nan), where=all_of_it > 0)


def _overlaps(one: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    """Intersection over union at the threshold that fits the mask's area, and at the best one."""
    order = np.argsort(-one, kind="stable")
    # a threshold takes all pixels of equal value, or none
    last = np.flatnonzero(np.append(np.diff(one[order]) != 0, True))
    inside, above, wanted = np.cumsum(mask[order])[last], last + 1, mask.sum()
    overlaps = inside / (above + wanted - inside)
    return float(overlaps[np.searchsorted(above, wanted)]), float(overlaps.max())

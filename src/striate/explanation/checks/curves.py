"""What deletion and insertion find: the curves, their areas, and those of random orders beside them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float64

from striate.drawing.differences import plain
from striate.drawing.numbers import decimal, percent
from striate.evaluation.intervals import Number, wilson
from striate.explanation.checks.means import SHARE, mean_number
from striate.explanation.checks.plan import RemovalPlan

LEVEL = 0.05
"""A map is better than random orders where one that knows nothing would do as well less often than this."""


@dataclass(frozen=True, eq=False)
class RandomOrders:
    """The target's probability while blocks go in random orders; the orders are the picture's and the seed's.

    `shares` is the share of blocks gone. The same orders backwards are those of insertion.
    """

    plan: RemovalPlan
    shares: Float64[np.ndarray, " points"]
    probabilities: Float64[np.ndarray, "images orders points"]

    @cached_property
    def areas(self) -> Float64[np.ndarray, "images orders"]:
        """The area under each curve, 0..1."""
        return np.trapezoid(self.probabilities, self.shares, axis=-1)


@dataclass(frozen=True, eq=False)
class Curves:
    """The target's probability while blocks are removed, or inserted, in the order of the map."""

    shares: Float64[np.ndarray, " points"]
    probabilities: Float64[np.ndarray, "images points"]
    random_areas: Float64[np.ndarray, "images orders"]
    lower_is_better: bool

    @cached_property
    def areas(self) -> Float64[np.ndarray, " images"]:
        """The area under each curve by trapezia, 0..1."""
        return np.trapezoid(self.probabilities, self.shares, axis=-1)

    @property
    def gains(self) -> Float64[np.ndarray, " images"]:
        """By how much each area is better than the mean of its random orders'; negative where it is worse."""
        return self._advantages().mean(axis=1)

    @property
    def better_than(self) -> Float64[np.ndarray, " images"]:
        """The share of random orders whose area is worse."""
        return (self._advantages() > 0).mean(axis=1)

    @property
    def chance(self) -> Float64[np.ndarray, " images"]:
        """How often a map that knows nothing does as well: `(1 + orders at least as good) / (1 + orders)`."""
        as_good = (self._advantages() <= 0).sum(axis=1)
        return (1 + as_good) / (1 + self.random_areas.shape[1])

    @property
    def area(self) -> Number:
        """The mean area over images."""
        return mean_number(self.areas, SHARE)

    @property
    def gain(self) -> Number:
        """The mean gain over random orders, paired by image."""
        return mean_number(self.gains)

    @property
    def shown(self) -> Number:
        """The share of images whose map is better than random orders at the level of 5 %."""
        return wilson(int((self.chance < LEVEL).sum()), len(self.areas))

    def to_dict(self) -> dict[str, Any]:
        """Numbers ready for JSON, and the curve, of which several images have the mean."""
        return {
            "area": self.area.to_dict(),
            "gain": self.gain.to_dict(),
            "better_than": float(self.better_than.mean()),
            "shown": self.shown.to_dict(),
            "shares": self.shares.tolist(),
            "probabilities": self.probabilities.mean(axis=0).tolist(),
        }

    def _advantages(self) -> Float64[np.ndarray, "images orders"]:
        difference = self.random_areas - self.areas[:, None]
        return difference if self.lower_is_better else -difference


@dataclass(frozen=True, eq=False)
class Removal:
    """Deletion and insertion of some images, and the random orders that both are measured against.

    `side` is that of a block in pixels.
    """

    side: int
    deletion: Curves
    insertion: Curves
    random: RandomOrders

    @property
    def random_area(self) -> Number:
        """The area of random orders: of one image the mean over orders, of several that of the images' means."""
        areas = self.random.areas
        return mean_number(areas[0] if len(areas) == 1 else areas.mean(axis=1), SHARE)

    def sentences(self) -> tuple[str, str]:
        """What deletion and insertion say, each beside the random orders."""
        return self._sentence("Deletion", self.deletion), self._sentence("Insertion", self.insertion)

    def to_dict(self) -> dict[str, Any]:
        """Numbers ready for JSON: areas, gains over random orders, and how the blocks were removed."""
        plan = self.random.plan
        return {
            "deletion": self.deletion.to_dict(),
            "insertion": self.insertion.to_dict(),
            "random_area": self.random_area.to_dict(),
            "fill": plan.fill,
            "block": self.side,
            "steps": len(self.random.shares) - 1,
            "random_orders": plan.orders,
            "seed": plan.seed,
        }

    def _sentence(self, what: str, curves: Curves) -> str:
        side = "lower" if curves.lower_is_better else "higher"
        if len(curves.areas) == 1:
            found = f"{what}: area {curves.area.value:.3f}, {self._random_sentence()}"
            worse = f"{100 * curves.better_than[0]:.0f} %"
            return f"{found}; {side} than {worse} of them (p = {curves.chance[0]:.3f})."
        gain = " to ".join(plain(curves.gain)[1:])
        by = f"{side} by {plain(curves.gain)[0]} ({gain})"
        return (
            f"{what}: area {decimal(curves.area)}, {self._random_sentence()}; {by}, shown image by image"
            f" (p < {LEVEL}) in {percent(curves.shown)}."
        )

    def _random_sentence(self) -> str:
        if len(self.random.areas) > 1:
            return f"random orders {decimal(self.random_area)}"
        return f"that of {self.random.plan.orders} random orders {decimal(self.random_area).partition(', n')[0]})"

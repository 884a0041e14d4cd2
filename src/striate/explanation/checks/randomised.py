"""What weight randomisation finds: how alike the maps stay, against what maps without anything in common reach."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from striate.drawing.differences import plain
from striate.drawing.text import visible
from striate.evaluation.intervals import Number
from striate.explanation.checks.means import CORRELATION, mean_number

SAME = 0.95
"""Maps so alike are the same map, whatever others reach."""
Verdict = Literal["changes", "changes late", "does not change", "undecided"]
MEANINGS: dict[Verdict, str] = {
    "changes": "the map depends on what was learned",
    "changes late": "the map shows little of what the later layers learned",
    "does not change": "the map does not show what was learned",
    "undecided": "more images are needed to say whether the map depends on what was learned",
}


@dataclass(frozen=True, eq=False)
class RandomisedStep:
    """One more part with fresh weights: how alike the maps before and after are, image by image.

    `signed` and `absolute` are rank correlations, of values and of magnitudes; `structure` the structural similarity.
    Below `places` are 95 % of the rank correlations with the map's own values in other places, below `pictures` those
    with the maps of other pictures, where there are ten or more.
    """

    part: str
    signed: Float64[np.ndarray, " images"]
    absolute: Float64[np.ndarray, " images"]
    structure: Float64[np.ndarray, " images"]
    places: float
    pictures: float | None

    @property
    def correlation(self) -> Number:
        """The mean rank correlation over images."""
        return mean_number(self.signed, CORRELATION)

    @property
    def limit(self) -> float:
        """Above this maps count as alike: what those without anything in common hardly reach, at most 0.95."""
        return min(self.places if self.pictures is None else max(self.places, self.pictures), SAME)

    @property
    def alike(self) -> bool | None:
        """Whether the maps still are; None where the interval holds the limit."""
        value = self.correlation.value or 0.0
        low, high = (value if end is None else end for end in (self.correlation.low, self.correlation.high))
        return True if low > self.limit else False if high <= self.limit else None

    def to_dict(self) -> dict[str, Any]:
        """The means over images with their intervals, ready for JSON."""
        measures = {"signed": self.signed, "absolute": self.absolute, "structure": self.structure}
        means = {name: mean_number(values, CORRELATION).to_dict() for name, values in measures.items()}
        limits = {"limit": self.limit, "limit_of_places": self.places, "limit_of_pictures": self.pictures}
        return {"part": self.part, **means, **limits, "alike": self.alike}


@dataclass(frozen=True, eq=False)
class Randomisation:
    """The maps of a network that loses what it has learned, part by part, against those of the network as it is."""

    steps: tuple[RandomisedStep, ...]
    seed: int

    @property
    def depth(self) -> int:
        """How many parts, from the head down, may lose their weights while the maps stay alike."""
        return next((count for count, step in enumerate(self.steps) if not step.alike), len(self.steps))

    @property
    def verdict(self) -> Verdict:
        """Whether the maps depend on what was learned.

        Maps that are alike with no learned weight left do not change; those that are when half of the parts are
        fresh change late, and show little of what decides between classes.
        """
        last = self.steps[-1].alike
        if last:
            return "does not change"
        if self.depth > 0 and 2 * self.depth >= len(self.steps):
            return "changes late"
        return "undecided" if last is None else "changes"

    def sentence(self) -> str:
        """The verdict with its number and its limit."""
        last = self.steps[-1]
        value, low, high = plain(last.correlation)
        between = f" ({low} to {high})" if last.correlation.low is not None else ""
        apart = "with values moved" if last.pictures is None else "of other pictures, or with values moved,"
        late = ""
        if self.verdict == "changes late":
            late = f"; down to {visible(self.steps[self.depth - 1].part)} the maps stay alike"
        return (
            f"Fresh weights in all of the network leave a rank correlation of {value}{between}; of maps {apart} 95 %"
            f" stay below {last.limit:.2f}{late}: {MEANINGS[self.verdict]}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Numbers ready for JSON."""
        return {
            "verdict": self.verdict,
            "alike_down_to": self.steps[self.depth - 1].part if self.depth else None,
            "seed": self.seed,
            "steps": [step.to_dict() for step in self.steps],
        }

"""A recipe as this book has it: steps, what is compared, what is promised."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from recipes.promise import Promise
from recipes.step import Step


class NotRun(NamedTuple):
    """What the cost of a step follows from where nobody has run it."""

    model: str
    images: int
    classes: int
    input_shape: tuple[int, int, int]
    width: float | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Steps in the order in which they run, and the promise.

    `pairs` of steps, reference first, are compared on their test images. `at_least` is the accuracy that every seed
    must reach. `not_run`, for each step, stands in place of a log.
    """

    title: str
    steps: tuple[Step, ...]
    promise: Promise
    pairs: tuple[tuple[str, str], ...] = ()
    at_least: Mapping[str, float] = field(default_factory=dict)
    not_run: Mapping[str, NotRun] = field(default_factory=dict)

    def small(self) -> "Entry":
        """The same without the steps that the form of seconds leaves out."""
        steps = tuple(step for step in self.steps if step.smoke is not None)
        names = {step.name for step in steps}
        return replace(self, steps=steps, pairs=tuple(pair for pair in self.pairs if names.issuperset(pair)))

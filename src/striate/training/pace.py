"""When losses are looked at: after every step on a processor, some steps late on a GPU, which need not wait then."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int

from striate.training.step import Taken

LOOK_EVERY, LOOK_SECONDS = 50, 1.0
"""Steps, and seconds, after which a GPU is waited for at the latest, to see what the steps found."""


@dataclass(frozen=True, eq=False)
class Step:
    """A step that was taken: its number in the epoch, its images, its rate, and what it found."""

    index: int
    rows: Int[np.ndarray, " images"]
    rate: float
    taken: Taken


@dataclass(frozen=True, eq=False)
class Seen:
    """A step whose numbers were read; `seconds` is its share of the time that the steps read with it took."""

    index: int
    rows: Int[np.ndarray, " images"]
    rate: float
    loss: float
    norm: float
    correct: int
    seconds: float

    @property
    def finite(self) -> bool:
        """Whether loss and norm are numbers that training can go on from."""
        return math.isfinite(self.loss) and math.isfinite(self.norm)


class Pace:
    """The steps taken since the last look, and whether it is time for the next one.

    >>> Pace(torch.device("cpu")).every, Pace(torch.device("cuda")).every
    (1, 50)

    What is looked at, and when, changes nothing of what the steps do.
    """

    def __init__(self, device: torch.device) -> None:
        self.every = 1 if device.type == "cpu" else LOOK_EVERY
        self.steps: list[Step] = []
        self._since = time.perf_counter()

    @property
    def at_once(self) -> bool:
        """Whether a step is looked at before it changes the weights."""
        return self.every == 1

    def due(self) -> bool:
        """Whether the steps taken shall be looked at now."""
        return len(self.steps) >= self.every or time.perf_counter() - self._since >= LOOK_SECONDS

    def look(self) -> list[Seen]:
        """What the steps since the last look found; waits for the device."""
        seen = read(self.steps, self._since)
        self.steps = []
        return seen

    def go_on(self) -> None:
        """Begin to count time anew: what lay between two looks and was no step is left out."""
        self._since = time.perf_counter()


def read(steps: Sequence[Step], since: float) -> list[Seen]:
    """The numbers of some steps, fetched from their device together; `since` is when the first of them began."""
    if not steps:
        return []
    numbers = [torch.stack([one.taken.loss, one.taken.norm, one.taken.correct.float()]) for one in steps]
    found = torch.stack(numbers).tolist()
    seconds = (time.perf_counter() - since) / len(steps)
    return [
        Seen(one.index, one.rows, one.rate, loss, norm, int(correct), seconds)
        for one, (loss, norm, correct) in zip(steps, found, strict=True)
    ]

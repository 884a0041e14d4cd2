"""What happens while a network is trained, as named events that anything may listen to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from striate.training.history import Progress, Record


@dataclass(frozen=True)
class Plan:
    """What a run is about to do, said once at its beginning."""

    epochs: int
    steps: int
    """Steps an epoch."""
    images: int
    """Training images an epoch."""
    first_epoch: int
    """0-based epoch at which this process begins: above 0 when resumed."""
    first_step: int


@dataclass(frozen=True)
class Outcome:
    """What the network said of the validation images after an epoch."""

    rows: Int[np.ndarray, " images"]
    truth: Int[np.ndarray, " images"]
    probabilities: Float[np.ndarray, "images classes"]
    measures: dict[str, float]


class Events:
    """A listener that does nothing; subclass it and say what you want to hear.

        packing … packing ─► began ─► step … step ─► epoch ─► saved ─┬─► finished
                                       ▲─────────────────────────────┘

    `said` comes at any time: a sentence that the user should read.
    """

    def said(self, text: str) -> None:
        """Something was found or decided that the user should know."""

    def packing(self, done: int, total: int) -> None:
        """So many of all images are decoded, or run through the stages that are run once."""

    def began(self, plan: Plan, network: Any) -> None:
        """Training is about to take its first step."""

    def step(self, progress: Progress, loss: float, rate: float) -> None:
        """One step is done; `loss` is that of its batch."""

    def epoch(self, record: Record, outcome: Outcome, network: Any) -> None:
        """One epoch is done and validated; gradients are those of its last step."""

    def saved(self, progress: Progress) -> None:
        """The state is on disk."""

    def finished(self, progress: Progress) -> None:
        """The last epoch is done, or training stopped early."""


class EventList(Events):
    """Several listeners, each told in order."""

    def __init__(self, listeners: Sequence[Events]) -> None:
        self.listeners = tuple(listeners)

    def said(self, text: str) -> None:
        for listener in self.listeners:
            listener.said(text)

    def packing(self, done: int, total: int) -> None:
        for listener in self.listeners:
            listener.packing(done, total)

    def began(self, plan: Plan, network: Any) -> None:
        for listener in self.listeners:
            listener.began(plan, network)

    def step(self, progress: Progress, loss: float, rate: float) -> None:
        for listener in self.listeners:
            listener.step(progress, loss, rate)

    def epoch(self, record: Record, outcome: Outcome, network: Any) -> None:
        for listener in self.listeners:
            listener.epoch(record, outcome, network)

    def saved(self, progress: Progress) -> None:
        for listener in self.listeners:
            listener.saved(progress)

    def finished(self, progress: Progress) -> None:
        for listener in self.listeners:
            listener.finished(progress)

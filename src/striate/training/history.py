"""What a run has come to, epoch by epoch: the records that every screen, file and figure of a run shows."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Record = dict[str, Any]
"""One epoch: `{"epoch", "train": {"loss", "accuracy", "images_per_s"}, "validation", "learning_rate", "seconds"}`.

Where some stages do not learn, `frozen` names them; where some learn at another rate than the head, `rate_factors`
says each stage's share.
"""


@dataclass
class Sums:
    """Running totals of a pass over images.

    >>> sums = Sums()
    >>> sums.add(loss=0.5, correct=3, images=4, seconds=0.1)
    >>> sums.measures()
    {'loss': 0.5, 'accuracy': 0.75, 'images_per_s': 40.0}
    """

    loss: float = 0.0
    correct: int = 0
    images: int = 0
    seconds: float = 0.0

    def add(self, loss: float, correct: int, images: int, seconds: float) -> None:
        """Add one batch: its mean loss, its right answers, its size and the time it took."""
        self.loss += loss * images
        self.correct += correct
        self.images += images
        self.seconds += seconds

    def measures(self) -> dict[str, float]:
        """Mean loss, accuracy (0 to 1) and images a second."""
        return {
            "loss": self.loss / self.images,
            "accuracy": self.correct / self.images,
            "images_per_s": round(self.images / self.seconds, 1) if self.seconds else 0.0,
        }


@dataclass
class Best:
    """The best epoch so far: highest validation accuracy, then lowest validation loss."""

    epoch: int
    accuracy: float
    loss: float

    def beaten_by(self, accuracy: float, loss: float) -> bool:
        """Whether another epoch's validation is better."""
        return (accuracy, -loss) > (self.accuracy, -self.loss)


def best_of(history: list[Record]) -> Best | None:
    """The best of some epochs, or None of none.

    >>> history = [{"epoch": n, "validation": {"accuracy": a, "loss": 1.0}} for n, a in ((4, 0.8), (5, 0.9), (6, 0.9))]
    >>> best_of(history)
    Best(epoch=5, accuracy=0.9, loss=1.0)
    """
    best: Best | None = None
    for record in history:
        accuracy, loss = record["validation"]["accuracy"], record["validation"]["loss"]
        if best is None or best.beaten_by(accuracy, loss):
            best = Best(record["epoch"], accuracy, loss)
    return best


@dataclass
class Progress:
    """Where a run stands: enough, with the weights and the optimiser's memory, to go on from here exactly."""

    epoch: int = 0
    """0-based number of the epoch under way."""
    step: int = 0
    """Steps already taken in it."""
    running: Sums = field(default_factory=Sums)
    history: list[Record] = field(default_factory=list)
    best: Best | None = None
    accumulate: int | None = None
    """Parts that a batch is taken in: those of the recipe, or more since memory ran out."""

    def validation_errors(self) -> list[float]:
        """1 - validation accuracy of every finished epoch."""
        return [1 - record["validation"]["accuracy"] for record in self.history]

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form that `from_dict` reads back without loss."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "running": vars(self.running),
            "history": self.history,
            "best": vars(self.best) if self.best else None,
            "accumulate": self.accumulate,
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Progress":
        """The progress that `to_dict` wrote."""
        best = Best(**content["best"]) if content["best"] else None
        running, history = Sums(**content["running"]), content["history"]
        return cls(content["epoch"], content["step"], running, history, best, content.get("accumulate"))


def history_lines(history: list[Record]) -> bytes:
    """The history as `history.jsonl`: one epoch a line."""
    return "".join(json.dumps(record) + "\n" for record in history).encode()


def read_history(path: Path) -> list[Record]:
    """The records of a `history.jsonl`."""
    return [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]

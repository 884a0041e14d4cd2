"""What is answered for one picture: a class with its probability, or no answer, or why it cannot be read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int

from striate.evaluation.decisions.decision import Decision


@dataclass(frozen=True)
class Answer:
    """What the network says of one picture, or why it cannot say anything.

    `label` is the most probable class; where the run has operating points, the class of the point that its
    probability reaches, or else the most probable of the others. `operating` says of each point's class whether it is
    reached. `abstained` is True where the run's threshold for answering is not reached: `label` is then no more than
    the best guess, and `to_dict` and the command line give no class. `classes` is the prediction set. All three are
    None where the run has decided no such thing. `digest`, where it was asked for, is the SHA-256 of what the network
    was given: float32 values, channel by channel, row by row.
    """

    source: str
    label: str | None = None
    probability: float | None = None
    probabilities: dict[str, float] | None = None
    error: str | None = None
    operating: dict[str, bool] | None = None
    abstained: bool | None = None
    classes: tuple[str, ...] | None = None
    digest: str | None = None

    @property
    def said(self) -> str | None:
        """The class that is answered: None where there is no answer."""
        return None if self.abstained else self.label

    def to_dict(self) -> dict[str, Any]:
        """`{source, class, probability, probabilities}` and what is decided, or `{source, error}`, for JSON."""
        if self.error is not None:
            return {"source": self.source, "error": self.error}
        decided = {
            "operating": self.operating,
            "abstained": self.abstained,
            "set": self.classes,
            "digest": self.digest,
        }
        return {
            "source": self.source,
            "class": self.said,
            "probability": self.probability,
            "probabilities": self.probabilities,
            **{
                name: list(value) if isinstance(value, tuple) else value
                for name, value in decided.items()
                if value is not None
            },
        }


def answer_of(
    source: str,
    classes: tuple[str, ...],
    row: Float64[np.ndarray, " classes"],
    sureness: float | None = None,
    decision: Decision | None = None,
) -> Answer:
    """The answer of one row of probabilities, by what was decided for single images where something was.

    >>> answer_of("a.png", ("cat", "owl"), np.array([0.7, 0.3])).label
    'cat'
    """
    named = dict(zip(classes, map(float, row), strict=True))
    if decision is None or decision.by != "image":
        best = int(row.argmax())
        return Answer(source, classes[best], float(row[best]), named)
    reached = {point.positive: named[point.positive] >= point.threshold for point in decision.operating}
    label = classes[label_of(row, classes, decision)]
    abstention, sets = decision.abstention, decision.sets
    return Answer(
        source,
        label,
        named[label],
        named,
        operating=reached or None,
        abstained=None if abstention is None or sureness is None else sureness < abstention.threshold,
        classes=None if sets is None else tuple(name for name in classes if named[name] >= sets.threshold),
    )


def labels_of(
    chances: Float64[np.ndarray, "images classes"], classes: tuple[str, ...], decision: Decision | None
) -> Int[np.ndarray, " images"]:
    """The number of the class that is answered for each row of probabilities."""
    if decision is None or decision.by != "image" or not decision.operating:
        return chances.argmax(axis=1)
    return np.array([label_of(row, classes, decision) for row in chances], dtype=np.int64)


def label_of(row: Float64[np.ndarray, " classes"], classes: tuple[str, ...], decision: Decision) -> int:
    """The number of the class that is answered.

    That of the operating point which is reached, of several the one exceeded most in proportion; where none is
    reached the most probable class without a point, and where all classes have one the most probable of all.
    """
    points = {classes.index(point.positive): point.threshold for point in decision.operating}
    reached = [number for number, threshold in points.items() if row[number] >= threshold]
    if reached:
        return max(reached, key=lambda number: row[number] / max(points[number], 1e-300))
    others = [number for number in range(len(classes)) if number not in points]
    return max(others or range(len(classes)), key=lambda number: row[number])

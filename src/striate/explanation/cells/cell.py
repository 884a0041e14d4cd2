"""What is known of one cell: its window, the weights laid on it, the products and sums, and what follows."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int

Place = tuple[int, int, int]
"""Channel, row and column; of a vector its number, 0 and 0."""
Box = tuple[int, int, int, int]
"""Top, left, height and width in pixels."""
Weights = Float64[np.ndarray, "read rows columns"]


@dataclass(frozen=True, eq=False)
class Window:
    """The cells that one cell reads, of every input channel, and the weights on them where there are any.

    `reads` is the layer whose maps they are, or the picture; `channels` are the numbers of its channels. `first` is the
    row and column of the window's first cell there, negative in the padding; `step` how far its cells stand apart.
    `outside` marks padding. `chosen` is the row and column, in the window, of the maximum.
    """

    reads: str
    channels: Int[np.ndarray, " read"]
    first: tuple[int, int]
    step: tuple[int, int]
    values: Float64[np.ndarray, "read rows columns"]
    outside: Bool[np.ndarray, "rows columns"]
    weights: Weights | None = None
    products: Weights | None = None
    chosen: tuple[int, int] | None = None

    @property
    def totals(self) -> Float64[np.ndarray, " read"]:
        """What each input channel gives: the sum of its products, or of its values where nothing is multiplied."""
        counted = self.products if self.products is not None else np.where(self.outside, 0.0, self.values)
        return counted.sum(axis=(1, 2))

    def strongest(self) -> list[int]:
        """The places of the input channels, the one that gives most, of either sign, first."""
        return np.argsort(-np.abs(self.totals), kind="stable").tolist()

    def to_dict(self) -> dict[str, Any]:
        """Where it lies and what each input channel gives, for JSON; the values themselves are arrays."""
        return {
            "reads": self.reads,
            "channels": self.channels.tolist(),
            "totals": self.totals.tolist(),
            "first": list(self.first),
            "step": list(self.step),
            "size": list(self.values.shape[1:]),
            "chosen": None if self.chosen is None else list(self.chosen),
        }


@dataclass(frozen=True)
class Term:
    """One number that a cell reads of a branch or a neighbour: whose it is, where it stands there, its value."""

    layer: str
    place: Place
    value: float


@dataclass(frozen=True, eq=False)
class Work:
    """One cell of one layer, worked out: `result` in double precision from what the network gave the layer.

    `value` is what the network itself put out there, in its own precision. `operation` names the arithmetic: "weighted
    sum", "largest", "mean", "distance", "normalisation", "function", "passed on", "sum", "concatenation", "neighbours",
    or "unknown", whose result is the value. `numbers` are what else enters, by name; `formula` is all of it on a line.
    """

    layer: str
    kind: str
    operation: str
    place: Place
    shape: tuple[int, ...]
    value: float
    result: float
    formula: str
    window: Window | None = None
    terms: tuple[Term, ...] = ()
    numbers: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As plain numbers for JSON."""
        return {
            "layer": self.layer,
            "kind": self.kind,
            "operation": self.operation,
            "place": list(self.place),
            "shape": list(self.shape),
            "value": self.value,
            "result": self.result,
            "formula": self.formula,
            "window": None if self.window is None else self.window.to_dict(),
            "terms": [
                {"layer": term.layer, "place": list(term.place), "value": term.value} for term in self.terms
            ],
            "numbers": self.numbers,
        }


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell of a layer or a stage: its own arithmetic, then that of what follows it, layer by layer.

    `asked` is the layer or stage that was asked for. `end` says in words why nothing more follows. `sees` is the box of
    the picture that the first of the works sees, which may reach beyond the picture into the padding, None where that
    is not known; `picture` its height and width.
    """

    asked: str
    works: tuple[Work, ...]
    end: str
    sees: Box | None
    picture: tuple[int, int]

    @property
    def own(self) -> Work:
        """The arithmetic of the layer itself; of a stage, that of the layer whose window its cell comes from."""
        return self.works[0]

    @property
    def clipped(self) -> Box | None:
        """What it sees of the picture itself."""
        if self.sees is None:
            return None
        top, left, height, width = self.sees
        rows, columns = self.picture
        first = min(max(top, 0), rows), min(max(left, 0), columns)
        last = min(max(top + height, 0), rows), min(max(left + width, 0), columns)
        return (*first, last[0] - first[0], last[1] - first[1])

    def to_dict(self) -> dict[str, Any]:
        """As plain numbers for JSON."""
        return {
            "asked": self.asked,
            "works": [work.to_dict() for work in self.works],
            "end": self.end,
            "sees": None if self.sees is None else list(self.sees),
            "clipped": None if self.clipped is None else list(self.clipped),
            "picture": list(self.picture),
        }


def written(value: float) -> str:
    """A number as it is read in a sum, six digits.

    >>> written(-0.5), written(1 / 3)
    ('−0.5', '0.333333')
    """
    return "0" if value == 0 else f"{value:.6g}".replace("-", "−")


def added(values: list[float]) -> str:
    """Numbers added up on a line.

    >>> added([1.0, -2.0, 0.25])
    '1 − 2 + 0.25'
    """
    text = written(values[0])
    for value in values[1:]:
        text += f" − {written(-value)}" if value < 0 else f" + {written(value)}"
    return text

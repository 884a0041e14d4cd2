"""What a recipe promises: figures with number and spread, and the digest of the log that gave them."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

DIGITS = 5
"""Figures are promised to the thousandth of a percent."""

Line = Mapping[str, Any]
"""One line of a log: everything that one seed gave."""


class Figure(NamedTuple):
    """A mean over seeds with its range, and how far the 95 % intervals over test images of all of them reach."""

    mean: float
    low: float
    high: float
    n: int
    """Seeds."""
    reach: tuple[float, float]
    images: int
    """Test images of each seed; of the smallest, where they differ."""

    @classmethod
    def of(cls, numbers: Sequence[Mapping[str, Any]]) -> "Figure":
        """The figure of one number a seed.

        >>> Figure.of([{"value": 0.9, "low": 0.8, "high": 0.95, "n": 40}, {"value": 1, "low": 0.9, "high": 1, "n": 40}])
        Figure(mean=0.95, low=0.9, high=1, n=2, reach=(0.8, 1), images=40)
        """
        values = [number["value"] for number in numbers]
        return cls(
            mean=round(statistics.fmean(values), DIGITS),
            low=round(min(values), DIGITS),
            high=round(max(values), DIGITS),
            n=len(values),
            reach=(
                round(min(number["low"] for number in numbers), DIGITS),
                round(max(number["high"] for number in numbers), DIGITS),
            ),
            images=min(number["n"] for number in numbers),
        )

    def in_percent(self) -> str:
        """The mean and the range of the seeds.

        >>> Figure(0.991, 0.99, 0.992, 3, (0.988, 0.994), 10_000).in_percent()
        '99.10 % (99.00–99.20, n = 3)'
        """
        return f"{100 * self.mean:.2f} % ({100 * self.low:.2f}–{100 * self.high:.2f}, n = {self.n})"

    def in_points(self) -> str:
        """The same of a difference.

        >>> Figure(0.02, -0.01, 0.03, 3, (-0.04, 0.06), 280).in_points()
        '+2.0 points (-1.0 to +3.0, n = 3)'
        """
        return (
            f"{100 * self.mean:+.1f} points ({100 * self.low:+.1f} to {100 * self.high:+.1f}, n = {self.n})"
        )


@dataclass(frozen=True, kw_only=True)
class Promise:
    """Test accuracies of a recipe's runs, differences between them, and what one run costs.

    `log_sha256` is empty where nothing was run: then only the cost is promised, in multiply-adds of one training.
    """

    log_sha256: str = ""
    accuracy: Mapping[str, Figure] = field(default_factory=dict)
    difference: Mapping[str, Figure] = field(default_factory=dict)
    cost: Mapping[str, int] = field(default_factory=dict)


def promised_by(lines: Sequence[Line], log_sha256: str) -> Promise:
    """The promise that a log supports; the cost is that of the seed with most images to train on."""
    runs, pairs = lines[0]["runs"], lines[0]["comparisons"]
    return Promise(
        log_sha256=log_sha256,
        accuracy={name: Figure.of([line["runs"][name]["accuracy"] for line in lines]) for name in runs},
        difference={name: Figure.of([line["comparisons"][name] for line in lines]) for name in pairs},
        cost={name: max(line["runs"][name]["training_multiply_adds"] for line in lines) for name in runs},
    )


def literal(promise: Promise) -> str:
    """A promise as it is written in a recipe's file."""
    lines = [f'    log_sha256="{promise.log_sha256}",']
    for part in ("accuracy", "difference", "cost"):
        held = getattr(promise, part)
        if held:
            lines.append(f"    {part}={{")
            lines.extend(f'        "{name}": {_number(value)},' for name, value in held.items())
            lines.append("    },")
    return "\n".join(["PROMISE = Promise(", *lines, ")"])


def _number(value: Figure | int) -> str:
    if isinstance(value, int):
        return f"{value:_}"
    return f"Figure({', '.join(map(repr, value))})"

"""Accuracy against the number of training images: what was measured, the law through it, and what more would give."""

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from striate.drawing.differences import chance
from striate.drawing.numbers import percent_parts
from striate.drawing.text import visible
from striate.evaluation.intervals import Number
from striate.evaluation.learning.extrapolation import Extrapolation
from striate.evaluation.learning.learning_points import CurvePoint, CurveTraining, turned
from striate.evaluation.reporting.text import aligned, cell

MISFIT = 0.05
COLUMNS = ("part", "images", "repeat", "seed", "epochs", "judged", "errors", "accuracy")


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Accuracy against the number of training images, and what `factor` times as many would give.

    `found` speaks of errors; `predicted`, `present` and `ceiling` of accuracies. `guessing` is the accuracy of always
    saying the commonest class. The images judged are `worth` so many independent ones: fewer than they are where
    images of one group are right or wrong together.
    """

    trainings: tuple[CurveTraining, ...]
    points: tuple[CurvePoint, ...]
    found: Extrapolation
    shared: float
    worth: int
    factor: float
    guessing: float
    split: str
    classes: tuple[str, ...]
    source: str
    recipe: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def predicted(self) -> Number:
        """The accuracy of a new training on `factor` times the images."""
        return turned(self.found.predicted)

    @property
    def present(self) -> Number:
        """The law's accuracy at the largest number of images."""
        return turned(self.found.present)

    @property
    def ceiling(self) -> Number:
        """The accuracy that no number of such images exceeds."""
        return turned(self.found.floor)

    def sentence(self) -> str:
        """What more data would give, and whether that is shown to help."""
        value, low, high = percent_parts(self.predicted)
        gain = percent_parts(self.found.gain)
        said = (
            f"{times(self.factor)} ({self.found.size:,} training images) would give {value} % ({low}–{high}) accuracy, "
            f"{gain[0]} points ({gain[1]}–{gain[2]}) more than the law has for {self.largest:,}"
        )
        return f"{said}." if self.found.helps else f"{said}: more of the same data is not shown to help."

    def sentences(self) -> list[str]:
        """The finding, where the curve levels off, and whether it follows a law at all."""
        found = [self.sentence(), self.on_ceiling()]
        if self.found.misfit is not None and self.found.misfit < MISFIT:
            found.append(
                f"The points do not lie on a power law (p {chance(self.found.misfit)}): do not trust it beyond the "
                "numbers of images measured."
            )
        return found

    def on_ceiling(self) -> str:
        """Where the law levels off, or that the data do not tell."""
        value, low, high = percent_parts(self.ceiling)
        if (self.found.floor.low or 0.0) * self.found.floor.n >= 1:
            return (
                f"By this law accuracy levels off at {value} % ({low}–{high}), with however many such images."
            )
        return f"Where the curve levels off is not told by these sizes: somewhere from {low} to {high} %."

    @property
    def largest(self) -> int:
        """The most images that a training had."""
        return max(one.images for one in self.trainings)

    def law_text(self) -> str:
        """The fitted law as a formula of errors."""
        law = self.found.law
        if not law.scale:
            return f"errors = {law.floor:.3g}"
        floor = f" + {law.floor:.3g}" if law.floor else ""
        return f"errors = {law.scale:.3g} · images^−{law.exponent:.2f}{floor}"

    def spread_text(self) -> str:
        """How far trainings of one part lie apart, beyond what judging them on few images does."""
        deviation = 100 * self.found.spread.deviation
        return (
            f"by {deviation:.0f} % of their errors"
            if deviation >= 0.5
            else "by no more than chance in judging"
        )

    def left_out(self) -> list[str]:
        """The parts that the law is not fitted to, and why."""
        return [
            f"{written(one.part)} is not in the law: {one.left_out}." for one in self.points if one.left_out
        ]

    def rows(self) -> list[tuple[str, ...]]:
        """The table: a line a part, smallest first."""
        rows: list[tuple[str, ...]] = [
            ("part", "images", "trainings", "epochs", "accuracy %", "lowest %", "highest %")
        ]
        for one in self.points:
            accuracy = cell(one.accuracy, *percent_parts(one.accuracy))
            ends = [f"{100 * end:.1f}" for end in (one.lowest, one.highest)]
            counts = [f"{count:,}" for count in (one.images, one.trainings, one.epochs)]
            rows.append((written(one.part) + (" *" if one.left_out else ""), *counts, accuracy, *ends))
        return rows

    def to_text(self) -> str:
        """The table, what more data would give, and what was judged; plain text."""
        judged = self.trainings[0].judged
        worth = (
            "" if self.worth == judged else f", whose groups make them worth {self.worth:,} independent ones"
        )
        closed = "; test images had no part" if self.split != "test" else ""
        about = (
            f"Judged on the same {judged:,} {self.split} images each time{worth}{closed}. {self.law_text()}; "
            f"trainings of one part differ {self.spread_text()}. "
            "Intervals are 95 %, that of the prediction for a new training. For research; not a medical device."
        )
        starred = [f"* {text}" for text in self.left_out()]
        parts = [
            aligned(self.rows()),
            *starred,
            "\n".join(self.sentences()),
            "\n".join(map(visible, self.notes)),
        ]
        return "\n\n".join([*(part for part in parts if part), about])

    def to_dict(self) -> dict[str, Any]:
        """The same as plain lists, numbers and strings, ready for JSON."""
        found = self.found
        return {
            "sentences": self.sentences(),
            "factor": self.factor,
            "images": found.size,
            "predicted": self.predicted.to_dict(),
            "present": self.present.to_dict(),
            "gain": found.gain.to_dict(),
            "helps": found.helps,
            "ceiling": self.ceiling.to_dict(),
            "law": {**asdict(found.law), "exponent_interval": found.exponent.to_dict()},
            "misfit_p": found.misfit,
            "deviation_of_log_odds": found.spread.deviation,
            "shared_errors": self.shared,
            "worth_images": self.worth,
            "guessing": self.guessing,
            "split": self.split,
            "source": self.source,
            "classes": list(self.classes),
            "points": [{**asdict(one), "accuracy": one.accuracy.to_dict()} for one in self.points],
            "trainings": [{**asdict(one), "accuracy": one.accuracy} for one in self.trainings],
            "band": [
                dict(zip(("images", "accuracy", "low", "high"), row, strict=True)) for row in self.band()
            ],
            "notes": list(self.notes),
        }

    def band(self) -> list[tuple[float, float, float, float]]:
        """The law with its limits at some sizes: images, accuracy, low, high."""
        return [(size, 1 - law, 1 - high, 1 - low) for size, law, low, high in self.found.band.tolist()]

    def to_csv(self) -> str:
        """A line a training."""
        target = io.StringIO()
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(COLUMNS)
        for one in self.trainings:
            writer.writerow([*(getattr(one, name) for name in COLUMNS)])
        return target.getvalue()


def times(factor: float) -> str:
    """How much data in words.

    >>> times(2.0), times(10.0), times(1.5)
    ('Twice the data', '10 times the data', '1.5 times the data')
    """
    return "Twice the data" if factor == 2 else f"{factor:g} times the data"


def written(part: float) -> str:
    """A part as a fraction where it is a plain one.

    >>> written(0.0625), written(1.0), written(0.37)
    ('1/16', '1', '0.37')
    """
    fraction = Fraction(part).limit_denominator(256)
    plain = fraction.numerator == 1 and abs(float(fraction) - part) < 1e-9
    return str(fraction) if plain else f"{part:g}"

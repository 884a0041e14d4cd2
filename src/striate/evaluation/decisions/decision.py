"""What a run says beyond its probabilities: operating points, when it gives no answer, sets of classes.

Chosen on validation images that the calibration did not use, kept in the run, and judged on others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from striate.errors import StriateError
from striate.evaluation.decisions.abstention import Abstention
from striate.evaluation.decisions.conformal import Conformal, ConformalVerdict
from striate.evaluation.decisions.operating import Counts, OperatingPoint, wish_of
from striate.evaluation.intervals import Number


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Operating points (one a class of interest at most), the threshold for abstaining, and prediction sets.

    `by` is what they are for: "image", "group" (the mean of a group's images) or "group-max". `images` is how many
    validation images, or groups, they were chosen on, `caveats` what their reader must know, in sentences.
    """

    by: str = "image"
    images: int = 0
    operating: tuple[OperatingPoint, ...] = ()
    abstention: Abstention | None = None
    sets: Conformal | None = None
    caveats: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Plain values, for the run's own file."""
        return {
            "by": self.by,
            "images": self.images,
            "operating": [one.to_dict() for one in self.operating],
            "abstention": self.abstention.to_dict() if self.abstention else None,
            "sets": self.sets.to_dict() if self.sets else None,
            "caveats": list(self.caveats),
        }


@dataclass(frozen=True)
class OperatingVerdict:
    """An operating point on images that had no part in choosing it; `prevalence` None: that of these images.

    `rates` are sensitivity, specificity, ppv, npv, f1 and accuracy; ppv and npv at the prevalence. `partial_auc` is the
    mean specificity over the sensitivities from the wished one up, None where another rate was wished. `wished` is the
    rate that was wished, at the frequency of these images whatever the prevalence; None where none was.
    """

    point: OperatingPoint
    counts: Counts
    rates: dict[str, Number]
    prevalence: float | None = None
    partial_auc: Number | None = None
    wished: Number | None = None

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values."""
        return {
            "point": self.point.to_dict(),
            "counts": vars(self.counts).copy(),
            "rates": {name: number.to_dict() for name, number in self.rates.items()},
            "prevalence": self.prevalence,
            "outcome": self.outcome(),
            "wished": self.wished.to_dict() if self.wished else None,
            "partial_auc": self.partial_auc.to_dict() if self.partial_auc else None,
        }

    def outcome(self) -> str:
        """Whether these images bear the wish out: "reached", "missed", or "open" where the interval holds both.

        A wish without a least rate (F1, Youden, cost) can be neither: "".
        """
        least, rate = wish_of(self.point.wish).least, self.wished
        if least is None or rate is None or rate.low is None or rate.high is None:
            return ""
        if rate.low >= least:
            return "reached"
        return "missed" if rate.high < least else "open"


@dataclass(frozen=True)
class AbstentionVerdict:
    """The threshold for abstaining on other images: how many are answered, and how many answers are wrong."""

    abstention: Abstention
    coverage: Number
    error: Number

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values."""
        return {
            "chosen": self.abstention.to_dict(),
            "coverage": self.coverage.to_dict(),
            "error": self.error.to_dict(),
        }


@dataclass(frozen=True)
class Decided:
    """What a decision is worth on images that it was not chosen on."""

    decision: Decision
    operating: tuple[OperatingVerdict, ...] = ()
    abstention: AbstentionVerdict | None = None
    sets: ConformalVerdict | None = None

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values."""
        return {
            "by": self.decision.by,
            "chosen_on": self.decision.images,
            "caveats": list(self.decision.caveats),
            "operating": [one.to_dict() for one in self.operating],
            "abstention": self.abstention.to_dict() if self.abstention else None,
            "sets": self.sets.to_dict() if self.sets else None,
        }


def decision_of(saved: dict[str, Any]) -> Decision:
    """What `Decision.to_dict` wrote. StriateError for anything else."""
    try:
        points = [{**one, "reached": _numbers(one["reached"])} for one in saved["operating"]]
        abstention, sets = saved["abstention"], saved["sets"]
        if abstention is not None:
            abstention = Abstention(**{**abstention, **_numbers(abstention, ("coverage", "error"))})
        return Decision(
            by=saved["by"],
            images=saved["images"],
            operating=tuple(OperatingPoint(**one) for one in points),
            abstention=abstention,
            sets=None if sets is None else Conformal(**sets),
            caveats=tuple(saved["caveats"]),
        )
    except (KeyError, TypeError) as error:
        raise StriateError(f"It holds no decision of this striate: {error}.") from error


def _numbers(saved: dict[str, Any], names: Iterable[str] | None = None) -> dict[str, Number]:
    return {name: Number(**saved[name]) for name in (saved if names is None else names)}

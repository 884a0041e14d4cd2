"""Operating points: from which probability of a class on an image is called so, chosen on validation by a wish."""

import math
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64

from striate.errors import UsageError
from striate.evaluation.intervals import CONFIDENCE, Number, normal_quantile, undefined

WISHES = (
    "sensitivity>=0.95",
    "specificity>=0.9",
    "precision>=0.8",
    "f1",
    "youden",
    "cost fn=10 fp=1",
)
"""One of each kind, as examples."""
_BOUND = re.compile(
    r"(sensitivity|recall|specificity|precision|ppv|npv) *>= *(0?\.\d+|1(?:\.0*)?|0)", re.ASCII
)
_COST = re.compile(r"cost +fn *= *(\d+(?:\.\d+)?) +fp *= *(\d+(?:\.\d+)?)", re.ASCII)
_SAME = {"recall": "sensitivity", "ppv": "precision"}


@dataclass(frozen=True)
class Wish:
    """What an operating point is to reach: a least rate, or the most of F1 or Youden's index, or the least cost."""

    kind: Literal["sensitivity", "specificity", "precision", "npv", "f1", "youden", "cost"]
    least: float | None = None
    miss: float = 1.0
    alarm: float = 1.0

    def __str__(self) -> str:
        if self.kind == "cost":
            return f"cost fn={self.miss:g} fp={self.alarm:g}"
        return self.kind if self.least is None else f"{self.kind}>={self.least:g}"


@dataclass(frozen=True)
class Counts:
    """Images of a class called so or not, and of the rest; effective numbers of images need not be whole."""

    true_positives: int | float
    false_negatives: int | float
    false_positives: int | float
    true_negatives: int | float


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """An image is called `positive` where its probability is at least `threshold`, and the rest otherwise.

    `chosen_on` names the images that it was chosen on, and `reached` says what it gave there.
    """

    positive: str
    threshold: float
    wish: str
    chosen_on: str
    images: int
    reached: dict[str, Number]

    def to_dict(self) -> dict[str, object]:
        """Plain values, for the run's own file."""
        return {
            **vars(self),
            "reached": {name: number.to_dict() for name, number in self.reached.items()},
        }


def wish_of(text: str) -> Wish:
    """Read a wish such as `sensitivity>=0.95`, `f1`, `youden` or `cost fn=10 fp=1`; UsageError for anything else.

    >>> wish_of("sensitivity >= 0.95"), str(wish_of("cost fn=10 fp=1"))
    (Wish(kind='sensitivity', least=0.95, miss=1.0, alarm=1.0), 'cost fn=10 fp=1')
    """
    words = text.strip().lower()
    if words in ("f1", "youden"):
        return Wish(words)  # pyright: ignore[reportArgumentType]
    if found := _BOUND.fullmatch(words):
        kind = _SAME.get(found[1], found[1])
        return Wish(kind, float(found[2]))  # pyright: ignore[reportArgumentType]
    if (found := _COST.fullmatch(words)) and float(found[1]) + float(found[2]) > 0:
        return Wish("cost", None, float(found[1]), float(found[2]))
    raise UsageError(f"{text!r} is no wish for an operating point; write one like: {', '.join(WISHES)}.")


def choose_threshold(
    wish: Wish, scores: Float[np.ndarray, " images"], inside: Bool[np.ndarray, " images"]
) -> float:
    """The threshold on these images that fulfils a wish best.

    >>> scores, inside = np.array([0.9, 0.8, 0.6, 0.4, 0.3]), np.array([True, True, False, True, False])
    >>> choose_threshold(wish_of("sensitivity>=0.6"), scores, inside)  # halfway to the next score below
    0.7

    Of a least sensitivity (or NPV), the highest threshold that reaches it; of a least specificity (or precision), the
    one that finds most; of equals, the one of fewer alarms. It lies halfway between the last score that is called and
    the first that is not. UsageError where a kind has no image, or no threshold fulfils the wish: the best there is
    is named.
    """
    positives, negatives = int(inside.sum()), int((~inside).sum())
    if not positives or not negatives:
        missing = "of the class" if not positives else "outside the class"
        raise UsageError(f"No operating point can be chosen: the validation images have none {missing}.")
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order].astype(np.float64)
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    hits = np.append(0, np.cumsum(inside[order])[last]).astype(np.float64)
    alarms = np.append(0, last + 1) - hits
    rates = _rates(hits, alarms, positives, negatives)
    index = _best(wish, rates, alarms)
    levels = np.append(ordered[last], -np.inf)
    upper, lower = (math.inf if index == 0 else float(levels[index - 1])), float(levels[index])
    return _between(upper, lower)


def at_threshold(
    scores: Float[np.ndarray, " images"], inside: Bool[np.ndarray, " images"], threshold: float
) -> Counts:
    """How many images of a class, and of the rest, have at least the threshold."""
    called = scores.astype(np.float64) >= threshold  # float32 would round the threshold
    return Counts(
        int((called & inside).sum()),
        int((~called & inside).sum()),
        int((called & ~inside).sum()),
        int((~called & ~inside).sum()),
    )


def require_prevalence(prevalence: float) -> None:
    """Refuse, with a UsageError, what is no share between 0 and 1."""
    if not 0 < prevalence < 1:
        raise UsageError(f"prevalence={prevalence}: it is a share between 0 and 1, such as 0.02.")


def predictive_values(
    counts: Counts, prevalence: float, confidence: float = CONFIDENCE
) -> tuple[Number, Number]:
    """What a call is worth where the class has this prevalence: of those called so, and of those not.

    >>> ppv, npv = predictive_values(Counts(90, 10, 50, 850), prevalence=0.02)
    >>> round(ppv.value, 3), round(npv.value, 4)
    (0.248, 0.9978)

    Bayes' rule, and the interval of Mercaldo, Lau and Zhou 2007 (logit, delta method; where a rate is 0 or 1, half an
    image is added to each count). Counts may be of effective numbers of images, which are not whole.
    """
    tp, fn, fp, tn = (
        counts.true_positives,
        counts.false_negatives,
        counts.false_positives,
        counts.true_negatives,
    )
    n = round(tp + fn + fp + tn)
    if not tp + fn or not fp + tn:
        neither = undefined("needs images inside and outside the class", n)
        return neither, neither
    se, sp = tp / (tp + fn), tn / (tn + fp)
    exact = _bayes(se, sp, prevalence)
    if min(tp, fn, fp, tn) == 0:
        tp, fn, fp, tn = (count + 0.5 for count in (tp, fn, fp, tn))
        se, sp = tp / (tp + fn), tn / (tn + fp)
    inside, outside = tp + fn, fp + tn
    z = normal_quantile(confidence)
    spread = (
        math.sqrt((1 - se) / (se * inside) + sp / ((1 - sp) * outside)),
        math.sqrt(se / ((1 - se) * inside) + (1 - sp) / (sp * outside)),
    )
    found = []
    for value, centre, error in zip(exact, _bayes(se, sp, prevalence), spread, strict=True):
        if value is None or centre is None:
            found.append(undefined("no image was called so" if not found else "every image was called so", n))
            continue
        logit = math.log(centre / (1 - centre))
        low, high = (1 / (1 + math.exp(-end)) for end in (logit - z * error, logit + z * error))
        found.append(Number(value, min(low, value), max(high, value), n))
    return found[0], found[1]


def _bayes(se: float, sp: float, prevalence: float) -> tuple[float | None, float | None]:
    called, not_called = (
        se * prevalence + (1 - sp) * (1 - prevalence),
        sp * (1 - prevalence) + (1 - se) * prevalence,
    )
    return (
        se * prevalence / called if called else None,
        sp * (1 - prevalence) / not_called if not_called else None,
    )


Rates = dict[str, Float64[np.ndarray, " thresholds"]]


def _rates(
    hits: Float64[np.ndarray, " thresholds"],
    alarms: Float64[np.ndarray, " thresholds"],
    positives: int,
    negatives: int,
) -> Rates:
    """Every rate of every threshold, from none called to all; NaN where it is undefined."""
    misses, passed = positives - hits, negatives - alarms
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "sensitivity": hits / positives,
            "specificity": passed / negatives,
            "precision": hits / (hits + alarms),
            "npv": passed / (passed + misses),
            "f1": 2 * hits / (hits + alarms + positives),
            "youden": hits / positives + passed / negatives - 1,
            "misses": misses,
        }


_OTHER: dict[str, str] = {
    "sensitivity": "specificity",
    "npv": "specificity",
    "specificity": "sensitivity",
    "precision": "sensitivity",
}


def _best(wish: Wish, rates: Rates, alarms: Float64[np.ndarray, " thresholds"]) -> int:
    """The number of the threshold that fulfils a wish best; of equals the first, which calls fewest."""
    if wish.kind == "cost":
        return int(np.argmin(wish.miss * rates["misses"] + wish.alarm * alarms))
    if wish.least is None:
        return int(np.nanargmax(rates[wish.kind]))
    reached = rates[wish.kind] >= wish.least - 1e-12  # NaN is not
    if not reached.any():
        best = float(np.nanmax(rates[wish.kind]))
        raise UsageError(
            f"{wish} cannot be reached on the validation images: the highest {wish.kind} of any threshold is"
            f" {best:.3g}."
        )
    return int(np.argmax(np.where(reached, rates[_OTHER[wish.kind]], -1.0)))


def _between(upper: float, lower: float) -> float:
    """A threshold that calls `upper` and does not call `lower`."""
    if math.isinf(lower):
        return 0.0 if math.isinf(upper) or upper >= 0 else upper
    if math.isinf(upper):
        return math.nextafter(lower, math.inf)
    middle = (upper + lower) / 2
    return middle if lower < middle <= upper else upper

"""The verdict on one split: every number with its interval, for the terminal, for JSON and for the report."""

from dataclasses import dataclass

from striate.drawing import numbers
from striate.evaluation import metrics
from striate.evaluation.decisions.abstention import CoverageCurve
from striate.evaluation.decisions.decision import Decided
from striate.evaluation.decisions.unknown import Unknown
from striate.evaluation.intervals import CONFIDENCE, Number
from striate.evaluation.reliability import Brier, Reliability
from striate.evaluation.scores import Scores

METHODS = {
    "accuracy": "Wilson score interval",
    "balanced_accuracy": "MOVER over the Wilson interval of each class's recall (Zou and Donner 2008)",
    "top5": "Wilson score interval",
    "log_loss": "normal on the log scale (delta method)",
    "precision": "Wilson score interval, given the number of images called so",
    "recall": "Wilson score interval",
    "specificity": "Wilson score interval",
    "npv": "Wilson score interval, given the number of images not called so",
    "f1": "Wilson score interval of the Jaccard index, mapped; given the size of the union",
    "auc": "DeLong variance on the logit scale; where it is zero, Clopper-Pearson over disjoint pairs",
    "average_precision": "normal on the logit scale, with the number of positives (Boyd, Eng and Page 2013)",
    "one_vs_one": "variance of each image's share in the mean of all pairs, on the logit scale (Hand and Till 2001)",
    "scores": "BCa bootstrap of images, 10,000 resamples (1,000 of 50,000 images); Wilson where they do not differ",
    "brier": "BCa bootstrap of images",
    "calibration": "bootstrap of images within the bins",
    "coverage": "BCa bootstrap of images, 1,000 resamples",
    "operating": "Wilson score interval; predictive values at a prevalence: logit, delta method (Mercaldo et al. 2007)",
    "abstention": "Wilson score interval",
    "sets": "Wilson score interval",
    "unknown": "DeLong variance on the logit scale; shares: Wilson score interval",
    "subgroups": "differences of two shares: Newcombe 1998, method 10",
}
BY_GROUPS = {
    "accuracy": "Wilson score interval of the effective number of images, t with groups - 1 degrees of freedom",
    "balanced_accuracy": "BCa bootstrap of groups",
    "top5": "as accuracy",
    "log_loss": "normal on the log scale, variance of whole groups",
    "precision": "as accuracy",
    "recall": "as accuracy",
    "specificity": "as accuracy",
    "npv": "as accuracy",
    "f1": "as accuracy, of the Jaccard index, mapped",
    "auc": "variance of whole groups (Obuchowski 1997) on the logit scale",
    "average_precision": "normal on the logit scale, with the number of groups that have positives",
    "one_vs_one": "variance of whole groups' shares in the mean of all pairs, on the logit scale",
    "scores": "BCa bootstrap of groups",
    "brier": "BCa bootstrap of groups",
    "calibration": "bootstrap of groups within the bins",
    "coverage": "BCa bootstrap of groups, 1,000 resamples",
    "operating": "as accuracy; predictive values at a prevalence: of the effective numbers of images",
    "abstention": "as accuracy",
    "sets": "as accuracy",
    "unknown": "DeLong variance on the logit scale, images taken as independent; shares: Wilson score interval",
    "subgroups": "differences of two shares: Newcombe 1998, method 10, over the intervals by groups",
}
"""The same where images belong together, after Dean and Pagano 2015 (proportions)."""
RATES = ("precision", "recall", "specificity", "npv", "f1", "auc", "average_precision")


@dataclass(frozen=True, kw_only=True)
class ClassVerdict(metrics.ClassMetrics):
    """One class against the rest, by its name."""

    class_name: str

    def to_dict(self) -> dict[str, object]:
        """Plain numbers or None, and beside them the interval of each; the curves, for drawing, stay out of it."""
        rates: dict[str, Number] = {name: getattr(self, name) for name in RATES}
        rates |= {
            "false_negative_rate": complement(self.recall),
            "false_positive_rate": complement(self.specificity),
        }
        return {
            "class": self.class_name,
            "support": self.support,
            **{name: rate.value for name, rate in rates.items()},
            "intervals": {name: [rate.low, rate.high] for name, rate in rates.items()},
            "undefined": {
                name: rate.reason for name, rate in rates.items() if None in (rate.value, rate.low, rate.high)
            },
        }


@dataclass(frozen=True)
class Uncalibrated:
    """What the same images gave before calibration; `changed` is of how many another class became the best."""

    calibration: dict[str, object]
    images: int
    log_loss: Number
    brier: Brier | None
    reliability: Reliability | None
    changed: int

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values; `images` is how many validation images the calibration was fitted to."""
        return {
            "calibration": self.calibration,
            "fitted_to": self.images,
            "log_loss": self.log_loss.to_dict(),
            "brier": self.brier.to_dict() if self.brier else None,
            "reliability": self.reliability.to_dict() if self.reliability else None,
            "changed": self.changed,
        }


@dataclass(frozen=True)
class Subgroup:
    """The images of one value of a column; `difference` is their accuracy minus that of all other images."""

    value: str
    verdict: "Verdict"
    difference: Number

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values."""
        return {
            "value": self.value,
            "difference": self.difference.to_dict(),
            "verdict": self.verdict.to_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is known about a classifier from one split. `top5` is None with five classes or fewer.

    Rows of the confusion matrix are the true classes, in the order of `classes`. `groups` is how many groups the
    intervals take as independent in place of the images, None for images. `brier`, `calibration` and `coverage` are
    None without images. `leaks` says what was found and done about images that had a part in training, where that was
    looked into. `unit` is what was judged: "image", or "group" where the images of each group gave one answer.

    `uncalibrated` is None where the probabilities are the network's own, `decided` where nothing but a class is
    decided, `unknown` where no images of other things were given. `subgroups` are by the column `subgroups_by`.
    """

    images: int
    classes: tuple[str, ...]
    split: str
    accuracy: Number
    balanced_accuracy: Number
    top5: Number | None
    log_loss: Number
    one_vs_one: Number
    scores: Scores
    brier: Brier | None
    calibration: Reliability | None
    per_class: tuple[ClassVerdict, ...]
    confusion_matrix: tuple[tuple[int, ...], ...]
    coverage: CoverageCurve | None = None
    groups: int | None = None
    leaks: str = ""
    unit: str = "image"
    uncalibrated: Uncalibrated | None = None
    decided: Decided | None = None
    unknown: Unknown | None = None
    subgroups_by: str | None = None
    subgroups: tuple[Subgroup, ...] = ()

    @property
    def methods(self) -> dict[str, str]:
        """How each interval was made."""
        return METHODS if self.groups is None else BY_GROUPS

    def to_dict(self) -> dict[str, object]:
        """The verdict as plain values for JSON; the ROC curves, which are for drawing, stay out of it."""
        return {
            "images": self.images,
            "classes": list(self.classes),
            "split": self.split,
            "accuracy": self.accuracy.to_dict(),
            "balanced_accuracy": self.balanced_accuracy.to_dict(),
            "top5": self.top5.to_dict() if self.top5 else None,
            "log_loss": self.log_loss.to_dict(),
            "one_vs_one": self.one_vs_one.to_dict(),
            "scores": self.scores.to_dict(),
            "brier": self.brier.to_dict() if self.brier else None,
            "calibration": self.calibration.to_dict() if self.calibration else None,
            "per_class": [one.to_dict() for one in self.per_class],
            "confusion_matrix": [list(row) for row in self.confusion_matrix],
            "coverage": self.coverage.to_dict() if self.coverage else None,
            "leaks": self.leaks,
            "unit": self.unit,
            "uncalibrated": self.uncalibrated.to_dict() if self.uncalibrated else None,
            "decided": self.decided.to_dict() if self.decided else None,
            "unknown": self.unknown.to_dict() if self.unknown else None,
            "subgroups_by": self.subgroups_by,
            "subgroups": [one.to_dict() for one in self.subgroups],
            "confidence": CONFIDENCE,
            "groups": self.groups,
            "methods": self.methods,
        }

    def sentence(self) -> str:
        """The verdict in one sentence.

        >>> import numpy as np
        >>> from striate.evaluation import judge
        >>> truth = np.array([0, 1, 0, 1] * 5)
        >>> probabilities = np.where(truth[:, None] == [0, 1], 0.8, 0.2)
        >>> judge(truth, probabilities, ["cat", "owl"]).sentence()
        '100 % of 20 test images are classified correctly (95 % interval 84–100).'
        """
        if self.accuracy.value is None:
            return f"There is no {self.split} {self.unit} to judge."
        value, low, high = numbers.percent_parts(self.accuracy)
        noun = f"{self.unit} is" if self.images == 1 else f"{self.unit}s are"
        known = self.accuracy.low is not None and self.accuracy.high is not None
        interval = f"{100 * CONFIDENCE:.0f} % interval {low}–{high}" if known else self.accuracy.reason
        return f"{value} % of {self.images:,} {self.split} {noun} classified correctly ({interval})."


def complement(number: Number) -> Number:
    """One minus a proportion: of a sensitivity, the share that is missed."""
    if number.value is None:
        return number
    low = None if number.high is None else 1 - number.high
    high = None if number.low is None else 1 - number.low
    return Number(1 - number.value, low, high, number.n, number.reason)

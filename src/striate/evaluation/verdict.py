"""The verdict on one split: every number with its interval, for the terminal, for JSON and for the report."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from striate.drawing import numbers
from striate.errors import StriateError
from striate.evaluation import metrics
from striate.evaluation.intervals import CONFIDENCE, Number
from striate.evaluation.one_vs_one import one_vs_one_auc
from striate.evaluation.reliability import Brier, Reliability, brier, reliability
from striate.evaluation.scores import Scores, scores

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
            "undefined": {name: rate.reason for name, rate in rates.items() if rate.value is None},
        }


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is known about a classifier from one split. `top5` is None with five classes or fewer.

    Rows of the confusion matrix are the true classes, in the order of `classes`. `groups` is how many groups the
    intervals take as independent in place of the images, None for images. `brier` and `calibration` are None without
    images. `leaks` says what was found and done about images that had a part in training, where that was looked into.
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
    groups: int | None = None
    leaks: str = ""

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
            "leaks": self.leaks,
            "confidence": CONFIDENCE,
            "groups": self.groups,
            "methods": self.methods,
        }

    def sentence(self) -> str:
        """The verdict in one sentence.

        >>> truth = np.array([0, 1, 0, 1] * 5)
        >>> probabilities = np.where(truth[:, None] == [0, 1], 0.8, 0.2)
        >>> judge(truth, probabilities, ["cat", "owl"]).sentence()
        '100 % of 20 test images are classified correctly (95 % interval 84–100).'
        """
        if self.accuracy.value is None:
            return f"There is no {self.split} image to judge."
        value, low, high = numbers.percent_parts(self.accuracy)
        noun = "image is" if self.images == 1 else "images are"
        return (
            f"{value} % of {self.images:,} {self.split} {noun} classified correctly "
            f"({100 * CONFIDENCE:.0f} % interval {low}–{high})."
        )


def judge(
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    classes: list[str] | tuple[str, ...],
    split: str = "test",
    leaks: str = "",
    groups: Int[np.ndarray, " images"] | None = None,
    seed: int = 0,
) -> Verdict:
    """Measure probabilities against the truth, every number at 95 % confidence.

    `truth` holds indices into `classes`; `probabilities` lie between 0 and 1, one column a class. `groups` numbers
    what belongs together from 0: where any has two images, intervals take groups as independent. `seed` is that of
    the resamples. StriateError where the three do not fit together.

    >>> truth = np.array([0, 0, 1, 1])
    >>> verdict = judge(truth, np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]]), ["cat", "owl"])
    >>> verdict.accuracy.value, verdict.confusion_matrix
    (0.75, ((1, 1), (0, 2)))
    """
    if len(classes) != probabilities.shape[1]:
        raise StriateError(
            f"{len(classes)} class names for {probabilities.shape[1]} columns of probabilities: "
            "give one name a column, in the same order"
        )
    if groups is not None and len(np.unique(groups)) == len(truth):
        groups = None
    matrix = metrics.confusion_matrix(truth, probabilities)
    each = metrics.class_metrics(truth, probabilities, groups)
    summary = scores(truth, probabilities.argmax(axis=1), len(classes), groups, seed)
    return Verdict(
        images=len(truth),
        classes=tuple(classes),
        split=split,
        accuracy=metrics.accuracy(truth, probabilities, groups),
        balanced_accuracy=metrics.balanced_accuracy(truth, probabilities)
        if groups is None
        else summary.macro_recall,
        top5=metrics.top_k_accuracy(truth, probabilities, 5, groups) if len(classes) > 5 else None,
        log_loss=metrics.log_loss(truth, probabilities, groups),
        one_vs_one=one_vs_one_auc(truth, probabilities, groups),
        scores=summary,
        brier=brier(truth, probabilities, groups=groups, seed=seed),
        calibration=reliability(truth, probabilities, groups=groups, seed=seed),
        per_class=tuple(
            ClassVerdict(class_name=name, **vars(one)) for name, one in zip(classes, each, strict=True)
        ),
        confusion_matrix=tuple(tuple(row) for row in matrix.tolist()),
        groups=None if groups is None else len(np.unique(groups)),
        leaks=leaks,
    )


def complement(number: Number) -> Number:
    """One minus a proportion: of a sensitivity, the share that is missed."""
    if number.value is None:
        return number
    low = None if number.high is None else 1 - number.high
    high = None if number.low is None else 1 - number.low
    return Number(1 - number.value, low, high, number.n, number.reason)

"""The verdict on one split: every number with its interval, for the terminal, for JSON and for the report."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from striate.drawing import numbers
from striate.errors import StriateError
from striate.evaluation import metrics
from striate.evaluation.intervals import CONFIDENCE, Number
from striate.evaluation.roc import RocCurve

METHODS = {
    "accuracy": "Wilson score interval",
    "balanced_accuracy": "MOVER over the Wilson interval of each class's recall (Zou and Donner 2008)",
    "top5": "Wilson score interval",
    "log_loss": "normal on the log scale (delta method)",
    "precision": "Wilson score interval, given the number of images called so",
    "recall": "Wilson score interval",
    "specificity": "Wilson score interval",
    "f1": "Wilson score interval of the Jaccard index, mapped; given the size of the union",
    "auc": "DeLong variance on the logit scale; where it is zero, Clopper-Pearson over disjoint pairs",
}
RATES = ("precision", "recall", "specificity", "f1", "auc")


@dataclass(frozen=True)
class ClassVerdict:
    """One class against the rest; `roc` is None where the class or its complement has no image."""

    class_name: str
    support: int
    precision: Number
    recall: Number
    specificity: Number
    f1: Number
    auc: Number
    roc: RocCurve | None = None

    def to_dict(self) -> dict[str, object]:
        """Plain numbers or None, and beside them the interval of each."""
        rates: dict[str, Number] = {name: getattr(self, name) for name in RATES}
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

    Rows of the confusion matrix are the true classes, in the order of `classes`. `leaks` says what was found and
    done about images that had a part in training, where that was looked into.
    """

    images: int
    classes: tuple[str, ...]
    split: str
    accuracy: Number
    balanced_accuracy: Number
    top5: Number | None
    log_loss: Number
    per_class: tuple[ClassVerdict, ...]
    confusion_matrix: tuple[tuple[int, ...], ...]
    leaks: str = ""

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
            "per_class": [one.to_dict() for one in self.per_class],
            "confusion_matrix": [list(row) for row in self.confusion_matrix],
            "leaks": self.leaks,
            "confidence": CONFIDENCE,
            "methods": METHODS,
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
) -> Verdict:
    """Measure probabilities against the truth, every number at 95 % confidence.

    `truth` holds indices into `classes`; `probabilities` lie between 0 and 1, one column a class.
    StriateError where the three do not fit together.

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
    matrix = metrics.confusion_matrix(truth, probabilities)
    each = metrics.class_metrics(truth, probabilities)
    return Verdict(
        images=len(truth),
        classes=tuple(classes),
        split=split,
        accuracy=metrics.accuracy(truth, probabilities),
        balanced_accuracy=metrics.balanced_accuracy(truth, probabilities),
        top5=metrics.top_k_accuracy(truth, probabilities, 5) if len(classes) > 5 else None,
        log_loss=metrics.log_loss(truth, probabilities),
        per_class=tuple(
            ClassVerdict(class_name=name, **vars(one)) for name, one in zip(classes, each, strict=True)
        ),
        confusion_matrix=tuple(tuple(row) for row in matrix.tolist()),
        leaks=leaks,
    )

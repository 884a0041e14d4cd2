"""How good a classifier is on images it did not learn from, as pure functions of truth and probabilities.

`truth` holds class indices 0..classes-1; `probabilities` one row an image. The predicted class is the one
of highest probability, the first of equals. What is undefined is None with a reason, never a silent zero.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int

from striate.errors import StriateError
from striate.evaluation import intervals
from striate.evaluation.intervals import CONFIDENCE, Number, wilson
from striate.evaluation.roc import RocCurve, roc_auc, roc_curve


@dataclass(frozen=True)
class ClassMetrics:
    """One class against the rest."""

    support: int
    precision: Number
    recall: Number
    specificity: Number
    f1: Number
    auc: Number
    roc: RocCurve | None


def confusion_matrix(
    truth: Int[np.ndarray, " images"], probabilities: Float[np.ndarray, "images classes"]
) -> Int[np.ndarray, "classes classes"]:
    """Counts of images by true class (rows) and predicted class (columns).

    >>> truth = np.array([0, 0, 1])
    >>> probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    >>> confusion_matrix(truth, probabilities).tolist()
    [[1, 1], [0, 1]]
    """
    check(truth, probabilities)
    classes = probabilities.shape[1]
    cells = truth.astype(np.int64) * classes + probabilities.argmax(axis=1)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def accuracy(
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    confidence: float = CONFIDENCE,
) -> Number:
    """The share of images whose predicted class is the true one, with Wilson's interval."""
    return top_k_accuracy(truth, probabilities, 1, confidence)


def top_k_accuracy(
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    k: int = 5,
    confidence: float = CONFIDENCE,
) -> Number:
    """The share of images whose true class is among the k most probable, with Wilson's interval.

    Of classes with equal probability the first come first, so k = 1 is the accuracy.
    """
    check(truth, probabilities)
    own = np.take_along_axis(probabilities, truth[:, None], axis=1)
    ahead = (probabilities > own).sum(axis=1)
    earlier = np.arange(probabilities.shape[1]) < truth[:, None]
    ahead += ((probabilities == own) & earlier).sum(axis=1)
    return wilson(int((ahead < k).sum()), len(truth), confidence)


def balanced_accuracy(
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    confidence: float = CONFIDENCE,
) -> Number:
    """The unweighted mean of the recall of every class that has images, with its MOVER interval."""
    matrix = confusion_matrix(truth, probabilities)
    hits, support = np.diag(matrix).tolist(), matrix.sum(axis=1).tolist()
    return intervals.mean_of_proportions(hits, support, confidence)


def log_loss(
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    confidence: float = CONFIDENCE,
) -> Number:
    """The mean of -ln p(true class) in nats, with p taken as at least the epsilon of its float type.

    >>> round(log_loss(np.array([0, 1]), np.array([[0.5, 0.5], [0.2, 0.8]])).value, 4)
    0.4581
    """
    check(truth, probabilities)
    if len(truth) == 0:
        return intervals.undefined("no cases")
    each = losses(truth, probabilities)
    spread = float(each.std(ddof=1)) if len(each) > 1 and np.ptp(each) > 0 else None
    return intervals.positive_mean(float(each.mean()), spread, len(each), confidence)


def losses(
    truth: Int[np.ndarray, " images"], probabilities: Float[np.ndarray, "images classes"]
) -> Float64[np.ndarray, " images"]:
    """-ln p(true class) of every image, in nats, with p taken as at least the epsilon of its float type."""
    own = np.take_along_axis(probabilities, truth[:, None], axis=1)[:, 0]
    smallest = np.finfo(probabilities.dtype).eps
    return np.abs(-np.log(np.clip(own, smallest, 1.0).astype(np.float64)))  # -ln 1 is -0.0


def class_metrics(
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    confidence: float = CONFIDENCE,
) -> list[ClassMetrics]:
    """Support, precision, recall (sensitivity), specificity, F1 and one-vs-rest AUC of every class.

    Precision is conditional on the number of images called so, as Wilson's interval takes its n as given.
    """
    matrix = confusion_matrix(truth, probabilities)
    return [
        _one_class(
            matrix,
            index,
            probabilities[truth == index, index],
            probabilities[truth != index, index],
            confidence,
        )
        for index in range(probabilities.shape[1])
    ]


def _one_class(
    matrix: Int[np.ndarray, "classes classes"],
    index: int,
    inside: Float[np.ndarray, " inside"],
    outside: Float[np.ndarray, " outside"],
    confidence: float,
) -> ClassMetrics:
    hits = int(matrix[index, index])
    support, called = int(matrix[index].sum()), int(matrix[:, index].sum())
    others = int(matrix.sum()) - support
    return ClassMetrics(
        support=support,
        precision=_proportion(hits, called, "no image was called so", confidence),
        recall=_proportion(hits, support, "no image of this class", confidence),
        specificity=_proportion(others - (called - hits), others, "no image outside this class", confidence),
        f1=intervals.f1(hits, called - hits, support - hits, confidence),
        auc=roc_auc(inside, outside, confidence),
        roc=roc_curve(inside, outside),
    )


def _proportion(successes: int, n: int, why_not: str, confidence: float) -> Number:
    return wilson(successes, n, confidence) if n else intervals.undefined(why_not)


def check(truth: Int[np.ndarray, " images"], probabilities: Float[np.ndarray, "images classes"]) -> None:
    """Refuse, with a StriateError, a truth outside the classes and probabilities that are none."""
    classes = probabilities.shape[1]
    if len(truth) != len(probabilities):
        raise StriateError(
            f"{len(truth)} true classes for {len(probabilities)} rows of probabilities: "
            "give one of each per image"
        )
    if len(truth) and not (truth.min() >= 0 and truth.max() < classes):
        wrong = int(truth.min()) if truth.min() < 0 else int(truth.max())
        raise StriateError(
            f"a true class is {wrong}; with {classes} classes it lies between 0 and {classes - 1}: "
            "give class indices, not names"
        )
    # One pass for both: a NaN fails every comparison.
    if probabilities.size and not (probabilities.min() >= 0 and probabilities.max() <= 1 + 1e-3):
        row = int(np.flatnonzero(~((probabilities >= 0) & (probabilities <= 1 + 1e-3)).all(axis=1))[0])
        raise StriateError(
            f"the probabilities of image {row} are {probabilities[row][:8].tolist()}; they lie between "
            "0 and 1: give the softmax of the network's output"
        )

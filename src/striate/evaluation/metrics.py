"""How good a classifier is on images it did not learn from, as pure functions of truth and probabilities.

`truth` holds class indices 0..classes-1; `probabilities` one row an image. The predicted class is the one
of highest probability, the first of equals. What is undefined is None with a reason, never a silent zero.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from striate.errors import StriateError
from striate.evaluation import intervals
from striate.evaluation.clustered import clustered_auc, clustered_f1, clustered_mean, clustered_proportion
from striate.evaluation.intervals import CONFIDENCE, Number, wilson
from striate.evaluation.precision_recall import (
    PrecisionRecallCurve,
    average_precision,
    precision_recall_curve,
)
from striate.evaluation.roc import RocCurve, roc_auc, roc_curve

Groups = Int[np.ndarray, " images"] | None
"""What belongs together (a patient, a part), numbered from 0; intervals then take groups as independent, not images."""


@dataclass(frozen=True, kw_only=True)
class ClassMetrics:
    """One class against the rest: `precision` is also called PPV, `recall` sensitivity or TPR, `specificity` TNR.

    The curves are None where the class or its complement has no image.
    """

    support: int
    precision: Number
    recall: Number
    specificity: Number
    npv: Number
    f1: Number
    auc: Number
    average_precision: Number
    roc: RocCurve | None = None
    precision_recall: PrecisionRecallCurve | None = None


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
    groups: Groups = None,
    confidence: float = CONFIDENCE,
) -> Number:
    """The share of images whose predicted class is the true one, with Wilson's interval."""
    return top_k_accuracy(truth, probabilities, 1, groups, confidence)


def top_k_accuracy(
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    k: int = 5,
    groups: Groups = None,
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
    return proportion(ahead < k, np.full(len(truth), True), groups, confidence=confidence)


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
    groups: Groups = None,
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
    if groups is not None:
        return clustered_mean(each, groups, confidence)
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
    groups: Groups = None,
    confidence: float = CONFIDENCE,
) -> list[ClassMetrics]:
    """Every rate of every class against the rest, by the class of highest probability, and how it is ranked.

    Precision is conditional on the number of images called so, as Wilson's interval takes its n as given.
    """
    check(truth, probabilities)
    predicted = probabilities.argmax(axis=1)
    return [
        _one_class(truth == index, predicted == index, probabilities[:, index], groups, confidence)
        for index in range(probabilities.shape[1])
    ]


def _one_class(
    inside: Bool[np.ndarray, " images"],
    called: Bool[np.ndarray, " images"],
    scores: Float[np.ndarray, " images"],
    groups: Groups,
    confidence: float,
) -> ClassMetrics:
    rate = partial(proportion, groups=groups, confidence=confidence)
    own, others = scores[inside], scores[~inside]
    belonging = None if groups is None else np.concatenate([groups[inside], groups[~inside]])
    return ClassMetrics(
        support=len(own),
        precision=rate(inside, called, why_not="no image was called so"),
        recall=rate(called, inside, why_not="no image of this class"),
        specificity=rate(~called, ~inside, why_not="no image outside this class"),
        npv=rate(~inside, ~called, why_not="every image was called so"),
        f1=f1_of(called, inside, groups, confidence),
        auc=roc_auc(own, others, confidence)
        if groups is None
        else clustered_auc(scores, inside, groups, confidence),
        average_precision=average_precision(
            own, others, confidence, trials=None if groups is None else len(np.unique(groups[inside]))
        ),
        roc=roc_curve(own, others, groups=belonging),
        precision_recall=precision_recall_curve(own, others, groups=belonging),
    )


def proportion(
    successes: Bool[np.ndarray, " images"],
    cases: Bool[np.ndarray, " images"],
    groups: Groups,
    why_not: str = "no cases",
    confidence: float = CONFIDENCE,
) -> Number:
    """The share of successes among the cases, with Wilson's interval, of groups where there are any."""
    if groups is not None:
        return clustered_proportion(successes, cases, groups, why_not, confidence)
    n = int(cases.sum())
    return wilson(int((successes & cases).sum()), n, confidence) if n else intervals.undefined(why_not)


def f1_of(
    called: Bool[np.ndarray, " images"],
    inside: Bool[np.ndarray, " images"],
    groups: Groups,
    confidence: float = CONFIDENCE,
) -> Number:
    """F1 of those called so against those that are so, with groups as units where there are any."""
    if groups is not None:
        return clustered_f1(called, inside, groups, confidence)
    hits = int((called & inside).sum())
    return intervals.f1(hits, int(called.sum()) - hits, int(inside.sum()) - hits, confidence)


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

"""Choosing an operating point, and what a decision is worth on images that had no part in it."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from striate.evaluation.clustered import effective_size
from striate.evaluation.decisions.abstention import abstained
from striate.evaluation.decisions.conformal import judge_sets
from striate.evaluation.decisions.decision import AbstentionVerdict, Decided, Decision, OperatingVerdict
from striate.evaluation.decisions.operating import (
    Counts,
    OperatingPoint,
    at_threshold,
    choose_threshold,
    predictive_values,
    require_prevalence,
    wish_of,
)
from striate.evaluation.intervals import Number
from striate.evaluation.metrics import f1_of, proportion
from striate.evaluation.partial_auc import partial_auc

_RATE = {"sensitivity": "sensitivity", "specificity": "specificity", "precision": "ppv", "npv": "npv"}
Groups = Int[np.ndarray, " images"] | None


def choose_operating_point(
    positive: str,
    wish: str,
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    classes: tuple[str, ...],
    *,
    chosen_on: str,
    groups: Groups = None,
) -> OperatingPoint:
    """The threshold of a class against the rest that fulfils a wish on these images, and what it gives on them.

    >>> truth, chances = np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    >>> point = choose_operating_point("owl", "sensitivity>=0.95", truth, chances, ("cat", "owl"), chosen_on="4 images")
    >>> point.threshold, point.reached["sensitivity"].value, point.reached["specificity"].value
    (0.2, 1.0, 0.5)

    UsageError as `choose_threshold` raises.
    """
    scores, inside = _against_rest(positive, truth, probabilities, classes)
    threshold = choose_threshold(wish_of(wish), scores, inside)
    reached = rates_of(scores, inside, threshold, groups=groups)
    return OperatingPoint(
        positive=positive,
        threshold=threshold,
        wish=str(wish_of(wish)),
        chosen_on=chosen_on,
        images=len(truth),
        reached=reached,
    )


def judge_decision(
    decision: Decision,
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    classes: tuple[str, ...],
    *,
    sureness: Float[np.ndarray, " images"] | None = None,
    prevalence: float | None = None,
    groups: Groups = None,
) -> Decided:
    """A decision on images that it was not chosen on; `sureness` is by the measure of its abstention.

    Predictive values are those of these images, or of a deployment where the class of interest has the `prevalence`.
    Raises UsageError unless 0 < prevalence < 1.
    """
    operating = []
    for point in decision.operating:
        scores, inside = _against_rest(point.positive, truth, probabilities, classes)
        counts = at_threshold(scores, inside, point.threshold)
        rates = rates_of(scores, inside, point.threshold, prevalence=prevalence, groups=groups)
        wish = wish_of(point.wish)
        above = wish.least if wish.kind == "sensitivity" and wish.least != 1 else None
        part = None if above is None else partial_auc(scores, inside, above, groups)
        plain = rates_of(scores, inside, point.threshold, groups=groups)
        wished = plain[_RATE[wish.kind]] if wish.least is not None else None
        operating.append(OperatingVerdict(point, counts, rates, prevalence, part, wished))
    answered = None
    if decision.abstention is not None and sureness is not None:
        right = probabilities.argmax(axis=1) == truth
        found = abstained(decision.abstention.threshold, sureness, right, groups)
        answered = AbstentionVerdict(decision.abstention, *found)
    sets = decision.sets and judge_sets(decision.sets, truth, probabilities, groups)
    return Decided(decision, tuple(operating), answered, sets)


def rates_of(
    scores: Float[np.ndarray, " images"],
    inside: Bool[np.ndarray, " images"],
    threshold: float,
    *,
    prevalence: float | None = None,
    groups: Groups = None,
) -> dict[str, Number]:
    """Sensitivity, specificity, predictive values, F1 and accuracy of calling a class from a threshold on.

    With `groups` intervals take those as independent; predictive values at a prevalence then stand on as many images
    as would spread as much as the groups do.
    """
    called = scores.astype(np.float64) >= threshold  # float32 would round the threshold
    every = np.full(len(inside), True)
    rates = {
        "sensitivity": proportion(called, inside, groups, "no image of this class"),
        "specificity": proportion(~called, ~inside, groups, "no image outside this class"),
        "ppv": proportion(inside, called, groups, "no image was called so"),
        "npv": proportion(~inside, ~called, groups, "every image was called so"),
        "f1": f1_of(called, inside, groups),
        "accuracy": proportion(called == inside, every, groups, "no cases"),
    }
    if prevalence is not None:
        require_prevalence(prevalence)
        counts = _effective(at_threshold(scores, inside, threshold), called, inside, groups)
        rates["ppv"], rates["npv"] = (
            replace(number, n=len(inside)) for number in predictive_values(counts, prevalence)
        )
    return rates


def _against_rest(
    positive: str,
    truth: Int[np.ndarray, " images"],
    probabilities: Float[np.ndarray, "images classes"],
    classes: tuple[str, ...],
) -> tuple[Float64[np.ndarray, " images"], Bool[np.ndarray, " images"]]:
    number = classes.index(positive)
    return probabilities[:, number].astype(np.float64), truth == number


def _effective(
    counts: Counts, called: Bool[np.ndarray, " images"], inside: Bool[np.ndarray, " images"], groups: Groups
) -> Counts:
    """The counts shrunk to as many images as spread as much as the groups do, the two rates kept."""
    if groups is None or not inside.any() or inside.all():
        return counts
    own = effective_size(called, inside, groups) / int(inside.sum())
    others = effective_size(~called, ~inside, groups) / int((~inside).sum())
    return Counts(
        counts.true_positives * own,
        counts.false_negatives * own,
        counts.false_positives * others,
        counts.true_negatives * others,
    )

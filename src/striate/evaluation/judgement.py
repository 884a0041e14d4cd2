"""From probabilities and the truth to the verdict: every measure with its interval."""

import numpy as np
from jaxtyping import Float, Int

from striate.errors import StriateError
from striate.evaluation import metrics
from striate.evaluation.decisions.abstention import coverage_curve
from striate.evaluation.one_vs_one import one_vs_one_auc
from striate.evaluation.reliability import brier, reliability
from striate.evaluation.scores import scores
from striate.evaluation.verdict import ClassVerdict, Verdict


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
        coverage=coverage_curve(
            probabilities.max(axis=1), probabilities.argmax(axis=1) == truth, groups, seed
        ),
        per_class=tuple(
            ClassVerdict(class_name=name, **vars(one)) for name, one in zip(classes, each, strict=True)
        ),
        confusion_matrix=tuple(tuple(row) for row in matrix.tolist()),
        groups=None if groups is None else len(np.unique(groups)),
        leaks=leaks,
    )

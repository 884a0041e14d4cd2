"""A linear classifier of features: multinomial logistic regression, its penalty chosen by cross-validation."""

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int, Shaped
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

STRENGTHS = (10.0, 1.0, 0.1, 0.01, 0.001)
"""Weights of half the sum of squared coefficients beside the mean log loss, the strictest first."""
STEPS = 1000
"""Of the solver, at the most."""

Labels = Int[np.ndarray, " image"]
Features = Float64[np.ndarray, "image feature"]


@dataclass(frozen=True, eq=False)
class Fit:
    """What a fitted classifier says of other images, the penalty chosen, and whether the solver had settled."""

    predicted: Int[np.ndarray, " other"]
    strength: float
    settled: bool


def fit_linear(
    features: Shaped[np.ndarray, "image feature"],
    labels: Int[np.ndarray, " image"],
    fold: Int[np.ndarray, " image"],
    others: Shaped[np.ndarray, "other feature"],
) -> Fit:
    """Fitted to images, its strength the one with the most right answers over their folds, asked about `others`.

    >>> features = np.array([[0.0], [0.1], [0.9], [1.0]] * 3)
    >>> fit = fit_linear(features, np.array([0, 0, 1, 1] * 3), np.repeat([0, 1, 2], 4), np.array([[0.2], [0.7]]))
    >>> fit.predicted.tolist(), fit.settled
    ([0, 1], True)

    Features are standardised by those fitted to. The strictest penalty is taken where several do equally well. A
    fold is left out where the others have one class only. Best called inside `a_core_each`.
    """
    scaler = StandardScaler().fit(features)
    known, asked = (np.asarray(scaler.transform(part), np.float64) for part in (features, others))
    right = np.zeros(len(STRENGTHS), dtype=np.int64)
    for held in np.unique(fold).tolist():
        mine = fold == held
        if len(np.unique(labels[~mine])) > 1:
            right += right_answers(known[~mine], labels[~mine], known[mine], labels[mine])
    strength = STRENGTHS[int(right.argmax())]
    model, settled = regression(known, labels, strength)
    return Fit(np.asarray(model.predict(asked)), strength, settled)


def right_answers(
    known: Features,
    labels: Labels,
    held: Float64[np.ndarray, "held feature"],
    truth: Int[np.ndarray, " held"],
) -> Int[np.ndarray, " strength"]:
    """How many of the images held back each strength gets right; each fit begins where the stricter one ended."""
    right, model = [], None
    for strength in STRENGTHS:
        model, _ = regression(known, labels, strength, model)
        right.append(int(np.equal(model.predict(held), truth).sum()))
    return np.array(right, dtype=np.int64)


def regression(
    known: Features, labels: Labels, strength: float, begun: LogisticRegression | None = None
) -> tuple[LogisticRegression, bool]:
    """A logistic regression under a penalty, begun from zero or from another one, and whether it has settled."""
    model = begun or LogisticRegression(solver="lbfgs", max_iter=STEPS, warm_start=True)
    model.set_params(
        C=1 / (strength * len(labels))
    )  # scikit-learn weighs the sum of the losses, not their mean
    model.fit(known, labels)
    return model, int(np.max(model.n_iter_)) < STEPS


@contextlib.contextmanager
def a_core_each() -> Iterator[None]:
    """Inside, a matrix product takes one core, so that several fits can have one each; unsettled fits do not warn.

    Two threads of OpenBLAS that share a small product wait for each other by spinning: where another program wants a
    core, a fit then takes thirty times as long. It also makes the bits independent of the number of cores.
    """
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield

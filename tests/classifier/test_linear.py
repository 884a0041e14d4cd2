"""Logistic regressions of features: where they end, how strict they are, and that they are the same every time."""

import numpy as np
from threadpoolctl import threadpool_limits

from striate.classifier.probes.linear import STRENGTHS, a_core_each, fit_linear, regression


def test_a_fit_stands_where_the_gradient_of_the_penalised_loss_is_zero() -> None:
    random = np.random.default_rng(0)
    known, labels = random.normal(size=(90, 5)), random.integers(0, 3, 90)
    model, settled = regression(known, labels, 0.1)
    scores = known @ model.coef_.T + model.intercept_
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    error = chances - np.eye(3)[labels]
    assert settled
    assert np.abs(error.T @ known / 90 + 0.1 * model.coef_).max() < 2e-4
    assert np.abs(error.mean(axis=0)).max() < 2e-4


def test_the_strength_is_chosen_in_the_folds_and_the_strictest_where_equal() -> None:
    random = np.random.default_rng(0)
    labels, fold = np.tile([0, 1], 60), np.arange(120) // 2 % 3
    noise = random.normal(size=(120, 300))
    assert (
        fit_linear(labels[:, None] + 0.1 * noise[:, :1], labels, fold, noise[:2, :1]).strength == STRENGTHS[0]
    )
    slope = np.linspace(-1, 1, 120)[
        :, None
    ]  # classes of unequal size: the strictest penalty knows the larger only
    uneven = (slope[:, 0] > 0.8).astype(np.int64)
    assert fit_linear(slope, uneven, np.arange(120) % 3, slope[-1:]).strength == STRENGTHS[-1]


def test_a_fold_whose_others_have_one_class_is_left_out() -> None:
    fit = fit_linear(
        np.array([[0.0], [0.1], [1.0], [1.1]]),
        np.array([0, 0, 1, 1]),
        np.array([0, 0, 1, 1]),
        np.ones((1, 1)),
    )
    assert (fit.predicted.tolist(), fit.strength) == ([1], STRENGTHS[0])


def test_bits_do_not_depend_on_the_number_of_threads() -> None:
    random = np.random.default_rng(0)
    known, labels = random.normal(size=(1200, 500)), random.integers(0, 7, 1200)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads), a_core_each():
            found.append(regression(known, labels, 1.0)[0].coef_)
    assert np.array_equal(*found)

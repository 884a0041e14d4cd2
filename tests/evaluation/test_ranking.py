"""Average precision, one class against another, and the sensitive part of the ROC curve, against scikit-learn."""

import warnings

import numpy as np
import pytest
from cases import judged
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from striate.errors import UsageError
from striate.evaluation.one_vs_one import one_vs_one_auc
from striate.evaluation.partial_auc import partial_auc
from striate.evaluation.precision_recall import average_precision, precision_recall_curve


@given(judged())
@settings(deadline=None)
def test_average_precision(data: tuple[np.ndarray, np.ndarray]) -> None:
    truth, probabilities = data
    scores, inside = probabilities[:, 0], truth == 0
    number = average_precision(scores[inside], scores[~inside])
    if not inside.any():
        assert number.value is None
        assert number.reason == "no image of this class"
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert number.value == pytest.approx(reference.average_precision_score(inside, scores), abs=1e-12)
    if inside.all():
        assert number.low is None
    else:
        assert 0 <= number.low <= number.value <= number.high <= 1
        assert number.low < number.high


@given(judged(smallest=2))
@settings(deadline=None)
def test_the_curve_is_scikit_learns(data: tuple[np.ndarray, np.ndarray]) -> None:
    truth, probabilities = data
    scores, inside = probabilities[:, 0], truth == 0
    curve = precision_recall_curve(scores[inside], scores[~inside])
    if inside.all() or not inside.any():
        assert curve is None
        return
    assert curve is not None
    precision, recall, _ = reference.precision_recall_curve(inside, scores)
    assert curve.recall[1:] == pytest.approx(recall[:-1][::-1])
    assert curve.precision[1:] == pytest.approx(precision[:-1][::-1])
    assert curve.prevalence == inside.mean()


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    generator = np.random.default_rng(0)
    curve = precision_recall_curve(generator.normal(1, 1, 3000), generator.normal(0, 1, 9000))
    assert curve is not None
    assert len(curve.recall) <= 202
    assert curve.recall[0] == 0
    assert curve.recall[-1] == 1
    assert curve.precision[-1] == pytest.approx(0.25)


@given(judged(smallest=2))
@settings(deadline=None)
def test_one_vs_one(data: tuple[np.ndarray, np.ndarray]) -> None:
    truth, probabilities = data
    number = one_vs_one_auc(truth, probabilities)
    present = np.unique(truth)
    if len(present) < 2:
        assert number.value is None
        return
    areas = []
    for one in present:
        for other in present[present != one]:
            rows = np.isin(truth, [one, other])
            areas.append(reference.roc_auc_score(truth[rows] == one, probabilities[rows, one]))
    assert number.value == pytest.approx(np.mean(areas), abs=1e-12)
    assert number.low <= number.value <= number.high
    if len(present) == probabilities.shape[1] > 2:
        expected = reference.roc_auc_score(truth, probabilities, multi_class="ovo")
        assert number.value == pytest.approx(expected, abs=1e-12)


def test_one_vs_one_of_two_classes_has_delongs_interval() -> None:
    from striate.evaluation.roc import roc_auc

    generator = np.random.default_rng(1)
    truth = generator.integers(0, 2, 200)
    second = 1 / (1 + np.exp(-generator.normal(truth, 1)))
    found = one_vs_one_auc(truth, np.column_stack([1 - second, second]))
    own = roc_auc(second[truth == 1], second[truth == 0])
    assert (found.value, found.low, found.high) == pytest.approx((own.value, own.low, own.high), abs=1e-12)


def test_one_vs_one_of_repeated_images_in_groups_is_that_of_the_images() -> None:
    generator = np.random.default_rng(2)
    truth = generator.integers(0, 3, 150)
    weights = np.exp(generator.normal(size=(150, 3)) + 2 * (truth[:, None] == np.arange(3)))
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    once = one_vs_one_auc(truth, probabilities)
    thrice = one_vs_one_auc(
        np.repeat(truth, 3), np.repeat(probabilities, 3, axis=0), np.repeat(np.arange(150), 3)
    )
    assert thrice.value == pytest.approx(once.value)
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=0.02)


@given(judged(smallest=2), st.sampled_from([0.0, 0.25, 0.8, 0.9, 0.975]))
@settings(max_examples=40, deadline=None)
def test_partial_auc_is_scikit_learns_of_the_mirrored_curve(
    data: tuple[np.ndarray, np.ndarray], sensitivity: float
) -> None:
    truth, probabilities = data
    scores, inside = probabilities[:, 0], truth == 0
    assume(inside.any() and not inside.all())
    number = partial_auc(scores, inside, sensitivity)
    if sensitivity == 0:
        assert number.value == pytest.approx(reference.roc_auc_score(inside, scores), abs=1e-12)
    else:
        width = 1 - sensitivity
        scaled = reference.roc_auc_score(~inside, -scores, max_fpr=width)  # McClish's scale, undone
        least = width**2 / 2
        area = (2 * scaled - 1) * (width - least) + least
        assert number.value == pytest.approx(area / width, abs=1e-9)
    assert 0 <= number.low <= number.value <= number.high <= 1


def test_partial_auc_needs_a_sensitivity_below_one() -> None:
    inside = np.array([True, False])
    with pytest.raises(UsageError, match=r"sensitivity=1.0: it lies from 0 up to, but not at, 1"):
        partial_auc(np.array([0.9, 0.1]), inside, 1.0)
    assert partial_auc(np.array([0.9]), inside[:1]).value is None
    perfect = partial_auc(np.array([0.9, 0.1]), inside)
    assert perfect.value == perfect.high == 1.0
    assert perfect.low < 0.5


def test_whole_groups_are_drawn_for_partial_auc() -> None:
    generator = np.random.default_rng(3)
    inside = np.repeat(generator.random(60) < 0.5, 8)
    scores = np.repeat(generator.normal(size=60), 8) + inside
    alone, together = (
        partial_auc(scores, inside, 0.8),
        partial_auc(scores, inside, 0.8, np.repeat(np.arange(60), 8)),
    )
    assert together.value == alone.value
    assert together.high - together.low > 1.8 * (alone.high - alone.low)

"""Metrics against scikit-learn, with absent classes, ties and single images."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from striate.errors import StriateError
from striate.evaluation import metrics
from striate.evaluation.roc import roc_auc, roc_curve


@st.composite
def judged(draw: st.DrawFn, smallest: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Truth and probabilities of any size; coarse probabilities bring ties, few images absent classes."""
    images, classes = draw(st.integers(smallest, 60)), draw(st.integers(2, 8))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    weights = generator.integers(1, draw(st.sampled_from([3, 1000000])), (images, classes)).astype(float)
    truth = generator.integers(0, draw(st.integers(1, classes)), images)
    return truth, weights / weights.sum(axis=1, keepdims=True)


@given(judged())
def test_confusion_matrix_and_accuracies(data: tuple[np.ndarray, np.ndarray]) -> None:
    truth, probabilities = data
    predicted = probabilities.argmax(axis=1)
    classes = range(probabilities.shape[1])
    expected = reference.confusion_matrix(truth, predicted, labels=list(classes))
    assert (metrics.confusion_matrix(truth, probabilities) == expected).all()
    assert metrics.accuracy(truth, probabilities).value == pytest.approx((truth == predicted).mean())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of absent classes
        balanced = reference.balanced_accuracy_score(truth, predicted)
    assert metrics.balanced_accuracy(truth, probabilities).value == pytest.approx(balanced)


@given(judged(), st.integers(1, 8))
def test_top_k(data: tuple[np.ndarray, np.ndarray], k: int) -> None:
    truth, probabilities = data
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    assert (
        metrics.top_k_accuracy(truth, probabilities, k).value == (best == truth[:, None]).any(axis=1).mean()
    )


@given(judged())
def test_log_loss(data: tuple[np.ndarray, np.ndarray]) -> None:
    truth, probabilities = data
    expected = reference.log_loss(truth, probabilities, labels=list(range(probabilities.shape[1])))
    assert metrics.log_loss(truth, probabilities).value == pytest.approx(expected)


def test_log_loss_of_an_impossible_truth_is_finite() -> None:
    number = metrics.log_loss(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]], np.float32))
    assert number.value == pytest.approx(-np.log(np.finfo(np.float32).eps) / 2)


@given(judged())
def test_per_class(data: tuple[np.ndarray, np.ndarray]) -> None:
    truth, probabilities = data
    predicted, classes = probabilities.argmax(axis=1), list(range(probabilities.shape[1]))
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        truth, predicted, labels=classes, zero_division=np.nan
    )
    for index, one in enumerate(metrics.class_metrics(truth, probabilities)):
        inside = truth == index
        assert one.support == support[index]
        same_or_none(one.precision.value, precision[index])
        same_or_none(one.recall.value, recall[index])
        same_or_none(one.f1.value, f1[index])
        if inside.all():
            assert one.specificity.reason == "no image outside this class"
        else:
            assert one.specificity.value == pytest.approx((predicted[~inside] != index).mean())
        if inside.any() and not inside.all():
            assert one.auc.value == pytest.approx(reference.roc_auc_score(inside, probabilities[:, index]))
            assert one.auc.low < one.auc.high
        else:
            assert (one.auc.value, one.roc) == (None, None)
            assert one.auc.reason == "needs images inside and outside the class"


def same_or_none(value: float | None, expected: float) -> None:
    if np.isnan(expected):
        assert value is None
    else:
        assert value == pytest.approx(expected)


@given(st.integers(0, 2**32), st.integers(2, 30), st.integers(2, 30), st.sampled_from([4, 10**6]))
@settings(max_examples=40)
def test_delong_by_its_definition(seed: int, inside: int, outside: int, levels: int) -> None:
    generator = np.random.default_rng(seed)
    positives = generator.integers(0, levels, inside) / levels
    negatives = generator.integers(0, levels, outside) / levels
    kernel = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)
    variance = kernel.mean(axis=1).var(ddof=1) / inside + kernel.mean(axis=0).var(ddof=1) / outside
    number = roc_auc(positives, negatives)
    area = kernel.mean()
    assert number.value == pytest.approx(area)
    if variance > 1e-12 and 0 < area < 1:
        logit, reach = np.log(area / (1 - area)), 1.959964 * np.sqrt(variance) / (area * (1 - area))
        limits = 1 / (1 + np.exp(-(logit + reach * np.array([-1, 1]))))
        assert (number.low, number.high) == pytest.approx(tuple(limits), abs=1e-6)


def test_roc_points_lie_on_scikit_learns_curve() -> None:
    generator = np.random.default_rng(3)
    positives, negatives = generator.normal(1, 1, 4000), generator.normal(0, 1, 9000)
    curve = roc_curve(positives, negatives)
    assert curve is not None
    x, y, _ = reference.roc_curve(
        [1] * 4000 + [0] * 9000, np.concatenate([positives, negatives]), drop_intermediate=False
    )
    assert len(curve.false_positive_rate) <= 202
    points = set(zip(x.round(9), y.round(9), strict=True))
    drawn = list(
        zip(np.round(curve.false_positive_rate, 9), np.round(curve.true_positive_rate, 9), strict=True)
    )
    assert set(drawn) <= points
    assert drawn[0] == (0, 0)
    assert drawn[-1] == (1, 1)
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(roc_auc(positives, negatives).value, abs=2e-3)


def test_what_does_not_fit_is_refused_in_words() -> None:
    probabilities = np.array([[0.5, 0.5], [0.2, 0.8]])
    with pytest.raises(StriateError, match="a true class is 2; with 2 classes it lies between 0 and 1"):
        metrics.confusion_matrix(np.array([0, 2]), probabilities)
    with pytest.raises(StriateError, match="a true class is -1"):
        metrics.confusion_matrix(np.array([0, -1]), probabilities)
    with pytest.raises(StriateError, match=r"the probabilities of image 1 are .*nan.*softmax"):
        metrics.confusion_matrix(np.array([0, 1]), np.array([[0.5, 0.5], [np.nan, 0.8]]))
    with pytest.raises(StriateError, match="the probabilities of image 0 are"):
        metrics.log_loss(np.array([0, 1]), np.array([[-3.0, 5.0], [0.2, 0.8]]))

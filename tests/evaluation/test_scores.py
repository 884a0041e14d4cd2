"""Averages over classes, kappa and the correlation of Matthews against scikit-learn."""

import warnings

import numpy as np
import pytest
from cases import judged
from hypothesis import given, settings
from sklearn import metrics as reference

from striate.evaluation.scores import scores


@given(judged())
@settings(max_examples=40, deadline=None)
def test_every_score_is_scikit_learns(data: tuple[np.ndarray, np.ndarray]) -> None:
    truth, probabilities = data
    predicted, classes = probabilities.argmax(axis=1), probabilities.shape[1]
    found = scores(truth, predicted, classes)
    present = np.unique(truth)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of absent classes
        for average in ("macro", "weighted"):
            expected = reference.precision_recall_fscore_support(
                truth, predicted, labels=present, average=average, zero_division=0
            )
            for name, value in zip(("precision", "recall", "f1"), expected[:3], strict=True):
                assert getattr(found, f"{average}_{name}").value == pytest.approx(value, abs=1e-12)
        kappa = reference.cohen_kappa_score(truth, predicted, labels=list(range(classes)))
    if np.isnan(kappa):
        assert found.kappa.value is None
        assert found.kappa.reason
    else:
        assert found.kappa.value == pytest.approx(kappa, abs=1e-12)
    if len(present) == 1 or len(np.unique(predicted)) == 1:
        assert found.matthews.value is None
        assert found.matthews.reason == "truth or prediction is always the same class"
    else:
        expected = reference.matthews_corrcoef(truth, predicted)
        assert found.matthews.value == pytest.approx(expected, abs=1e-12)
    for number in vars(found).values():
        if number.value is not None:
            assert number.low <= number.value <= number.high
            assert number.low < number.high or abs(number.value) not in (0.0, 1.0)


def test_no_image_and_one_image() -> None:
    none = scores(np.array([], dtype=int), np.array([], dtype=int), 3)
    assert none.macro_f1.value is None
    one = scores(np.array([1]), np.array([1]), 3)
    assert one.macro_f1.value == 1.0
    assert one.macro_f1.low == pytest.approx(0.2065, abs=1e-4)  # Wilson's of one of one
    assert one.kappa.value is None
    assert one.kappa.reason == "truth and prediction are one class, so chance alone would agree on all"


def test_perfect_scores_have_no_interval_of_zero_width() -> None:
    truth = np.array([0, 1] * 50)
    found = scores(truth, truth, 2)
    assert found.kappa.value == found.kappa.high == 1.0
    assert found.kappa.low == pytest.approx(0.963, abs=1e-3)  # of 100 images
    by_group = scores(truth, truth, 2, groups=np.arange(100) // 10)
    assert by_group.kappa.low == pytest.approx(0.722, abs=1e-3)  # of 10 groups


def test_groups_widen_the_interval() -> None:
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 10)
    truth = generator.integers(0, 3, 400)
    predicted = np.where(
        (generator.random(40) < 0.3)[groups], (truth + 1) % 3, truth
    )  # whole groups go wrong
    alone, together = scores(truth, predicted, 3), scores(truth, predicted, 3, groups)
    assert alone.macro_f1.value == together.macro_f1.value
    widths = [one.macro_f1.high - one.macro_f1.low for one in (alone, together)]
    assert widths[1] / widths[0] == pytest.approx(np.sqrt(10), rel=0.25)


def test_a_thousand_classes_fit_into_memory() -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 1000, 3000)
    predicted = np.where(generator.random(3000) < 0.7, truth, generator.integers(0, 1000, 3000))
    found = scores(truth, predicted, 1000)
    assert found.macro_recall.low < found.macro_recall.value < found.macro_recall.high

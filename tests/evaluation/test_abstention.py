"""Abstaining, sets of classes and unknown pictures, against brute force, scipy and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, mahalanobis
from scipy.special import logsumexp
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from striate.errors import UsageError
from striate.evaluation.decisions.abstention import (
    abstained,
    choose_abstention,
    coverage_curve,
    energy_sureness,
)
from striate.evaluation.decisions.conformal import calibrate_sets, judge_sets
from striate.evaluation.decisions.unknown import fit_gaussians, judge_unknown, neighbour_sureness


@st.composite
def answered(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Sureness with and without ties, and what was right."""
    images = draw(st.integers(1, 40))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    steps = draw(st.sampled_from([3, 10**6]))
    return generator.integers(0, steps, images) / steps, generator.random(images) < 0.7


@given(answered())
@settings(max_examples=12, deadline=None)
def test_the_curve_is_the_accuracy_of_the_surest(data: tuple[np.ndarray, np.ndarray]) -> None:
    sureness, right = data
    curve = coverage_curve(sureness, right)
    assert curve is not None
    for coverage, accuracy in zip(curve.coverage, curve.accuracy, strict=True):
        level = np.sort(sureness)[::-1][round(coverage * len(right)) - 1]
        assert accuracy == pytest.approx(right[sureness >= level].mean())
    areas = [(~right)[sureness >= one].mean() for one in sureness]
    assert curve.area.value == pytest.approx(np.mean(areas))
    best = coverage_curve(right.astype(float) + np.linspace(0, 0.1, len(right)), right)
    assert best is not None
    assert best.area.value == pytest.approx(curve.least)
    assert curve.chance == pytest.approx((~right).mean())
    if curve.area.low is not None:
        assert curve.area.low <= curve.area.value <= curve.area.high


def test_a_curve_of_many_images_is_thinned() -> None:
    generator = np.random.default_rng(0)
    sureness = generator.random(4000)
    curve = coverage_curve(sureness, generator.random(4000) < 0.5 + sureness / 2)
    assert curve is not None
    assert len(curve.coverage) <= 200
    assert curve.coverage[-1] == 1
    assert curve.area.low < curve.area.value < curve.area.high < curve.chance
    assert coverage_curve(np.array([]), np.array([], dtype=bool)) is None


@given(answered(), st.sampled_from([0.1, 0.5, 0.9, 1.0]))
@settings(max_examples=100, deadline=None)
def test_a_wished_coverage_or_error(data: tuple[np.ndarray, np.ndarray], share: float) -> None:
    sureness, right = data
    found = choose_abstention(f"coverage>={share}", "probability", sureness, right)
    covered = abstained(found.threshold, sureness, right)
    assert covered[0].value >= share
    assert covered == (found.coverage, found.error)
    higher = np.sort(sureness[sureness > found.threshold])
    others = higher[higher > higher.min()] if len(higher) else higher
    if len(others):
        assert (sureness >= others.min()).mean() < share or (sureness >= others.min()).mean() == covered[
            0
        ].value
    least = min((~right)[sureness >= one].mean() for one in sureness)
    if least > 1 - share + 1e-9:
        with pytest.raises(UsageError, match=r"cannot be reached on the validation images: the least error"):
            choose_abstention(f"error<={1 - share:.3f}", "probability", sureness, right)
    else:
        kept = choose_abstention(f"error<={max(least, 1 - share):.6f}", "probability", sureness, right)
        assert kept.error.value <= max(least, 1 - share) + 1e-6


def test_wishes_that_are_none() -> None:
    for wrong in ("coverage", "coverage>0.9", "error<=2", "accuracy>=0.9"):
        with pytest.raises(
            UsageError, match=r"is no wish for abstaining; write one like: coverage>=0\.9, error<="
        ):
            choose_abstention(wrong, "probability", np.array([0.5]), np.array([True]))
    with pytest.raises(UsageError, match="there is no validation image"):
        choose_abstention("coverage>=0.9", "probability", np.array([]), np.array([], dtype=bool))


def test_energy_is_scipys() -> None:
    logits = np.random.default_rng(0).normal(0, 50, (20, 7))
    assert energy_sureness(logits) == pytest.approx(logsumexp(logits, axis=1))


def test_sets_hold_the_truth_as_often_as_was_promised() -> None:
    generator = np.random.default_rng(0)
    covered = []
    for _ in range(300):
        weights = np.exp(2 * generator.normal(size=(400, 5)))
        probabilities = weights / weights.sum(axis=1, keepdims=True)
        truth = (probabilities.cumsum(axis=1) > generator.random((400, 1))).argmax(axis=1)
        conformal = calibrate_sets(truth[:100], probabilities[:100], coverage=0.9)
        verdict = judge_sets(conformal, truth[100:], probabilities[100:])
        covered.append(verdict.coverage.value)
    assert 0.895 <= np.mean(covered) <= 0.92  # between 90 % and 90 % + 1 of 101


def test_sizes_of_sets() -> None:
    probabilities = np.array([[0.6, 0.3, 0.1], [0.4, 0.35, 0.25], [0.34, 0.33, 0.33]])
    verdict = judge_sets(
        calibrate_sets(np.array([0, 1, 0]), probabilities, 0.7), np.array([0, 1, 2]), probabilities
    )
    assert verdict.mean_size == pytest.approx((1 + 2 + 1) / 3)
    assert verdict.coverage.value == pytest.approx(2 / 3)
    assert verdict.single.value == pytest.approx(2 / 3)
    assert verdict.empty.value == 0


def test_too_few_images_for_the_promise() -> None:
    few = np.array([[0.6, 0.4]] * 8)
    with pytest.raises(UsageError) as raised:
        calibrate_sets(np.zeros(8, dtype=int), few, 0.9)
    assert str(raised.value) == "Sets of 90 % need at least 9 images to calibrate on; there are 8."
    assert calibrate_sets(np.zeros(9, dtype=int), np.array([[0.6, 0.4]] * 9), 0.9).images == 9
    with pytest.raises(UsageError, match="it is a share between 0 and 1"):
        calibrate_sets(np.zeros(8, dtype=int), few, 1.0)


def test_unknown_pictures_against_scikit_learn() -> None:
    generator = np.random.default_rng(1)
    known, unknown = generator.normal(1, 1, 400).round(1), generator.normal(0, 1, 300).round(1)
    found = judge_unknown("energy", known, unknown)
    expected = roc_auc_score([1] * 400 + [0] * 300, np.concatenate([known, unknown]))
    assert found.auc.value == pytest.approx(expected)
    assert (known >= found.threshold).mean() >= 0.95
    assert (known > found.threshold).mean() < 0.95
    assert found.taken.value == pytest.approx((unknown >= found.threshold).mean())
    assert judge_unknown("energy", known, unknown[:0]).auc.value is None


def test_gaussians_against_scipy() -> None:
    generator = np.random.default_rng(2)
    labels = np.repeat([0, 2], 60)
    features = generator.normal(size=(120, 6)) @ generator.normal(size=(6, 6)) + 3 * labels[:, None]
    fitted = fit_gaussians(features, labels)
    centred = np.concatenate(
        [features[labels == one] - features[labels == one].mean(axis=0) for one in (0, 2)]
    )
    precision = np.linalg.inv(LedoitWolf(assume_centered=True).fit(centred).covariance_)
    for row in generator.normal(size=(5, 6)):
        distances = [mahalanobis(row, features[labels == one].mean(axis=0), precision) ** 2 for one in (0, 2)]
        assert fitted.sureness(row[None])[0] == pytest.approx(-min(distances), rel=1e-8)
    with pytest.raises(UsageError, match="no training image"):
        fit_gaussians(features[:0], labels[:0])


def test_more_features_than_images_can_be_measured() -> None:
    generator = np.random.default_rng(3)
    features = generator.normal(size=(20, 100))
    assert np.isfinite(fit_gaussians(features, np.repeat([0, 1], 10)).sureness(features)).all()


def test_neighbours_against_all_distances() -> None:
    generator = np.random.default_rng(4)
    training, others = generator.normal(size=(80, 5)), generator.normal(size=(7, 5))
    scaled = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (training, others)]
    expected = -np.sort(cdist(scaled[1], scaled[0]), axis=1)
    assert neighbour_sureness(training, others, 10) == pytest.approx(expected[:, 9])
    assert neighbour_sureness(training, others, 500) == pytest.approx(expected[:, -1])
    assert np.isfinite(neighbour_sureness(training, np.zeros((1, 5)))).all()

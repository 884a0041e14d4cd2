"""Temperature, vector scaling, reliability and the Brier score against torch, scikit-learn and brute force."""

import numpy as np
import pytest
import torch
from cases import judged
from hypothesis import given, settings
from sklearn.metrics import brier_score_loss

from striate.errors import StriateError
from striate.evaluation.decisions.calibration import (
    Temperature,
    VectorScaling,
    calibration_of,
    fit_temperature,
    fit_vector,
    logits_of,
    softmax,
)
from striate.evaluation.reliability import brier, equal_bins, reliability


def overconfident(images: int, classes: int, factor: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Truth drawn from the softmax of logits, and the logits times a factor."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (images, classes))
    drawn = softmax(logits).cumsum(axis=1) > generator.random((images, 1))
    return drawn.argmax(axis=1), factor * logits


def test_the_temperature_is_found_and_keeps_the_best_class() -> None:
    truth, logits = overconfident(20_000, 5, 3.0, seed=0)
    found = fit_temperature(truth, logits)
    assert found.value == pytest.approx(3.0, rel=0.03)
    calibrated = found.apply(logits)
    assert (calibrated.argmax(axis=1) == logits.argmax(axis=1)).all()
    assert calibrated.sum(axis=1) == pytest.approx(1)


def test_the_temperature_is_where_torchs_loss_is_least() -> None:
    truth, logits = overconfident(300, 4, 0.4, seed=1)
    targets, values = torch.from_numpy(truth), torch.from_numpy(logits)
    own = fit_temperature(truth, logits).value
    losses = {
        share: float(torch.nn.functional.cross_entropy(values / (own * share), targets))
        for share in (0.97, 1.0, 1.03)
    }
    assert min(losses, key=lambda share: losses[share]) == 1.0


def test_probabilities_do_as_well_as_logits() -> None:
    truth, logits = overconfident(500, 3, 2.0, seed=2)
    from_logits, from_chances = (
        fit_temperature(truth, logits),
        fit_temperature(truth, logits_of(softmax(logits))),
    )
    assert from_chances.value == pytest.approx(from_logits.value, rel=1e-4)


@pytest.mark.parametrize(
    ("truth", "expected"), [([0, 1, 2, 0], 1.0), ([1, 2, 0, 2], 100.0)], ids=["all right", "all wrong"]
)
def test_the_temperature_has_bounds(truth: list[int], expected: float) -> None:
    logits = 3.0 * np.eye(3)[[0, 1, 2, 0]]
    assert fit_temperature(np.array(truth), logits).value == pytest.approx(expected, rel=1e-3)


def test_extreme_logits_stay_finite() -> None:
    logits = np.array([[1e4, -1e4], [-1e4, 1e4], [5e3, 0.0]])
    found = fit_temperature(np.array([0, 1, 1]), logits)
    assert np.isfinite(found.apply(logits)).all()
    assert np.isfinite(logits_of(np.array([[0.0, 1.0]]))).all()


def test_vector_scaling_reaches_the_loss_of_torch_and_counts_changes() -> None:
    generator = np.random.default_rng(3)
    truth, logits = overconfident(2000, 4, 2.0, seed=3)
    logits = logits + generator.normal(size=4)  # offsets that a temperature cannot mend
    found = fit_vector(truth, logits)
    factors = torch.ones(4, dtype=torch.float64, requires_grad=True)
    offsets = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([factors, offsets], max_iter=200, line_search_fn="strong_wolfe")
    targets, values = torch.from_numpy(truth), torch.from_numpy(logits).log_softmax(1)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = torch.nn.functional.cross_entropy(values * factors + offsets, targets)
        value.backward()
        return value

    optimiser.step(loss)  # pyright: ignore[reportArgumentType]
    own = -np.log(found.apply(logits)[np.arange(2000), truth]).mean()
    assert own == pytest.approx(loss().item(), abs=1e-5)
    assert found.factors == pytest.approx(factors.detach().numpy(), abs=0.02)
    before = logits.argmax(axis=1)
    assert found.changed(logits) == (found.apply(logits).argmax(axis=1) != before).sum() > 0
    assert fit_temperature(truth, logits).apply(logits).argmax(axis=1).tolist() == before.tolist()


def test_vector_scaling_does_not_care_for_a_constant_an_image() -> None:
    truth, logits = overconfident(300, 3, 2.0, seed=8)
    shifted = logits + np.arange(300)[:, None]
    assert fit_vector(truth, shifted).apply(shifted) == pytest.approx(fit_vector(truth, logits).apply(logits))


def test_saved_and_read_again() -> None:
    for one in (Temperature(1.7), VectorScaling(np.array([1.0, 2.0]), np.array([0.5, -0.5]))):
        again = calibration_of(one.to_dict())
        assert again.to_dict() == one.to_dict()
    for wrong in ({}, {"kind": "temperature", "value": 0}, {"kind": "platt", "value": 1.0}):
        with pytest.raises(StriateError, match="is no calibration"):
            calibration_of(wrong)


def test_nothing_to_calibrate_on() -> None:
    for fit in (fit_temperature, fit_vector):
        with pytest.raises(StriateError, match="There is no image to calibrate on"):
            fit(np.array([], dtype=int), np.empty((0, 3)))


def test_the_plain_error_is_that_of_equal_mass_bins() -> None:
    truth, logits = overconfident(3000, 4, 2.5, seed=4)
    probabilities = softmax(logits)
    found = reliability(truth, probabilities, bins=10)
    assert found is not None
    stated = probabilities.max(axis=1)
    order = np.argsort(stated)
    right = probabilities.argmax(axis=1) == truth
    parts = np.array_split(order, 10)
    expected = sum(len(part) * abs(stated[part].mean() - right[part].mean()) for part in parts) / 3000
    assert found.plain_error == pytest.approx(expected)
    assert [one.right.n for one in found.bins] == [300] * 10
    assert found.error.low <= found.error.value <= found.error.high


def test_the_bias_is_taken_out() -> None:
    plain, mended = [], []
    for seed in range(40):
        truth, logits = overconfident(600, 3, 1.0, seed)  # calibrated: the true error is 0
        found = reliability(truth, softmax(logits))
        assert found is not None
        plain.append(found.plain_error)
        mended.append(found.error.value)
    assert np.mean(plain) > 0.03
    assert np.mean(mended) < 0.65 * np.mean(plain)


def test_a_large_error_is_left_as_it_is() -> None:
    truth, logits = overconfident(5000, 3, 4.0, seed=5)
    found = reliability(truth, softmax(logits))
    assert found is not None
    assert found.plain_error > 0.1
    assert found.error.value == pytest.approx(found.plain_error, rel=0.05)
    calibrated = reliability(truth, Temperature(4.0).apply(logits))
    assert calibrated is not None
    assert calibrated.error.value < found.error.value / 4


def test_equal_confidences_share_a_bin() -> None:
    stated = np.array([0.5] * 25 + [0.6] * 5 + [0.9] * 30)
    bins = equal_bins(stated, 4)
    assert len({*bins[:25].tolist()}) == len({*bins[30:].tolist()}) == 1
    assert (np.diff(bins[np.argsort(stated, kind="stable")]) >= 0).all()
    assert sorted({*bins.tolist()}) == list(range(bins.max() + 1))
    assert equal_bins(np.array([0.3]), 15).tolist() == [0]


@given(judged())
@settings(max_examples=60, deadline=None)
def test_the_brier_score_and_its_parts(data: tuple[np.ndarray, np.ndarray]) -> None:
    truth, probabilities = data
    classes = probabilities.shape[1]
    found = brier(truth, probabilities)
    assert found is not None
    expected = ((probabilities - np.eye(classes)[truth]) ** 2).sum(axis=1).mean()
    assert found.score.value == pytest.approx(expected, abs=1e-12)
    if classes > 2 and len(np.unique(truth)) > 1:
        theirs = brier_score_loss(truth, probabilities, labels=list(range(classes)), scale_by_half=False)
        assert found.score.value == pytest.approx(theirs, abs=1e-12)
    if found.score.low is not None:
        assert found.score.low <= found.score.value <= found.score.high


def test_the_parts_add_up_where_a_bin_holds_one_probability() -> None:
    generator = np.random.default_rng(6)
    stated = generator.choice([0.1, 0.4, 0.8], 900)
    truth = (generator.random(900) < stated).astype(int)
    found = brier(truth, np.column_stack([1 - stated, stated]), bins=90)
    assert found is not None
    whole = found.reliability - found.resolution + found.uncertainty
    assert whole == pytest.approx(found.score.value, abs=1e-12)
    assert abs(found.reliability) < 0.01
    assert found.resolution > 0.05


def test_no_image_is_no_error() -> None:
    nothing = np.array([], dtype=int), np.empty((0, 3))
    assert reliability(*nothing) is None
    assert brier(*nothing) is None
    one = reliability(np.array([0]), np.array([[0.7, 0.3]]))
    assert one is not None
    assert (one.error.value, one.error.low) == (pytest.approx(0.3), None)

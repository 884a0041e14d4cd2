"""The power law and what it foretells: against scipy, against hand-made draws, and how often its interval covers."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import OptimizeWarning, curve_fit, minimize
from scipy.special import ndtr, ndtri

from striate.evaluation.learning import extrapolation
from striate.evaluation.learning.extrapolation import apart, drawn_errors, extrapolate
from striate.evaluation.learning.power_law import PowerLaw, fit_power_law
from striate.evaluation.learning.trials import (
    Spread,
    Trials,
    correlation,
    mean_errors,
    shared_errors,
    spread_of,
)

SIZES = np.array([80, 160, 320, 640, 1280])
THREE = np.repeat(SIZES, 3)
PART = np.repeat(np.arange(5), 3)


def trials_of(law: PowerLaw, images: int, seed: int, deviation: float = 0.0, shared: float = 0.0) -> Trials:
    random = np.random.default_rng(seed)
    level = apart(law.errors(THREE), np.full(15, deviation), random)
    return Trials(THREE, PART, random.binomial(images, level), images, shared)


# The fit


@pytest.mark.parametrize("law", [(2.0, 0.5, 0.01), (1.2, 0.3, 0.0), (30.0, 1.1, 0.05), (0.9, 0.1, 0.0)])
def test_without_noise_it_finds_what_scipy_finds(law: tuple[float, float, float]) -> None:
    truth = PowerLaw(*law)
    found = fit_power_law(SIZES, truth.errors(SIZES) * 1000, 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)  # without noise there is no covariance to estimate
        theirs, _ = curve_fit(
            lambda n, a, b, c: a * (n / 1280) ** -b + c, SIZES, truth.errors(SIZES), p0=(0.05, 0.4, 0.02)
        )
    np.testing.assert_allclose(found.errors(SIZES), truth.errors(SIZES), atol=1e-6)
    mine = (found.scale * 1280**-found.exponent, found.exponent, found.floor)
    np.testing.assert_allclose(mine, theirs, atol=2e-4)


@pytest.mark.parametrize("seed", range(6))
def test_of_counts_no_law_is_likelier(seed: int) -> None:
    images = 270
    errors = trials_of(PowerLaw(1.2, 0.45, 0.02 * (seed % 2)), images, seed).errors

    def unlikeliness(law: np.ndarray) -> float:
        p = np.clip(law[0] * (THREE / 1280) ** -law[1] + law[2], 1e-7, 1 - 1e-7)
        return -float((errors * np.log(p) + (images - errors) * np.log1p(-p)).sum())

    starts = [(last, b, c) for last in (0.02, 0.1) for b in (0.3, 1.0) for c in (0.0, 0.03)]
    tried = [
        minimize(unlikeliness, start, method="L-BFGS-B", bounds=[(0, 2), (0.01, 4), (0, 1)])
        for start in starts
    ]
    found = fit_power_law(THREE, errors, images)
    mine = np.array([found.scale * 1280**-found.exponent, found.exponent, found.floor])
    best = min(tried, key=lambda one: one.fun)
    assert unlikeliness(mine) <= best.fun + 1e-6
    np.testing.assert_allclose(
        found.errors(SIZES), best.x[0] * (SIZES / 1280) ** -best.x[1] + best.x[2], atol=1e-3
    )


def test_errors_that_do_not_fall_are_a_level_line() -> None:
    found = fit_power_law(SIZES, np.array([10, 20, 30, 40, 50]), 100)
    assert found.scale == 0
    assert found.floor == pytest.approx(0.3)


@pytest.mark.parametrize("count", [0, 100])
def test_all_right_and_all_wrong_are_laws_too(count: int) -> None:
    found = fit_power_law(SIZES, np.full(5, count), 100)
    np.testing.assert_allclose(found.errors(SIZES), count / 100, atol=1e-6)


def test_a_weight_of_two_is_the_same_training_twice() -> None:
    errors = np.array([60, 44, 30, 25, 18])
    twice = fit_power_law(np.append(SIZES, 320), np.append(errors, 30), 200)
    weighed = fit_power_law(SIZES, errors, 200, weights=np.array([1, 1, 2, 1, 1]))
    np.testing.assert_allclose(twice.errors(SIZES), weighed.errors(SIZES), atol=1e-7)


def test_two_sizes_are_too_few() -> None:
    with pytest.raises(ValueError, match="at least three sizes"):
        fit_power_law(np.array([10, 10, 20]), np.array([3, 2, 1]), 10)
    part = np.array([0, 0, 1])
    with pytest.raises(ValueError, match="at least three sizes"):
        extrapolate(Trials(np.array([10, 10, 20]), part, np.array([3, 2, 1]), 10))


# What trainings have in common, and what sets them apart


def test_errors_drawn_have_the_mean_variance_and_correlation_stated() -> None:
    level = np.array([0.3, 0.3, 0.05])
    trials = Trials(np.array([1, 1, 2]), np.array([0, 0, 1]), np.zeros(3), 400, shared=0.4)
    drawn = drawn_errors(trials, level, np.zeros(20_000), np.random.default_rng(0))
    np.testing.assert_allclose(drawn.mean(axis=0), 400 * level, rtol=0.01)
    np.testing.assert_allclose(drawn.var(axis=0), 400 * level * (1 - level), rtol=0.04)
    found = np.corrcoef(drawn.T)
    assert found[0, 1] == pytest.approx(correlation(0.4, level)[0], abs=0.02)
    hard = 0.4 * 0.05  # of the better one's errors, within the worse one's 0.4 · 0.3
    both = (
        hard + (0.12 - hard) * (0.05 - hard) / (1 - hard) + 0.88 * (0.18 / 0.88) * (0.05 - hard) / (1 - hard)
    )
    assert found[0, 2] == pytest.approx((both - 0.015) / np.sqrt(0.21 * 0.0475), abs=0.02)


def test_trainings_that_differ_spread_as_far_as_stated() -> None:
    drawn = apart(np.full(100_000, 0.2), np.full(100_000, 0.3), np.random.default_rng(0))
    odds = np.log(drawn / (1 - drawn))
    assert odds.mean() == pytest.approx(np.log(0.25), abs=0.005)
    assert odds.std() == pytest.approx(0.3, rel=0.01)


def test_the_share_of_errors_in_common_is_found_again() -> None:
    random = np.random.default_rng(1)
    hard = random.random(40_000) < 0.1
    wrong = hard | (random.random((4, 40_000)) < 0.15)
    p = wrong.mean()
    assert shared_errors(wrong, np.zeros(4, int)) == pytest.approx(0.1 / p, abs=0.02)
    assert shared_errors(random.random((3, 40_000)) < 0.2, np.zeros(3, int)) == pytest.approx(0, abs=0.02)
    assert shared_errors(np.tile(hard, (3, 1)), np.zeros(3, int)) == pytest.approx(1, abs=1e-6)
    assert shared_errors(np.zeros((3, 10), bool), np.zeros(3, int)) == 0
    assert shared_errors(wrong[:2], np.array([0, 1])) == 0, "no two trainings of one part"


@pytest.mark.parametrize("deviation", [0.0, 0.2])
def test_the_spread_between_trainings_is_found_again(deviation: float) -> None:
    law = PowerLaw(2.0, 0.5, 0.02)
    level = law.errors(THREE)
    found = [spread_of(trials_of(law, 2000, seed, deviation), level) for seed in range(60)]
    squares = np.mean([(one.found - one.judging) / one.level for one in found])
    assert squares == pytest.approx(deviation**2, abs=0.006)
    assert {one.degrees for one in found} == {10}


def test_a_spread_no_larger_than_chance_is_none() -> None:
    assert Spread(found=0.001, judging=0.002, degrees=10, level=0.1).deviation == 0
    assert Spread(found=0.003, judging=0.002, degrees=10, level=0.1).deviation == pytest.approx(0.1)


def test_one_training_of_each_part_tells_no_spread() -> None:
    with pytest.raises(ValueError, match="at least two of one part"):
        extrapolate(Trials(SIZES, np.arange(5), np.array([50, 40, 30, 20, 10]), 100))


def test_the_mean_of_trainings_on_the_same_images_is_no_surer_than_these_images() -> None:
    errors = np.array([20, 22, 18, 20])
    apart_, alike = (mean_errors(errors, 200, shared, 0.0) for shared in (0.0, 0.999))
    one = mean_errors(errors[:1], 200, 0.0, 0.0)
    assert apart_.value == alike.value == 0.1
    assert apart_.high - apart_.low == pytest.approx((one.high - one.low) / 2, rel=0.05)
    assert alike.high - alike.low == pytest.approx(one.high - one.low, rel=0.01)
    wider = mean_errors(errors, 200, 0.0, 0.5)
    assert wider.low < apart_.low < apart_.high < wider.high


# What is foretold


def test_the_same_seed_says_the_same() -> None:
    trials = trials_of(PowerLaw(2.0, 0.5, 0.0), 500, 3)
    first, again, other = (extrapolate(trials, seed=seed) for seed in (0, 0, 1))
    assert first.predicted == again.predicted
    assert first.predicted != other.predicted
    assert first.predicted.value == other.predicted.value


def test_a_law_is_carried_on_from_clean_counts() -> None:
    law = PowerLaw(2.0, 0.5, 0.0)
    found = extrapolate(Trials(THREE, PART, law.errors(THREE) * 10_000, 10_000), factor=4.0, seed=0)
    assert found.size == 5120
    assert found.predicted.value == pytest.approx(law.errors(np.array([5120]))[0], rel=1e-3)
    assert found.present.value == pytest.approx(law.errors(np.array([1280]))[0], rel=1e-3)
    assert found.gain.value == pytest.approx((found.present.value or 0) - (found.predicted.value or 0))
    assert found.helps
    np.testing.assert_allclose(found.band[:, 1], law.errors(found.band[:, 0]), rtol=2e-3)
    assert (found.band[:, 2] <= found.band[:, 1]).all()
    assert (found.band[:, 1] <= found.band[:, 3]).all()
    assert (found.band[0, 0], found.band[-1, 0]) == (80, pytest.approx(5120))


def test_where_the_floor_is_not_told_the_interval_of_it_says_so() -> None:
    steep = Trials(THREE, PART, PowerLaw(8.0, 1.0, 0.03).errors(THREE) * 2000, 2000)
    short = np.repeat([640, 800, 1000, 1280], 3)
    near = Trials(short, np.repeat(np.arange(4), 3), PowerLaw(8.0, 1.0, 0.03).errors(short) * 2000, 2000)
    told, untold = extrapolate(steep, seed=0), extrapolate(near, seed=0)
    assert told.floor.low > 0.02
    assert untold.floor.low < 0.005
    width, wider = (one.predicted.high - one.predicted.low for one in (told, untold))
    assert wider > 1.3 * width


def test_more_images_to_judge_by_narrow_the_interval_to_the_spread_of_a_training() -> None:
    law, widths = PowerLaw(2.0, 0.5, 0.02), []
    for images in (200, 2000, 200_000):
        found = extrapolate(trials_of(law, images, 0, deviation=0.2), seed=0).predicted
        widths.append(found.high - found.low)
    assert widths[0] > widths[1] > widths[2] > 0.5 * widths[1], (
        "new trainings differ however many images judge"
    )


def test_a_level_curve_is_not_shown_to_help() -> None:
    level = extrapolate(Trials(THREE, PART, np.random.default_rng(0).binomial(500, 0.1, 15), 500), seed=0)
    assert not level.helps
    rising = extrapolate(Trials(THREE, PART, np.repeat([20, 25, 30, 35, 40], 3), 500), seed=0)
    assert rising.law.scale == 0
    assert rising.gain.value == 0
    assert not rising.helps


def test_points_on_no_law_are_told_apart_from_points_on_one() -> None:
    broken = Trials(THREE, PART, np.repeat([900, 890, 880, 300, 60], 3), 2000)
    assert extrapolate(broken, seed=0).misfit < 0.01
    assert extrapolate(trials_of(PowerLaw(2.0, 0.5, 0.02), 2000, 5), seed=0).misfit > 0.05
    three = PART < 3
    assert extrapolate(Trials(THREE[three], PART[three], np.arange(9), 2000), seed=0).misfit is None


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=8, max_size=8),
    st.sampled_from([0.0, 0.5, 1 - 1e-7]),
    st.sampled_from([1.1, 2.0, 100.0]),
)
def test_whatever_the_counts_an_interval_holds_its_value(
    errors: list[int], shared: float, factor: float
) -> None:
    sizes = np.array([3, 3, 7, 7, 11, 11, 100_000, 100_000])
    found = extrapolate(Trials(sizes, np.repeat(range(4), 2), np.array(errors), 40, shared), factor, seed=0)
    for number in (found.predicted, found.present, found.gain, found.floor):
        assert 0 <= number.low <= number.value <= number.high <= 1
    assert np.isfinite(found.band).all()


# How often the interval holds the truth


def covered(law: PowerLaw, images: int, deviation: float, alike: float, curves: int) -> tuple[float, float]:
    """The shares of simulated curves whose interval holds the law's value, and a new training's, at twice the data.

    What is hard for all trainings comes from a latent normal difficulty of each image, not from the rule of the fit.
    """
    random = np.random.default_rng(0)
    truth = law.errors(np.array([2 * SIZES[-1]]))
    held = np.zeros((curves, 2), bool)
    for curve in range(curves):
        level = apart(law.errors(THREE), np.full(15, deviation), random)
        threshold = ndtri(level)[:, None] - np.sqrt(alike) * random.standard_normal(images)
        wrong = random.random((15, images)) < ndtr(threshold / np.sqrt(1 - alike))
        trials = Trials(THREE, PART, wrong.sum(axis=1), images, shared_errors(wrong, PART))
        found = extrapolate(trials, seed=curve).predicted
        new = apart(truth, np.array([deviation]), random)[0]
        held[curve] = [found.low <= truth[0] <= found.high, found.low <= new <= found.high]
    return held[:, 0].mean(), held[:, 1].mean()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("images", "deviation", "alike"), [(270, 0.0, 0.0), (270, 0.15, 0.6), (2000, 0.0, 0.6), (2000, 0.15, 0.0)]
)
@pytest.mark.parametrize("law", [(2.0, 0.5, 0.0), (2.0, 0.5, 0.02), (2.0, 0.35, 0.05), (8.0, 1.0, 0.03)])
def test_intervals_cover(
    law: tuple[float, float, float],
    images: int,
    deviation: float,
    alike: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """300 curves of five sizes and three trainings of each: the interval is that of a new training."""
    monkeypatch.setattr(extrapolation, "RESAMPLES", 500)
    law_, new = covered(PowerLaw(*law), images, deviation, alike, curves=300)
    print(law, images, deviation, alike, f"law {law_:.3f}, new training {new:.3f}")
    assert 0.90 <= new <= 0.995
    assert law_ >= 0.92, "a law varies less than a training under it"

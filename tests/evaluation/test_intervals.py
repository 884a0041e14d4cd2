"""Intervals against scipy, published tables and simulation."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from striate.evaluation import intervals
from striate.evaluation.intervals import Number, wilson


@given(st.integers(1, 10**7), st.data(), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_is_scipys(n: int, data: st.DataObject, confidence: float) -> None:
    successes = data.draw(st.integers(0, n))
    number = wilson(successes, n, confidence)
    reference = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert number.value == successes / n
    assert (number.low, number.high) == pytest.approx((reference.low, reference.high), abs=1e-9)
    assert 0 <= number.low <= number.value <= number.high <= 1
    assert number.low < number.high


def test_newcombes_table_of_score_intervals() -> None:
    # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
    for successes, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)):
        number = wilson(successes, n)
        assert (number.low, number.high) == pytest.approx((low, high), abs=5e-5)


def test_no_case_is_no_number() -> None:
    assert wilson(0, 0) == Number(None, None, None, 0, "no cases")
    assert json.dumps(wilson(0, 0).to_dict()) == (
        '{"value": null, "low": null, "high": null, "n": 0, "reason": "no cases"}'
    )
    assert Number(**wilson(0, 0).to_dict()) == wilson(0, 0)
    assert set(wilson(1, 2).to_dict()) == {"value", "low", "high", "n"}
    assert intervals.mean_of_proportions([], []).value is None
    assert intervals.mean_of_proportions([0, 0], [0, 0]).value is None
    assert intervals.f1(0, 0, 0).reason == "no image is of this class or called so"
    assert intervals.positive_mean(0.0, None, 0).value is None


def test_impossible_counts_are_refused_in_words() -> None:
    with pytest.raises(
        ValueError, match="3 successes of 2 cases: successes lie between 0 and the number of cases"
    ):
        wilson(3, 2)
    with pytest.raises(ValueError, match="confidence is 95"):
        wilson(1, 2, 95.0)


def test_mover_of_one_class_is_wilson_and_absent_classes_are_said() -> None:
    one = intervals.mean_of_proportions([7], [9])
    assert (one.low, one.high) == pytest.approx((wilson(7, 9).low, wilson(7, 9).high))
    some = intervals.mean_of_proportions([7, 0], [9, 0])
    assert some.value == 7 / 9
    assert some.reason == "mean over 1 of 2 classes: 1 without images"


def test_mover_adds_the_distances_to_scipys_limits_in_quadrature() -> None:
    successes, totals = [38, 12, 119], [40, 15, 120]
    limits = [binomtest(s, n).proportion_ci(method="wilson") for s, n in zip(successes, totals, strict=True)]
    shares = np.divide(successes, totals)
    below = np.sqrt(sum((share - limit.low) ** 2 for share, limit in zip(shares, limits, strict=True))) / 3
    above = np.sqrt(sum((limit.high - share) ** 2 for share, limit in zip(shares, limits, strict=True))) / 3
    number = intervals.mean_of_proportions(successes, totals)
    assert (number.low, number.high) == pytest.approx((shares.mean() - below, shares.mean() + above))


def test_mover_covers_as_promised() -> None:
    generator = np.random.default_rng(7)
    totals, shares = [40, 15, 120], [0.95, 0.7, 0.9]
    draws = generator.binomial(totals, shares, size=(1500, 3)).tolist()
    numbers = [intervals.mean_of_proportions(draw, totals) for draw in draws]
    covered = np.mean([number.low <= np.mean(shares) <= number.high for number in numbers])
    assert 0.93 < covered < 0.975


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_f1_is_the_harmonic_mean_with_an_interval_around_it(hits: int, alarms: int, misses: int) -> None:
    number = intervals.f1(hits, alarms, misses)
    if hits + alarms + misses == 0:
        assert number.value is None
        return
    assert number.value == pytest.approx(2 * hits / (2 * hits + alarms + misses))
    assert 0 <= number.low <= number.value <= number.high <= 1
    assert number.low < number.high


def test_auc_without_variance_is_bounded_by_disjoint_pairs() -> None:
    perfect = intervals.auc(1.0, 0.0, 30, 240)
    reference = binomtest(30, 30).proportion_ci(method="exact")
    assert (perfect.low, perfect.high) == pytest.approx((reference.low, 1.0))
    reversed_ = intervals.auc(0.0, 0.0, 30, 240)
    assert (reversed_.low, reversed_.high) == pytest.approx((0.0, 1 - reference.low))
    tied = intervals.auc(0.5, 0.0, 30, 240)
    assert tied.low < 0.5 < tied.high
    assert intervals.auc(0.9, 0.0001, 0, 5).value is None


def test_log_loss_interval_is_above_zero_and_never_of_zero_width() -> None:
    number = intervals.positive_mean(0.01, 0.2, 20)
    assert 0 < number.low < 0.01 < number.high
    assert math.isfinite(intervals.positive_mean(1e-9, 10.0, 2).high)
    flat = intervals.positive_mean(0.7, None, 5)
    assert (flat.value, flat.low, flat.high) == (0.7, None, None)
    assert flat.reason == "no spread between images, hence no interval"


def test_a_number_is_written_as_in_the_report():
    number = Number(0.5, 0.25, 0.75, 1234)
    assert f"{number:%}" == "50 % (25–75, n = 1,234)"
    assert f"{number}" == "0.50 (0.25–0.75, n = 1,234)"
    assert f"{Number(None, None, None, 0, 'no image of the class'):%}" == "–"
    with pytest.raises(ValueError, match=r"not '\.2f'"):
        f"{number:.2f}"

"""Intervals along curves, point by point equal to those of single proportions."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from striate.evaluation.bands import pointwise_limits
from striate.evaluation.clustered import clustered_proportion
from striate.evaluation.intervals import wilson
from striate.evaluation.precision_recall import precision_recall_curve
from striate.evaluation.roc import roc_curve


@st.composite
def rankings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which images are of the class, the surest first; how many are called at each point; and their groups."""
    n = draw(st.integers(1, 40))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    inside = generator.random(n) < draw(st.sampled_from([0.1, 0.5, 0.9]))
    called = np.unique(np.append(generator.integers(0, n + 1, draw(st.integers(1, 8))), n))
    return inside, called, generator.integers(0, draw(st.integers(1, n)), n)


@given(rankings(), st.booleans())
@settings(deadline=None)
def test_of_independent_images_each_point_is_wilsons(
    data: tuple[np.ndarray, np.ndarray, np.ndarray], precision: bool
) -> None:
    inside, called, _ = data
    low, high = pointwise_limits(inside, called, None, precision=precision)
    for place, count in enumerate(called.tolist()):
        cases = count if precision else int(inside.sum())
        expected = wilson(int(inside[:count].sum()), cases)
        limits = (0.0, 1.0) if cases == 0 else (expected.low, expected.high)
        assert (low[place], high[place]) == pytest.approx(limits, abs=1e-12)


@given(rankings(), st.booleans())
@example(
    (np.arange(8) % 7 < 4, np.array([1, 3, 6, 8]), np.array([1, 0, 1, 0, 0, 1, 0, 0])), True
)  # alike but for rounding
@settings(deadline=None)
def test_of_groups_each_point_is_the_clustered_proportion(
    data: tuple[np.ndarray, np.ndarray, np.ndarray], precision: bool
) -> None:
    inside, called, groups = data
    low, high = pointwise_limits(inside, called, groups, precision=precision)
    ranks = np.arange(len(inside))
    for place, count in enumerate(called.tolist()):
        first = ranks < count
        found = (
            clustered_proportion(inside, first, groups)
            if precision
            else clustered_proportion(first, inside, groups)
        )
        limits = (0.0, 1.0) if found.low is None else (found.low, found.high)
        assert (low[place], high[place]) == pytest.approx(limits, abs=1e-12)


def test_curves_carry_their_limits() -> None:
    generator = np.random.default_rng(0)
    positives, negatives = generator.normal(1, 1, 300), generator.normal(0, 1, 500)
    groups = np.repeat(np.arange(200), 4)
    scores = np.concatenate([positives, negatives])
    for grouped in (None, groups):
        roc = roc_curve(positives, negatives, groups=grouped)
        ahead = precision_recall_curve(positives, negatives, groups=grouped)
        assert roc is not None
        assert ahead is not None
        assert len(roc.low) == len(roc.high) == len(roc.true_positive_rate) <= 202
        for low, value, high in zip(roc.low, roc.true_positive_rate, roc.high, strict=True):
            assert low <= value <= high
        for low, value, high in zip(ahead.low, ahead.precision, ahead.high, strict=True):
            assert low <= value <= high
        # an operating point in the middle, by itself
        threshold = float(np.quantile(scores, 0.6))
        called = scores >= threshold
        inside = np.arange(800) < 300
        single = (
            wilson(int(called[:300].sum()), 300)
            if grouped is None
            else clustered_proportion(called, inside, grouped)
        )
        near = int(np.argmin(np.abs(np.array(roc.true_positive_rate) - (single.value or 0))))
        assert roc.low[near] == pytest.approx(single.low, abs=0.02)
        assert roc.high[near] == pytest.approx(single.high, abs=0.02)


def test_groups_widen_the_band_where_their_images_agree() -> None:
    generator = np.random.default_rng(1)
    of_group = generator.normal(0.8, 1, 40)
    positives = np.repeat(of_group, 5) + generator.normal(0, 0.05, 200)
    negatives = generator.normal(0, 1, 200)
    groups = np.concatenate([np.repeat(np.arange(40), 5), 40 + np.arange(200)])
    alone, together = roc_curve(positives, negatives), roc_curve(positives, negatives, groups=groups)
    assert alone is not None
    assert together is not None
    middle = np.searchsorted(alone.true_positive_rate, 0.5)
    widths = [curve.high[middle] - curve.low[middle] for curve in (alone, together)]
    assert widths[1] > 1.5 * widths[0]

"""The intervals of the calibration error and of its bins."""

import numpy as np

from striate.evaluation.clustered import clustered_proportion
from striate.evaluation.reliability import reliability


def test_the_interval_of_the_error_holds_zero_where_answers_are_calibrated() -> None:
    """Of 20 perfectly calibrated samples the interval may miss 0 in a few; it never misses an error of 15 points."""
    rng, held, found = np.random.default_rng(0), 0, 0
    for seed in range(20):
        stated = rng.uniform(0.5, 0.85, 600)
        chances = np.stack([stated, 1 - stated], axis=1)
        right = rng.random(600) < stated
        held += reliability(np.where(right, 0, 1), chances, seed=seed).error.low == 0
        right = rng.random(600) < stated + 0.15
        found += reliability(np.where(right, 0, 1), chances, seed=seed).error.low > 0
    assert held >= 18
    assert found == 20


def test_bins_of_groups_have_intervals_of_groups() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(40), 10)
    stated = rng.uniform(0.5, 1, 400)
    right = np.repeat(rng.random(40) < 0.75, 10)
    chances, truth = np.stack([stated, 1 - stated], axis=1), np.where(right, 0, 1)
    alone = reliability(truth, chances, bins=1).bins[0].right
    together = reliability(truth, chances, bins=1, groups=groups).bins[0].right
    assert together == clustered_proportion(right, np.full(400, True), groups)
    assert together.high - together.low > 2 * (alone.high - alone.low)

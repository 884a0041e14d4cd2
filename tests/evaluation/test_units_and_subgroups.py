"""Groups as units, subgroups of a column, and intervals where images belong together."""

import numpy as np
import pytest
from scipy.stats import t

from striate.errors import StriateError
from striate.evaluation.clustered import clustered_auc, clustered_f1, clustered_mean, clustered_proportion
from striate.evaluation.intervals import wilson
from striate.evaluation.judgement import judge
from striate.evaluation.roc import roc_auc
from striate.evaluation.subgroups import subgroups
from striate.evaluation.units import by_unit

ALL = np.full


def test_a_proportion_of_groups_by_hand() -> None:
    right = np.array([1, 1, 1, 0, 0, 0, 1, 1, 1, 1], dtype=bool)
    groups = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    number = clustered_proportion(right, ALL(10, True), groups)
    sums = np.array([3 - 0.7 * 3, 0 - 0.7 * 3, 4 - 0.7 * 4])
    effective = 0.7 * 0.3 / (1.5 * (sums**2).sum() / 100)
    z = t.ppf(0.975, 2)
    centre = (0.7 + z * z / (2 * effective)) / (1 + z * z / effective)
    reach = z / (1 + z * z / effective) * np.sqrt(0.21 / effective + z * z / (4 * effective**2))
    assert (number.value, number.low, number.high) == pytest.approx((0.7, centre - reach, centre + reach))
    assert number.n == 10


def test_groups_of_one_image_are_images() -> None:
    generator = np.random.default_rng(0)
    right = generator.random(2000) < 0.9
    number, alone = (
        clustered_proportion(right, ALL(2000, True), np.arange(2000)),
        wilson(int(right.sum()), 2000),
    )
    assert (number.low, number.high) == pytest.approx((alone.low, alone.high), abs=2e-4)


def test_repeated_images_are_not_more_images() -> None:
    generator = np.random.default_rng(1)
    right = generator.random(300) < 0.8
    once = clustered_proportion(right, ALL(300, True), np.arange(300))
    often = clustered_proportion(np.repeat(right, 7), ALL(2100, True), np.repeat(np.arange(300), 7))
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_corners_of_clustered_numbers() -> None:
    right, groups = ALL(40, True), np.arange(40) // 4
    perfect = clustered_proportion(right, right, groups)
    assert perfect.high == 1.0
    assert perfect.low == pytest.approx(
        1 / (1 + t.ppf(0.975, 9) ** 2 / 10)
    )  # Wilson's of ten, with Student's t
    one = clustered_proportion(np.array([True, False]), ALL(2, True), np.array([3, 3]))
    assert (one.value, one.low, one.reason) == (0.5, None, "one group, hence no interval")
    assert clustered_proportion(right, ~right, groups, "none").reason == "none"
    assert clustered_f1(~right, ~right, groups).value is None
    assert clustered_f1(right, right, groups).high == 1.0
    assert clustered_mean(np.ones(4), np.array([0, 0, 1, 1])).low is None
    assert clustered_mean(np.array([1.0, 2.0]), np.array([5, 5])).low is None
    assert clustered_auc(np.linspace(0, 1, 40), right, groups).value is None


def test_the_area_of_independent_groups_is_delongs() -> None:
    generator = np.random.default_rng(2)
    inside = generator.random(600) < 0.4
    scores = generator.normal(size=600) + inside
    own = clustered_auc(scores, inside, np.arange(600))
    plain = roc_auc(scores[inside], scores[~inside])
    assert own.value == pytest.approx(plain.value)
    assert (own.low, own.high) == pytest.approx((plain.low, plain.high), abs=1e-3)


def test_a_verdict_by_groups_has_wider_intervals_and_the_same_values() -> None:
    generator = np.random.default_rng(3)
    groups = np.repeat(np.arange(50), 6)
    truth = np.repeat(generator.integers(0, 3, 50), 6)
    weights = np.exp(
        2 * (truth[:, None] == np.arange(3)) + np.repeat(generator.normal(0, 1.5, (50, 3)), 6, axis=0)
    )
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    alone, together = (judge(truth, probabilities, ["a", "b", "c"], groups=one) for one in (None, groups))
    assert (alone.groups, together.groups) == (None, 50)
    for name in ("accuracy", "balanced_accuracy", "log_loss", "one_vs_one"):
        one, other = getattr(alone, name), getattr(together, name)
        assert other.value == pytest.approx(one.value)
        assert other.high - other.low > 1.5 * (one.high - one.low), name
    for one, other in zip(alone.per_class, together.per_class, strict=True):
        for name in ("precision", "recall", "specificity", "npv", "f1", "auc", "average_precision"):
            before, after = getattr(one, name), getattr(other, name)
            assert after.value == pytest.approx(before.value)
            assert after.high - after.low > 1.3 * (before.high - before.low), name
    assert together.to_dict()["methods"] != alone.to_dict()["methods"]
    assert judge(truth, probabilities, ["a", "b", "c"], groups=np.arange(300)).groups is None


def test_one_answer_a_group() -> None:
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7], [0.4, 0.6], [0.2, 0.8]])
    names, truth, mean = by_unit(np.array([1, 0, 1, 0]), probabilities, np.array(["b", "a", "b", "a"]))
    assert (names, truth.tolist()) == (["b", "a"], [1, 0])
    assert mean == pytest.approx(np.array([[0.65, 0.35], [0.25, 0.75]]))
    highest = by_unit(np.array([1, 0, 1, 0]), probabilities, np.array(["b", "a", "b", "a"]), "max")[2]
    assert highest == pytest.approx(np.array([[0.9 / 1.5, 0.6 / 1.5], [0.3 / 1.1, 0.8 / 1.1]]))
    with pytest.raises(StriateError, match="Group 'a' has images of several classes"):
        by_unit(np.array([1, 0]), probabilities[:2], np.array(["a", "a"]))
    with pytest.raises(StriateError, match="'median' is no rule"):
        by_unit(np.array([1, 0]), probabilities[:2], np.array(["a", "b"]), "median")


def test_subgroups_are_whole_verdicts_worst_first() -> None:
    generator = np.random.default_rng(4)
    truth = generator.integers(0, 2, 400)
    site = np.array(["north"] * 100 + ["south"] * 300)
    wrong = generator.random(400) < np.where(site == "north", 0.4, 0.1)
    sure = np.where(truth[:, None] == [0, 1], 0.8, 0.2)
    sure[wrong] = sure[wrong][:, ::-1]
    found = subgroups(truth, sure, ["cat", "owl"], site.tolist())
    assert [one.value for one in found] == ["north", "south"]
    assert found[0].verdict.to_dict() == judge(truth[:100], sure[:100], ["cat", "owl"]).to_dict()
    gap = found[0].difference
    assert gap.value == pytest.approx(found[0].verdict.accuracy.value - found[1].verdict.accuracy.value)
    assert gap.high < 0
    assert found[1].difference.value == pytest.approx(-gap.value)


def test_subgroups_without_a_value_and_too_many_values() -> None:
    truth = np.array([0, 1] * 40)
    sure = np.where(truth[:, None] == [0, 1], 0.8, 0.2)
    values = [f"s{index}" for index in range(60)] + ["many"] * 19 + [""]
    found = subgroups(truth, sure, ["cat", "owl"], values)
    assert len(found) == 50
    assert {"many", "(others)"} <= {one.value for one in found}
    alone = subgroups(truth, sure, ["cat", "owl"], [""] * 80)
    assert [one.value for one in alone] == ["(none)"]
    assert alone[0].difference.reason == "all images have this value"


def test_a_verdict_on_one_group_says_that_it_has_no_interval() -> None:
    truth, chances = np.array([0, 1, 0, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]])
    verdict = judge(truth, chances, ["cat", "owl"], groups=np.zeros(4, int))
    assert verdict.sentence() == (
        "75.00 % of 4 test images are classified correctly (one group, hence no interval)."
    )

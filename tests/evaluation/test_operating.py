"""Operating points against every threshold tried, and predictive values against Bayes' rule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.errors import UsageError
from striate.evaluation.decisions.decided import rates_of
from striate.evaluation.decisions.operating import (
    Counts,
    OperatingPoint,
    at_threshold,
    choose_threshold,
    predictive_values,
    wish_of,
)
from striate.evaluation.intervals import Number


@st.composite
def scored(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Scores with and without ties, and both kinds of images."""
    images = draw(st.integers(2, 50))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    inside = generator.random(images) < draw(st.sampled_from([0.1, 0.5, 0.9]))
    inside[:2] = True, False
    steps = draw(st.sampled_from([3, 10**6]))
    return generator.integers(0, steps + 1, images) / steps, inside


def every_threshold(scores: np.ndarray, inside: np.ndarray) -> list[Counts]:
    levels = [np.inf, *np.unique(scores)[::-1].tolist()]
    return [at_threshold(scores, inside, level) for level in levels]


def sensitivity(counts: Counts) -> float:
    return counts.true_positives / (counts.true_positives + counts.false_negatives)


def specificity(counts: Counts) -> float:
    return counts.true_negatives / (counts.true_negatives + counts.false_positives)


@given(scored(), st.sampled_from([0.0, 0.5, 0.9, 0.95, 1.0]))
@settings(max_examples=200, deadline=None)
def test_a_least_sensitivity_costs_as_little_specificity_as_can_be(
    data: tuple[np.ndarray, np.ndarray], least: float
) -> None:
    scores, inside = data
    found = at_threshold(scores, inside, choose_threshold(wish_of(f"sensitivity>={least}"), scores, inside))
    assert sensitivity(found) >= least
    others = [one for one in every_threshold(scores, inside) if sensitivity(one) >= least]
    assert specificity(found) == max(map(specificity, others))


@given(scored(), st.sampled_from([0.0, 0.5, 0.9, 1.0]))
@settings(max_examples=200, deadline=None)
def test_a_least_specificity_finds_as_many_as_can_be(
    data: tuple[np.ndarray, np.ndarray], least: float
) -> None:
    scores, inside = data
    found = at_threshold(scores, inside, choose_threshold(wish_of(f"specificity>={least}"), scores, inside))
    assert specificity(found) >= least
    others = [one for one in every_threshold(scores, inside) if specificity(one) >= least]
    assert sensitivity(found) == max(map(sensitivity, others))


@given(scored())
@settings(max_examples=200, deadline=None)
def test_f1_youden_and_cost_are_the_best_of_all(data: tuple[np.ndarray, np.ndarray]) -> None:
    scores, inside = data
    measures = {
        "f1": lambda c: 2 * c.true_positives / (2 * c.true_positives + c.false_positives + c.false_negatives),
        "youden": lambda c: sensitivity(c) + specificity(c) - 1,
        "cost fn=10 fp=1": lambda c: -(10 * c.false_negatives + c.false_positives),
        "cost fn=0 fp=1": lambda c: -c.false_positives,
    }
    for wish, measure in measures.items():
        found = at_threshold(scores, inside, choose_threshold(wish_of(wish), scores, inside))
        assert measure(found) == pytest.approx(max(map(measure, every_threshold(scores, inside))))


def test_the_threshold_lies_between_scores_and_rounding_does_not_matter() -> None:
    scores, inside = np.array([0.9, 0.5, 0.1], np.float32), np.array([True, True, False])
    threshold = choose_threshold(wish_of("youden"), scores, inside)
    assert threshold == pytest.approx(0.3)
    nothing = choose_threshold(wish_of("cost fn=0 fp=1"), scores, inside)
    assert at_threshold(scores, inside, nothing).true_positives == 0
    everything = choose_threshold(wish_of("specificity>=0"), scores, inside)
    assert at_threshold(scores, inside, everything).false_negatives == 0


def test_wishes_are_read() -> None:
    assert str(wish_of(" Sensitivity >= .95 ")) == "sensitivity>=0.95"
    assert str(wish_of("recall>=1")) == "sensitivity>=1"
    assert str(wish_of("PPV>=0.8")) == "precision>=0.8"
    assert str(wish_of("cost fn=10 fp=2.5")) == "cost fn=10 fp=2.5"
    for wrong in ("sensitivity", "sensitivity>0.9", "sensitivity>=95", "auc>=0.9", "cost fn=0 fp=0", ""):
        with pytest.raises(UsageError, match=r"is no wish for an operating point; write one like: sens"):
            wish_of(wrong)


def test_an_impossible_wish_says_what_is_possible() -> None:
    scores, inside = np.array([0.9, 0.8, 0.2]), np.array([False, True, True])
    with pytest.raises(UsageError) as raised:
        choose_threshold(wish_of("precision>=0.9"), scores, inside)
    assert str(raised.value) == (
        "precision>=0.9 cannot be reached on the validation images: the highest precision of any threshold is 0.667."
    )
    for mask, missing in ((np.full(3, False), "of the class"), (np.full(3, True), "outside the class")):
        with pytest.raises(UsageError, match=f"the validation images have none {missing}"):
            choose_threshold(wish_of("f1"), scores, mask)


def rates(tp: int, fn: int, fp: int, tn: int, prevalence: float | None = None) -> dict[str, Number]:
    scores = np.array([1.0] * tp + [0.0] * fn + [1.0] * fp + [0.0] * tn)
    return rates_of(scores, np.arange(len(scores)) < tp + fn, 0.5, prevalence=prevalence)


def test_rates_are_those_of_the_counts() -> None:
    found = rates(90, 10, 50, 850)
    assert {name: number.value for name, number in found.items()} == pytest.approx(
        {
            "sensitivity": 0.9,
            "specificity": 850 / 900,
            "ppv": 90 / 140,
            "npv": 850 / 860,
            "f1": 180 / 240,
            "accuracy": 0.94,
        }
    )
    none = rates(0, 5, 0, 5)
    assert none["ppv"].value is None
    assert none["ppv"].reason == "no image was called so"


def test_predictive_values_follow_the_prevalence() -> None:
    counts = Counts(90, 10, 50, 850)
    same, _ = predictive_values(counts, 0.1)
    assert same.value == pytest.approx(90 / 140)  # these images have that prevalence
    ppv, npv = predictive_values(counts, 0.02)
    assert ppv.value == pytest.approx(0.9 * 0.02 / (0.9 * 0.02 + 50 / 900 * 0.98))
    assert npv.value == pytest.approx(850 / 900 * 0.98 / (850 / 900 * 0.98 + 0.1 * 0.02))
    for number in (ppv, npv):
        assert number.low < number.value < number.high
    for wrong in (0.0, 1.0, 2.0):
        with pytest.raises(UsageError, match="it is a share between 0 and 1"):
            rates(90, 10, 50, 850, prevalence=wrong)


def test_predictive_values_at_the_edges() -> None:
    ppv, npv = predictive_values(Counts(20, 0, 0, 30), 0.05)
    assert (ppv.value, ppv.high, npv.value, npv.high) == (1.0, 1.0, 1.0, 1.0)
    assert ppv.low < 0.8
    assert npv.low < 1.0
    ppv, _ = predictive_values(Counts(0, 20, 0, 30), 0.05)
    assert ppv.value is None


def test_the_interval_of_a_predictive_value_covers() -> None:
    generator = np.random.default_rng(0)
    truth = 0.85 * 0.03 / (0.85 * 0.03 + 0.1 * 0.97)
    covered = 0
    for _ in range(1000):
        hits, passed = generator.binomial(150, 0.85), generator.binomial(300, 0.9)
        number, _other = predictive_values(Counts(hits, 150 - hits, 300 - passed, passed), 0.03)
        covered += number.low <= truth <= number.high
    assert 930 <= covered <= 975


def test_an_operating_point_is_plain_values() -> None:
    found = rates(9, 1, 2, 8)
    point = OperatingPoint(
        positive="sick",
        threshold=0.3,
        wish="f1",
        chosen_on="validation",
        images=20,
        reached={"sensitivity": found["sensitivity"]},
    )
    said = point.to_dict()
    assert said["reached"] == {"sensitivity": found["sensitivity"].to_dict()}
    assert said["positive"] == "sick"

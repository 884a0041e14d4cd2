"""The sentences on probabilities, decisions, unknown pictures and subgroups: each branch, with its numbers."""

import re
from dataclasses import replace

import numpy as np
import pytest
from whole import NAMES, drawn, whole_verdict

from striate.drawing import numbers
from striate.evaluation import judge, wilson
from striate.evaluation.decisions.decision import OperatingVerdict
from striate.evaluation.decisions.operating import Counts, OperatingPoint
from striate.evaluation.intervals import Number
from striate.evaluation.reliability import reliability
from striate.evaluation.reporting import findings_decided
from striate.evaluation.subgroups import subgroups


def a_point(wish: str, found: Number) -> OperatingVerdict:
    reached = dict.fromkeys(("sensitivity", "specificity", "ppv", "npv", "f1"), wilson(96, 100))
    point = OperatingPoint(
        positive="owl",
        threshold=0.25,
        wish=wish,
        chosen_on="200 validation images",
        images=200,
        reached=reached,
    )
    return OperatingVerdict(point, Counts(1, 2, 3, 4), dict.fromkeys(reached, found), wished=found)


@pytest.mark.parametrize(
    ("found", "end"),
    [
        (wilson(1000, 1000), "The wish is borne out by these images."),
        (wilson(80, 100), "The wish is refuted by these images."),
        (wilson(94, 100), "The wish is neither borne out nor refuted by these images."),
    ],
)
@pytest.mark.parametrize("kind", ["sensitivity", "specificity", "precision", "npv"])
def test_a_wish_is_borne_out_refuted_or_left_open(found: Number, end: str, kind: str) -> None:
    said = findings_decided.on_operating(a_point(f"{kind}>=0.95", found), "image")
    named = {"precision": "positive predictive value", "npv": "negative predictive value"}.get(kind, kind)
    assert said.startswith(
        f"Called owl from a probability of 0.25 on: {named} {100 * (found.value or 0):.0f}"
    )
    assert f"chosen for {kind}>=0.95 on 200 validation images, where that is 96.0 % (90" in said
    assert said.endswith(end)


@pytest.mark.parametrize("wish", ["f1", "youden", "cost fn=10 fp=1"])
def test_a_wish_for_the_best_has_no_outcome(wish: str) -> None:
    said = findings_decided.on_operating(a_point(wish, wilson(94, 100)), "group")
    assert said.endswith(f"It was chosen for {wish} on 200 validation images.")


def on_line(rate: np.ndarray, stated: np.ndarray, seed: int) -> str:
    """What is said of answers stated so that are right at this rate."""
    truth = (np.random.default_rng(seed).random(len(rate)) >= rate).astype(int)
    found = reliability(truth, np.column_stack([stated, 1 - stated]))
    assert found is not None
    right = wilson(int((truth == 0).sum()), len(truth))
    verdict = replace(whole_verdict(), accuracy=right, calibration=found, uncalibrated=None)
    return findings_decided.on_reliability(verdict, found)


def test_probabilities_are_too_sure_not_sure_enough_or_neither() -> None:
    stated = np.random.default_rng(0).uniform(0.55, 0.99, 1500)
    off = "More bins lie off the line than chance explains, furthest where "
    sure, unsure = on_line(stated - 0.2, stated, 2), on_line(stated + 0.3, stated, 2)
    assert re.search(r"On average 7\d\.\d % was stated and 5\d\.\d % \(.*\) was right: too sure\. ", sure)
    assert "was right: not sure enough." in unsure
    assert off in sure
    assert off in unsure
    assert on_line(stated, stated, 1).endswith("was right: no further apart than chance explains.")
    # right on average, wrong at both ends
    tilted = on_line(np.where(stated > 0.77, 0.65, 0.89), stated, 4)
    assert "no further apart than chance explains." in tilted
    assert off in tilted


def test_the_error_before_calibration_stands_beside_it() -> None:
    verdict = whole_verdict()
    assert verdict.calibration is not None
    assert verdict.uncalibrated is not None
    assert verdict.uncalibrated.reliability is not None
    said = findings_decided.on_reliability(verdict, verdict.calibration)
    before = numbers.percent(verdict.uncalibrated.reliability.error)
    assert (
        f"Calibration error {numbers.percent(verdict.calibration.error)}; before calibration {before}. "
        in said
    )


def test_alike_bins_are_seldom_called_off() -> None:
    stated = np.random.default_rng(3).uniform(0.55, 0.99, 600)
    called = sum("chance explains, furthest" in on_line(stated, stated, seed) for seed in range(20))
    assert called <= 4  # of twenty, where chance_of allows one in twenty-five


def test_accuracy_against_the_most_frequent_class() -> None:
    truth = np.array([0] * 90 + [1] * 10)
    always = np.tile([0.9, 0.1], (100, 1))
    said = findings_decided.on_level(judge(truth, always, ["cat", "owl"]))
    assert said == (
        "Always answering cat would be right for 90 of 100 images; that the network does better is not shown."
    )
    assert findings_decided.on_level(judge(truth, always[:, ::-1], ["cat", "owl"])).endswith("does worse.")
    right = np.eye(2)[truth] * 0.8 + 0.1
    assert findings_decided.on_level(judge(truth, right, ["cat", "owl"])).endswith("does better.")
    alone = judge(truth[:50], always[:50], ["cat", "owl"])
    assert findings_decided.on_level(alone).startswith("All images are of cat")
    assert findings_decided.on_level(judge(np.zeros(0, int), np.zeros((0, 2)), ["cat", "owl"])) == ""


def test_the_worst_subgroup_and_whether_it_is_more_than_chance() -> None:
    truth = np.arange(300) % 2
    sure = np.where(truth[:, None] == [0, 1], 0.8, 0.2)
    sure[:40] = sure[:40, ::-1]
    verdict = judge(truth, sure, ["cat", "owl"])

    def said(values: list[str]) -> str:
        found = tuple(subgroups(truth, sure, ["cat", "owl"], values))
        return findings_decided.on_subgroups(replace(verdict, subgroups_by="site", subgroups=found))

    far = said(["far"] * 60 + ["near"] * 240)
    assert far.startswith("Lowest of 2 values of site is far: accuracy 33 % (23–46, n = 60), −67 (")
    assert far.endswith("it does worse than the others.")
    mixed = said([f"s{n % 4}" for n in range(300)])
    assert "that it does worse is not shown. Of many values, one in twenty lies beyond" in mixed
    assert said(["one"] * 300) == "All images have the same site: there is nothing to compare."


def test_coverage_abstention_sets_and_unknown_pictures() -> None:
    verdict = whole_verdict()
    assert verdict.coverage is not None
    assert verdict.unknown is not None
    assert verdict.decided is not None
    assert verdict.decided.sets is not None
    half = next(n for n, share in enumerate(verdict.coverage.coverage) if share >= 0.5)
    said = findings_decided.on_coverage(verdict.coverage, verdict)
    assert f"surest {100 * verdict.coverage.coverage[half]:.1f} % of the images would be right in " in said
    assert f"{100 * verdict.coverage.accuracy[half]:.1f} % of them" in said
    right = judge(np.array([0, 1] * 9), np.tile(np.eye(2) * 0.8 + 0.1, (9, 1)), ["cat", "owl"])
    assert right.coverage is not None
    assert findings_decided.on_coverage(right.coverage, right).startswith("All images are right")

    sets = verdict.decided.sets
    for promised, words in ((0.5, "more than was promised"), (0.99, "short of the promise")):
        assert words in findings_decided.on_sets(replace(sets, promised=promised))
    assert "as was promised within its interval" in findings_decided.on_sets(sets)

    said = findings_decided.on_unknown(verdict.unknown)
    assert "told apart best by energy" in said
    assert "better than chance" not in said
    blind = replace(verdict.unknown, scores=verdict.unknown.scores[:1])
    assert "not shown to be better than chance" in findings_decided.on_unknown(blind)


def test_calibration_says_what_it_changed() -> None:
    verdict = whole_verdict()
    before = verdict.uncalibrated
    assert before is not None
    said = findings_decided.on_calibration(before, verdict)
    assert said.startswith("Calibrated by temperature 1.")
    assert "fitted to 300 validation images (the network by itself was too sure of them)" in said
    assert said.endswith("It changes the class of none of these images.")
    vector = {"kind": "vector", "factors": [1.0, 2.0], "offsets": [0.0, 0.0]}
    said = findings_decided.on_calibration(replace(before, calibration=vector, changed=3), verdict)
    assert said.startswith("Calibrated by vector scaling")
    assert said.endswith("Of 3 of 400 images another class became the best.")


def test_names_are_those_of_the_drawn_classes() -> None:
    truth, chances = drawn(30, 1)
    assert any(name in findings_decided.on_level(judge(truth, chances, NAMES)) for name in NAMES)

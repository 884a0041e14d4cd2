"""The verdict as terminal text: every number with its interval, nothing undefined hidden."""

from dataclasses import replace

import numpy as np
import pytest
from whole import whole_verdict

from striate.drawing.numbers import percent
from striate.evaluation.judgement import judge
from striate.evaluation.reporting.text import verdict_text


def chances(truth: np.ndarray, classes: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).random((len(truth), classes)) + np.eye(classes)[truth]
    return noise / noise.sum(axis=1, keepdims=True)


def test_every_measure_stands_with_its_interval() -> None:
    truth = np.arange(70) % 7
    verdict = judge(truth, chances(truth, 7, 0), [f"class {n}" for n in range(7)])
    text = verdict_text(verdict)
    assert text.startswith(verdict.sentence())
    for name in ("accuracy", "balanced accuracy", "top-5 accuracy"):
        assert f"{name:<20}" in text
    recall = verdict.per_class[3].recall
    assert recall.low is not None
    assert recall.high is not None
    assert f"({100 * recall.low:.0f}–{100 * recall.high:.0f})" in text
    assert "is ↓ taken for →" in text
    assert text.endswith("For research; not a medical device.")


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_undefined_is_a_dash(count: int) -> None:
    truth = np.zeros(count, dtype=int)
    text = verdict_text(judge(truth, chances(truth, 2, 1), ["cat", "owl"]))
    assert "–" in text.split("owl")[1]
    assert "nan" not in text.lower()
    assert "None" not in text


def test_many_classes_leave_the_matrix_out_and_hostile_names_stay_in_their_cell() -> None:
    truth = np.arange(60) % 20
    names = ["tab\there\nnew line", *(f"c{n}" for n in range(19))]
    text = verdict_text(judge(truth, chances(truth, 20, 2), names))
    assert "taken for" not in text
    assert "tab\there" not in text
    assert max(map(len, text.splitlines())) <= 110


def test_what_is_decided_is_said_in_short_lines_and_nothing_of_what_is_not() -> None:
    verdict = whole_verdict()
    text = verdict_text(verdict)
    assert verdict.decided is not None
    assert verdict.uncalibrated is not None
    assert verdict.uncalibrated.reliability is not None
    fitted = "temperature 1.66, fitted to 300 validation images"
    assert (
        f"calibration         {fitted}; error {percent(verdict.uncalibrated.reliability.error)} before"
        in text
    )
    assert "sensitivity>=0.95: these images cannot tell; chosen on 300 validation images" in text
    assert "npv 99.83 % (99.68–99.90) at a prevalence of 2.0 %" in text
    assert text.count("operating point     ") == 2
    assert "youden; chosen on 300 validation images" in text
    assert f"hold the truth in {percent(verdict.decided.sets.coverage)}, promised 90.0 %" in text
    assert "by energy: AUROC 0.669" in text
    assert "points from the others" in text
    assert max(map(len, text.splitlines())) <= 132
    bare = verdict_text(replace(verdict, uncalibrated=None, decided=None, unknown=None, subgroups=()))
    for word in ("temperature", "operating", "answers", "sets", "unknown", "others"):
        assert word not in bare
    assert "judged by           group" in verdict_text(replace(verdict, unit="group"))


def test_subgroups_beyond_twelve_are_counted() -> None:
    verdict = whole_verdict()
    many = tuple(replace(verdict.subgroups[0], value=f"site {n}") for n in range(20))
    text = verdict_text(replace(verdict, subgroups=many))
    assert "site 11 " in text
    assert "site 12 " not in text
    assert "8 more values, in evaluation.json" in text

"""The verdict as terminal text: every number with its interval, nothing undefined hidden."""

import numpy as np
import pytest

from striate.evaluation.judgement import judge
from striate.evaluation.text import verdict_text


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

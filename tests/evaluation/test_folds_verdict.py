"""The verdict of a cross-validation: spreads, AUCs of one network and of several, sentences, text, JSON and page."""

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from striate.data.split import assign_folds
from striate.evaluation import judge
from striate.evaluation.folds import Fold, FoldsVerdict, OutOfFold, on_variance, spread_of
from striate.evaluation.intervals import wilson
from striate.evaluation.reporting.folds_page import FoldsOrigin, axis_of, on_folds, render_folds
from striate.evaluation.reporting.folds_text import auc_table, fold_line, folds_text

ORIGIN = FoldsOrigin(
    command="striate train 'a <b>' --folds 2",
    created="2026-11-21T20:00:00+00:00",
    recipe={"model": "mlp", "epochs": 2},
    versions={"torch": "2.13.0"},
    review="No label is suspect.",
)


def verdict_of(
    truth: np.ndarray, probabilities: np.ndarray, fold: np.ndarray, classes: tuple[str, ...] = ("cat", "owl")
) -> FoldsVerdict:
    """The verdict of answers that are given with their folds."""
    folds = tuple(
        Fold(
            number=number,
            images={"train": 60, "validation": 10, "test": int((fold == number).sum())},
            kept_epoch=3,
            verdict=judge(truth[fold == number], probabilities[fold == number], classes),
        )
        for number in np.unique(fold).tolist()
    )
    names = tuple(f"{number}.png" for number in range(len(truth)))
    return FoldsVerdict(
        source="set",
        folds=folds,
        pooled=judge(truth, probabilities, classes, split="out-of-fold"),
        seed=0,
        out_of_fold=OutOfFold(names, truth, probabilities, fold),
        notes=("a note <i>",),
    )


def two_classes(chances: np.ndarray) -> np.ndarray:
    return np.stack([1 - chances, chances], axis=1)


@pytest.fixture(scope="module")
def shifted() -> FoldsVerdict:
    """Two networks that both rank perfectly, the second with scores that are all higher: 40 images each."""
    truth = np.tile([0, 1], 40)
    fold = np.repeat([1, 2], 40)
    chances = np.where(truth == 1, 0.45, 0.30) + 0.4 * (fold == 2) + 0.001 * np.arange(80) / 80
    return verdict_of(truth, two_classes(chances), fold)


@given(st.lists(st.none() | st.floats(0, 1), max_size=12))
def test_spread_is_that_of_numpy(values: list[float | None]) -> None:
    known = [value for value in values if value is not None]
    found = spread_of(values)
    assert found.folds == len(known)
    if not known:
        assert (found.mean, found.deviation, found.least, found.greatest) == (None, None, None, None)
        return
    assert found.mean == pytest.approx(np.mean(known))
    assert (found.least, found.greatest) == (min(known), max(known))
    if len(known) == 1:
        assert found.deviation is None
    else:
        assert found.deviation == pytest.approx(np.std(known, ddof=1), abs=1e-12)


def test_pooled_aucs_mix_networks_and_means_do_not(shifted: FoldsVerdict) -> None:
    said = shifted.out_of_fold
    pooled = roc_auc_score(said.truth, said.probabilities[:, 1])
    each = [
        roc_auc_score(said.truth[said.fold == one], said.probabilities[said.fold == one, 1]) for one in (1, 2)
    ]
    assert pooled == pytest.approx(0.75)
    assert shifted.pooled.per_class[1].auc.value == pytest.approx(pooled)
    assert shifted.class_auc["owl"].mean == pytest.approx(np.mean(each)) == 1.0
    assert "0.75 pooled, 1.00 as that mean" in shifted.remarks[1]
    assert re.search(r"owl +0\.750 +1 +1 +1$", auc_table(shifted), re.MULTILINE)


def test_a_class_that_a_fold_has_not_counts_where_it_is() -> None:
    truth = np.array([0, 0, 0, 0, 0, 1, 0, 1])
    fold = np.array([1, 1, 1, 1, 2, 2, 2, 2])
    found = verdict_of(truth, two_classes(np.linspace(0.1, 0.9, 8)), fold)
    assert found.folds[0].verdict.per_class[1].auc.value is None
    assert (found.class_auc["owl"].folds, found.class_auc["owl"].deviation) == (1, None)
    assert found.class_auc["owl"].mean == pytest.approx(
        roc_auc_score(truth[4:], np.linspace(0.1, 0.9, 8)[4:])
    )
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["class_auc"]["owl"]["folds"] == 1
    assert "<title>" in render_folds(found, ORIGIN)


@pytest.mark.parametrize("folds", [3, 5, 10])
def test_the_share_of_training_images_in_common_is_the_true_one(folds: int) -> None:
    digests = np.array([f"{number:032x}" for number in range(600)], dtype="S32")
    fold = assign_folds(digests, np.zeros(600, int), folds, seed=0, stratify=True)
    first, second = fold != 0, fold != 1
    assert f"about {100 * (first & second).sum() / first.sum():.0f} % of" in on_variance(folds)
    assert "Bengio and Grandvalet 2004" in on_variance(folds)


def test_two_folds_share_no_training_images() -> None:
    assert "each was trained on what the other is judged by" in on_variance(2)


def test_text_has_the_pooled_verdict_every_spread_and_what_is_left_out(shifted: FoldsVerdict) -> None:
    text = folds_text(shifted)
    assert shifted.pooled.sentence() in text
    assert "out-of-fold images" in text
    for words in (
        "accuracy %",
        "log loss",
        "AUC, pairs of classes",
        "standard deviation",
        "no standard error",
    ):
        assert words in text, words
    assert "trained on 60 images each, 55 % of them all" in " ".join(text.split())
    assert re.search(r"^accuracy % +50\.0 +50\.0 +50\.0 +0$", text, re.MULTILINE), text
    assert max(map(len, text.splitlines())) <= 120
    line = fold_line(shifted.folds[1], 2)
    assert line.startswith("fold 2/2   60 train, 10 validation, 40 test   accuracy % 50 (")
    assert len(line) < 80


def test_json_is_the_numbers_computed(shifted: FoldsVerdict) -> None:
    content = json.loads(json.dumps(shifted.to_dict(), allow_nan=False))
    accuracies = [one["verdict"]["accuracy"]["value"] for one in content["folds"]]
    assert content["spread"]["accuracy"]["mean"] == pytest.approx(np.mean(accuracies))
    assert content["pooled"]["split"] == "out-of-fold"
    assert content["images"] == 80
    assert len(content["remarks"]) == 3


def test_page_is_offline_escaped_and_says_what_the_interval_leaves_out(shifted: FoldsVerdict) -> None:
    page = render_folds(shifted, ORIGIN)
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!data:|#|review\.html)', page)
    assert "a &lt;b&gt;" in page
    assert "a note &lt;i&gt;" in page
    assert "no unbiased estimate of that variance exists" in page.replace("\u00a0", " ")
    assert "not a medical device" in page
    rows = re.findall(r"<tr><td>\d</td>.*?</tr>", page)
    assert len(rows) == 2
    for row, fold in zip(rows, shifted.folds, strict=True):
        assert f"<td>{fold.images['test']}</td>" in row
        assert f"<td>{100 * (fold.verdict.accuracy.value or 0):.0f} (" in row


def test_hostile_class_names_stay_text() -> None:
    hostile = ("<script>alert(1)</script>", "owl\u202egnp")
    truth = np.tile([0, 1], 20)
    found = verdict_of(truth, two_classes(np.where(truth == 1, 0.8, 0.4)), np.repeat([1, 2], 20), hostile)
    page = render_folds(found, ORIGIN)
    assert "<script>alert" not in page
    assert "\u202e" not in page + folds_text(found)


def test_folds_that_lie_apart_are_told_from_those_that_do_not(shifted: FoldsVerdict) -> None:
    assert "do not overlap" not in on_folds(shifted)
    truth, fold = np.tile([0, 1], 200), np.repeat([1, 2], 200)
    right = np.where(fold == 1, np.arange(400) % 10 < 6, np.arange(400) % 20 != 0)
    chances = np.where(right, truth, 1 - truth) * 0.8 + 0.1
    said = on_folds(verdict_of(truth, two_classes(chances), fold))
    assert re.match(
        r"Fold 1 does worst and fold 2 best, 3\d\.\d points apart; their intervals do not overlap", said
    )


def test_the_axis_holds_every_interval() -> None:
    shares = [wilson(success, 50) for success in (31, 44, 50)]
    axis = axis_of(shares)
    for share in shares:
        bar = axis.bar(share)
        assert bar is not None
        assert -1e-9 <= bar["left"] <= bar["value"] + 1e-9 <= bar["left"] + bar["width"] + 2e-9 <= 100 + 1e-6
    assert axis.low >= math.floor(20 * (shares[0].low or 0)) / 20
    assert axis_of([wilson(0, 0)]).bar(wilson(0, 0)) is None

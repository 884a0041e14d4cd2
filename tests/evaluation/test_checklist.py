"""The checklist: every number of both lists once, and every answer from the fields that stand beside it."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from carded import GROUP, PICTURE, files_of
from whole import whole_verdict

from striate.evaluation import judge
from striate.evaluation.reporting.checklist import ITEMS, UNANSWERED, Item, look_up, render_checklist
from striate.evaluation.reporting.checklist_answers import disjoint, last_part, torn
from striate.evaluation.reporting.checklist_results import without_names

CLAIM = [str(number) for number in range(1, 45)]
# Collins et al. 2024, table 2: 27 items, some in parts.
PARTS = {
    3: "abc",
    5: "ab",
    6: "abc",
    8: "abc",
    9: "abc",
    12: "abcdefg",
    18: "abcdef",
    20: "abc",
    23: "ab",
    27: "abc",
}
TRIPOD = [f"{number}{part}" for number in range(1, 28) for part in PARTS.get(number, [""])]


def by_name(name: str) -> Item:
    return next(one for one in ITEMS if one.name.startswith(name))


def test_every_item_of_both_lists_is_answered_or_blank_and_of_claim_once() -> None:
    claim = [one.claim for one in ITEMS if one.claim] + [claim for _, claim, _ in UNANSWERED if claim]
    assert sorted(claim, key=int) == CLAIM
    answered = {number for one in ITEMS for number in one.tripod.split(", ") if number}
    blank = [number for _, _, tripod in UNANSWERED for number in tripod.split(", ") if number]
    assert answered | set(blank) == set(TRIPOD)
    assert len(blank) == len(set(blank))
    assert not answered & set(blank)
    assert len(ITEMS) >= 20


# CLAIM 2024 as published: a few numbers that moved since 2020.
@pytest.mark.parametrize(
    ("claim", "name"),
    [
        ("9", "Data preprocessing"),
        ("19", "How data were assigned to partitions"),
        ("20", "Level at which partitions are disjoint"),
        ("23", "Software libraries"),
        ("26", "Method of selecting the final model"),
        ("28", "Metrics of model performance"),
        ("33", "Testing on external data"),
        ("39", "Failure analysis"),
        ("43", "Availability of software"),
    ],
)
def test_numbers_are_those_of_2024(claim: str, name: str) -> None:
    (item,) = [one for one in ITEMS if one.claim == claim]
    assert item.name.startswith(name)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_an_answer_follows_from_its_fields_alone(item: Item) -> None:
    files = files_of(whole_verdict())
    said = item.of(files)
    only = {}
    for field in item.fields:
        keep(only, files, field)
    assert item.of(only) == said
    assert said
    assert said.endswith(".")
    assert not [name for name in (PICTURE, GROUP, "/data/clinic") if name in said]


def keep(only: dict[str, Any], files: Mapping[str, Any], field: str) -> None:
    """Of the files, one field."""
    name, _, path = field.partition(": ")
    if not path:
        only[name] = files[name]
        return
    target = only.setdefault(name, {})
    *parents, last = path.split(".")
    for part in parents:
        target = target.setdefault(part, {})
    target[last] = look_up(files, field)


CHANGED = [
    ("Data sources", "data.json: source", "elsewhere/bones"),
    ("Inclusion", "data.json: dropped", [["a", "b"]] * 3),
    ("Data preprocessing", "model.json: preparation.mean", [0.25]),
    ("De-identification", "data.json: pseudonyms", True),
    ("How missing", "data.json: unreadable", []),
    ("How data were assigned", "recipe.json: seed", 8),
    ("Level at which", "splits.csv: digest", ["aa", "aa"]),
    ("Detailed", "model.json: parameters", 12),
    ("Software", "model.json: provenance.versions.torch", "9.9"),
    ("Initialisation", "model.json: weights", ["runs/old", "abc"]),
    ("Details of training", "recipe.json: schedule", "cosine"),
    ("Method of selecting", "recipe.json: keep", "last"),
    ("Ensembling", "recipe.json: views", "ten"),
    ("Class imbalance", "recipe.json: balance", "weights"),
    ("Model output", "evaluation.json: decided", None),
    ("Metrics", "evaluation.json: methods", {"accuracy": "Wilson"}),
    ("Statistical", "evaluation.json: groups", 12),
    ("Robustness", "evaluation.json: subgroups", []),
    ("Methods for explain", "evaluation.json: reasons", None),
    ("Evaluation on internal", "evaluation.json: images", 7),
    ("Testing on external", "evaluation.json: split", "given"),
    ("Model updating", "evaluation.json: uncalibrated", None),
    ("How predictions", "evaluation.json: created", "1999"),
    ("Numbers included", "data.json: unreadable", []),
    ("Numbers in each", "model.json: calibration", {"kind": "none"}),
    ("Performance", "evaluation.json: accuracy.value", 0.123),
    ("Estimates", "evaluation.json: per_class", []),
    ("Failure", "evaluation.json: confusion_matrix", [[5, 0, 0], [0, 5, 0], [0, 0, 5]]),
    ("Availability", "manifest.json", {}),
]


def test_every_item_is_changed_below() -> None:
    assert [by_name(name) for name, _, _ in CHANGED] == list(ITEMS)


@pytest.mark.parametrize(("name", "field", "value"), CHANGED)
def test_an_answer_changes_with_its_field(name: str, field: str, value: object) -> None:
    files = deepcopy(files_of(whole_verdict()))
    item = by_name(name)
    assert any(field.startswith(one) for one in item.fields)
    before = item.of(files)
    file, _, path = field.partition(": ")
    *parents, last = path.split(".") if path else [""]
    target = files[file]
    for part in parents:
        target = target[part]
    if last:
        target[last] = value
    else:
        files[file] = value
    assert item.of(files) != before


def test_the_level_of_the_splits_is_counted() -> None:
    splits = ["train", "train", "test", "validation", "unreadable"]
    assert torn(splits, ["a", "b", "a", "b", "a"]) == 2
    assert torn(splits, ["a", "b", "", "", "a"]) == 0
    assert disjoint(splits, ["1", "2", "3", "4", ""], None).startswith("Image level. No identical pixels")
    grouped = disjoint(splits, ["1", "2", "3", "4", ""], ["p", "p", "q", "r", "p"])
    assert grouped == "Group level: none of 3 groups is in two splits. No identical pixels are in two splits."
    leaking = disjoint(splits, ["1", "2", "1", "4", ""], ["p", "p", "p", "r", ""])
    assert leaking == (
        "Image level: 1 of 2 groups straddle splits. 1 picture with identical pixels in two splits."
    )


def test_sentences_on_leaks_lose_their_names() -> None:
    for leaks, said in (
        (
            "3 of these images were trained on, and are counted all the same: 3 with identical pixels (a.png, b: c).",
            "3 of these images were trained on, and are counted all the same.",
        ),
        ("None of the 9 images has the pixels of one that was trained on.",) * 2,
        ("These are the run's own train images: the weights were chosen with them.",) * 2,
        ("", ""),
    ):
        assert without_names(leaks) == said


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("/data/a/cells.zip", "cells.zip"),
        ("cells/", "cells"),
        ("C:\\scans\\lung", "lung"),
        ("", "the images"),
    ],
)
def test_of_a_location_the_last_part(location: str, said: str) -> None:
    assert last_part(location) == said


def test_a_verdict_without_images_is_answered_too() -> None:
    none = judge(np.zeros(0, dtype=int), np.zeros((0, 2)), ["a", "b"])
    one = judge(np.zeros(1, dtype=int), np.array([[0.5, 0.5]]), ["a", "b"])
    for verdict, words in ((none, "No class has an image."), (one, "no AUC: needs images of two classes.")):
        said = render_checklist(files_of(verdict))
        assert words in said
        assert said.count("\n| ") == len(ITEMS) + len(UNANSWERED) + 2

"""Defects planted in real pictures: what is found of them, and what is found that was not planted."""

import numpy as np
import pytest
from made_audits import cifar, edits, material, packed

from striate.data.audit import audit_images
from striate.data.audit.features import picture_features
from striate.data.audit.fits import folds, kernel_scores
from striate.data.audit.near import near_pairs
from striate.data.audit.quick_fit import quick_fit
from striate.data.audit.shortcuts import probes, shortcuts
from striate.data.audit.suspects import LISTED, doubt
from striate.evaluation.intervals import Number


def test_exact_duplicates_across_splits_are_found_all_and_nothing_else(real_data):
    pixels, labels = cifar(real_data, 2000)
    random = np.random.default_rng(0)
    splits = random.choice(np.array(["train", "test"]), 2000, p=[0.8, 0.2])
    leaked = random.choice(np.flatnonzero(splits == "train"), 60, replace=False)
    images, pack = packed(
        np.concatenate([pixels, pixels[leaked]]),
        np.concatenate([labels, labels[leaked]]),
        np.concatenate([splits, np.full(60, "test")]),
    )
    finding = audit_images(images, pack, quick=True).of_kind("duplicates-across-splits")
    assert finding is not None
    assert finding.severity == "error"
    assert {case.image for case in finding.cases} == {*leaked.tolist(), *range(2000, 2060)}
    assert {case.image: case.partner for case in finding.cases}[2003] == leaked[3]


def near(pixels, planted_of, *, seed=0):
    """Recall of each kind of edit, and precision over pairs with a planted image."""
    count = len(pixels)
    random = np.random.default_rng(seed)
    origins = random.choice(count, planted_of, replace=False)
    kinds = [list(edits(random))[index % 8] for index in range(planted_of)]
    made = [edits(random)[kind](pixels[origin]) for kind, origin in zip(kinds, origins, strict=True)]
    whole = np.concatenate([pixels, np.stack(made)])
    table = material(whole, ["a", "b"] * (len(whole) // 2) + ["a"] * (len(whole) % 2))
    found = near_pairs(table)
    origin = np.concatenate([np.arange(count), origins])
    pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    of_origins = {tuple(sorted((int(origin[a]), int(origin[b])))) for a, b in pairs if max(a, b) < count}
    hits = {
        kind: [
            (int(origins[index]), count + index) in pairs
            or table.pictures_known[origins[index]] == table.pictures_known[count + index]
            for index in range(planted_of)
            if kinds[index] == kind
        ]
        for kind in edits(random)
    }
    planted = [(a, b) for a, b in pairs if b >= count]
    right = [
        origin[a] == origin[b] or tuple(sorted((int(origin[a]), int(origin[b])))) in of_origins
        for a, b in planted
    ]
    return {kind: float(np.mean(values)) for kind, values in hits.items()}, float(np.mean(right)), len(pairs)


def test_near_duplicates_are_found_in_every_guise(real_data):
    pixels, _ = cifar(real_data, 2000)
    recall, precision, _ = near(pixels, 240)
    assert np.mean(list(recall.values())) >= 0.95
    assert min(recall.values()) >= 0.9
    assert precision >= 0.95


@pytest.mark.slow
def test_near_duplicates_among_ten_thousand(real_data):
    pixels, _ = cifar(real_data, 10_000)
    recall, precision, _ = near(pixels, 800)
    assert np.mean(list(recall.values())) >= 0.95
    assert precision >= 0.95


def test_a_brighter_class_is_given_away_and_an_equal_one_is_not(real_data):
    pixels, labels = cifar(real_data, 1600, ("cat", "dog"))
    assert set(shortcuts_found(pixels, labels)) <= {"shortcut-border", "shortcut-probe"}
    dogs = labels == "dog"
    brighter = np.where(dogs[:, None, None, None], np.clip(pixels.astype(int) + 12, 0, 255), pixels).astype(
        np.uint8
    )
    finding = shortcuts_found(brighter, labels)["shortcut-contrast"]
    assert finding.severity == "warning"
    assert finding.numbers["balanced_accuracy"]["low"] > 0.7
    assert "least value" in finding.sentence


@pytest.mark.parametrize("marked", [1.0, 0.7])
def test_a_mark_on_one_class_of_six_is_told_of_that_class(marked):
    """A warning where as good as all of the class have it."""
    pixels = np.random.default_rng(0).integers(0, 256, (600, 16, 16, 1)).astype(np.uint8)
    labels = np.array(list("abcdef") * 100)
    pixels[np.flatnonzero(labels == "c")[: int(marked * 100)], :3, :3] = 255
    finding = shortcuts_found(pixels, labels)["shortcut-border"]
    assert finding.numbers["balanced_accuracy"]["value"] < 0.5
    assert finding.numbers["culprit"] == "c"
    assert finding.numbers["culprit_recognised"] > 0.9 * marked
    assert finding.numbers["others_taken_for_it"] < 0.1
    assert finding.severity == ("warning" if marked == 1 else "note")
    assert f"alone {'one class is' if marked == 1 else 'the class is weakly'} told: " in finding.sentence
    assert "Most given away: c; " in finding.sentence


def shortcuts_found(pixels, labels):
    """The shortcut findings, where the whole picture is taken to tell seven of ten."""
    table = material(pixels, labels)
    judged = np.arange(len(labels))
    probed = probes(table, judged, folds(table.labels, table.together, 0))
    return {
        one.kind: one for one in shortcuts(table, probed, Number(0.7, 0.65, 0.75, len(labels)), len(labels))
    }


@pytest.mark.slow
def test_three_in_a_hundred_labels_wrong_in_cifar(real_data):
    pixels, labels = cifar(real_data, 10_000)
    wrong, given = mislabelled(labels, 0.03)
    found = suspects(pixels, given)
    listed = np.array([case.image for case in found.cases])
    assert found.numbers["wrong"]["low"] <= 0.03 <= found.numbers["wrong"]["high"]
    assert wrong[listed].mean() >= 0.5
    assert wrong[listed].sum() / wrong.sum() >= 0.3


def test_three_in_a_hundred_digits_mislabelled_are_found_and_none_without():
    from sklearn.datasets import load_digits

    values, labels = load_digits(return_X_y=True)
    pixels = np.rint(values.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    table = material(pixels, labels)
    features = picture_features(table)
    for share, least in ((0.03, 0.9), (0.0, 0.0)):
        wrong, given = mislabelled(labels, share)
        fold = folds(given, table.together, 0)
        found = doubt(kernel_scores(features, given, fold, 10, 0), given)
        listed = (found.wrong >= LISTED) & (found.best != given)
        assert found.share.low <= wrong.mean() <= found.share.high
        assert wrong[listed].sum() >= 0.9 * listed.sum()
        assert listed.sum() >= least * wrong.sum() > 0 or not listed.any()
        assert (found.best == labels)[listed & wrong].sum() >= 0.9 * (listed & wrong).sum()


def mislabelled(labels, share):
    random = np.random.default_rng(1)
    names, number = np.unique(labels, return_inverse=True)
    chosen = random.choice(len(labels), int(share * len(labels)), replace=False)
    given = number.copy()
    given[chosen] = (number[chosen] + random.integers(1, len(names), len(chosen))) % len(names)
    return given != number, names[given]


def suspects(pixels, labels):
    return next(one for one in quick_fit(material(pixels, labels)) if one.kind == "label-suspects")

"""Cross-validation: every image tested once by a network that never saw it, gone on with, refused in words."""

import csv
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from small_task import QUICK, Arrays

from doors import tree, write_pictures
from striate import (
    Classifier,
    Events,
    FoldsVerdict,
    Images,
    Interrupted,
    Recipe,
    RunError,
    SourceError,
    UsageError,
    cross_validate,
    load_images,
)
from striate.classifier.folds import folding
from striate.data import ArraySource, pack_source
from striate.data.packing import pack

PERSON = r"(\d+)\.png"
ONCE = QUICK.changed(epochs=1)
SMALL = Recipe(model="mlp", epochs=1, batch_size=16)


class Heard(Events):
    """What was said, and how often a training began."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.trainings = 0

    def said(self, text: str) -> None:
        self.sentences.append(text)

    def began(self, plan: Any, network: Any) -> None:
        self.trainings += 1


@pytest.fixture(scope="module")
def few(digits: Arrays) -> Arrays:
    """240 digits: enough to be told apart."""
    X, y = digits
    return X[:240], y[:240]


@pytest.fixture(scope="module")
def crossed(few: Arrays, tmp_path_factory: pytest.TempPathFactory) -> tuple[FoldsVerdict, Path]:
    """Three folds of 240 digits, with their folder; to be read, never written to."""
    X, y = few
    out = tmp_path_factory.mktemp("folds") / "cv"
    return cross_validate(X, ONCE, y=y, folds=3, out=out), out


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """3 × 20 pictures of 20 persons, each with one picture of every class."""
    return load_images(write_pictures(tmp_path_factory.mktemp("persons") / "set"), group_from=PERSON)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# What is judged by what


def test_every_image_is_judged_once_by_the_network_that_never_saw_it(
    few: Arrays, crossed: tuple[FoldsVerdict, Path]
) -> None:
    X, y = few
    verdict, out = crossed
    answers = verdict.out_of_fold
    seen = np.zeros(len(y), dtype=int)
    for number in (1, 2, 3):
        splits = [row["split"] for row in rows_of(out / f"fold-{number}" / "splits.csv")]
        tested = np.array(splits) == "test"
        seen += tested
        assert (answers.fold[tested] == number).all()
        again = Classifier.load(out / f"fold-{number}").predict_proba(X[tested])
        assert np.array_equal(again, answers.probabilities[tested])
    assert (seen == 1).all()
    assert verdict.pooled.accuracy.value == accuracy_score(y, answers.probabilities.argmax(axis=1))
    assert verdict.pooled.balanced_accuracy.value == pytest.approx(
        balanced_accuracy_score(y, answers.probabilities.argmax(axis=1))
    )
    for fold in verdict.folds:
        mine = answers.fold == fold.number
        right = accuracy_score(y[mine], answers.probabilities[mine].argmax(axis=1))
        assert fold.verdict.accuracy.value == pytest.approx(right)
    assert (verdict.pooled.accuracy.low or 0) > 0.2


def test_folds_hold_every_class_in_equal_shares_and_validation_a_tenth_of_the_rest(
    few: Arrays, crossed: tuple[FoldsVerdict, Path]
) -> None:
    verdict, _ = crossed
    counts = np.array(
        [np.bincount(few[1][verdict.out_of_fold.fold == one], minlength=10) for one in (1, 2, 3)]
    )
    assert (np.ptp(counts, axis=0) <= 1).all()
    for fold in verdict.folds:
        assert sum(fold.images.values()) == 240
        rest = fold.images["train"] + fold.images["validation"]
        assert 0.08 <= fold.images["validation"] / rest <= 0.12


@pytest.mark.parametrize("stratify", [True, False])
def test_every_fold_leaves_a_tenth_of_the_rest_for_validation(stratify: bool) -> None:
    for table in load_images("digits").folds(5, stratify=stratify):
        rest = (table.splits != "test").sum()
        assert 0.07 <= (table.splits == "validation").sum() / rest <= 0.13


@pytest.mark.parametrize(("folds", "least"), [(2, 4), (3, 3), (5, 5)])
def test_the_fewest_pictures_that_folds_ask_of_a_class_are_enough(
    few: Arrays, folds: int, least: int
) -> None:
    X, y = few
    source = ArraySource(X, np.where(np.arange(240) < least, 77, y))
    images = load_images(source).with_pack(pack_source(source)[1])
    for table in folding.tables(images, folds, seed=0):
        assert all(counts["77"] for counts in table.counts().values())


def test_equal_pixels_are_in_one_fold(few: Arrays) -> None:
    X, y = few[0][:120], few[1][:120]
    verdict = cross_validate(np.concatenate([X, X[:40]]), SMALL, y=np.concatenate([y, y[:40]]), folds=2)
    fold = verdict.out_of_fold.fold
    assert np.array_equal(fold[:40], fold[120:])


def test_groups_stay_in_one_fold_and_are_what_is_independent(grouped: Images, tmp_path: Path) -> None:
    verdict = cross_validate(grouped, SMALL, folds=2, out=tmp_path / "cv")
    answers = verdict.out_of_fold
    assert answers.groups is not None
    for person in np.unique(answers.groups):
        assert len(set(answers.fold[answers.groups == person].tolist())) == 1
    assert verdict.pooled.groups == 20
    assert [fold.verdict.groups for fold in verdict.folds] == [10, 10]
    assert "nor others of its group" in verdict.pooled.leaks
    for number in (1, 2):
        split_of: dict[str, set[str]] = {}
        for row in rows_of(tmp_path / "cv" / f"fold-{number}" / "splits.csv"):
            split_of.setdefault(row["group"], set()).add(row["split"])
        assert all(len(splits) == 1 for splits in split_of.values())
    own = Classifier.load(tmp_path / "cv" / "fold-1").evaluate()
    assert own.accuracy == verdict.folds[0].verdict.accuracy
    assert own.log_loss == verdict.folds[0].verdict.log_loss


# What is written


def test_files_hold_the_answers_and_the_numbers(few: Arrays, crossed: tuple[FoldsVerdict, Path]) -> None:
    verdict, out = crossed
    rows = rows_of(out / "predictions.csv")
    answers = verdict.out_of_fold
    assert [int(row["fold"]) for row in rows] == answers.fold.tolist()
    assert [int(row["truth"]) for row in rows] == few[1].tolist()
    written = np.array([[float(row[f"p:{label}"]) for label in range(10)] for row in rows])
    assert np.array_equal(written, answers.probabilities)
    assert [int(row["prediction"]) for row in rows] == answers.probabilities.argmax(axis=1).tolist()
    content = json.loads((out / "folds.json").read_text())
    assert content["pooled"] == json.loads(json.dumps(verdict.pooled.to_dict()))
    assert [one["fold"] for one in content["folds"]] == [1, 2, 3]
    assert content["recipe"] == ONCE.model_dump()
    assert verdict.pooled.sentence().replace(" %", "\u00a0%") in (out / "folds.html").read_text()
    assert {"review.csv", "review.html"} <= {path.name for path in out.iterdir()}


# Going on


def stop_in(fold: int) -> tuple[Callable[[], bool], Callable[[Any], None]]:
    """A question that is answered yes in the third step of a fold, and what tells it of the folds that are done."""
    done, steps = [0], [0]

    def asked() -> bool:
        steps[0] += done[0] == fold - 1
        return steps[0] > 3

    def counted(_fold: Any) -> None:
        done[0] += 1

    return asked, counted


def test_resume_repeats_no_fold_and_ends_as_if_nothing_had_been(
    few: Arrays, crossed: tuple[FoldsVerdict, Path], tmp_path: Path
) -> None:
    X, y = few
    whole, folder = crossed
    out = tmp_path / "cv"
    stop, counted = stop_in(2)
    with pytest.raises(Interrupted, match="Fold 2 of 3: Stopped in epoch 1 after step 3; the state is saved"):
        cross_validate(X, ONCE, y=y, folds=3, out=out, stop=stop, fold_done=counted)
    assert not (out / "folds.json").exists()
    first = tree(out / "fold-1")
    with pytest.raises(RunError, match=r"holds a cross-validation already.*go on with it by --resume"):
        cross_validate(X, ONCE, y=y, folds=3, out=out)
    with pytest.raises(UsageError, match=r"begun with 3 folds, and 4 are asked for.*--folds 3"):
        cross_validate(X, ONCE, y=y, folds=4, out=out, resume=True)
    with pytest.raises(UsageError, match="begun with another recipe"):
        cross_validate(X, ONCE.changed(epochs=3), y=y, folds=3, out=out, resume=True)
    heard = Heard()
    again = cross_validate(X, ONCE, y=y, folds=3, out=out, resume=True, events=(heard,))
    assert heard.trainings == 2
    assert {name: one for name, one in tree(out / "fold-1").items() if name != ".lock"} == {
        name: one for name, one in first.items() if name != ".lock"
    }
    assert np.array_equal(again.out_of_fold.probabilities, whole.out_of_fold.probabilities)
    assert again.to_dict() == whole.to_dict()
    for number in (1, 2, 3):
        name = f"fold-{number}/model.safetensors"
        assert (out / name).read_bytes() == (folder / name).read_bytes()


def test_asked_to_stop_between_folds_it_begins_no_other(few: Arrays, tmp_path: Path) -> None:
    done: list[Any] = []
    with pytest.raises(Interrupted, match="Stopped before fold 2 of 2"):
        cross_validate(
            few[0],
            ONCE,
            y=few[1],
            folds=2,
            out=tmp_path / "cv",
            stop=lambda: bool(done),
            fold_done=done.append,
        )
    assert not (tmp_path / "cv" / "fold-2").exists()


@pytest.mark.parametrize("kind", ["folder", "arrays"])
def test_pictures_are_decoded_once_for_all_folds(
    few: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    built = []
    decode = pack.decode_source
    monkeypatch.setattr(pack, "decode_source", lambda *a, **b: built.append(1) or decode(*a, **b))
    recipe = SMALL.changed(size=10)
    if kind == "folder":
        cross_validate(str(write_pictures(tmp_path / "set", each=12)), recipe, folds=2)
    else:
        cross_validate(few[0], recipe, y=few[1], folds=2)
    assert len(built) == 1


def test_packs_in_memory_are_held_no_longer_than_asked(few: Arrays) -> None:
    source = ArraySource(*few)
    with pack.packs_held():
        one = pack_source(source)[1]
        assert pack_source(source)[1] is one
        assert pack_source(source, size=10)[1].pixels.shape[1] == 10
        same = ArraySource(*few)
        assert pack_source(same)[1] is not one  # names and checksums alike are no proof
    assert pack_source(source)[1] is not one


# What is said


def test_what_is_to_be_said_of_the_images_is_said_once(grouped: Images, tmp_path: Path) -> None:
    write_pictures(tmp_path / "set", each=12)
    (tmp_path / "set" / "dark" / "broken.png").write_bytes(b"\x89PNG no picture")
    marked = tmp_path / "table.csv"
    names = sorted((tmp_path / "set").rglob("*.png"))
    lines = [
        f"{one.relative_to(tmp_path)},{one.parent.name},{'test' if n % 4 else 'train'}"
        for n, one in enumerate(names)
    ]
    marked.write_text("\n".join(["file,label,split", *lines]))
    heard = Heard()
    verdict = cross_validate(str(marked), SMALL, folds=2, events=(heard,))
    assert len(heard.sentences) == len(set(heard.sentences))
    assert sum("broken.png" in text for text in heard.sentences) == 1
    assert any("ready-made splits (test, train) are set aside" in text for text in heard.sentences)
    assert verdict.pooled.images == 36
    assert any("set aside" in note for note in verdict.notes)


def test_first_weights_that_know_the_images_are_told(few: Arrays, crossed: tuple[FoldsVerdict, Path]) -> None:
    heard = Heard()
    first = crossed[1] / "fold-1"
    recipe = Recipe(weights=str(first), epochs=1, batch_size=32)
    cross_validate(few[0], recipe, y=few[1], folds=2, events=(heard,))
    trained = sum(row["split"] == "train" for row in rows_of(first / "splits.csv"))
    assert any(f"were trained on {trained} of these 240 images" in text for text in heard.sentences)


# What is refused


def test_wrong_numbers_of_folds(few: Arrays, grouped: Images, tmp_path: Path) -> None:
    X, y = few
    with pytest.raises(UsageError, match="--folds 1: there must be at least 2; 5 or 10 are usual"):
        cross_validate(X, ONCE, y=y, folds=1)
    with pytest.raises(
        SourceError, match=r"--folds 21 needs 21 groups of each class, and 'bright' has 20.*fewer"
    ):
        cross_validate(grouped, SMALL, folds=21)
    rare = np.where(np.arange(240) < 4, 77, y)
    with pytest.raises(
        SourceError, match="--folds 5 needs 5 different pictures of each class, and '77' has 4"
    ):
        cross_validate(X, ONCE, y=rare, folds=5, out=tmp_path / "cv")
    assert not (tmp_path / "cv").exists()
    with pytest.raises(
        SourceError, match=r"--folds 2 needs 4 different pictures.*'77' has 3\. Add different"
    ):
        cross_validate(X, ONCE, y=np.where(np.arange(240) < 3, 77, y), folds=2)
    with pytest.raises(SourceError, match="of one class only"):
        cross_validate(X, ONCE, y=np.zeros(240, int), folds=2)
    with pytest.raises(UsageError, match="needs y"):
        cross_validate(X, ONCE)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("manifest.json", r"holds manifest\.json"),
        ("checkpoint", "holds checkpoint already, and not from a cross-validation"),
        ("fold-2", "holds fold-2 already"),
        ("predictions.csv", r"holds predictions\.csv already"),
    ],
)
@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_with_something_else_is_left_alone(
    few: Arrays, tmp_path: Path, name: str, words: str, resume: bool
) -> None:
    (tmp_path / name).write_text("mine")
    before = tree(tmp_path)
    with pytest.raises(RunError, match=words):
        cross_validate(few[0], ONCE, y=few[1], folds=3, out=tmp_path, resume=resume)
    after = tree(tmp_path)
    assert {path: one for path, one in after.items() if path != ".lock"} == before


def test_a_cross_validation_is_no_place_for_a_run(few: Arrays, crossed: tuple[FoldsVerdict, Path]) -> None:
    with pytest.raises(RunError, match=r"holds a cross-validation\. Choose another folder"):
        Classifier(ONCE).fit(*few, out=crossed[1])


def test_a_recipe_that_cannot_be_leaves_nothing_behind(few: Arrays, tmp_path: Path) -> None:
    out = tmp_path / "cv"
    with pytest.raises(UsageError, match="lenet5"):
        cross_validate(few[0], Recipe(model="lenet"), y=few[1], folds=2, out=out)
    assert not out.exists()


def test_two_processes_do_not_share_a_folder(few: Arrays, tmp_path: Path) -> None:
    from striate.classifier.workplace import take

    lock = take(tmp_path)
    with pytest.raises(RunError, match="Another process is training in"):
        cross_validate(few[0], ONCE, y=few[1], folds=2, out=tmp_path)
    lock.close()
    assert os.listdir(tmp_path) == [".lock"]


def test_a_leak_into_the_training_images_is_refused(few: Arrays, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the folds promise is checked image by image, not taken on trust."""
    X, y = (np.repeat(one, 2, axis=0) for one in few)

    def torn(images: Images, folds: int, seed: int) -> list[Images]:
        marks = [np.where(np.arange(len(images)) % folds == one, "test", "train") for one in range(folds)]
        return [replace(images, splits=mark.astype("U10")).with_splits(seed) for mark in marks]

    monkeypatch.setattr(folding, "tables", torn)
    with pytest.raises(SourceError, match="were trained on, so a verdict would flatter"):
        cross_validate(X, ONCE, y=y, folds=2)

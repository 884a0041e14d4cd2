"""The learning curve: which images each training has and for how long, what is kept, what is refused."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

import striate
from striate import Classifier, Images, Interrupted, Recipe, RunError, SourceError, UsageError, learning_curve
from striate.classifier.curve import learning
from striate.classifier.curve.learning_plan import complete, lengthened, standing
from striate.data import ArraySource, load_images
from striate.evaluation.learning import extrapolation

QUICK = Recipe(model="mlp", epochs=1, batch_size=16)
PARTS = (0.25, 0.5, 1.0)


@pytest.fixture(scope="module", autouse=True)
def few_resamples() -> Iterator[None]:
    """How sure a curve is, other tests ask."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extrapolation, "RESAMPLES", 200)
        yield


@pytest.fixture(scope="module")
def few() -> Images:
    """300 of the embedded digits, with splits."""
    X, y = load_digits(return_X_y=True)
    pixels = np.rint(X[:300].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    return load_images(ArraySource(pixels, y[:300])).with_splits(0)


@pytest.fixture(scope="module")
def shapes(pictures: Path) -> Images:
    """60 pictures of three kinds, with splits."""
    return load_images(pictures).with_splits(0)


@pytest.fixture(scope="module")
def made(shapes: Images, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, striate.LearningCurve]:
    out = tmp_path_factory.mktemp("curve") / "out"
    return out, learning_curve(shapes, QUICK, parts=PARTS, repeats=2, out=out, command="striate curve shapes")


def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, Recipe]]:
    """A list that fills with the training images and the recipe of every training from now on."""
    fits: list[tuple[int, Recipe]] = []
    fit = Classifier.fit

    def noted(self: Classifier, X: Images, *more: object, **options: object) -> Classifier:
        fits.append((len(X), self.recipe))
        return fit(self, X, *more, **options)

    monkeypatch.setattr(Classifier, "fit", noted)
    return fits


# Which images, and for how long


def test_parts_are_nested_and_have_of_each_class_its_share(few: Images) -> None:
    training = few.of_split("train")
    place = standing(training, seed=0)
    totals = np.bincount(training.labels)
    before = np.zeros(len(training), bool)
    for part in (1 / 8, 1 / 4, 1 / 2, 1.0):
        chosen = place < part
        assert (chosen >= before).all()
        before = chosen
        shares = np.bincount(training.labels[chosen], minlength=10)
        assert (np.abs(shares - part * totals) <= 0.5).all()
    assert before.all()
    assert (standing(training, seed=1) != place).any()
    np.testing.assert_array_equal(standing(training, seed=0), place)


def test_groups_and_equal_pixels_are_not_torn(few: Images) -> None:
    training = few.of_split("train")
    groups = np.array([f"g{number % 90}" for number in range(len(training))])
    assert training.digests is not None
    digests = training.digests.copy()
    digests[5] = digests[91]
    place = standing(replace(training, groups=groups, digests=digests), seed=3)
    for group in set(groups.tolist()):
        assert len(set(place[groups == group].tolist())) == 1
    assert place[5] == place[91] == place[1]
    for part in (1 / 4, 1 / 2):
        assert abs((place < part).mean() - part) < 0.05


def test_a_choice_without_a_class_is_not_complete(few: Images) -> None:
    training = few.of_split("train")
    every = np.ones(len(training), bool)
    assert complete(training, [every])
    assert not complete(training, [every, training.labels != 3])


def test_a_part_takes_the_steps_of_the_whole_or_eight_times_its_epochs() -> None:
    recipe = Recipe(epochs=10, step_epochs=4, head_epochs=2, early_stop=3, batch_size=128)
    whole, half, tiny = (lengthened(recipe, images, 1257) for images in (1257, 630, 20))
    assert (whole.epochs, half.epochs, tiny.epochs) == (10, 20, 80)
    assert (half.step_epochs, half.head_epochs, half.plateau_epochs) == (8, 4, 6)
    assert {one.keep for one in (whole, half, tiny)} == {"last"}
    assert {one.early_stop for one in (whole, half, tiny)} == {None}
    steps = [one.epochs * -(-images // 128) for one, images in ((whole, 1257), (half, 630))]
    assert steps == [100, 100]


def test_every_training_is_the_classifier_on_its_part(
    shapes: Images, made: tuple[Path, striate.LearningCurve]
) -> None:
    """One training by hand: the same errors on the same images."""
    _, curve = made
    training, validation = shapes.of_split("train"), shapes.of_split("validation")
    one = next(each for each in curve.trainings if (each.part, each.repeat) == (0.5, 1))
    own = training.select(standing(training, 1) < 0.5)
    recipe = lengthened(QUICK, len(own), len(training)).changed(seed=1)
    classifier = Classifier(recipe).fit(own, validation=validation)
    assert (one.images, one.seed, one.epochs, one.judged) == (len(own), 1, recipe.epochs, len(validation))
    assert one.accuracy == pytest.approx(classifier.score(validation))


# What comes out


def test_files_say_what_python_says(made: tuple[Path, striate.LearningCurve]) -> None:
    out, curve = made
    assert {path.name for path in out.iterdir()} == {
        ".lock", "trainings.json", "curve.json", "curve.csv", "curve.html",
    }  # fmt: skip
    written = json.loads((out / "curve.json").read_text())
    said = json.loads(json.dumps(curve.to_dict()))
    assert {name: written[name] for name in said} == said
    assert written["command"] == "striate curve shapes"
    with (out / "curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["accuracy"]) for row in rows] == [one.accuracy for one in curve.trainings]
    assert [point.trainings for point in curve.points] == [2, 2, 2]
    assert curve.split == "validation"
    page = (out / "curve.html").read_text()
    assert curve.sentence().replace(" %", "\u00a0%") in page
    assert "<script" not in page


def test_the_test_split_is_opened_only_when_asked(shapes: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    of_rows = learning.Classifier.predictor_.fget
    test = set(shapes.of_split("test").rows.tolist())

    def watched(self: Classifier) -> object:
        predictor = of_rows(self)
        ask = type(predictor).of_rows
        monkeypatch.setattr(
            predictor,
            "of_rows",
            lambda pixels, rows: seen.extend(rows.tolist()) or ask(predictor, pixels, rows),
        )
        return predictor

    monkeypatch.setattr(learning.Classifier, "predictor_", property(watched))
    plan = {"parts": (0.3, 0.6, 1.0), "repeats": 2}
    learning_curve(shapes, QUICK, **plan)
    assert seen
    assert not test.intersection(seen)
    seen.clear()
    curve = learning_curve(shapes, QUICK, split="test", **plan)
    assert set(seen) == test
    assert curve.trainings[0].judged == len(test)


# Going on


def test_finished_trainings_are_kept_and_more_may_be_added(
    shapes: Images, made: tuple[Path, striate.LearningCurve], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole = made
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 10

    fits = counted(monkeypatch)
    with pytest.raises(Interrupted, match=r"^Stopped; trainings finished: \d\.$"):
        learning_curve(shapes, QUICK, parts=PARTS, repeats=2, out=tmp_path / "out", stop=stop)
    begun = len(fits)
    assert 1 < begun < 6
    resumed = learning_curve(shapes, QUICK, parts=PARTS, repeats=2, out=tmp_path / "out", resume=True)
    assert len(fits) == 7, "the one that was stopped is done again, and no other"
    assert resumed.to_dict() == whole.to_dict()
    wider = learning_curve(shapes, QUICK, parts=(0.75, *PARTS), repeats=2, out=tmp_path / "out", resume=True)
    assert len(fits) == 9
    assert [point.part for point in wider.points] == [0.25, 0.5, 0.75, 1.0]


def test_another_curve_is_not_gone_on_with(shapes: Images, made: tuple[Path, striate.LearningCurve]) -> None:
    out, _ = made
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(
        RunError, match=r"holds trainings\.json already\. Choose another folder with --out, or"
    ):
        learning_curve(shapes, QUICK, parts=PARTS, repeats=2, out=out)
    with pytest.raises(UsageError, match=r"was begun with other settings \(dropout\)\. Resume with the same"):
        learning_curve(shapes, QUICK.changed(dropout=0.1), parts=PARTS, repeats=2, out=out, resume=True)
    with pytest.raises(UsageError, match=r"other images to judge by \(validation, not test\)"):
        learning_curve(shapes, QUICK, parts=PARTS, repeats=2, out=out, resume=True, split="test")
    with pytest.raises(UsageError, match=r"was begun with other images or splits\."):
        learning_curve(shapes.select(np.arange(1, 60)), QUICK, parts=PARTS, repeats=2, out=out, resume=True)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"begun": {}}', '{"begun": {}, "trainings": [{"training": {}}]}']
)
def test_damaged_trainings_are_a_sentence(shapes: Images, tmp_path: Path, content: str) -> None:
    (tmp_path / "trainings.json").write_text(content)
    with pytest.raises(RunError, match=r"trainings\.json"):
        learning_curve(shapes, QUICK, parts=PARTS, repeats=2, out=tmp_path, resume=True)


# What is refused, and what is said


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"parts": (0.5, 1.0)}, "parts 0.5, 1: give at least 3 different shares"),
        ({"parts": (0.0, 0.5, 1.0)}, "above 0 and up to 1"),
        ({"parts": (0.5, 1.0, 2.0)}, "above 0 and up to 1"),
        ({"parts": (0.5, 1.0, float("nan"))}, "above 0 and up to 1"),
        ({"repeats": 1}, "repeats=1: at least 2"),
        ({"factor": 1.0}, "factor=1: give how many times the data"),
        ({"factor": float("nan")}, "factor=nan"),
        ({"split": "train"}, "split='train': the trainings are judged on one of validation, test"),
    ],
)
def test_a_plan_that_is_none(shapes: Images, tmp_path: Path, wrong: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        learning_curve(shapes, QUICK, out=tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


def test_parts_too_small_for_every_class_are_left_out_and_said(shapes: Images) -> None:
    curve = learning_curve(shapes, QUICK, parts=(1 / 256, 1 / 4, 1 / 2, 1), repeats=2)
    assert [point.part for point in curve.points] == [0.25, 0.5, 1]
    assert any("do not hold each of the 3 classes: 1/256." in note for note in curve.notes)


def test_too_few_images_are_a_sentence(shapes: Images, tmp_path: Path) -> None:
    parts = (1 / 256, 1 / 128, 1 / 2, 1)
    words = "37 training images are too few for a curve: 2 of the parts 1/256, 1/128, 1/2, 1 hold each class"
    with pytest.raises(SourceError, match=words):
        learning_curve(shapes, QUICK, parts=parts, repeats=2, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_groups_stay_whole_and_make_images_worth_less(shapes: Images) -> None:
    groups = np.array([f"pair {number // 2}" for number in range(60)])
    grouped = replace(load_images(shapes.source), groups=groups)
    curve = learning_curve(grouped, QUICK, parts=PARTS, repeats=2)
    assert {one.images % 2 for one in curve.trainings} == {0}
    assert curve.worth <= curve.trainings[0].judged
    assert json.dumps(curve.to_dict())

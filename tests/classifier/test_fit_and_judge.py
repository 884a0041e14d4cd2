"""What `fit` takes and refuses, what a saved classifier keeps, and what `evaluate` says of arrays and tables."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from small_task import QUICK, Arrays, same_weights

import striate
from striate import Classifier, ImageError, Images, Interrupted, SourceError, UsageError
from striate.data import ArraySource
from striate.training.checkpoint import CheckpointFolder

# fit


def test_fit_returns_itself_and_leaves_what_it_was_given(digits: Arrays) -> None:
    X, y = digits[0].copy(), digits[1].copy()
    state = np.random.get_state()[1].copy()
    Classifier(QUICK).fit(X, y)
    assert np.array_equal(X, digits[0])
    assert np.array_equal(y, digits[1])
    assert np.array_equal(state, np.random.get_state()[1])


def test_fit_with_validation_arrays_uses_them_and_no_others(digits: Arrays) -> None:
    X, y = digits
    classifier = Classifier(QUICK).fit(X[:300], y[:300], validation=(X[300:], y[300:]))
    assert classifier.about_["data"]["counts"].keys() == {"train", "validation"}
    assert sum(classifier.about_["data"]["counts"]["train"].values()) == 300
    assert classifier.kept_["validation"]["accuracy"] == pytest.approx(classifier.score(X[300:], y[300:]))


def test_fit_with_a_table_and_validation_of_it() -> None:
    images = striate.load_images("digits")
    training, validation, test = images.split(seed=0)
    classifier = Classifier(QUICK).fit(training, validation=validation)
    assert classifier.kept_["validation"]["accuracy"] == pytest.approx(classifier.score(validation))
    verdict = classifier.evaluate(test)
    assert verdict.images == len(test)
    assert verdict.accuracy.value == pytest.approx(classifier.score(test))
    with pytest.raises(SourceError, match=r"were trained on"):
        classifier.evaluate(training)
    whole = Classifier(QUICK).fit(images)
    assert np.array_equal(whole.evaluate().confusion_matrix, verdict.confusion_matrix)


def test_a_splits_csv_passed_back_in_gives_the_same_weights(tmp_path: Path, digits_run: Path) -> None:
    images = striate.load_images("digits")
    first = Classifier(QUICK.changed(seed=3)).fit(images)
    (tmp_path / "mine.csv").write_bytes(first.splits_)
    again = Classifier(QUICK.changed(seed=3)).fit(images, splits=tmp_path / "mine.csv")
    assert same_weights(first, again)
    other = Classifier(QUICK.changed(seed=3)).fit(images, splits=digits_run / "splits.csv")
    assert not same_weights(first, other)
    assert other.splits_ == (digits_run / "splits.csv").read_bytes()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"y": None}, UsageError, "needs y"),
        ({"y": np.zeros(5, int)}, SourceError, "400 images but 5 labels"),
        ({"y": np.zeros(400, int)}, SourceError, "one class only"),
        ({"X": np.zeros((400, 8), np.uint8)}, SourceError, "no set of images"),
        ({"X": np.zeros((400, 8, 8), np.int64)}, SourceError, "dtype int64"),
        ({"X": np.full((400, 8, 8), np.nan)}, SourceError, "not finite"),
    ],
)
def test_arrays_that_cannot_be_learned_from(digits: Arrays, change: dict, error: type, words: str) -> None:
    given = {"X": digits[0], "y": digits[1], **change}
    with pytest.raises(error, match=words):
        Classifier(QUICK).fit(given["X"], given["y"])


def test_tables_that_cannot_be_learned_from(digits: Arrays) -> None:
    images = striate.load_images("digits")
    training, validation, _ = images.split()
    with pytest.raises(UsageError, match="has its labels already"):
        Classifier(QUICK).fit(images, digits[1])
    with pytest.raises(UsageError, match="also given for training"):
        Classifier(QUICK).fit(training, validation=training)
    other = striate.load_images("digits")
    with pytest.raises(UsageError, match="the same source"):
        Classifier(QUICK).fit(training, validation=other.split()[1])
    with pytest.raises(UsageError, match="needs y"):
        Classifier(QUICK).fit(training, validation=validation).score(digits[0])


def test_a_stop_in_python_raises_and_resumes_to_the_same(tmp_path: Path, digits: Arrays) -> None:
    X, y = digits
    whole = Classifier(QUICK).fit(X, y)
    asked = iter([False] * 14 + [True])
    with pytest.raises(Interrupted, match=r"epoch 2 after step 3"):
        Classifier(QUICK).fit(X, y, out=tmp_path / "run", stop=lambda: next(asked))
    assert len(CheckpointFolder(tmp_path / "run" / "checkpoint").generations()) == 2
    resumed = Classifier(QUICK).fit(X, y, out=tmp_path / "run", resume=True)
    assert same_weights(whole, resumed)
    with pytest.raises(Interrupted, match="nothing was saved"):
        Classifier(QUICK).fit(X, y, stop=lambda: True)


# save and load


def test_saving_and_loading_change_no_bit(tmp_path: Path, digits: Arrays, fitted: Classifier) -> None:
    X, _ = digits
    fitted.save(tmp_path / "once")
    loaded = Classifier.load(tmp_path / "once")
    assert np.array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    assert same_weights(loaded, fitted)
    assert loaded.recipe == fitted.recipe_
    assert loaded.history_ == fitted.history_
    assert loaded.kept_ == fitted.kept_
    loaded.save(tmp_path / "twice")
    for path in (tmp_path / "once").iterdir():
        assert (tmp_path / "twice" / path.name).read_bytes() == path.read_bytes()
    assert clone(loaded).recipe == loaded.recipe


# evaluate


def test_evaluate_arrays_and_their_leaks(digits: Arrays, fitted: Classifier) -> None:
    X, y = digits
    verdict = fitted.evaluate(X[300:], y[300:])
    assert verdict.images == 100
    assert verdict.split == "given"
    assert verdict.accuracy.value == pytest.approx(fitted.score(X[300:], y[300:]))
    with pytest.raises(SourceError, match=r"10 of 110 images were trained on"):
        fitted.evaluate(X[290:], y[290:])
    assert fitted.evaluate(X[290:], y[290:], leaks="drop").images == 100
    assert fitted.evaluate(X[290:], y[290:], leaks="accept").images == 110
    with pytest.raises(SourceError, match="No images are left"):
        fitted.evaluate(X[:10], y[:10], leaks="drop")
    with pytest.raises(UsageError, match="did you mean drop"):
        fitted.evaluate(X[300:], y[300:], leaks="dorp")


def test_groups_that_the_run_never_knew_are_not_called_clean(digits: Arrays, fitted: Classifier) -> None:
    images = striate.load_images(ArraySource(digits[0][300:], digits[1][300:]))
    grouped = replace(images, groups=np.array([f"p{row // 5}" for row in range(len(images))]))
    said = fitted.evaluate(grouped).leaks
    assert "None of the 100 images has the pixels of one that was trained on" in said
    assert "whether others of their groups were is not known, for the run was trained without groups" in said
    assert "not known" not in fitted.evaluate(images).leaks


def test_evaluate_what_there_is_not(digits: Arrays, fitted: Classifier) -> None:
    X, _ = digits
    with pytest.raises(SourceError, match="no test images: its splits are train, validation"):
        fitted.evaluate()
    assert fitted.evaluate(split="validation").images > 0
    with pytest.raises(UsageError, match="needs y"):
        fitted.evaluate(X)
    with pytest.raises(SourceError, match="does not know: 99"):
        fitted.evaluate(X[300:], np.full(100, 99) - np.arange(100) % 2 * 99)


def test_a_picture_that_cannot_be_read_has_no_place_in_an_array_of_probabilities(
    tmp_path: Path, pictures_run: Path
) -> None:
    from doors import write_pictures

    folder = write_pictures(tmp_path / "data", each=3)
    (folder / "dark" / "bad.png").write_bytes(b"no picture")
    classifier = Classifier.load(pictures_run)
    with pytest.raises(ImageError, match=r"dark/bad\.png cannot be read: .* Use answers"):
        classifier.predict_proba(striate.load_images(folder))
    assert [answer.error is not None for answer in classifier.answers([folder / "dark"])].count(True) == 1
    with pytest.raises(ImageError):
        classifier.predict_one(folder / "dark" / "bad.png")


def test_a_broken_picture_elsewhere_does_not_hinder_the_others(tmp_path: Path, digits_run: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(4):
            pixels = np.full((8, 8), 40 * number, np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    (tmp_path / "b" / "3.png").write_bytes(b"no picture")
    classifier, images = Classifier.load(digits_run), striate.load_images(tmp_path)
    sound = images.with_splits(seed=0)  # decodes them, and remembers the broken one beside the others
    assert [name for name, _ in sound.unreadable] == ["b/3.png"]
    assert classifier.predict_proba(sound).shape == (7, 10)
    with pytest.raises(ImageError, match=r"b/3\.png cannot be read"):
        classifier.predict_proba(images)


def test_a_grouping_belongs_to_images_that_are_loaded(digits: Arrays, fitted: Classifier) -> None:
    with pytest.raises(UsageError, match="a table has its own groups"):
        fitted.evaluate(striate.load_images("digits"), grouping=(None, r"(\d)"))


def test_images_without_labels_are_no_table() -> None:
    with pytest.raises(SourceError, match="no labels"):
        striate.load_images(ArraySource(np.zeros((3, 8, 8), np.uint8)))
    assert isinstance(striate.load_images("digits"), Images)


def test_the_predictor_is_made_once_for_each_fit(digits: Arrays) -> None:
    X, y = digits
    classifier = Classifier(QUICK).fit(X[:300], y[:300])
    first = classifier.predictor_
    assert classifier.predictor_ is first
    assert classifier.fit(X[100:], y[100:]).predictor_ is not first
    assert classifier.predictor_.network is classifier.network_

"""Mirrored views and ten patches: against loops, through every door, and AlexNet's recipe from end to end."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from small_task import QUICK, Arrays, same_weights

import striate
from doors import refused, striate_here, train
from striate import Classifier, Interrupted, Recipe, UsageError
from striate.classifier.prediction import Predictor
from striate.data.views import View, seen, views_of
from striate.models import create_model
from striate.pixels import Preparation

CLASSES = ("a", "b", "c", "d")
WIDE = Preparation(
    height=19,
    width=24,
    channels=3,
    depth="uint8",
    patch=(16, 17),
    mean=(0.5, 0.4, 0.3),
    std=(0.2, 0.3, 0.4),
)
PICTURES = np.random.default_rng(0).integers(0, 256, (150, 19, 24, 3), dtype=np.uint8)


def predictor(views: str, preparation: Preparation = WIDE) -> Predictor:
    channels, height, width = preparation.input_shape()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = create_model("lesson", classes=4, channels=channels, size=(height, width))
    return Predictor(network.eval(), preparation, CLASSES, views=views)  # pyright: ignore[reportArgumentType]


def by_hand(network: torch.nn.Module, picture: np.ndarray, corners: list[tuple[int, int]]) -> np.ndarray:
    """Mean over patches and their mirror images, one at a time, in plain torch."""
    total = np.zeros(4)
    for top, left in corners:
        patch = picture[top : top + 16, left : left + 17] / 255
        for shown in (patch, patch[:, ::-1]):
            values = (shown - np.array(WIDE.mean)) / np.array(WIDE.std)
            inputs = torch.from_numpy(values.transpose(2, 0, 1)[None].astype(np.float32))
            with torch.inference_mode():
                total += torch.softmax(network(inputs).double(), dim=1)[0].numpy()
    return total / (2 * len(corners))


# where the views are


def test_alexnets_ten_patches_are_the_corners_and_the_centre_and_their_mirror_images() -> None:
    paper = Preparation(height=256, width=256, channels=3, depth="uint8", patch=(224, 224))
    plain = [(0, 0), (0, 32), (32, 0), (32, 32), (16, 16)]
    assert [tuple(view) for view in views_of(paper, "ten")] == [
        *((top, left, False) for top, left in plain),
        *((top, left, True) for top, left in plain),
    ]


def test_patches_of_pictures_that_are_not_square() -> None:
    plain = [(0, 0), (0, 7), (3, 0), (3, 7), (1, 3)]
    assert [view[:2] for view in views_of(WIDE, "ten")] == plain * 2
    assert views_of(WIDE, "flip") == (View(1, 3), View(1, 3, mirrored=True))
    assert views_of(WIDE, "one") == (View(1, 3),)
    whole = WIDE.model_copy(update={"patch": None})
    assert views_of(whole, "flip") == (View(0, 0), View(0, 0, mirrored=True))


def test_what_is_seen_is_cut_by_the_indices() -> None:
    rows, columns = np.indices((19, 24))
    picture = (rows * 24 + columns).astype(np.uint16)[None, :, :, None]
    found = seen(picture, views_of(WIDE, "ten"), 16, 17)
    assert found.shape == (1, 10, 16, 17, 1)
    corners = found[0, :, [0, 0, -1, -1], [0, -1, 0, -1], 0].T.tolist()
    assert corners[0] == [0, 16, 15 * 24, 15 * 24 + 16]
    assert corners[3] == [3 * 24 + 7, 3 * 24 + 23, 18 * 24 + 7, 18 * 24 + 23]
    assert corners[4] == [24 + 3, 24 + 19, 16 * 24 + 3, 16 * 24 + 19]
    assert corners[9] == [24 + 19, 24 + 3, 16 * 24 + 19, 16 * 24 + 3]


# what the predictor makes of them


def test_ten_views_are_a_loop_over_patches() -> None:
    ten = predictor("ten")
    corners = [(0, 0), (0, 7), (3, 0), (3, 7), (1, 3)]
    expected = [by_hand(ten.network, picture, corners) for picture in PICTURES[:20]]
    np.testing.assert_allclose(ten.probabilities(PICTURES[:20]), expected, rtol=1e-5)
    assert not np.allclose(
        ten.probabilities(PICTURES[:20]), predictor("one").probabilities(PICTURES[:20]), rtol=1e-3
    )


def test_a_flip_mirrors_the_patch_that_is_seen() -> None:
    flip = predictor("flip")
    expected = [by_hand(flip.network, picture, [(1, 3)]) for picture in PICTURES[:20]]
    np.testing.assert_allclose(flip.probabilities(PICTURES[:20]), expected, rtol=1e-5)


def test_a_picture_and_its_mirror_image_are_the_same_to_flips() -> None:
    flip = predictor("flip", WIDE.model_copy(update={"patch": None}))
    chances = flip.probabilities(PICTURES[:20])
    assert np.array_equal(chances, flip.probabilities(PICTURES[:20, :, ::-1]))
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("views", ["flip", "ten"])
@pytest.mark.parametrize("batch", [4, 128])
def test_a_picture_has_the_same_bits_alone_and_among_many(views: str, batch: int) -> None:
    many = predictor(views)
    many.batch_size = batch
    chances = many.probabilities(PICTURES)
    for row in (0, 7, 130, 149):
        assert np.array_equal(many.probabilities(PICTURES[row : row + 1])[0], chances[row])
    mixed = np.random.default_rng(1).permutation(150)
    assert np.array_equal(many.probabilities(PICTURES[mixed]), chances[mixed])
    assert np.array_equal(many.of_rows(PICTURES, mixed[:77]), chances[mixed[:77]])
    assert many.probabilities(PICTURES[:0]).shape == (0, 4)


def test_one_view_is_what_it_was() -> None:
    one = predictor("one")
    logits = one.logits(PICTURES[:30]).astype(np.float64)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    assert np.array_equal(one.probabilities(PICTURES[:30]), powers / powers.sum(axis=1, keepdims=True))
    central = PICTURES[:30, 1:17, 3:20]
    assert np.array_equal(one.logits(PICTURES[:30]), one.logits(np.ascontiguousarray(central)))


# through every door


@pytest.fixture(scope="module")
def ten_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AlexNet's augmentation and its ten patches, on the digits from the command line."""
    folder = tmp_path_factory.mktemp("ten") / "run"
    alexnet = {"size": 16, "patch": 13, "reflection": "true", "colour_jitter": 0.1, "views": "ten"}
    train("digits", folder, *(word for pair in alexnet.items() for word in ("--set", "{}={}".format(*pair))))
    return folder


@pytest.mark.slow
def test_every_door_averages_the_same_views(tmp_path: Path, ten_run: Path) -> None:
    outcome = striate_here("evaluate", ten_run, "--out", tmp_path / "verdict", "--quiet")
    assert outcome.code == 0, outcome.err
    with (tmp_path / "verdict" / "predictions.csv").open() as file:
        told = {
            row["source"]: [float(row[f"p:{name}"]) for name in "0123456789"] for row in csv.DictReader(file)
        }
    classifier = Classifier.load(ten_run)
    assert len(classifier.predictor_.views) == 10
    rows = [int(name.removeprefix("digits/")) - 1 for name in told]
    source = striate.load_images("digits").source
    pictures = np.stack([source.read(source.names[row]) for row in rows])
    assert dict(zip(told, classifier.predict_proba(pictures).tolist(), strict=True)) == told
    for name, picture in list(zip(told, pictures, strict=True))[:5]:
        assert list(classifier.predict_one(picture).probabilities.values()) == told[name]
    single = Predictor(classifier.network_, classifier.preparation_, classifier.class_names_)
    prepared = np.stack([classifier.preparation_.pixels(picture) for picture in pictures])
    assert not np.allclose(single.probabilities(prepared), list(told.values()), rtol=1e-3)


def test_validation_in_training_averages_them_too(ten_run: Path) -> None:
    classifier = Classifier.load(ten_run)
    verdict = classifier.evaluate(split="validation")
    assert classifier.kept_["validation"]["accuracy"] == pytest.approx(verdict.accuracy.value, abs=1e-12)


def test_the_run_says_how_it_predicts(tmp_path: Path, ten_run: Path) -> None:
    recipe = json.loads((ten_run / "recipe.json").read_text())
    assert (recipe["views"], recipe["colour_jitter"]) == ("ten", 0.1)
    Classifier.load(ten_run).report(tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text()
    assert "views" in page
    assert "colour_jitter" in page


def test_views_change_no_weight_and_jitter_does(digits: Arrays) -> None:
    X, y = digits
    last = QUICK.changed(keep="last", size=10, patch=8)
    one = Classifier(last).fit(X[:300], y[:300])
    ten = Classifier(last.changed(views="ten")).fit(X[:300], y[:300])
    assert same_weights(one, ten)
    assert one.history_[-1]["validation"]["loss"] != ten.history_[-1]["validation"]["loss"]
    assert not same_weights(one, Classifier(last.changed(colour_jitter=0.1)).fit(X[:300], y[:300]))


def test_jittered_training_resumes_to_the_same_weights(tmp_path: Path, digits: Arrays) -> None:
    X, y = np.rint(np.repeat(digits[0][..., None], 3, axis=3) * (15, 10, 5)).astype(np.uint8), digits[1]
    recipe = QUICK.changed(colour_jitter=0.5, views="flip", reflection=True)
    whole = Classifier(recipe).fit(X, y)
    asked = iter([False] * 14 + [True])
    with pytest.raises(Interrupted, match=r"epoch 2 after step 3"):
        Classifier(recipe).fit(X, y, out=tmp_path / "run", stop=lambda: next(asked))
    assert same_weights(whole, Classifier(recipe).fit(X, y, out=tmp_path / "run", resume=True))
    assert not same_weights(whole, Classifier(recipe.changed(seed=1)).fit(X, y))


# what cannot be


def test_ten_views_need_a_patch_smaller_than_the_pictures(tmp_path: Path, digits: Arrays) -> None:
    with pytest.raises(
        UsageError, match=r"^views=ten takes ten patches: add patch=SIDE, smaller than the images\.$"
    ):
        Recipe(views="ten")
    said = r"^views=ten takes ten patches, and the images are 8 × 8 with patch=8: set a smaller patch, or views=flip\.$"
    with pytest.raises(UsageError, match=said):
        Classifier(QUICK.changed(views="ten", patch=8)).fit(*digits, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(UsageError, match="are 19 × 24 with no patch"):
        predictor("ten", WIDE.model_copy(update={"patch": None}))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("views=eleven", "Input should be 'one', 'flip' or 'ten'"),
        ("colour_jitter=-0.1", "greater than or equal to 0"),
        ("colour_jitter=1.5", "less than or equal to 1"),
        ("colour_jitter=nan", "finite"),
        ("colour_jiter=0.1", "colour_jitter"),
    ],
)
def test_wrong_settings_are_a_sentence(tmp_path: Path, setting: str, words: str) -> None:
    outcome = striate_here("train", "digits", "--out", tmp_path / "run", "--set", setting)
    refused(outcome, 2, words)
    assert not (tmp_path / "run").exists()


def test_extracted_features_cannot_be_jittered() -> None:
    with pytest.raises(
        UsageError, match=r"shows every image once, unchanged; leave out colour_jitter=0\.1\.$"
    ):
        Recipe(extract=True, freeze="all", colour_jitter=0.1)


def test_recipes_of_older_runs_mean_one_view_and_no_jitter() -> None:
    older = {
        name: value for name, value in QUICK.model_dump().items() if name not in ("views", "colour_jitter")
    }
    assert Recipe(**older) == QUICK
    assert (QUICK.views, QUICK.colour_jitter) == ("one", 0.0)

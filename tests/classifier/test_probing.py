"""Linear probes: against scikit-learn on raw pixels, against a trained head, and what is said of the images."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from small_task import Arrays

import striate
from striate import Classifier, Images, Network, Recipe, SourceError, StriateError, probe_stages
from striate.classifier.probes import linear, probing
from striate.classifier.probes.linear import STRENGTHS
from striate.classifier.probes.probing import FOLDS, drawn, shares
from striate.classifier.probes.stage_features import stage_features
from striate.classifier.weights import find_weights
from striate.data import ArraySource, load_images


@pytest.fixture(scope="module")
def few() -> Images:
    """300 of the embedded digits, with splits."""
    return load_images("digits").select(np.arange(300)).with_splits(0)


@pytest.fixture(scope="module")
def few_probed(few: Images) -> striate.Probe:
    return probe_stages(few, recipe=Recipe(model="mlp"))


def raw(images: Images) -> np.ndarray:
    return np.stack([images.source.load(name).pixels.ravel() for name in images.names]).astype(np.float64)


# Fits


def test_a_stage_that_changes_nothing_is_scikit_learn_on_raw_pixels(
    few: Images, few_probed: striate.Probe
) -> None:
    sample = drawn(few, 0)
    scaler = StandardScaler().fit(raw(sample.training))
    known, held = scaler.transform(raw(sample.training)), scaler.transform(raw(sample.validation))
    truth, right = sample.training.labels, []
    for strength in STRENGTHS:
        hits = 0
        for fold in range(FOLDS):
            rest = sample.fold != fold
            model = LogisticRegression(C=1 / (strength * rest.sum()), max_iter=1000)
            hits += int((model.fit(known[rest], truth[rest]).predict(known[~rest]) == truth[~rest]).sum())
        right.append(hits)
    strength = STRENGTHS[int(np.argmax(right))]
    model = LogisticRegression(C=1 / (strength * len(truth)), max_iter=1000).fit(known, truth)
    stage = few_probed.stages[0]
    assert (stage.name, stage.output_shape, stage.features) == ("input", (64,), 64)
    assert stage.strength == strength
    assert stage.accuracy.value == (model.predict(held) == sample.validation.labels).mean()
    assert stage.accuracy.n == len(sample.validation)


def test_a_fit_that_has_not_settled_is_said_to_be_so(few: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "STEPS", 1)
    notes = probe_stages(few, recipe=Recipe(model="mlp")).notes
    assert "The probe of stage hidden2 had not settled after 1,000 steps of its solver." in notes


def test_two_probes_are_the_same_to_the_last_bit(few: Images, few_probed: striate.Probe) -> None:
    again = probe_stages(few, recipe=Recipe(model="mlp"))
    assert again.to_dict() == few_probed.to_dict()
    assert again.to_csv() == few_probed.to_csv()


@pytest.mark.slow
def test_the_last_stage_reads_as_well_as_a_head_trained_on_it_frozen() -> None:
    images = load_images("digits").select(np.arange(500)).with_splits(0)
    recipe = Recipe(
        model="compact",
        freeze="all",
        head="linear",
        epochs=30,
        batch_size=16,
        learning_rate=0.01,
        translation=0,
    )
    head = Classifier(recipe).fit(images).kept_["validation"]["accuracy"]
    last = probe_stages(images, recipe=recipe).stages[-1]
    assert (last.output_shape, last.features) == ((96, 1, 1), 96)
    assert last.accuracy.value == pytest.approx(head, abs=0.03)


# Weights


def test_the_weights_are_those_of_the_run_and_the_untrained_ones_are_drawn(
    digits_run: Path, few: Images, few_probed: striate.Probe
) -> None:
    probe = probe_stages(few, recipe=Recipe(weights=str(digits_run)))
    assert probe.recipe.model == "mlp"
    assert probe.recipe.weights_sha256 is not None
    preparation = Classifier.load(digits_run).preparation_
    untrained = probe_stages(few, recipe=Recipe(model="mlp", size=preparation.height))
    assert [stage.name for stage in probe.stages] == ["input", "hidden1", "hidden2"]
    assert probe.stages[0].accuracy == probe.stages[0].untrained  # before the first weight
    for stage in untrained.stages:
        assert (stage.accuracy, stage.strength) == (stage.untrained, stage.untrained_strength)
    assert "untrained %" in few_probed.to_text()
    assert " accuracy %" not in few_probed.to_text()
    assert " accuracy %" in probe.to_text()


def test_trained_features_are_what_the_run_s_own_network_makes(
    digits_run: Path, few: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def watched(network: Network, *others: object) -> object:
        seen.append({name: tensor.clone() for name, tensor in network.stages.state_dict().items()})
        return stage_features(network, *others)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(probing, "stage_features", watched)
    probe_stages(few, recipe=Recipe(weights=str(digits_run)))
    own = Classifier.load(digits_run).network_.stages.state_dict()
    trained, untrained = seen
    assert all(torch.equal(trained[name], own[name]) for name in own)
    assert not any(torch.equal(untrained[name], own[name]) for name in own)


# Images


def test_test_images_never_reach_the_network(few: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []

    def watched(
        network: Network, preparation: object, pixels: object, rows: np.ndarray, progress: object
    ) -> object:
        seen.append(rows)
        return stage_features(network, preparation, pixels, rows, progress)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(probing, "stage_features", watched)
    probe = probe_stages(few, recipe=Recipe(model="mlp"))
    expected = [few.of_split(name).rows for name in ("train", "validation")]
    assert np.array_equal(seen[0], np.concatenate(expected))
    assert probe.images == {"train": len(expected[0]), "validation": len(expected[1]), "test": 0}


def test_guessing_is_the_commonest_class_of_the_training_images(digits: Arrays) -> None:
    X, y = digits[0][:60], np.array([0] * 40 + [1] * 20)
    validation = np.array(["train"] * 30 + ["validation"] * 10 + ["train"] * 5 + ["validation"] * 15)
    images = load_images(ArraySource((X * 15).astype(np.uint8), y))
    images = striate.Images(images.source, images.rows, images.classes, images.labels, validation)
    probe = probe_stages(images, recipe=Recipe(model="mlp"))
    assert (probe.guessing.value, probe.guessing.n) == (0.4, 25)


@example([0] * 150 + [1] * 40 + [2] * 10, 60, 0)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=200), st.integers(6, 250), st.integers(0, 3))
def test_shares_are_proportional_and_leave_no_class_out(labels: list[int], most: int, seed: int) -> None:
    every = np.array(labels)
    chosen = shares(every, most, seed)
    assert len(chosen) == min(most, len(every))
    assert np.array_equal(chosen, np.unique(chosen))
    assert np.array_equal(chosen, shares(every, most, seed))
    whole, part = np.bincount(every, minlength=6), np.bincount(every[chosen], minlength=6)
    assert ((part > 0) == (whole > 0)).all()
    fair = whole * len(chosen) / len(every)
    assert (part <= fair + 1).all()


def test_what_was_left_out_is_said_and_so_are_groups(few: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    names = np.array([f"writer {number % 20}" for number in range(len(few))])
    grouped = striate.Images(
        few.source, few.rows, few.classes, few.labels, np.full(len(few), "", "U10"), few.digests, names
    ).with_splits(0)
    sample = drawn(grouped, 0)
    assert sample.training.groups is not None
    for name in np.unique(sample.training.groups):
        assert len(set(sample.fold[sample.training.groups == name].tolist())) == 1
    assert any(
        "take images of one group as independent" in note for note in probing.remarks(grouped, sample, None)
    )
    small = drawn(grouped, 0, most=50)
    whole = len(grouped.of_split("train"))
    assert (
        f"50 of {whole:,} training images were used, drawn by the seed, each class by its share."
        in probing.remarks(grouped, small, None)
    )


def test_validation_images_that_the_weights_were_trained_on_are_counted(digits_run: Path) -> None:
    origin = find_weights(Recipe(weights=str(digits_run)))
    images = load_images("digits")
    same, other = images.with_splits(0), images.with_splits(1)
    assert not list(
        probing.remarks(same, drawn(same, 0), origin)
    )  # they chose the run's epoch, and no weight
    trained = set(same.of_split("train").names)
    judged = drawn(other, 1).validation.names
    (note,) = probing.remarks(other, drawn(other, 1), origin)
    assert note.startswith(
        f"The weights were trained on {len(trained.intersection(judged))} of the {len(judged)} validation images"
    )


@pytest.mark.parametrize(
    ("recipe", "error", "words"),
    [
        ({"model": "resnet81"}, striate.ModelError, "did you mean resnet18?"),
        ({"model": "lenet5"}, striate.ModelError, "the smallest square image it takes is 28 × 28"),
        ({"weights": "nowhere"}, striate.UsageError, "nowhere"),
    ],
)
def test_what_cannot_be_probed_is_refused(
    few: Images, recipe: dict[str, str], error: type[StriateError], words: str
) -> None:
    with pytest.raises(error) as caught:
        probe_stages(few, recipe=Recipe(**recipe))
    assert words in str(caught.value)


def test_one_class_is_refused(digits: Arrays) -> None:
    with pytest.raises(SourceError, match="one class only"):
        probe_stages(digits[0], np.zeros(400, int))


def test_weights_of_stages_that_do_not_fit_are_refused(digits_run: Path, tmp_path: Path, few: Images) -> None:
    run = Path(shutil.copytree(digits_run, tmp_path / "run"))
    with pytest.raises(StriateError, match=r"run does not fit the network"):
        probe_stages(few, recipe=Recipe(weights=str(run), size=12))

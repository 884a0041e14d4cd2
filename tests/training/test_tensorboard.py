"""What TensorBoard is shown of a run, read back with TensorBoard's own reader."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score, confusion_matrix, precision_score, recall_score
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator as PageReader
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorboard.util.tensor_util import make_ndarray
from torch import nn, ones

from striate import Classifier, Events, Interrupted, Recipe, StriateError
from striate.classifier.prediction import Predictor
from striate.data import build_pack
from striate.errors import TrainingError
from striate.training.events import Outcome
from striate.training.tensorboard import first_filters, tile_filters
from striate.training.tensorboard_figures import confusion_picture, curve_classes, curves, most_confused

RECIPE = Recipe(model="lenet5", epochs=3, batch_size=16, size=28, learning_rate=1e-4)
"""Slow enough that some validation pictures are wrong at the end."""
STEPS = 17
EVERYTHING = dict.fromkeys(("scalars", "histograms", "images", "tensors", "compressedHistograms"), 0)


def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return np.rint(X[:300].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8), y[:300]


def read(run: Path) -> EventAccumulator:
    board = EventAccumulator(str(run / "tensorboard"), size_guidance=EVERYTHING)
    board.Reload()
    return board


def points(board: EventAccumulator) -> dict[str, list[tuple[int, float]]]:
    return {
        tag: [(event.step, event.value) for event in board.Scalars(tag)] for tag in board.Tags()["scalars"]
    }


def class_by_class(run: Path) -> dict[str, list[tuple[int, bytes]]]:
    """Curves and matrices with their steps, as TensorBoard's page reads them; the older reader purges no tensors."""
    board = PageReader(str(run / "tensorboard"))
    board.Reload()
    tags = [tag for tag in board.Tags()["tensors"] if tag.startswith("precision_recall/")]
    return {
        tag: [(event.step, event.tensor_proto.SerializeToString()) for event in board.Tensors(tag)]
        for tag in [*tags, "confusion_matrix"]
    }


def without_rates(of: dict[str, list[tuple[int, float]]]) -> dict[str, list[tuple[int, float]]]:
    return {tag: values for tag, values in of.items() if not tag.startswith("images_per_s")}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Classifier]:
    folder = tmp_path_factory.mktemp("board") / "run"
    return folder, Classifier(RECIPE).fit(*digits(), out=folder)


def test_scalars_are_the_history(run: tuple[Path, Classifier]) -> None:
    folder, classifier = run
    steps = classifier.history_
    shown = points(read(folder))
    assert {"step/loss", "step/learning_rate", "learning_rate"} <= set(shown)
    for split in ("train", "validation"):
        for name in ("loss", "accuracy"):
            expected = [(record["epoch"] * STEPS, record[split][name]) for record in steps]
            assert [step for step, _ in shown[f"{name}/{split}"]] == [step for step, _ in expected]
            np.testing.assert_allclose(
                [value for _, value in shown[f"{name}/{split}"]], [value for _, value in expected], rtol=1e-6
            )
    assert len(shown["images_per_s/train"]) == 3
    assert [step for step, _ in shown["step/loss"]] == [20, 40]


def test_graph_histograms_images_and_text(run: tuple[Path, Classifier]) -> None:
    folder, classifier = run
    board = read(folder)
    tags = board.Tags()
    assert tags["graph"]
    assert len(board.Graph().node) > 5
    for name, parameter in classifier.network_.named_parameters():
        for kind in ("weights", "gradients"):
            events = board.Histograms(f"{kind}/{name}")
            assert [event.step for event in events] == [STEPS, 2 * STEPS, 3 * STEPS]
            assert events[-1].histogram_value.num == parameter.numel()
    assert {"first_layer_filters", "wrong_validation_images"} <= set(tags["images"])
    picture = board.Images("wrong_validation_images")[0]
    assert picture.encoded_image_string.startswith(b"\x89PNG")
    text = board.Tensors("recipe/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "| learning_rate | 0.0001 |" in text


def test_a_precision_recall_curve_a_class_and_the_confusion_matrix(run: tuple[Path, Classifier]) -> None:
    """The curves against scikit-learn, at the end of the run; the matrix as a picture an epoch."""
    folder, classifier = run
    board = read(folder)
    held = classifier.images_.of_split("validation")
    chances = Predictor(classifier.network_, classifier.preparation_, classifier.class_names_).of_rows(
        build_pack(held.source, classifier.preparation_).pixels, held.rows
    )
    assert {tag for tag in board.Tags()["tensors"] if tag.startswith("precision_recall/")} == {
        f"precision_recall/{name}" for name in classifier.class_names_
    }
    kept = classifier.kept_["epoch"] * STEPS
    for number, name in enumerate(classifier.class_names_):
        events = board.Tensors(f"precision_recall/{name}")
        assert [event.step for event in events] == [STEPS, 2 * STEPS, 3 * STEPS]
        curve = make_ndarray(next(event for event in events if event.step == kept).tensor_proto)
        inside = held.labels == number
        for threshold in (0, 32, 64, 120):
            called = chances[:, number] >= threshold / 126
            counts = [(called & inside).sum(), (called & ~inside).sum(), (~called & ~inside).sum()]
            np.testing.assert_array_equal(curve[:3, threshold], counts)
            if called.any():
                found = precision_score(inside, called), recall_score(inside, called)
                np.testing.assert_allclose(curve[4:6, threshold], found, atol=1e-6)
    pictures = board.Images("confusion_matrix")
    assert [picture.step for picture in pictures] == [STEPS, 2 * STEPS, 3 * STEPS]
    assert pictures[0].width == pictures[0].height > 400


def test_hparams(run: tuple[Path, Classifier]) -> None:
    folder, classifier = run
    board = read(folder)
    found = HParamsPluginData.FromString(
        board.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    ).session_start_info.hparams
    assert found["batch_size"].number_value == 16
    assert found["optimiser"].string_value == "adamw"
    best = classifier.kept_["validation"]
    assert board.Scalars("hparam/validation_accuracy")[0].value == pytest.approx(best["accuracy"])


def stop_after(steps: int):
    asked = iter([False] * (steps - 1) + [True])
    return lambda: next(asked)


def raw_scalars(folder: Path) -> Counter[tuple[str, int]]:
    """Every scalar that stands in the files, dropped by TensorBoard or not."""
    return Counter(
        (value.tag, event.step)
        for path in sorted((folder / "tensorboard").iterdir())
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
        if value.metadata.plugin_data.plugin_name == "scalars"
    )


@pytest.mark.parametrize(
    "steps", [5, STEPS, *(pytest.param(steps, marks=pytest.mark.slow) for steps in (STEPS + 7, 2 * STEPS))]
)
def test_a_resumed_run_shows_what_an_undisturbed_one_shows(
    tmp_path: Path, run: tuple[Path, Classifier], steps: int
) -> None:
    with pytest.raises(Interrupted):
        Classifier(RECIPE).fit(*digits(), out=tmp_path / "run", stop=stop_after(steps))
    Classifier(RECIPE).fit(*digits(), out=tmp_path / "run", resume=True)
    shown, expected = points(read(tmp_path / "run")), points(read(run[0]))
    assert class_by_class(tmp_path / "run") == class_by_class(run[0])
    assert without_rates(shown) == without_rates(expected)
    assert max(Counter(step for step, _ in shown["loss/train"]).values()) == 1


def test_a_run_killed_after_its_last_save_shows_nothing_twice(
    tmp_path: Path, run: tuple[Path, Classifier]
) -> None:
    """As SIGKILL leaves it: events of steps that the checkpoint does not know, and an end that never came."""
    folder = Path(shutil.copytree(run[0], tmp_path / "run"))
    for path in folder.glob("*.*"):
        if path.name not in {"recipe.json", "splits.csv"}:
            path.unlink()
    newest = max((folder / "checkpoint").glob("*.safetensors"))
    newest.unlink()
    newest.with_suffix(".sha256").unlink()
    Classifier(RECIPE).fit(*digits(), out=folder, resume=True)
    assert raw_scalars(folder)["loss/train", 3 * STEPS] == 2
    shown, expected = points(read(folder)), points(read(run[0]))
    assert class_by_class(folder) == class_by_class(run[0])
    assert without_rates(shown) == without_rates(expected)


def test_a_run_killed_between_its_end_and_its_manifest_shows_nothing_twice(
    tmp_path: Path, run: tuple[Path, Classifier]
) -> None:
    folder = Path(shutil.copytree(run[0], tmp_path / "run"))
    (folder / "manifest.json").unlink()
    Classifier(RECIPE).fit(*digits(), out=folder, resume=True)
    shown, expected = points(read(folder)), points(read(run[0]))
    assert shown == expected


@pytest.mark.parametrize("resume", [True, False])
def test_a_run_killed_before_its_first_checkpoint_begins_anew(tmp_path: Path, resume: bool) -> None:
    class Dies(Events):
        def epoch(self, record: dict, outcome: object, network: object) -> None:
            raise TrainingError("as if killed")

    recipe = RECIPE.changed(epochs=1)
    with pytest.raises(TrainingError):
        Classifier(recipe).fit(*digits(), out=tmp_path / "run", events=[Dies()])
    assert list((tmp_path / "run" / "tensorboard").iterdir())
    Classifier(recipe).fit(*digits(), out=tmp_path / "run", resume=resume)
    board = read(tmp_path / "run")
    assert [step for step, _ in points(board)["loss/train"]] == [STEPS]
    assert len(board.Tensors("recipe/text_summary")) == 1
    assert len(list((tmp_path / "run" / "tensorboard").iterdir())) == 1


def test_events_that_cannot_be_written_stop_the_run_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "tensorboard").write_text("a file where the folder should be")
    with pytest.raises(StriateError, match="tensorboard"):
        Classifier(RECIPE).fit(*digits(), out=tmp_path / "run")


def test_filters_are_drawn_with_zero_grey() -> None:
    layer = nn.Conv2d(1, 5, 3)
    drawn = tile_filters(layer.weight.detach() * 0 + ones(5, 1, 3, 3))
    assert drawn.shape == (2 * 26, 3 * 26, 3)
    assert (drawn[1:25, 1:25] == 255).all()
    assert (tile_filters(layer.weight.detach() * 0)[1:25, 1:25] == 128).all()
    assert first_filters(nn.Sequential(nn.Conv2d(2, 5, 3))) is None
    assert first_filters(nn.Sequential(nn.Conv2d(3, 5, 3))) is not None


def outcome(classes: int, images: int, seed: int = 0, missing: int | None = None) -> Outcome:
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, images)
    if missing is not None:
        truth[truth == missing] = (missing + 1) % classes
    chances = random.dirichlet(np.full(classes, 0.3), images)
    chances[np.arange(images), truth] += 0.3 * random.random(images) * (truth + 1) / classes
    return Outcome(np.arange(images), truth, chances / chances.sum(axis=1, keepdims=True), {})


def test_of_many_classes_those_of_lowest_average_precision_have_curves() -> None:
    said = outcome(40, 2000)
    precision = [average_precision_score(said.truth == one, said.probabilities[:, one]) for one in range(40)]
    assert curve_classes(said) == sorted(np.argsort(precision)[:20].tolist())
    assert curve_classes(outcome(20, 500)) == list(range(20))
    drawn = list(curves(said, tuple(f"c{one}" for one in range(40))))
    assert len(drawn) == 20
    assert all(inside.any() and not inside.all() for _, inside, _ in drawn)


def test_a_class_without_validation_images_has_no_curve() -> None:
    assert curve_classes(outcome(4, 50, missing=2)) == [0, 1, 3]
    alone = Outcome(np.arange(3), np.zeros(3, int), np.full((3, 2), 0.5), {})
    assert curve_classes(alone) == []


def test_the_matrix_of_many_classes_keeps_its_sums() -> None:
    said = outcome(70, 3000)
    counts = confusion_matrix(said.truth, said.probabilities.argmax(axis=1), labels=range(70))
    part, names = most_confused(counts, tuple(map(str, range(70))))
    assert part.shape == (61, 61)
    assert names[-1] == "10 others"
    kept = [int(name) for name in names[:-1]]
    errors = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
    assert min(errors[kept]) >= max(np.delete(errors, kept))
    np.testing.assert_array_equal(part[:-1, :-1], counts[np.ix_(kept, kept)])
    np.testing.assert_array_equal(part.sum(axis=1)[:-1], counts.sum(axis=1)[kept])
    assert part.sum() == counts.sum() == 3000
    assert confusion_picture(said, tuple(map(str, range(70)))).shape[2] == 3

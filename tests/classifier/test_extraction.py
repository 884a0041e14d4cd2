"""Feature extraction trains the head that frozen training trains, from stages that ran once."""

import errno
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from small_task import Arrays
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from striate import Classifier, Events, Interrupted, Recipe, StriateError, UsageError
from striate.classifier import extraction
from striate.classifier.building import settle
from striate.classifier.extraction import FeatureBatches, Store, as_input
from striate.data import ArraySource, load_images
from striate.data.batches import Batches
from striate.data.packing.cache import cache_root
from striate.models import Network
from striate.pixels import Preparation
from striate.training.events import Outcome, Plan

QUICK = Recipe(
    model="compact",
    epochs=2,
    batch_size=32,
    freeze="stage2",
    dropout=0.3,
    translation=0,
    precision="float32",  # what is cut in two rounds bfloat16 elsewhere
)
NEAR = 1e-5


def cases() -> list:
    quick = [
        ("compact", "all", {"dropout": 0.3, "balance": "sampling"}),
        ("compact", "stage1", {"dropout": 0.0, "optimiser": "sgd"}),
        ("resnet20", "all", {"balance": "weights"}),
        ("resnet20", "stage1", {"optimiser": "sgd"}),
        ("lenet5", "all", {"size": 28}),
        ("lenet5", "s2", {"size": 28, "head": "mlp", "dropout": 0.5}),
        ("lesson", "stage1", {"dropout": 0.5, "views": "flip"}),
        ("mlp", "hidden1", {"dropout": 0.2}),
    ]
    stages = {"compact": "stage2", "vgg11_bn": "pool3", "googlenet": "4a"}  # 4a: one auxiliary head rests
    slow = [
        (model, upto, {"dropout": dropout, "optimiser": optimiser, "size": 32})
        for model, stage in stages.items()
        for upto in ("all", stage)
        for dropout in (0.0, 0.5)
        for optimiser in ("sgd", "adamw")
    ]
    return [*quick, *(pytest.param(*case, marks=pytest.mark.slow) for case in slow)]


class Heard(Events):
    """Keeps what was said and what validation found."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.done: list[tuple[int, int]] = []
        self.outcomes: list[Outcome] = []

    def said(self, text: str) -> None:
        self.notes.append(text)

    def packing(self, done: int, total: int) -> None:
        self.done.append((done, total))

    def began(self, plan: Plan, network: nn.Module) -> None:
        self.network = network

    def epoch(self, record: dict, outcome: Outcome, network: nn.Module) -> None:
        self.outcomes.append(outcome)


@pytest.fixture(scope="module")
def task(digits: Arrays) -> Arrays:
    X, y = digits
    return np.rint(X[:200] * (255 / 16)).astype(np.uint8), y[:200]


def both(recipe: Recipe, task: Arrays, **more: object) -> tuple[Classifier, Classifier]:
    frozen = Classifier(recipe).fit(*task, **more)
    return frozen, Classifier(recipe.changed(extract=True)).fit(*task, **more)


def largest_difference(one: Classifier, other: Classifier) -> float:
    mine, theirs = one.network_.state_dict(), other.network_.state_dict()
    assert mine.keys() == theirs.keys()
    return max((mine[name].double() - theirs[name].double()).abs().max().item() for name in mine)


def timeless(classifier: Classifier) -> list[dict]:
    return [
        {**record, "seconds": 0, "train": {**record["train"], "images_per_s": 0}}
        for record in classifier.history_
    ]


@pytest.mark.parametrize(("model", "freeze", "more"), cases())
def test_the_head_is_that_of_frozen_training(model: str, freeze: str, more: dict, task: Arrays) -> None:
    exact = {"translation": 0, "keep": "last", "precision": "float32"}
    recipe = Recipe(model=model, epochs=2, batch_size=48, freeze=freeze, **exact, **more)
    frozen, extracted = both(recipe, task)
    assert largest_difference(frozen, extracted) <= NEAR
    assert np.abs(frozen.predict_proba(task[0]) - extracted.predict_proba(task[0])).max() <= NEAR
    for mine, theirs in zip(frozen.history_, extracted.history_, strict=True):
        assert mine["frozen"] == theirs["frozen"]
        assert mine["learning_rate"] == theirs["learning_rate"]
        assert mine["train"]["loss"] == pytest.approx(theirs["train"]["loss"], abs=NEAR)
        assert mine["validation"] == pytest.approx(theirs["validation"], abs=NEAR)


def test_it_begins_with_the_weights_of_another_run(task: Arrays, tmp_path: Path) -> None:
    Classifier(QUICK.changed(freeze="none")).fit(*task, out=tmp_path / "base")
    first = load_file(tmp_path / "base" / "model.safetensors")
    recipe = QUICK.changed(weights=str(tmp_path / "base"), freeze="all", head="linear", stage_decay=0.5)
    keep = task[1] < 5
    frozen, extracted = both(recipe, (task[0][keep], task[1][keep]))
    assert largest_difference(frozen, extracted) <= NEAR
    for name, tensor in extracted.network_.state_dict().items():
        if not name.startswith("head."):
            assert np.array_equal(tensor.numpy(), first[name])
    assert extracted.recipe_.extract
    assert extracted.recipe_.weights_sha256 is not None


def test_a_saved_run_answers_through_the_whole_network(task: Arrays, tmp_path: Path) -> None:
    X, y = task
    heard = Heard()
    recipe = QUICK.changed(extract=True)
    fitted = Classifier(recipe).fit(
        X[:150], y[:150], validation=(X[150:], y[150:]), out=tmp_path, events=[heard]
    )
    loaded = Classifier.load(tmp_path)
    assert np.array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    kept = heard.outcomes[loaded.about_["kept_epoch"] - 1]
    assert np.array_equal(kept.probabilities, loaded.predict_proba(X[150:]))
    verdict = loaded.evaluate(X[150:], y[150:], leaks="accept")
    assert verdict.accuracy.value == kept.measures["accuracy"] == loaded.kept_["validation"]["accuracy"]
    assert loaded.recipe_ == fitted.recipe_ == settle(recipe, None)


@pytest.mark.parametrize("balance", ["none", "sampling"])
@pytest.mark.parametrize("start", [0, 2])
def test_features_come_in_the_order_of_the_images(balance: str, start: int) -> None:
    generator = np.random.default_rng(1)
    images = load_images(ArraySource(np.zeros((50, 8, 8), np.uint8), generator.integers(0, 3, 50)))
    images = images.select(generator.permutation(50)[:37])
    grey = Preparation(height=8, width=8, channels=1, depth="uint8")
    pixels = np.zeros((50, 8, 8, 1), np.uint8)
    pixels[images.rows, 0, 0, 0] = np.arange(37)
    batches = Batches(pixels, images.rows, images.labels, grey, batch_size=10, seed=3, balance=balance)
    values = np.arange(37, dtype=np.float32)[:, None] / 255
    features = FeatureBatches(batches, images, values)
    assert (features.count, features.images) == (batches.count, batches.images) == (4, 37)
    for epoch in range(3):
        for mine, theirs in zip(features.epoch(epoch, start), batches.epoch(epoch, start), strict=True):
            assert mine.index == theirs.index
            assert np.array_equal(mine.rows, theirs.rows)
            assert torch.equal(mine.labels, theirs.labels)
            torch.testing.assert_close(mine.inputs[:, 0], theirs.inputs[:, 0, 0, 0])


def test_frozen_stages_run_once_and_the_loop_sees_what_follows_them(
    task: Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    run_to = Network.run_to

    def counted(network: Network, x: torch.Tensor, stage: str) -> torch.Tensor:
        assert stage == "stage2"
        assert not network.training
        seen.append(len(x))
        return run_to(network, x, stage)

    monkeypatch.setattr(Network, "run_to", counted)
    heard = Heard()
    fitted = Classifier(QUICK.changed(extract=True, epochs=4)).fit(
        *task, validation=(task[0][:20] + 1, task[1][:20]), events=[heard]
    )
    assert seen == [128, 128, 128]  # batches of one size: 200 training images, then 20 for validation
    assert heard.done[-3:] == [(128, 220), (200, 220), (220, 220)]
    assert isinstance(heard.network, Network)
    assert heard.network.stage_names == ("stage3",)
    assert heard.network.head is fitted.network_.head
    assert heard.notes[-1] == (
        "stem to stage2: run once over 200 training and 20 validation images; "
        "the features take 0.1 MB of disk until training ends."
    )


def test_validation_batches_have_the_size_of_prediction_batches(task: Arrays) -> None:
    """Else the sums of a matrix product might be taken in another order than those of the saved run."""
    sizes: set[int] = set()

    class Counts(Events):
        def began(self, plan: Plan, network: nn.Module) -> None:
            network.register_forward_pre_hook(lambda module, words: sizes.add(len(words[0])))

    Classifier(QUICK.changed(extract=True)).fit(
        *task, validation=(task[0][:20] + 1, task[1][:20]), events=[Counts()]
    )
    assert sizes == {128}  # steps go through all_logits


def test_no_translation_is_what_none_stands_for(task: Arrays) -> None:
    free, zero = (
        Classifier(QUICK.changed(translation=translation, extract=True)).fit(*task)
        for translation in (None, 0)
    )
    assert largest_difference(free, zero) == 0
    assert free.recipe_.translation is None


def test_a_stream_gives_the_same_weights(pictures: Path) -> None:
    from striate import load_images as images_of

    recipe = QUICK.changed(extract=True, size=16)
    packed, streamed = (
        Classifier(recipe).fit(images_of(pictures), stream=stream) for stream in (False, True)
    )
    assert largest_difference(packed, streamed) == 0


@pytest.mark.slow
@pytest.mark.parametrize(("optimiser", "steps"), [("adamw", 2), ("adamw", 6), ("sgd", 9)])
def test_a_stopped_run_resumes_bit_for_bit_from_checkpoints_of_the_tail(
    task: Arrays, tmp_path: Path, optimiser: str, steps: int
) -> None:
    recipe = QUICK.changed(extract=True, optimiser=optimiser)
    whole = Classifier(recipe).fit(*task)
    asked = iter([False] * (steps - 1) + [True])
    with pytest.raises(Interrupted):
        Classifier(recipe).fit(*task, out=tmp_path, stop=lambda: next(asked))
    names = set(load_file(max((tmp_path / "checkpoint").glob("*.safetensors"))))
    assert {name.split("/")[0] for name in names} >= {"network", "optimiser"}
    assert not [name for name in names if "stem" in name or "stage1" in name or "stage2" in name]
    resumed = Classifier(recipe).fit(*task, out=tmp_path, resume=True)
    assert largest_difference(whole, resumed) == 0
    assert timeless(whole) == timeless(resumed)


def test_resuming_as_frozen_training_is_refused(task: Arrays, tmp_path: Path) -> None:
    asked = iter([False, True])
    with pytest.raises(Interrupted):
        Classifier(QUICK.changed(extract=True)).fit(*task, out=tmp_path, stop=lambda: next(asked))
    with pytest.raises(UsageError, match=r"begun with another recipe \(extract: True, False\)"):
        Classifier(QUICK).fit(*task, out=tmp_path, resume=True)


def test_the_file_has_no_name_and_is_gone_afterwards(task: Arrays) -> None:
    class Looks(Heard):
        def began(self, plan: Plan, network: nn.Module) -> None:
            self.during = mapped()

    before, looks = set(cache_root().rglob("*")), Looks()
    Classifier(QUICK.changed(extract=True)).fit(*task, events=[looks])
    assert len(looks.during) == 1
    assert looks.during[0].endswith("(deleted)")
    assert not mapped()
    assert {
        path for path in cache_root().rglob("*") if path not in before and "packs" not in path.parts
    } == set()


def mapped() -> list[str]:
    """Files without a name below the cache that are mapped into this process."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return sorted(
        {line.split(maxsplit=5)[5] for line in lines if str(cache_root()) in line and "(deleted)" in line}
    )


def test_features_are_kept_on_the_disk_and_not_in_memory() -> None:
    block = np.random.default_rng(0).random((16, 64, 16, 16), np.float32)  # 1 MiB
    tracemalloc.start()
    with Store(cache_root(), count=64 * 16) as store:
        for _ in range(64):
            store.add(block)
        features = store.features()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 2**20
    assert features.shape == (1024, 16, 16, 64)
    inputs = as_input(features[np.arange(1008, 1024)])
    assert np.array_equal(inputs.numpy(), block)
    assert inputs.is_contiguous(memory_format=torch.channels_last)
    with pytest.raises(ValueError, match="read-only"):
        features[0] = 0


def test_a_full_disk_is_a_sentence(task: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, start: int, size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(extraction.os, "posix_fallocate", full)
    with pytest.raises(StriateError) as raised:
        Classifier(QUICK.changed(extract=True)).fit(*task, out=tmp_path / "run")
    assert str(raised.value).startswith(
        f"the disk is full: the features need 102,400 bytes and {cache_root()} has "
    )
    assert str(raised.value).endswith(
        " free; make room, set STRIATE_CACHE to a folder on another disk, freeze further stages, or leave extract out"
    )
    monkeypatch.undo()
    Classifier(QUICK.changed(extract=True)).fit(*task, out=tmp_path / "run", resume=True)


def test_a_cache_that_cannot_be_written_is_a_sentence(
    task: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "file"))
    with pytest.raises(StriateError, match="a file stands where a folder is needed"):
        Classifier(QUICK.changed(extract=True)).fit(*task)


@pytest.mark.parametrize("freeze", ["all", "stage1"])
def test_tensorboard_shows_what_is_trained(task: Arrays, tmp_path: Path, freeze: str) -> None:
    recipe = QUICK.changed(extract=True, freeze=freeze)
    history = Classifier(recipe).fit(*task, out=tmp_path).history_
    board = EventAccumulator(str(tmp_path / "tensorboard"), size_guidance={"scalars": 0, "histograms": 0})
    board.Reload()
    operations = {node.name.split("/")[0] for node in board.Graph().node}
    assert len(board.Graph().node) > 5
    assert any("Network" in name or "head" in name for name in operations)
    parts = {tag.split("/")[1].rpartition(".")[0] for tag in board.Tags()["histograms"]}
    assert "head.output" in parts
    assert not [name for name in parts if name.startswith(("stages.stem", "stages.stage1"))]
    assert bool([name for name in parts if name.startswith("stages.stage2")]) == (freeze == "stage1")
    shown = [event.value for event in board.Scalars("learning_rate")]
    assert shown == pytest.approx([record["learning_rate"] for record in history])
    text = board.Tensors("recipe/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "| extract | True |" in text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "extract=True needs frozen stages: add freeze=all, or freeze=STAGE."),
        (
            {"freeze": "all", "translation": 2},
            "extract=True shows every image once, unchanged; leave out translation=2.",
        ),
        (
            {"freeze": "stem", "reflection": True, "patch": 24},
            "extract=True shows every image once, unchanged; leave out reflection=True, patch=24.",
        ),
        (
            {"freeze": "stem", "head_epochs": 2, "epochs": 5},
            "extract=True shows every image once, unchanged; leave out head_epochs=2.",
        ),
        (
            {"freeze": "all", "colour_jitter": 0.1},
            "extract=True shows every image once, unchanged; leave out colour_jitter=0.1.",
        ),
    ],
)
def test_what_cannot_stand_together_with_it(fields: dict, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        Recipe(extract=True, **fields)
    assert str(raised.value) == words

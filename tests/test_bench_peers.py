"""Time to an accuracy: what the lines say of turns won, missed and skipped, and what a peer's clock counts."""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from bench import time_to_accuracy
from bench.peers import stopwatch
from bench.time_to_accuracy import CIFAR, MNIST, PEERS, Epoch, Example, decoded, first, followed, told

EXAMPLE = Example("Theirs", "theirs.py", ours=("--epochs", "2"), rounds=2)
SLOW = [Epoch(1, 20.0, 0.97), Epoch(2, 40.0, 0.992), Epoch(3, 60.0, 0.985)]


def test_first_epoch_that_is_accurate_enough() -> None:
    """The first, not the best; none where the accuracy was never reached."""
    assert first(SLOW, 0.99) == SLOW[1]
    assert first(SLOW, 0.985) == SLOW[1]
    assert first(SLOW, 0.995) is None


def test_lines_of_turns_in_which_both_arrived() -> None:
    """A ratio is that of one turn, so 40 / 10 and 40 / 8, not that of two medians."""
    ours = [Epoch(0, 10.0, 0.991), Epoch(0, 8.0, 0.993)]
    assert list(told(EXAMPLE, "mnist.zip", ours, [SLOW, SLOW], 0.99)) == [
        "striate train mnist.zip --epochs 2: 9.0 (8.0–10.0, n = 2) s, test accuracy 99.20 (99.10–99.30, n = 2) %",
        "Theirs: 40.0 (40.0–40.0, n = 2) s to 99.20 (99.20–99.20, n = 2) %, epoch 2, 2",
        "Theirs / striate: 4.5 (4.0–5.0, n = 2)",
    ]


def test_lines_without_a_target_ask_what_the_example_ends_with() -> None:
    """The goal is 98.5 %, which theirs had after the second epoch, so that is the time held against it."""
    lines = list(told(EXAMPLE, "cifar10.zip", [Epoch(0, 10.0, 0.985)], [SLOW], None))
    assert lines[1:] == [
        "Theirs: 40.0 (40.0–40.0, n = 1) s to 99.20 (99.20–99.20, n = 1) %, epoch 2 of 3",
        "Theirs / striate: 4.0 (4.0–4.0, n = 1)",
    ]


def test_no_ratio_where_either_side_missed_the_accuracy() -> None:
    """Theirs too low in one turn, ours in the other: both are said, and nothing is divided."""
    low = [Epoch(1, 20.0, 0.97), Epoch(2, 40.0, 0.98)]
    lines = list(told(EXAMPLE, "mnist.zip", [Epoch(0, 9.0, 0.991), Epoch(0, 9.0, 0.989)], [low, SLOW], 0.99))
    assert lines[1] == "Theirs: never 99% in its 2 epochs; highest 98.00%"
    assert lines[-1] == "no ratio from 2 of 2 turns: the accuracy was missed"
    assert not [line for line in lines if "/ striate" in line]


def test_a_missing_environment_is_said(monkeypatch: pytest.MonkeyPatch, few: Path) -> None:
    """Named by the variable that would name its interpreter; nothing is run."""
    monkeypatch.delenv("STRIATE_FASTAI", raising=False)
    example = Example("fastai's lesson", "fastai_cifar.py", "STRIATE_FASTAI")
    assert list(time_to_accuracy.compared([example], few, target=None)) == [
        "fastai's lesson: skipped, set STRIATE_FASTAI to the python of its environment"
    ]


def test_every_example_has_its_file() -> None:
    """And each says where it was published."""
    for example in (*MNIST, *CIFAR):
        assert "https://" in (PEERS / example.script).read_text(encoding="utf8")


def test_the_clock_leaves_out_the_judging(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Began at 100, two epochs of 10 s, each judged for 5 s: 10 and 20 s, and the second is accurate enough."""
    now = [100.0]
    monkeypatch.setattr(sys, "argv", ["example", "none.npz", "--began", "100", "--until", "0.9"])
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    watch = stopwatch.Stopwatch(epochs=5)

    def judged(accuracy: float) -> float:
        now[0] += 5
        return accuracy

    now[0] += 10
    assert not watch.finished(lambda: judged(0.8))
    now[0] += 10
    assert watch.finished(lambda: judged(0.9))
    assert watch.done
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        {"epoch": 1, "seconds": 10.0, "accuracy": 0.8},
        {"epoch": 2, "seconds": 20.0, "accuracy": 0.9},
    ]


def test_epochs_can_be_fewer_than_the_examples_own_but_not_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """An example is what was published; a trial may stop early."""
    for asked, given in (("2", 2), ("9", 5)):
        monkeypatch.setattr(sys, "argv", ["example", "none.npz", "--epochs", asked])
        assert stopwatch.Stopwatch(epochs=5).epochs == given


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip of twelve pictures of each of two parts, in three classes; a picture's grey level is its class."""
    folder = tmp_path_factory.mktemp("few")
    with ZipFile(folder / "few.zip", "w") as archive:
        for part in ("train", "test"):
            for index in range(12):
                path = folder / "picture.png"
                Image.new("L", (28, 28), index % 3).save(path)
                archive.write(path, f"few/{part}/{'abc'[index % 3]}/{index}.png")
    return folder / "few.zip"


@pytest.fixture(scope="module")
def few_images(few: Path) -> Path:
    """Those pictures as arrays."""
    return decoded(few, few.with_suffix(".npz"))


def test_arrays_hold_every_picture_with_its_label(few_images: Path) -> None:
    """The grey level tells the class, whatever the order."""
    with np.load(few_images) as arrays:
        for part in ("train", "test"):
            images, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"]
            assert images.shape == (12, 28, 28, 1)
            assert images.dtype == np.uint8
            np.testing.assert_array_equal(images.max((1, 2, 3)), labels)
            assert sorted(labels) == [0] * 4 + [1] * 4 + [2] * 4
        assert list(arrays["train_labels"]) != sorted(arrays["train_labels"])


def test_a_peer_runs_and_is_followed(few_images: Path) -> None:
    """PyTorch's example on twelve images: as many epochs as asked, seconds that only grow."""
    epochs = followed(replace(MNIST[1], epochs=3), few_images, until=2.0)
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3]
    seconds = [epoch.seconds for epoch in epochs]
    assert seconds[0] > 0
    assert seconds == sorted(seconds)


def test_a_peer_that_fails_is_not_a_result(tmp_path: Path) -> None:
    """The command and what it complained of are shown."""
    with pytest.raises(SystemExit, match=r"(?s)torch_mnist.py .*FileNotFoundError.*none.npz"):
        followed(MNIST[1], tmp_path / "none.npz")

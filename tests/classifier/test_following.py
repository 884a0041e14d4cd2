"""A run looked at from outside: what its folder tells at each stage, and that nothing in it is touched."""

import fcntl
import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

import striate
from striate.classifier import following
from striate.training.checkpoint import CheckpointFolder
from striate.training.history import Progress, Sums


def record(epoch: int, accuracy: float = 0.5, loss: float = 1.0) -> dict[str, Any]:
    """One epoch as the trainer writes it."""
    return {
        "epoch": epoch,
        "train": {"loss": loss, "accuracy": accuracy, "images_per_s": 100.0},
        "validation": {"loss": loss, "accuracy": accuracy},
        "learning_rate": 0.01,
        "seconds": 2.0,
    }


def begun(folder: Path, history: list[dict[str, Any]], **recipe: Any) -> Path:
    """A run folder with a recipe and a checkpoint after some epochs, whose next one has seen 64 images."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.json").write_text(json.dumps(striate.Recipe(epochs=10, **recipe).model_dump()))
    progress = Progress(epoch=len(history), step=1, running=Sums(1.0, 3, 64, 1.0), history=history)
    CheckpointFolder(folder / "checkpoint").save(progress, {"network/weight": torch.ones(2)})
    (folder / ".lock").touch()
    return folder


def written(folder: Path, *lines: str, end: str = "\n") -> Path:
    """A run folder with a history file of such lines."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "history.jsonl").write_text("\n".join(lines) + end)
    return folder


def test_a_folder_that_is_not_there_has_not_begun(tmp_path: Path) -> None:
    """Neither has an empty one."""
    for folder in (tmp_path / "none", tmp_path):
        told = striate.training_progress(folder)
        assert (told.state, told.history, told.epochs) == ("not begun", (), None)


def test_a_checkpoint_tells_the_epochs_before_history_is_written(tmp_path: Path) -> None:
    """History, the epoch under way, the epoch that would be kept."""
    history = [record(1, 0.6), record(2, 0.9), record(3, 0.7)]
    told = striate.training_progress(begun(tmp_path / "run", history))
    assert [one["epoch"] for one in told.history] == [1, 2, 3]
    assert (told.state, told.epochs, told.kept_epoch, told.under_way) == ("interrupted", 10, 2, (4, 64))
    assert told.seconds_left is None


def test_the_last_epoch_is_kept_where_the_recipe_says_so(tmp_path: Path) -> None:
    """keep=last."""
    told = striate.training_progress(begun(tmp_path / "run", [record(1, 0.9), record(2, 0.1)], keep="last"))
    assert told.kept_epoch == 2


def test_a_held_lock_means_running_and_is_not_taken(tmp_path: Path) -> None:
    """While a process holds the lock; the next one can take it at once."""
    folder = begun(tmp_path / "run", [record(1), record(2)])
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        told = striate.training_progress(folder)
        assert told.state == "running"
        assert told.seconds_left is not None
        assert 8 * 2.0 - 5 < told.seconds_left <= 8 * 2.0
    with (folder / ".lock").open("a") as lock:
        striate.training_progress(folder)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert striate.training_progress(folder).state == "interrupted"


def test_without_a_table_of_locks_the_age_of_files_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint of this minute is running, one of an hour ago is not."""
    import os

    folder = begun(tmp_path / "run", [record(1)])
    monkeypatch.setattr(following, "LOCKS", tmp_path / "no-such-table")
    assert striate.training_progress(folder).state == "running"
    for path in folder.rglob("*"):
        os.utime(path, (1e9, 1e9))
    assert striate.training_progress(folder).state == "interrupted"


def test_lines_that_grow_are_followed_and_a_half_one_waits(tmp_path: Path) -> None:
    """A last line without its end is left for later."""
    whole, half = json.dumps(record(1)), json.dumps(record(2))
    folder = written(tmp_path / "run", whole, half[:40], end="")
    told = striate.training_progress(folder)
    assert (len(told.history), told.notes) == (1, ())
    written(folder, whole, half)
    told = striate.training_progress(folder)
    assert (len(told.history), told.notes) == (2, ())


def test_the_longer_of_file_and_checkpoint_is_told(tmp_path: Path) -> None:
    """Where both say something of an epoch, the file is believed."""
    folder = begun(tmp_path / "run", [record(1, 0.1), record(2, 0.2)])
    written(folder, json.dumps(record(1, 0.7)))
    told = striate.training_progress(folder)
    assert [one["validation"]["accuracy"] for one in told.history] == [0.7, 0.2]


def test_an_epoch_that_was_trained_twice_is_told_once(tmp_path: Path) -> None:
    """A run that was resumed may have written it again."""
    lines = [
        json.dumps(record(epoch, accuracy)) for epoch, accuracy in ((1, 0.1), (2, 0.2), (2, 0.3), (3, 0.4))
    ]
    told = striate.training_progress(written(tmp_path / "run", *lines))
    assert [(one["epoch"], one["validation"]["accuracy"]) for one in told.history] == [
        (1, 0.1),
        (2, 0.3),
        (3, 0.4),
    ]


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-Infinity", "1e999", '"many"', "null", "true"])
def test_what_is_not_a_finite_number_becomes_none(tmp_path: Path, bad: str) -> None:
    """JSON for the page holds neither NaN nor infinity."""
    line = json.dumps(record(1, loss=0.125)).replace("0.125", bad)
    told = striate.training_progress(written(tmp_path / "run", line, json.dumps(record(2))))
    assert told.history[0]["train"]["loss"] is None
    assert told.kept_epoch == 2
    json.dumps(told.history, allow_nan=False)


@pytest.mark.parametrize(
    "bad", ["[]", "{", "3", '{"epoch": 1}', '{"epoch": "1"}', '{"epoch": 0}', "\x00\xff", "[" * 5000]
)
def test_lines_that_are_no_records_are_left_out_and_counted(tmp_path: Path, bad: str) -> None:
    """And said."""
    told = striate.training_progress(written(tmp_path / "run", bad, json.dumps(record(1))))
    assert len(told.history) == 1
    assert told.notes == ("history.jsonl: lines that cannot be read are left out, 1 of 2.",)


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path) -> None:
    """The older generation tells; nothing is renamed or removed."""
    folder = begun(tmp_path / "run", [record(1)])
    newer = folder / "checkpoint" / "epoch-00002-step-0000000.safetensors"
    for content in (b"", b"\xff" * 100, (10).to_bytes(8, "little") + b"{}"):
        newer.write_bytes(content)
        assert len(striate.training_progress(folder).history) == 1
        assert newer.read_bytes() == content


def test_a_finished_run_is_told_and_left_alone(digits_run: Path, tmp_path: Path) -> None:
    """Every epoch, the kept one; the folder has the same files with the same content afterwards."""
    from doors import tree

    folder = tmp_path / "copy"
    shutil.copytree(digits_run, folder)
    before = tree(folder)
    told = striate.training_progress(folder)
    about = json.loads((folder / "model.json").read_text())
    assert (told.state, len(told.history), told.kept_epoch) == ("finished", 1, about["kept_epoch"])
    theirs = json.loads((folder / "history.jsonl").read_text())
    assert told.history[0]["validation"]["accuracy"] == theirs["validation"]["accuracy"]
    assert told.under_way is None
    assert tree(folder) == before
    shutil.rmtree(folder)
    assert striate.training_progress(folder).state == "not begun"


def test_cleaned_keeps_every_finite_number() -> None:
    """The record of the trainer comes through unchanged but for what curves do not need."""
    kept = following.cleaned({**record(3, 0.25), "frozen": ["stem"]})
    assert kept["validation"] == {"loss": 1.0, "accuracy": 0.25, "images_per_s": None}
    assert math.isclose(kept["learning_rate"], 0.01)
    assert "frozen" not in kept

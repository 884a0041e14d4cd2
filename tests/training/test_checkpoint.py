"""Checkpoints: whole or absent, two generations, damage found and said."""

import subprocess
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import striate.files
from striate.errors import RunError, StriateError
from striate.training.checkpoint import CheckpointFolder
from striate.training.history import Best, Progress, Sums


def tensors(value: float) -> dict[str, torch.Tensor]:
    return {"network/weight": torch.full((3, 5), value), "optimiser/0/step": torch.tensor(7.0)}


def saved(folder: Path, count: int) -> CheckpointFolder:
    store = CheckpointFolder(folder)
    for epoch in range(1, count + 1):
        store.save(Progress(epoch=epoch, history=[{"epoch": epoch}]), tensors(float(epoch)))
    return store


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    progress = Progress(2, 17, Sums(0.1 + 0.2, 3, 4, 0.5), [{"epoch": 1, "loss": 1 / 3}], Best(1, 0.9, 0.3))
    CheckpointFolder(tmp_path).save(progress, tensors(1 / 3))
    checkpoint = CheckpointFolder(tmp_path).load()
    assert checkpoint is not None
    assert checkpoint.progress == progress
    assert checkpoint.note is None
    assert torch.equal(checkpoint.part("network")["weight"], torch.full((3, 5), 1 / 3))
    assert set(checkpoint.part("optimiser")) == {"0/step"}


def test_two_generations_are_kept_and_sha256sum_agrees(tmp_path: Path) -> None:
    saved(tmp_path, 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "epoch-00004-step-0000000.safetensors",
        "epoch-00004-step-0000000.sha256",
        "epoch-00005-step-0000000.safetensors",
        "epoch-00005-step-0000000.sha256",
    ]
    digests = [path.name for path in tmp_path.glob("*.sha256")]
    subprocess.run(["sha256sum", "--check", "--quiet", *digests], cwd=tmp_path, check=True)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_is_noticed(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("bits")
    newest = saved(folder, 2).generations()[-1]
    target = data.draw(st.sampled_from([newest, newest.with_suffix(".sha256")]))
    content = bytearray(target.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    target.write_bytes(bytes(content))
    checkpoint = CheckpointFolder(folder).load()
    assert checkpoint is not None
    assert checkpoint.progress.epoch == 1
    assert checkpoint.note is not None
    assert newest.name in checkpoint.note
    assert "epoch-00001-step-0000000.safetensors" in checkpoint.note


@pytest.mark.parametrize("length", [0, 7, 100])
def test_a_truncated_newest_one_is_set_aside_and_can_be_written_again(tmp_path: Path, length: int) -> None:
    store = saved(tmp_path, 2)
    newest = store.generations()[-1]
    newest.write_bytes(newest.read_bytes()[:length])
    checkpoint = store.load()
    assert checkpoint is not None
    assert checkpoint.progress.epoch == 1
    store.save(Progress(epoch=2, history=[{"epoch": 2}]), tensors(2.0))
    again = store.load()
    assert again is not None
    assert again.progress.epoch == 2
    assert again.note is None


def test_all_damaged_is_an_error_that_stays_one(tmp_path: Path) -> None:
    store = saved(tmp_path, 2)
    for path in store.generations():
        path.write_bytes(b"")
    for _ in range(2):
        with pytest.raises(RunError, match=r"Every checkpoint in .* is damaged"):
            store.load()


def test_an_empty_folder_is_a_beginning(tmp_path: Path) -> None:
    (tmp_path / ".epoch-00001-step-0000000.safetensors.123.partial").write_bytes(b"half")
    assert CheckpointFolder(tmp_path).load() is None
    assert not list(tmp_path.iterdir())
    assert CheckpointFolder(tmp_path / "none").load() is None


def test_a_full_disk_leaves_the_last_checkpoint_and_says_how_much_was_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = saved(tmp_path, 1)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(striate.files.os, "fsync", full)
        with pytest.raises(StriateError, match=r"\d+ bytes were needed, [\d,]+ are free"):
            store.save(Progress(epoch=2), tensors(2.0))
    checkpoint = store.load()
    assert checkpoint is not None
    assert checkpoint.progress.epoch == 1
    assert checkpoint.note is None

"""Folders that are taken, forbidden or full: a sentence, a code, nothing lost."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import striate.files
from doors import (
    QUICK,
    Outcome,
    plain,
    refused,
    striate_apart,
    striate_here,
    train,
    tree,
    try_to_train,
)
from striate.files import sha256_of

# Folders to write to


def test_out_that_already_holds_a_run(run: Path, shapes: Path) -> None:
    before = tree(run)
    refused(try_to_train(shapes, run), 1, "holds a run already", "--out", "--resume")
    assert tree(run) == before


@pytest.mark.parametrize("name", ["splits.csv", "recipe.json", "model.json"])
def test_out_that_holds_a_file_of_the_users(tmp_path: Path, shapes: Path, name: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text('{"flour": 3}\n')
    refused(try_to_train(shapes, tmp_path / "mine"), 1, f"holds {name} already", "--out")
    assert (tmp_path / "mine" / name).read_text() == '{"flour": 3}\n'


def test_out_below_a_file_and_where_nothing_can_be_made(tmp_path: Path, shapes: Path) -> None:
    (tmp_path / "file").write_text("mine")
    refused(try_to_train(shapes, tmp_path / "file"), 1, "a file stands where a folder is needed")
    refused(try_to_train(shapes, tmp_path / "file" / "run"), 1, "a file stands where a folder is needed")
    refused(try_to_train(shapes, Path("/proc/run")), 1, "/proc/run", "could not be written")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_cache_that_cannot_be_made(tmp_path: Path, shapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "file"))
    refused(try_to_train(shapes, tmp_path / "out"), 1, "STRIATE_CACHE")
    assert not (tmp_path / "out").exists()


def test_evaluate_where_nothing_can_be_written(tmp_path: Path, run: Path) -> None:
    (tmp_path / "file").write_text("mine")
    before = tree(run)
    refused(
        striate_here("evaluate", run, "--out", tmp_path / "file"), 1, "a file stands where a folder is needed"
    )
    assert tree(run) == before


def test_no_write_permission(tmp_path: Path, shapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(stat.S_IRUSR | stat.S_IXUSR)
    if os.geteuid() == 0:  # root may write everywhere: the refusal is the system's words, given in its place
        real = Path.mkdir

        def refuse(path: Path, *words: object, **more: object) -> None:
            if path == locked / "run":
                raise PermissionError(13, "Permission denied", str(path))
            real(path, *words, **more)  # pyright: ignore[reportArgumentType]

        monkeypatch.setattr(Path, "mkdir", refuse)
    refused(try_to_train(shapes, locked / "run"), 1, "No permission to write", "Choose a folder")


def test_a_full_disk_at_a_checkpoint_keeps_the_last_one(
    tmp_path: Path, shapes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = striate.files.os.fsync
    written: list[str] = []

    def fill(handle: int) -> None:
        name = os.readlink(f"/proc/self/fd/{handle}")
        if ".safetensors." in name:
            written.append(name)
            if len(written) == 3:
                raise OSError(28, "No space left on device")
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(striate.files.os, "fsync", fill)
        outcome = try_to_train(shapes, tmp_path / "out", "--set", "epochs=5")
    assert outcome.code == 1
    plain(outcome, "No space left for", "bytes were needed", "run the same command again")
    assert sorted(path.name for path in (tmp_path / "out" / "checkpoint").iterdir()) == [
        f"epoch-0000{epoch}-step-0000000.{kind}" for epoch in (1, 2) for kind in ("safetensors", "sha256")
    ] + ["epoch-00003-step-0000000.sha256"]
    train(shapes, tmp_path / "out", "--set", "epochs=5", "--resume")
    train(shapes, tmp_path / "whole", "--set", "epochs=5")
    assert sha256_of(tmp_path / "out" / "model.safetensors") == sha256_of(
        tmp_path / "whole" / "model.safetensors"
    )


def test_files_that_may_not_grow(tmp_path: Path, shapes: Path) -> None:
    words = " ".join(map(str, ("train", shapes, "--out", tmp_path / "out", *QUICK)))
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 40; trap '' XFSZ; exec {sys.executable} -m striate {words}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    plain(Outcome(1, "", done.stderr), "could not be written: File too large")
    assert not list((tmp_path / "out").rglob("*.partial"))


@pytest.mark.slow
def test_a_disk_that_is_really_full(tmp_path: Path, shapes: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        outcome = striate_apart("train", shapes, "--out", disk / "run", *QUICK)
        assert outcome.code == 1
        plain(outcome, "No space left for", "bytes were needed")
        assert not list(disk.rglob("*.partial"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)

"""Run folders that are damaged, poisoned or unfinished: a sentence, a code, nothing opened that could run."""

import json
import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from doors import (
    refused,
    striate_here,
    train,
    tree,
    try_to_train,
)
from striate.files import sha256_of

RUN_FILES = ("model.safetensors", "model.json", "recipe.json", "history.jsonl", "splits.csv", "data.json")


# Run folders


@pytest.mark.parametrize("verb", ["evaluate", "predict"])
def test_no_run_folder(tmp_path: Path, verb: str) -> None:
    more = ["picture.png"] if verb == "predict" else []
    refused(striate_here(verb, tmp_path / "none", *more), 1, "no such folder", "striate train")
    refused(striate_here(verb, tmp_path, *more), 1, "no manifest.json")


def damages() -> Iterator[tuple[str, str, Callable[[Path], object], str]]:
    """Every file of a run, missing, altered in one bit, and cut short."""

    def flip(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    for name in RUN_FILES:
        yield name, "missing", Path.unlink, f"lacks {name}"
        yield name, "altered", flip, "SHA-256 differs"
        yield (
            name,
            "cut",
            lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
            "SHA-256 differs",
        )
    yield "manifest.json", "missing", Path.unlink, "not finished"
    yield "manifest.json", "altered", lambda path: path.write_text("{}"), "SHA-256 differs"
    yield "manifest.json", "cut", lambda path: path.write_bytes(path.read_bytes()[:40]), "cannot be read"


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [pytest.param(name, damage, words, id=f"{name} {what}") for name, what, damage, words in damages()],
)
def test_a_damaged_run_folder(run: Path, name: str, damage: Callable[[Path], object], words: str) -> None:
    damage(run / name)
    before = tree(run)
    refused(striate_here("evaluate", run), 1, words)
    refused(striate_here("predict", run, "picture.png"), 1, words)
    assert tree(run) == before


class Canary:
    """An object whose unpickling makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.mkdir, (str(self.path),)


def restate(run: Path) -> None:
    """The manifest of the files as they now are, as an attacker would write it."""
    (run / "manifest.json").write_text(json.dumps({name: sha256_of(run / name) for name in RUN_FILES}))


def test_weights_that_are_a_pickle_are_not_opened_even_when_the_manifest_agrees(
    tmp_path: Path, run: Path
) -> None:
    canary = tmp_path / "canary"
    poison = pickle.dumps(Canary(canary))
    pickle.loads(poison)  # the trap works
    canary.rmdir()
    (run / "model.safetensors").write_bytes(poison)
    restate(run)
    refused(striate_here("predict", run, "picture.png"), 1, "looks like a pickle", "loads no pickles")
    refused(striate_here("evaluate", run), 1, "loads no pickles")
    assert not canary.exists()


def test_a_checkpoint_that_is_a_pickle_is_not_opened_on_resume(tmp_path: Path, run: Path) -> None:
    canary = tmp_path / "canary"
    for path in (run / "checkpoint").glob("*.safetensors"):
        path.write_bytes(pickle.dumps(Canary(canary)))
        path.with_suffix(".sha256").write_text(f"{sha256_of(path)}  {path.name}\n")
    (run / "manifest.json").unlink()
    source = json.loads((run / "data.json").read_text())["source"]
    refused(try_to_train(source, run, "--resume"), 1, "damaged")
    assert not canary.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.json", b"[]"),
        ("model.json", b'{"format": 99}'),
        ("model.json", b'{"format": 1}'),
        ("model.json", b"[" * 200_000),
        ("recipe.json", b'{"model": "compact", "colour": 3}'),
        ("history.jsonl", b""),
        ("history.jsonl", b"no json"),
        ("model.safetensors", b""),
        ("model.safetensors", b"\xff" * 64),
    ],
)
def test_content_of_another_kind_under_a_manifest_that_agrees(run: Path, name: str, content: bytes) -> None:
    (run / name).write_bytes(content)
    restate(run)
    refused(striate_here("evaluate", run), 1, str(run))


def test_an_unfinished_run_says_how_to_go_on(run: Path) -> None:
    (run / "manifest.json").unlink()
    refused(striate_here("evaluate", run), 1, "not finished", "--resume")


# Resuming


def test_resume_with_another_recipe(run: Path, pictures: Path) -> None:
    before = tree(run)
    refused(
        try_to_train(pictures, run, "--resume", "--set", "learning_rate=0.1"), 2, "learning_rate: 0.002, 0.1"
    )
    refused(try_to_train(pictures, run, "--resume", "--seed", "3"), 2, "seed: 0, 3")
    assert tree(run) == before


def test_resume_with_other_data(run: Path, shapes: Path) -> None:
    before = tree(run)
    refused(try_to_train(shapes, run, "--resume"), 1, "not those", "splits.csv differs")
    assert tree(run) == before


def test_resume_with_other_splits(tmp_path: Path, run: Path, pictures: Path) -> None:
    text = (run / "splits.csv").read_text()
    (tmp_path / "mine.csv").write_text(
        text.replace(",train,", ",XX,").replace(",test,", ",train,").replace("XX", "test")
    )
    before = tree(run)
    refused(
        try_to_train(pictures, run, "--resume", "--splits", tmp_path / "mine.csv"), 1, "splits.csv differs"
    )
    assert tree(run) == before


def test_resume_of_a_damaged_recipe(run: Path, pictures: Path) -> None:
    (run / "recipe.json").write_text("{")
    refused(try_to_train(pictures, run, "--resume"), 1, "recipe.json is damaged")


def test_resume_without_a_folder() -> None:
    refused(striate_here("train", "digits", "--resume"), 2, "--resume needs --out")


def test_resume_of_a_finished_run_changes_nothing(run: Path, pictures: Path) -> None:
    before = tree(run)
    outcome = try_to_train(pictures, run, "--resume")
    assert outcome.code == 0
    assert "nothing is left to train" in outcome.err
    assert tree(run) == before


def test_splits_that_are_of_other_images(tmp_path: Path, run: Path, shapes: Path) -> None:
    refused(
        try_to_train(shapes, tmp_path / "out", "--splits", run / "splits.csv"), 1, "is not about these images"
    )
    refused(
        try_to_train(shapes, tmp_path / "out", "--splits", tmp_path / "none.csv"),
        1,
        "none.csv cannot be read",
    )
    assert not (tmp_path / "out").exists()


def test_a_second_process_in_the_same_folder(tmp_path: Path, shapes: Path) -> None:
    import fcntl

    out = tmp_path / "out"
    out.mkdir()
    with (out / ".lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused(try_to_train(shapes, out), 1, "Another process is training in")
    train(shapes, out)

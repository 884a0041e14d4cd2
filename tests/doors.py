"""The command line as a test opens it: in this process to save time, or in one of its own."""

import contextlib
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image

import striate.cli

QUICK = ("--epochs", "1", "--set", "batch_size=16", "--set", "model=mlp")


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def striate_here(*words: object) -> Outcome:
    """A command through `striate.cli.main`, in this process."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        patch.object(sys, "argv", ["striate", *map(str, words)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            striate.cli.main()
        except SystemExit as leaving:
            code = leaving.code
    assert isinstance(code, int)
    return Outcome(code, out.getvalue(), err.getvalue())


def command(*words: object) -> list[str]:
    """The words that start a command in a process of its own."""
    return [sys.executable, "-m", "striate", *map(str, words)]


def striate_apart(*words: object, cwd: Path | None = None, **environment: str) -> Outcome:
    """A command in a process of its own."""
    done = subprocess.run(
        command(*words),
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def train(source: object, out: Path, *more: object) -> Outcome:
    """A quick training that must succeed."""
    outcome = try_to_train(source, out, *more)
    assert outcome.code == 0, outcome.err
    return outcome


def try_to_train(source: object, out: Path, *more: object) -> Outcome:
    """A quick training that may fail."""
    return striate_here("train", source, "--out", out, *QUICK, *more)


def refused(outcome: Outcome, code: int, *words: str) -> None:
    """One plain sentence on the error stream with these words in it, nothing on the other, and this exit code."""
    assert outcome.code == code, outcome
    assert outcome.out == "", outcome.out
    plain(outcome, *words)


def plain(outcome: Outcome, *words: str) -> None:
    """What was said of a failure is a sentence, not a traceback, and has these words in it."""
    said = outcome.err.splitlines()
    assert "Traceback" not in outcome.err, outcome.err
    assert [line.startswith("striate: ") for line in said].count(True) == 1, outcome.err
    for word in words:
        assert word in outcome.err, (word, outcome.err)


def tree(folder: Path) -> dict[str, tuple[str, int]]:
    """Digest and mode of every file below a folder, and the folders: equal trees were left alone."""
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder",
            path.stat().st_mode,
        )
        for path in sorted(folder.rglob("*"))
    }


def picture(kind: int, number: int, side: int = 12) -> np.ndarray:
    """A grey picture of one of three kinds (dark, striped, bright), no two of them alike."""
    noise = np.random.default_rng([kind, number]).integers(0, 60, (side, side), dtype=np.uint8)
    stripes = np.where(np.arange(side) % 4 < 2, 180, 20)[:, None]
    return (noise + (0, stripes, 190)[kind]).astype(np.uint8)


def write_pictures(
    root: Path, each: int = 20, classes: tuple[str, ...] = ("bright", "dark", "striped")
) -> Path:
    """A folder of class folders with pictures that a network learns in no time."""
    for name in classes:
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            content = picture(("dark", "striped", "bright").index(name), number)
            Image.fromarray(content).save(root / name / f"{number:03d}.png")
    return root


def zipped(folder: Path, path: Path) -> Path:
    """A zip of everything below a folder."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, file.relative_to(folder))
    return path

"""Kill a training run again and again, resume it each time, and compare it with one that nobody disturbed."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors.numpy import load_file

Settings = Sequence[str]
"""`field=value` texts, as `--set` takes them."""


@dataclass(frozen=True)
class Ending:
    """What a finished run came to, as far as it must be the same every time."""

    weights: str
    history: str
    state: str


PLAIN = ("model=compact", "translation=1")
"""What is set of the recipe where a test names nothing else."""


def train_command(out: Path, epochs: int, *, resume: bool, settings: Settings = PLAIN) -> list[str]:
    """A run of some seconds with dropout and batch norm."""
    command = [
        sys.executable,
        "-m",
        "striate",
        "train",
        "digits",
        "--epochs",
        str(epochs),
        "--seed",
        "4",
        "--json",
    ]
    options = ["batch_size=64", "dropout=0.2", "optimiser=adamw", *settings]
    return [
        *command,
        "--out",
        str(out),
        *(word for option in options for word in ("--set", option)),
        *(["--resume"] if resume else []),
    ]


def run_to_end(out: Path, epochs: int, *, resume: bool = False, settings: Settings = PLAIN) -> Ending:
    """Train without disturbance."""
    done = subprocess.run(
        train_command(out, epochs, resume=resume, settings=settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["event"] == "done"
    return ending(out)


def run_with_kills(
    out: Path, epochs: int, kills: int, seed: int, settings: Settings = PLAIN
) -> tuple[Ending, int]:
    """Train, killed `kills` times: every second time while a file is being written, else at any instant.

    Returns the ending and how many kills came while a file was half written.
    """
    chance = random.Random(seed)
    inside = 0
    for kill in range(kills):
        process = started(train_command(out, epochs, resume=True, settings=settings))
        if kill % 2 == 0:
            wait_for_partial(process, out)
        else:
            wait_for_output(process, chance.uniform(0.0, 0.8))
        assert process.poll() is None, f"the run ended before kill {kill + 1}; give it more epochs"
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        inside += bool(list(out.rglob(".*.partial")))
    return run_to_end(out, epochs, resume=True, settings=settings), inside


def run_killed_after(out: Path, epochs: int, spots: Sequence[int], settings: Settings) -> Ending:
    """Train, killed each time as soon as an epoch of `spots` is announced, before or while its state is saved."""
    for spot in spots:
        process = started(train_command(out, epochs, resume=True, settings=settings))
        wait_for_epoch(process, spot)
        assert process.poll() is None, f"the run ended before it was killed after epoch {spot}"
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    return run_to_end(out, epochs, resume=True, settings=settings)


def started(command: list[str]) -> "subprocess.Popen[str]":
    """A process whose output can be read line by line."""
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def wait_for_partial(process: subprocess.Popen, out: Path, limit: float = 60.0) -> None:
    """Return in the instant in which a checkpoint is being written."""
    end = time.monotonic() + limit
    folder = out / "checkpoint"
    while time.monotonic() < end and process.poll() is None:
        try:
            if any(name.endswith(".partial") for name in os.listdir(folder)):
                return
        except FileNotFoundError:
            continue


def wait_for_output(process: subprocess.Popen, seconds: float) -> None:
    """Return some time after the first epoch has been announced."""
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)


def wait_for_epoch(process: subprocess.Popen, epoch: int) -> None:
    """Return when an epoch is announced."""
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("epoch") == epoch:
            return


def ending(out: Path) -> Ending:
    """Digests of the final weights, of the history without times, and of the optimiser's last state."""
    records = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
    timeless = [
        {
            "epoch": record["epoch"],
            "learning_rate": record["learning_rate"],
            "frozen": record.get("frozen"),
            "rate_factors": record.get("rate_factors"),
            **{
                split: {name: value for name, value in record[split].items() if name != "images_per_s"}
                for split in ("train", "validation")
            },
        }
        for record in records
    ]
    newest = max((out / "checkpoint").glob("epoch-*.safetensors"))
    state = hashlib.sha256()
    for name, tensor in sorted(load_file(newest).items()):
        state.update(name.encode() + tensor.tobytes())
    weights = hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()
    return Ending(weights, json.dumps(timeless), state.hexdigest())

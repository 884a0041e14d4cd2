"""Kill a training run again and again, resume it each time, and compare it with one that nobody disturbed."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from safetensors.numpy import load_file


@dataclass(frozen=True)
class Ending:
    """What a finished run came to, as far as it must be the same every time."""

    weights: str
    history: str
    state: str


def train_command(out: Path, epochs: int, *, resume: bool, model: str = "compact") -> list[str]:
    """A run of some seconds with dropout, augmentation and batch norm."""
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
    options = [f"model={model}", "batch_size=64", "dropout=0.2", "optimiser=adamw", "translation=1"]
    return [
        *command,
        "--out",
        str(out),
        *(word for option in options for word in ("--set", option)),
        *(["--resume"] if resume else []),
    ]


def run_to_end(out: Path, epochs: int, *, resume: bool = False, model: str = "compact") -> Ending:
    """Train without disturbance."""
    done = subprocess.run(
        train_command(out, epochs, resume=resume, model=model), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["event"] == "done"
    return ending(out)


def run_with_kills(
    out: Path, epochs: int, kills: int, seed: int, model: str = "compact"
) -> tuple[Ending, int]:
    """Train, killed `kills` times: every second time while a file is being written, else at any instant.

    Returns the ending and how many kills came while a file was half written.
    """
    chance = random.Random(seed)
    inside = 0
    for kill in range(kills):
        process = subprocess.Popen(
            train_command(out, epochs, resume=True, model=model),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if kill % 2 == 0:
            wait_for_partial(process, out)
        else:
            wait_for_output(process, chance.uniform(0.0, 0.8))
        assert process.poll() is None, f"the run ended before kill {kill + 1}; give it more epochs"
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        inside += bool(list(out.rglob(".*.partial")))
    return run_to_end(out, epochs, resume=True, model=model), inside


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


def ending(out: Path) -> Ending:
    """Digests of the final weights, of the history without times, and of the optimiser's last state."""
    records = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
    timeless = [
        {
            "epoch": record["epoch"],
            "learning_rate": record["learning_rate"],
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

"""Training beside a program that keeps one core busy: with OpenMP's own waiting, and with striate's."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.measure import scratch, spread

ROUNDS = 3
OWN = {"GOMP_SPINCOUNT": "300000"}
"""What GNU's OpenMP does when nobody says anything."""


def lines(_data: Path) -> Iterator[str]:
    """Images a second of `striate train digits` on a crowded machine, and the ratio."""
    with scratch() as name:
        rates: dict[str, list[float]] = {"own": [], "striate": []}
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            for number in range(ROUNDS):
                rates["own"].append(rate(Path(name) / f"own-{number}", OWN))
                rates["striate"].append(rate(Path(name) / f"striate-{number}", {}))
        finally:
            busy.kill()
            busy.wait()
    yield f"beside a busy program, OpenMP's default waiting: {spread(rates['own'], 0)} images/s"
    yield f"the same with the waiting that striate sets: {spread(rates['striate'], 0)} images/s"
    pairs = zip(rates["striate"], rates["own"], strict=True)
    yield f"ratio: {spread([ours / theirs for ours, theirs in pairs], 1)}"


def rate(run: Path, settings: dict[str, str]) -> float:
    """Images a second of the second epoch."""
    command = [
        sys.executable,
        "-m",
        "striate",
        "train",
        "digits",
        "--epochs",
        "2",
        "--out",
        str(run),
        "--quiet",
    ]
    subprocess.run([*command, "--set", "size=28"], env={**os.environ, **settings}, check=True)
    history = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return history[1]["train"]["images_per_s"]

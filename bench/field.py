"""What other tools' own loaders make of 16-bit pictures and of a broken file, beside ours, on the same folders.

`STRIATE_KERAS` names the interpreter of Keras' environment, `STRIATE_FASTAI` that with fastai, torchvision and
Ultralytics (bench/peers/README.md); what is missing is said and left out.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import striate
from bench.measure import scratch

TOOLS = {
    "torchvision": "STRIATE_FASTAI",
    "fastai": "STRIATE_FASTAI",
    "ultralytics": "STRIATE_FASTAI",
    "keras": "STRIATE_KERAS",
}
LEVELS, SIDE = 4_096, 64
SCRIPT = Path(__file__).parent / "peers" / "reading.py"


def lines(_data: Path) -> Iterator[str]:
    """A line a tool: how many of 4,096 levels reach the network, and what becomes of a file cut short."""
    with scratch() as name:
        folder = Path(name)
        write(folder)
        deep = striate.load_images(str(folder / "deep")).packed()
        levels = len(np.unique(np.asarray(deep[2].pixels)))
        rest = striate.load_images(str(folder / "broken")).packed()[0]
        named = ", ".join(f"{path}: {why}" for path, why in rest.unreadable)
        yield f"striate: {levels:,} of {LEVELS:,} levels; {len(rest)} of 4 images left, named: {named}"
        for tool, variable in TOOLS.items():
            yield told(tool, os.environ.get(variable), variable, folder)


def told(tool: str, python: str | None, variable: str, folder: Path) -> str:
    """What one tool makes of both folders."""
    if python is None:
        return f"{tool}: skipped, set {variable} to the python of its environment"
    command = [python, "-W", "ignore", str(SCRIPT), tool, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"{tool}: could not be asked: {done.stderr.strip().splitlines()[-1]}"
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return (
        f"{tool} {found['version']}: {found['levels']:,} of {LEVELS:,} levels, {found['white']:.1%} of the pixels at"
        f" the highest; a file cut short: {found['broken']}"
    )


def write(folder: Path) -> None:
    """Two folders of two classes: grey PNG files of 16 bits that hold 12, and JPEG files of which one is cut short."""
    values = np.arange(LEVELS, dtype=np.uint16).reshape(SIDE, SIDE)
    for number, label in enumerate(("a", "a", "b", "b")):
        for kind in ("deep", "broken"):
            (folder / kind / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(values, number)).save(folder / "deep" / label / f"{number}.png")
        grain = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        path = folder / "broken" / label / ("cut-short.jpg" if number == 2 else f"{number}.jpg")
        Image.fromarray(grain).save(path, quality=90)
        if number == 2:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

"""How long until the command line says something, and until one picture has its class."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from bench.measure import scratch, seconds, spread, striate

ROUNDS = 10


def lines(_data: Path) -> Iterator[str]:
    """`--help` and `import striate`, and that neither loads torch."""
    helps = [seconds(lambda: striate("--help")) for _ in range(ROUNDS)]
    yield f"striate --help: {spread(helps)} s"
    code = "import time; t = time.perf_counter(); import striate; print(time.perf_counter() - t)"
    imports = [float(run_python(code)) for _ in range(ROUNDS)]
    yield f"import striate: {spread(imports)} s"
    code = "import sys, striate.cli; print([m for m in ('torch', 'numpy', 'pydantic', 'sklearn') if m in sys.modules])"
    yield f"heavy modules loaded by the command line before a verb runs: {run_python(code).strip()}"
    yield from one_picture()


def one_picture() -> Iterator[str]:
    """`striate predict` on one picture beside torch's own import, by turns."""
    with scratch() as name:
        run, picture = Path(name) / "run", Path(name) / "one.png"
        striate("train", "digits", "--epochs", "1", "--out", str(run), "--quiet")
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(picture)
        ours, torchs = [], []
        for _ in range(ROUNDS):
            ours.append(seconds(lambda: striate("predict", str(run), str(picture))))
            torchs.append(seconds(lambda: run_python("import torch")))
    ratios = [one / other for one, other in zip(ours, torchs, strict=True)]
    yield f"striate predict on one picture: {spread(ours, 2)} s; python -c 'import torch': {spread(torchs, 2)} s"
    yield f"striate predict / import torch: {spread(ratios, 2)}"


def run_python(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

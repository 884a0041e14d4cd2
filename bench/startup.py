"""How long until the command line says something."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.measure import seconds, spread, striate

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


def run_python(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

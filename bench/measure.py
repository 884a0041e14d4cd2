"""How figures are taken: several times, stated with their number and spread; ratios within one run."""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Median, range and number: `0.972 (0.961–0.980, n = 5)`."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f}, n = {len(values)})"


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def striate(*words: str, cache: Path | None = None) -> str:
    """Run the command line in a process of its own; returns what it printed."""
    environment = {**os.environ, **({"STRIATE_CACHE": str(cache)} if cache else {})}
    command = [sys.executable, "-m", "striate", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr}")
    return done.stdout


def peak_memory(*words: str) -> float:
    """Peak resident memory in MiB of one command of ours, run in a process of its own."""
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-c", code, sys.executable, "-m", "striate", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


def own_peak() -> float:
    """Peak resident memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder that vanishes after the bench."""
    return tempfile.TemporaryDirectory(prefix="striate-bench-")

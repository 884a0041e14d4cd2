"""What a figure was taken on: processor and cores, never a name of the machine or a path on it."""

import os
import platform
from pathlib import Path


def machine() -> dict[str, object]:
    """The processor's name and how many cores may be used."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return {"processor": (names or [platform.machine()])[0], "cores": os.cpu_count()}

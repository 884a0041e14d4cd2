"""Damaged files end in pixels or in an ImageError: no crash, no hang, no other error, bounded memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).with_name("mutations.py")


def decode_mutations(log: Path, count: int, folder: str | None = None) -> int:
    """Runs the harness in a child and reads its log; returns how many damaged files were decoded."""
    command = [sys.executable, str(HARNESS), str(log), str(count), *([folder] if folder else [])]
    child = subprocess.run(command, capture_output=True, check=False)
    lines = log.read_text().splitlines()
    faults = [f"{lines[i - 1]}: {line}" for i, line in enumerate(lines) if line.startswith("FAULT")]
    assert not faults, "\n".join(faults)
    last = lines[-1].split()
    assert last[0] == "done", (
        f"the process died of {child.returncode} at {lines[-1]}: {child.stderr.decode()[-2000:]}"
    )
    assert child.returncode == 0
    return int(last[1])


def test_hundreds_of_damaged_files(tmp_path):
    assert decode_mutations(tmp_path / "log", 12) >= 600


@pytest.mark.slow
def test_ten_thousand_damaged_files(tmp_path):
    data = os.environ.get("STRIATE_DATA")
    assert decode_mutations(tmp_path / "log", 90, f"{data}/dicom" if data else None) >= 10_000

"""Promise 2: a killed run resumes exactly."""

import os
from pathlib import Path

import pytest

import kill


def kill_and_compare(tmp_path: Path, kills: int, epochs: int, seed: int) -> int:
    os.environ["STRIATE_CACHE"] = str(tmp_path / "cache")
    whole = kill.run_to_end(tmp_path / "whole", epochs)
    killed, inside = kill.run_with_kills(tmp_path / "killed", epochs, kills, seed)
    assert killed == whole
    return inside


def test_five_kills_change_nothing(tmp_path: Path) -> None:
    kill_and_compare(tmp_path, kills=5, epochs=16, seed=1)


@pytest.mark.slow
def test_twenty_kills_change_nothing(tmp_path: Path) -> None:
    assert kill_and_compare(tmp_path, kills=20, epochs=60, seed=2) > 0

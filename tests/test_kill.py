"""Promise 2: a killed run resumes exactly."""

from pathlib import Path

import pytest

import kill


def test_five_kills_change_nothing(tmp_path: Path) -> None:
    whole = kill.run_to_end(tmp_path / "whole", epochs=16)
    killed, _ = kill.run_with_kills(tmp_path / "killed", epochs=16, kills=5, seed=1)
    assert killed == whole


@pytest.mark.slow
@pytest.mark.parametrize("model", ["compact", "lesson"])
def test_twenty_kills_change_nothing_on_two_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    whole = kill.run_to_end(tmp_path / "whole", epochs=60, model=model)
    killed, inside = kill.run_with_kills(tmp_path / "killed", epochs=60, kills=20, seed=2, model=model)
    assert killed == whole
    assert inside > 0, "no kill came while a file was half written; this run has shown less than it should"

"""Promise 2: a killed run resumes exactly."""

from pathlib import Path

import pytest

import kill


@pytest.mark.slow
def test_two_kills_change_nothing(tmp_path: Path) -> None:
    whole = kill.run_to_end(tmp_path / "whole", epochs=12)
    killed, _ = kill.run_with_kills(tmp_path / "killed", epochs=12, kills=2, seed=1)
    assert killed == whole


TWO_PHASES = ("model=compact", "head_epochs=4", "freeze=stem", "base_rate=0.5", "stage_decay=0.3")
EXTRACTION = ("model=compact", "freeze=stage2", "extract=true")


@pytest.mark.parametrize(
    ("settings", "spots"),
    [
        pytest.param(TWO_PHASES, (4,), id="between the phases", marks=pytest.mark.slow),
        pytest.param(TWO_PHASES, (4, 6), id="and in the second", marks=pytest.mark.slow),
        pytest.param(EXTRACTION, (3,), id="on extracted features", marks=pytest.mark.slow),
        pytest.param(
            ("optimiser=sgd", *TWO_PHASES),
            (2, 4, 5),
            id="in the first phase, at its end, right after it",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_kills_in_and_between_phases_change_nothing(
    tmp_path: Path, settings: tuple[str, ...], spots: tuple[int, ...]
) -> None:
    whole = kill.run_to_end(tmp_path / "whole", epochs=8, settings=settings)
    assert kill.run_killed_after(tmp_path / "killed", 8, spots, settings) == whole


@pytest.mark.slow
@pytest.mark.parametrize("settings", [TWO_PHASES, EXTRACTION], ids=["two phases", "extraction"])
def test_ten_kills_at_any_instant_change_nothing(tmp_path: Path, settings: tuple[str, ...]) -> None:
    whole = kill.run_to_end(tmp_path / "whole", epochs=40, settings=settings)
    killed, _ = kill.run_with_kills(tmp_path / "killed", epochs=40, kills=10, seed=3, settings=settings)
    assert killed == whole


@pytest.mark.slow
@pytest.mark.parametrize("model", ["compact", "lesson"])
def test_twenty_kills_change_nothing_on_two_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    settings = (f"model={model}", "translation=1")
    whole = kill.run_to_end(tmp_path / "whole", epochs=60, settings=settings)
    killed, inside = kill.run_with_kills(tmp_path / "killed", epochs=60, kills=20, seed=2, settings=settings)
    assert killed == whole
    assert inside > 0, "no kill came while a file was half written; this run has shown less than it should"

"""`--set compile=true`: the same bits every time, a run like any other, and one sentence where nothing compiles."""

from pathlib import Path

import pytest

from doors import QUICK, refused, striate_apart
from striate.run import WEIGHTS

ASKED = ("train", "digits", *QUICK, "--set", "compile=true", "--out")


@pytest.mark.slow
def test_two_compiled_runs_are_the_same_and_are_judged_like_any(tmp_path: Path) -> None:
    for name in ("one", "other"):
        outcome = striate_apart(*ASKED, tmp_path / name)
        assert outcome.code == 0, outcome.err
    assert (tmp_path / "one" / WEIGHTS).read_bytes() == (tmp_path / "other" / WEIGHTS).read_bytes()
    verdict = striate_apart("evaluate", tmp_path / "one")
    assert verdict.code == 0, verdict.err
    assert "accuracy" in verdict.out


def test_without_a_compiler_it_is_one_sentence(tmp_path: Path) -> None:
    outcome = striate_apart(
        *ASKED, tmp_path / "run", CXX="/no/such/compiler", TORCHINDUCTOR_CACHE_DIR=str(tmp_path / "cache")
    )
    refused(outcome, 1, "compile=true: torch's compiler stopped at this network: ", "Leave compile out")

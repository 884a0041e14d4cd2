"""`striate compare`: what it prints and writes, and what it refuses in one sentence."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from doors import refused, striate_here, train, tree


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, digits_run: Path) -> Path:
    """A folder with two runs on the digits, `first` and `second`."""
    folder = tmp_path_factory.mktemp("compared")
    shutil.copytree(digits_run, folder / "first")
    train("digits", folder / "second", "--epochs", 2)
    return folder


def test_the_text_and_the_json_say_the_same(runs: Path) -> None:
    words = ["compare", runs / "first", runs / "second"]
    text, told = striate_here(*words), striate_here(*words, "--json")
    assert (text.code, text.err, told.code, told.err) == (0, "", 0, "")
    assert told.out.count("\n") == 1
    found = json.loads(told.out)
    assert text.out.splitlines()[0] == found["sentences"][0]
    assert {"images", "classes", "runs", "pairs", "notes", "methods", "seed", "confidence"} <= set(found)
    (pair,) = found["pairs"]
    assert (pair["reference"], pair["other"], pair["recipes"]) == ("first", "second", ["epochs: 1, 2"])
    assert sum(pair["agreement"].values()) == found["images"]
    assert pair["accuracy"]["low"] <= pair["accuracy"]["value"] <= pair["accuracy"]["high"]
    assert {row["class"] for row in pair["per_class"]} == set("0123456789")
    for word in ("mid-p", "epochs: 1, 2", "not a medical device", "by bootstrap"):
        assert word in text.out
    assert striate_here(*words, "--json").out == told.out


def test_out_writes_three_files_and_leaves_the_runs_alone(runs: Path, tmp_path: Path) -> None:
    before = tree(runs)
    words = ["compare", runs / "first", runs / "second", "--out", tmp_path / "out"]
    outcome = striate_here(*words)
    assert outcome.out.endswith(
        f"\npictures: {tmp_path}/out/comparison.html\nimages:   {tmp_path}/out/comparison.csv\n"
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"comparison.{kind}" for kind in ("csv", "html", "json")
    ]
    assert tree(runs) == before
    quiet = striate_here(*words, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    written = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert written["command"].startswith("striate compare ")


def test_the_example_works_as_typed(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (runs / "runs").symlink_to(runs)
    monkeypatch.chdir(runs)
    example = re.search(r"Example:\s+striate (.*)", striate_here("compare", "-h").out)
    assert example is not None
    outcome = striate_here(*shlex.split(example[1]))
    assert (outcome.code, outcome.err) == (0, "")


def test_what_is_refused(runs: Path, tmp_path: Path) -> None:
    first, second = runs / "first", runs / "second"
    refused(striate_here("compare", first), 2, "at least two runs")
    refused(striate_here("compare", first, first), 2, "is given twice")
    refused(striate_here("compare", first, tmp_path), 1, "not a run folder")
    refused(striate_here("compare", first, second, "--against", "thrid"), 2, "Allowed: first, second")
    refused(striate_here("compare", first, second, "--group", "patient"), 1, "--group patient")
    refused(striate_here("compare", first, second, "--data", tmp_path / "none"), 1, "none")
    outcome = striate_here("compare")
    assert (outcome.code, outcome.out) == (2, "")
    assert "Missing argument" in outcome.err

"""`striate curve`: its lines, its table and sentence, its JSON, going on, and what it refuses."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import striate
from doors import Outcome, command, refused, striate_here
from striate.evaluation.learning import extrapolation

QUICK = (
    "--epochs",
    "1",
    "--set",
    "batch_size=16",
    "--model",
    "mlp",
    "--parts",
    "1/4,1/2,1",
    "--repeats",
    "2",
)


@pytest.fixture(scope="module", autouse=True)
def few_resamples() -> Iterator[None]:
    """How sure a curve is, other tests ask."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extrapolation, "RESAMPLES", 200)
        yield


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> tuple[Path, Outcome]:
    out = tmp_path_factory.mktemp("curve") / "out"
    return out, striate_here("curve", pictures, "--out", out, *QUICK)


def test_a_line_a_training_then_the_table_and_what_more_would_give(drawn: tuple[Path, Outcome]) -> None:
    out, outcome = drawn
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert [line.split()[:2] for line in lines[:6]] == [["training", f"{number}/6"] for number in range(1, 7)]
    heading = lines.index(next(line for line in lines if line.startswith("part ")))
    assert [line.split()[0] for line in lines[heading + 1 : heading + 4]] == ["1/4", "1/2", "1"]
    assert "Twice the data (" in outcome.out
    assert "test images had no part" in outcome.out
    assert outcome.out.endswith(f"page:  {out / 'curve.html'}\ntable: {out / 'curve.csv'}\n")


def test_json_going_on_and_python_say_the_same(drawn: tuple[Path, Outcome], pictures: Path) -> None:
    out, _ = drawn
    outcome = striate_here("curve", pictures, "--out", out, *QUICK, "--resume", "--json")
    assert (outcome.code, outcome.err, outcome.out.count("\n")) == (0, "", 1)
    said = json.loads(outcome.out)
    recipe = striate.Recipe(model="mlp", epochs=1, batch_size=16)
    curve = striate.learning_curve(pictures, recipe, parts=(0.25, 0.5, 1), repeats=2)
    assert said == json.loads(json.dumps(curve.to_dict()))
    written = json.loads((out / "curve.json").read_text())
    assert {name: written[name] for name in said} == said
    assert written["command"].startswith("striate curve ")


def test_quiet_says_nothing(drawn: tuple[Path, Outcome], pictures: Path) -> None:
    out, _ = drawn
    assert striate_here("curve", pictures, "--out", out, *QUICK, "--resume", "--quiet") == Outcome(0, "", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--parts", "1/4,half,1"), "--parts 1/4,half,1: expected shares between commas"),
        (("--parts", "1/0,1/2,1"), "expected shares between commas"),
        (("--parts", "1/2,1"), "give at least 3 different shares"),
        (("--repeats", "1"), "repeats=1: at least 2"),
        (("--factor", "nan"), "factor=nan"),
        (("--split", "train"), "judged on one of validation, test"),
        (("--resume",), "--resume needs --out"),
    ],
)
def test_wrong_usage_is_a_sentence(pictures: Path, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    out = () if "--resume" in words else ("--out", tmp_path / "out")
    refused(striate_here("curve", pictures, *out, *words), 2, said)
    assert not (tmp_path / "out").exists()


def test_a_folder_in_use_and_too_few_images_are_sentences(
    drawn: tuple[Path, Outcome], pictures: Path, tmp_path: Path
) -> None:
    refused(striate_here("curve", pictures, "--out", drawn[0], *QUICK), 1, "holds trainings.json already")
    more = ("--out", tmp_path / "out", "--parts", "1/256,1/2,1")
    outcome = striate_here("curve", pictures, *QUICK, *more)
    assert outcome.code == 1
    assert "are too few for a curve: 2 of the parts 1/256, 1/2, 1 hold each class" in outcome.err


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = command("curve", pictures, "--out", out, *QUICK, "--set", "epochs=300")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("training 1/6")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped; trainings finished: 1. Go on with: striate curve" in said
    assert said.rstrip().endswith("--resume")
    assert len(json.loads((out / "trainings.json").read_text())["trainings"]) == 1

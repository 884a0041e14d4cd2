"""`striate probe`: its table, its JSON, its four files, and what it refuses."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

import striate
from doors import Outcome, refused, striate_here


@pytest.fixture(scope="module")
def probed(
    tmp_path_factory: pytest.TempPathFactory, pictures: Path, pictures_run: Path
) -> tuple[Path, Outcome]:
    """A probe of the run on its own pictures, with files."""
    out = tmp_path_factory.mktemp("probe") / "out"
    return out, striate_here("probe", pictures_run, pictures, "--out", out)


def test_a_line_a_stage_with_both_accuracies(
    probed: tuple[Path, Outcome], pictures: Path, pictures_run: Path
) -> None:
    out, outcome = probed
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[0].startswith(f"mlp, weights of {pictures_run}, on shapes. ")
    heading = next(number for number, line in enumerate(lines) if line.startswith("stage"))
    assert lines[heading].split("  ")[0] == "stage"
    assert [line.split()[0] for line in lines[heading + 1 : heading + 4]] == ["input", "hidden1", "hidden2"]
    assert "test images had no part" in outcome.out
    assert f"figure: {out / 'probe.svg'}" in outcome.out
    assert "note: The network begins with the weights of" in outcome.err


def test_json_and_files_and_python_say_the_same(
    probed: tuple[Path, Outcome], pictures: Path, pictures_run: Path
) -> None:
    out, _ = probed
    outcome = striate_here("probe", pictures_run, pictures, "--json")
    assert (outcome.code, outcome.err, outcome.out.count("\n")) == (0, "", 1)
    said = json.loads(outcome.out)
    recipe = striate.Recipe(weights=str(pictures_run))
    assert said == striate.probe_stages(striate.load_images(pictures), recipe=recipe).to_dict()
    written = json.loads((out / "probe.json").read_text())
    assert {name: written[name] for name in said} == said
    assert written["command"].startswith("striate probe ")
    assert written["recipe"]["weights_sha256"] == said["weights_sha256"]
    with (out / "probe.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row, stage in zip(rows, said["stages"], strict=True):
        assert row["stage"] == stage["stage"]
        assert row["output"] == "x".join(map(str, stage["output_shape"]))
        for name in ("value", "low", "high"):
            column = {"value": "accuracy"}.get(name, name)
            assert float(row[column]) == stage["accuracy"][name]
        assert (float(row["untrained"]), int(row["n"])) == (
            stage["untrained"]["value"],
            stage["untrained"]["n"],
        )


def test_the_figure_is_there_as_svg_and_png(probed: tuple[Path, Outcome]) -> None:
    out, _ = probed
    drawing = ElementTree.parse(out / "probe.svg").getroot()
    texts = {"".join(node.itertext()).strip() for node in drawing.iter() if node.tag.endswith("text")}
    assert {"input", "hidden1", "hidden2", "these weights", "untrained", "commonest class"} <= texts
    with Image.open(out / "probe.png") as picture:
        assert (picture.format, picture.width > 1000) == ("PNG", True)


def test_an_untrained_network_is_probed_by_name(pictures: Path) -> None:
    outcome = striate_here("probe", "--model", "mlp", pictures, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    said = json.loads(outcome.out)
    assert (said["model"], said["weights"], said["images"]["test"]) == ("mlp", None, 0)
    for stage in said["stages"]:
        assert stage["accuracy"] == stage["untrained"]


def test_quiet_says_nothing_and_still_writes(tmp_path: Path, pictures: Path, pictures_run: Path) -> None:
    outcome = striate_here("probe", pictures_run, pictures, "--quiet", "--out", tmp_path / "out")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "probe.json",
        "probe.csv",
        "probe.svg",
        "probe.png",
    }


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("digits",), 2, "give weights and images"),
        (("--model", "resnet81", "digits"), 2, "did you mean resnet18?"),
        (("--model", "lenet5", "digits"), 2, "the smallest square image it takes is 28 × 28"),
        (("nowhere/run", "digits"), 2, "nowhere/run"),
        (("--model", "mlp", "nowhere/at/all"), 1, "nowhere/at/all"),
        (("--model", "mlp", "digits", "--set", "sise=28"), 2, "did you mean size?"),
    ],
)
def test_one_sentence_for_what_cannot_be_done(words: tuple[str, ...], code: int, said: str) -> None:
    refused(striate_here("probe", *words, "--quiet"), code, said)


def test_one_class_and_weights_that_do_not_fit_are_refused(shapes: Path, pictures_run: Path) -> None:
    refused(
        striate_here("probe", pictures_run, shapes, "--set", "size=16", "--quiet"),
        1,
        "does not fit the network",
    )
    for name in ("dark", "striped"):
        for path in (shapes / name).iterdir():
            path.unlink()
        (shapes / name).rmdir()
    refused(striate_here("probe", pictures_run, shapes, "--quiet"), 1, "one class only")


def test_a_failure_leaves_no_files(tmp_path: Path, shapes: Path, pictures_run: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    outcome = striate_here("probe", pictures_run, shapes, "--quiet", "--out", tmp_path / "taken")
    assert outcome.code == 1
    assert "Traceback" not in outcome.err
    assert (tmp_path / "taken").read_text() == "a file"


def test_help_shows_both_forms() -> None:
    shown = striate_here("probe", "-h")
    assert shown.code == 0
    assert "striate probe runs/first digits" in shown.out
    assert "striate probe --model resnet18_small digits" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 110

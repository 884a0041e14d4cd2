"""What a run decides, asked for on the command line: chosen, kept, shown by predict; wrong wishes are sentences."""

import csv
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doors import refused, striate_here, train, tree

ASKED = ("--operate", "sensitivity>=0.9", "--positive", "dark", "--abstain", "coverage>=0.9", "--sets", "0.5")


@pytest.fixture
def decided(run: Path) -> Path:
    outcome = striate_here("evaluate", run, *ASKED, "--quiet")
    assert outcome.code == 0, outcome.err
    return run


def test_what_is_decided_is_kept_and_judged(decided: Path) -> None:
    kept = json.loads((decided / "decision.json").read_text())
    assert [point["positive"] for point in kept["operating"]] == ["dark"]
    assert kept["command"].startswith("striate evaluate")
    judged = json.loads((decided / "evaluation.json").read_text())["decided"]
    assert judged["operating"][0]["point"]["threshold"] == kept["operating"][0]["threshold"]
    again = striate_here("evaluate", decided, "--json", "--prevalence", "0.1")
    assert json.loads(again.out)["decided"]["operating"][0]["prevalence"] == 0.1
    outcome = striate_here("evaluate", decided, "--operate", "f1", "--positive", "dark", "--quiet")
    assert outcome.code == 0
    caveats = json.loads((decided / "decision.json").read_text())["caveats"]
    assert any("test images of this run had been judged before" in caveat for caveat in caveats)


def test_predict_shows_what_is_decided_alike_in_every_form(decided: Path, shapes: Path) -> None:
    rows = [json.loads(line) for line in striate_here("predict", decided, shapes, "--json").out.splitlines()]
    table = list(csv.DictReader(io.StringIO(striate_here("predict", decided, shapes, "--csv").out)))
    lines = striate_here("predict", decided, shapes).out.splitlines()
    assert len(rows) == len(table) == len(lines) > 0
    for row, cells, line in zip(rows, table, lines, strict=True):
        assert cells["class"] == (row["class"] or "")
        assert cells["reached:dark"] == str(row["operating"]["dark"])
        assert cells["answered"] == str(not row["abstained"])
        assert cells["set"] == "|".join(row["set"])
        assert line.startswith("no answer" if row["abstained"] else row["class"])
        assert ("best guess" in line) == row["abstained"]
        if row["operating"]["dark"] and not row["abstained"]:
            assert row["class"] == "dark"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--operate", "sensitivity>=1.5", "--positive", "dark"), 2, "is no wish for an operating point"),
        (("--operate", "precision>=0.9"), 2, "needs a class of interest: add --positive CLASS"),
        (("--operate", "f1", "--positive", "darkk"), 2, "did you mean dark?"),
        (("--positive", "dark"), 2, "add --operate"),
        (("--abstain", "coverage"), 2, "is no wish for abstaining"),
        (("--sets", "2"), 2, "a share between 0 and 1"),
        (("--sets", "0.999"), 2, "need at least 999 images"),
        (("--prevalence", "20"), 2, "a share between 0 and 1, such as 0.02"),
        (("--subgroups", "scanner"), 1, "--subgroups scanner: there is no such column"),
        (("--unknown", "nowhere"), 1, "--unknown: no picture in nowhere can be read"),
        (("--by", "group"), 1, "needs to know what belongs together"),
        (("--sets", "0.5", "--subgroups", "scanner"), 1, "there is no such column"),
    ],
)
def test_wrong_wishes_are_sentences_and_change_nothing(
    run: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    before = tree(run)
    refused(striate_here("evaluate", run, *words), code, says)
    assert tree(run) == before


def test_a_wish_that_validation_cannot_fulfil_names_the_best_there_is(tmp_path: Path) -> None:
    """Validation labels that are all swapped: the surest are wrong, and no threshold mends that."""
    rows = ["file,label,split"]
    for number in range(120):
        split = ("train", "train", "validation", "test")[number // 2 % 4]
        ill = (number % 2 == 0) != (split == "validation")
        shade = np.full((8, 8), 200 * (number % 2) + number % 50, np.uint8)
        Image.fromarray(shade).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,{'ill' if ill else 'well'},{split}")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    train(tmp_path / "table.csv", tmp_path / "run", "--epochs", "12", "--set", "keep=last")
    refused(
        striate_here("evaluate", tmp_path / "run", "--operate", "ill: precision>=0.99"),
        2,
        "precision>=0.99 cannot be reached on the validation images: the highest precision of any threshold is",
    )
    asked = ("--abstain", "error<=0.01")
    outcome = striate_here("evaluate", tmp_path / "run", *asked)
    refused(outcome, 2, "cannot be reached on the validation images: the least error of any threshold is")
    assert not (tmp_path / "run" / "decision.json").exists()


def test_a_damaged_decision_is_a_sentence_for_every_verb(decided: Path, shapes: Path) -> None:
    path = decided / "decision.json"
    path.write_text(path.read_text().replace('"dark"', '"bright"'))
    for words in (("evaluate", decided), ("predict", decided, shapes), ("explain", decided, shapes)):
        refused(striate_here(*words), 1, "decision.json is not the file that was written")


def test_pictures_of_other_things_and_subgroups_are_judged(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for number in range(6):
        noise = np.random.default_rng(number).integers(0, 256, (16, 16)).astype(np.uint8)
        Image.fromarray(noise).save(other / f"{number}.png")
    (other / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    outcome = striate_here("evaluate", run, "--unknown", other, "--subgroups", "size", "--json")
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert found["unknown"]["images"] == 6
    assert [name for name, _ in found["unknown"]["unreadable"]] == [os.fspath(other / "broken.png")]
    assert {one["score"] for one in found["unknown"]["scores"]} == {
        "probability",
        "energy",
        "mahalanobis",
        "neighbour",
    }
    assert found["subgroups_by"] == "size"

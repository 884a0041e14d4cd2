"""What `predict` and `evaluate` cannot answer: a row, a sentence, a code."""

import csv
import json
import os
import shutil
import zipfile
from pathlib import Path

from PIL import Image

from doors import (
    picture,
    plain,
    refused,
    striate_apart,
    striate_here,
    train,
    tree,
    write_pictures,
)

# Predicting


def test_predict_what_is_missing_empty_or_unreadable_costs_its_own_row(
    tmp_path: Path, run: Path, shapes: Path
) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (tmp_path / "empty").mkdir()
    good = shapes / "dark" / "000.png"
    given = [good, tmp_path / "bad.png", tmp_path / "missing.png", tmp_path / "empty", good]
    outcome = striate_here("predict", run, *given, "--json")
    rows = [json.loads(line) for line in outcome.out.splitlines()]
    assert [row["source"] for row in rows] == [str(path) for path in given]
    assert [set(row) for row in rows] == [
        {"source", "class", "probability", "probabilities"},
        *3 * [{"source", "error"}],
        {"source", "class", "probability", "probabilities"},
    ]
    assert rows[0] == rows[4]
    assert "no pictures" in rows[3]["error"]
    assert outcome.code == 1
    plain(outcome, "3 of 5 pictures could not be read")
    for form, word in (("--csv", "no pictures"), (None, "unreadable  ")):
        outcome = striate_here("predict", run, *given, *([form] if form else []))
        assert (outcome.code, word in outcome.out) == (1, True)


def test_predict_json_and_csv_together(run: Path) -> None:
    refused(striate_here("predict", run, "a.png", "--json", "--csv"), 2, "choose one")


def test_predict_with_nothing_to_predict(run: Path) -> None:
    outcome = striate_here("predict", run)
    assert (outcome.code, outcome.out) == (2, "")
    assert "Missing argument" in outcome.err


def test_predict_a_hostile_zip(tmp_path: Path, run: Path, shapes: Path) -> None:
    with zipfile.ZipFile(tmp_path / "hostile.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("../outside.png"), (shapes / "dark" / "000.png").read_bytes())
    refused(striate_here("predict", run, tmp_path / "hostile.zip"), 1, "leads out of the archive")


def test_predict_a_name_that_is_not_utf8(tmp_path: Path, run: Path, shapes: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    shutil.copy(shapes / "dark" / "000.png", name)
    lines = striate_apart("predict", run, name, "--json")
    assert (lines.code, lines.err) == (0, "")
    assert json.loads(lines.out)["source"] == name


# Evaluating


def test_evaluate_classes_that_the_run_does_not_know(tmp_path: Path, run: Path) -> None:
    other = write_pictures(tmp_path / "other", each=3, classes=("dark", "bright"))
    for number, path in enumerate(sorted(other.rglob("*.png"))):
        Image.fromarray(picture(1, 500 + number)).save(path)
    (other / "dark").rename(other / "purple")
    before = tree(run)
    refused(
        striate_here("evaluate", run, "--data", other),
        1,
        "does not know: purple",
        "knows: bright, dark, striped",
    )
    assert tree(run) == before


def test_evaluate_images_that_were_trained_on(tmp_path: Path, run: Path, pictures: Path) -> None:
    with (run / "splits.csv").open() as file:
        rows = {(row["source"]): row["split"] for row in csv.DictReader(file)}
    other = tmp_path / "other"
    leaked = [name for name, split in rows.items() if split in {"train", "validation"}][:3]
    for name in [*leaked, *(name for name, split in rows.items() if split == "test")]:
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pictures / name, (other / name).with_name("renamed-" + Path(name).name))
    count = len(list(other.rglob("*.png")))
    before = tree(run)
    refused(
        striate_here("evaluate", run, "--data", other),
        1,
        f"3 of {count} images were trained on",
        "--leaks drop",
    )
    assert tree(run) == before
    for choice, images in (("drop", count - 3), ("accept", count)):
        out = tmp_path / choice
        outcome = striate_here("evaluate", run, "--data", other, "--leaks", choice, "--out", out, "--json")
        assert outcome.code == 0, outcome.err
        assert json.loads(outcome.out)["images"] == images
        assert "3 " in json.loads((out / "evaluation.json").read_text())["leaks"]


def test_evaluate_when_the_images_are_gone(tmp_path: Path, shapes: Path) -> None:
    train(shapes, tmp_path / "run")
    shapes.rename(tmp_path / "elsewhere")
    refused(striate_here("evaluate", tmp_path / "run"), 1, "not where they were", str(shapes), "--data")


def test_evaluate_when_an_image_has_changed(tmp_path: Path, shapes: Path) -> None:
    train(shapes, tmp_path / "run")
    Image.fromarray(picture(1, 77)).save(shapes / "dark" / "000.png")
    (shapes / "dark" / "001.png").unlink()
    outcome = striate_here("evaluate", tmp_path / "run")
    refused(outcome, 1, "1 with other pixels (dark/000.png)", "1 in the file only (dark/001.png)", "--data")
    assert "/tmp" not in outcome.err.replace(str(tmp_path), "")


def test_evaluate_unknown_choices(run: Path) -> None:
    for options in (["--split", "tset"], ["--leaks", "perhaps"]):
        outcome = striate_here("evaluate", run, *options)
        assert (outcome.code, outcome.out) == (2, "")
        assert "'refuse'" in outcome.err or "'test'" in outcome.err

"""`striate data`: looking, splitting and packing; groups and decisions carried through to the verdict."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doors import Outcome, picture, refused, striate_here, train, tree, try_to_train, write_pictures

WRITER = r"-(\d+)\.png"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Three classes of pictures by ten writers, two pictures each; the writer is the number after the dash."""
    root = tmp_path / "written"
    for kind, name in enumerate(("dark", "striped", "bright")):
        (root / name).mkdir(parents=True)
        for number in range(20):
            content = picture(kind, number)
            Image.fromarray(content).save(root / name / f"{number:03d}-{number % 10}.png")
    return root


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def straddling(table: list[dict[str, str]]) -> set[str]:
    """Groups with images in more than one split."""
    found: dict[str, set[str]] = {}
    for row in table:
        found.setdefault(row["group"], set()).add(row["split"])
    return {group for group, splits in found.items() if len(splits) > 1}


# Inspect


def test_inspect_counts_and_draws_every_class(tmp_path: Path, shapes: Path) -> None:
    (shapes / "dark" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    before = tree(shapes)
    outcome = striate_here("data", "inspect", shapes, "--out", tmp_path / "sheets")
    assert outcome.code == 0, outcome.err
    assert "24 pictures, 3 classes" in outcome.out
    assert "1 cannot be read:" in outcome.out
    assert "24  PNG grey, 8 bits, read as 1 channel uint8" in outcome.out
    assert {path.name for path in (tmp_path / "sheets").iterdir()} == {
        "1-bright.png",
        "2-dark.png",
        "3-striped.png",
    }
    with Image.open(tmp_path / "sheets" / "2-dark.png") as sheet:
        assert sheet.width > 400
    assert tree(shapes) == before


def test_inspect_as_json(shapes: Path) -> None:
    outcome = striate_here("data", "inspect", shapes, "--json", "--no-sheets", "--group-from", r"(\d)\.png")
    told = json.loads(outcome.out)
    assert (told["images"], told["classes"], told["groups"]) == (24, ["bright", "dark", "striped"], 8)
    assert told["sizes"] == {"width": [12, 12.0, 12], "height": [12, 12.0, 12]}
    assert told["kinds"] == {"PNG grey, 8 bits, read as 1 channel uint8": 24}


def test_a_class_name_is_no_path(tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "odd", each=4, classes=("dark", "striped"))
    (root / "dark").rename(root / "a:b *?")
    assert striate_here("data", "inspect", root, "--out", tmp_path / "sheets").code == 0
    assert {path.name for path in (tmp_path / "sheets").iterdir()} == {"1-a_b_.png", "2-striped.png"}


# Split


def test_split_writes_what_train_reads(tmp_path: Path, written: Path) -> None:
    out = tmp_path / "splits.csv"
    outcome = striate_here("data", "split", written, "--out", out, "--group-from", WRITER)
    assert outcome.code == 0, outcome.err
    table = rows(out)
    assert list(table[0]) == ["source", "label", "split", "digest", "group"]
    assert straddling(table) == set()
    assert f"{out}: " in outcome.out
    assert " train of " in outcome.out
    train(written, tmp_path / "run", "--splits", out)
    assert (tmp_path / "run" / "splits.csv").read_bytes() == out.read_bytes()


def test_stratified_shares_and_other_fractions(tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "set", each=20)
    out = tmp_path / "s.csv"
    striate_here("data", "split", root, "--out", out, "--stratified", "--fractions", "0.5,0.25,0.25")
    for name in ("bright", "dark", "striped"):
        members = [row["split"] for row in rows(out) if row["label"] == name]
        assert [members.count(split) for split in ("train", "validation", "test")] == [10, 5, 5]


def test_folds_test_everything_once(tmp_path: Path, written: Path) -> None:
    out = tmp_path / "cv.csv"
    outcome = striate_here("data", "split", written, "--out", out, "--folds", "3", "--group-from", WRITER)
    assert outcome.code == 0, outcome.err
    assert not out.exists()
    tables = [rows(tmp_path / f"cv-{number}.csv") for number in (1, 2, 3)]
    tested = sorted(row["source"] for table in tables for row in table if row["split"] == "test")
    assert tested == sorted(row["source"] for row in tables[0])
    assert all(straddling(table) == set() for table in tables)


def test_wrong_questions_about_splits(tmp_path: Path, written: Path) -> None:
    there = tmp_path / "there.csv"
    there.write_text("mine")
    ask = ("data", "split", written, "--out")
    refused(striate_here(*ask, there), 2, "is there already", "Choose another name")
    assert there.read_text() == "mine"
    new = tmp_path / "new.csv"
    refused(striate_here(*ask, new, "--fractions", "a,b"), 2, "expected three numbers")
    refused(striate_here(*ask, new, "--fractions", "0.5,0.5,0.5"), 2, "and 1 in all")
    refused(striate_here(*ask, new, "--folds", "1"), 2, "at least 2")
    refused(striate_here(*ask, new, "--folds", "99"), 1, "99 folds cannot be made of 60 different pictures")
    refused(striate_here(*ask, new, "--folds", "3", "--fractions", "0.6,0.2,0.2"), 2, "exclude each other")
    refused(striate_here(*ask, new, "--group", "patient"), 1, "--group-from")
    refused(striate_here(*ask, new, "--group-from", "("), 2, "no regular expression")
    refused(striate_here(*ask, new, "--group-from", "patient"), 1, "finds nothing")
    assert not new.exists()


# Pack


def test_pack_says_what_it_made_and_where(shapes: Path) -> None:
    first = striate_here("data", "pack", shapes, "--set", "size=8", "--json")
    told = json.loads(first.out)
    assert (told["images"], told["shape"], told["depth"], told["bytes"]) == (24, [8, 8, 1], "uint8", 24 * 64)
    assert (Path(told["folder"]) / "pixels.npy").is_file()
    assert "24 pictures as 8 × 8 × 1 uint8" in striate_here("data", "pack", shapes, "--set", "size=8").out
    assert "in memory only" in striate_here("data", "pack", "digits").out


# Groups


def leaky(written: Path, tmp_path: Path) -> Iterator[Outcome]:
    """A run split at random, judged after the writer was named, in the three ways there are."""
    run = tmp_path / "run"
    train(written, run)
    for choice in ("refuse", "drop", "accept"):
        yield striate_here(
            "evaluate", run, "--group-from", WRITER, "--leaks", choice, "--json", "--out", tmp_path / choice
        )


def rows_of_writers(run: Path, *splits: str) -> list[str]:
    """The writer of every image in some splits of a run."""
    found = [re.search(WRITER, row["source"]) for row in rows(run / "splits.csv") if row["split"] in splits]
    return [match[1] for match in found if match]


def test_a_random_split_is_a_leak_once_the_group_is_named(tmp_path: Path, written: Path) -> None:
    refusal, dropped, accepted = leaky(written, tmp_path)
    refused(
        refusal,
        1,
        "or others of their group were",
        "groups that were trained on",
    )
    assert "--leaks drop" in refusal.err
    told = json.loads(accepted.out)
    assert "are counted all the same" in told["leaks"]
    trained_on = set(rows_of_writers(tmp_path / "run", "train", "validation"))
    tested = rows_of_writers(tmp_path / "run", "test")
    left = sum(writer not in trained_on for writer in tested)
    if left:
        assert json.loads(dropped.out)["images"] == left
        assert "were left out" in json.loads(dropped.out)["leaks"]
    else:
        refused(dropped, 1, "No images are left to judge")
    assert "counted all the same" in (tmp_path / "accept" / "report.html").read_text()
    assert striate_here("evaluate", tmp_path / "run").code == 0


def test_a_run_trained_by_groups_keeps_them_apart_and_says_so(tmp_path: Path, written: Path) -> None:
    outcome = train(written, tmp_path / "run", "--group-from", WRITER)
    assert "10 groups are kept together" in outcome.err
    assert straddling(rows(tmp_path / "run" / "splits.csv")) == set()
    verdict = striate_here("evaluate", tmp_path / "run")
    assert verdict.code == 0, verdict.err
    assert "groups is one of the" in verdict.out


def test_other_images_of_the_same_writers_are_refused(tmp_path: Path, written: Path) -> None:
    train(written, tmp_path / "run", "--group-from", WRITER)
    trained = next(row["group"] for row in rows(tmp_path / "run" / "splits.csv") if row["split"] == "train")
    other = tmp_path / "other"
    for kind, name in enumerate(("dark", "striped", "bright")):
        (other / name).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(picture(kind, 900 + number)).save(other / name / f"{number:03d}-{trained}.png")
    refused(
        striate_here("evaluate", tmp_path / "run", "--data", other),
        1,
        "9 images of 1 group that was trained on",
    )
    renamed = tmp_path / "renamed"
    for path in other.rglob("*.png"):
        (renamed / path.parent.name).mkdir(parents=True, exist_ok=True)
        path.rename(renamed / path.parent.name / f"{path.stem.split('-')[0]}.png")
    verdict = striate_here("evaluate", tmp_path / "run", "--data", renamed)
    assert verdict.code == 0, verdict.err
    assert "whether they are of groups that were trained on is not known" in verdict.out


def test_an_audit_decodes_once_and_looks_at_64_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        path = tmp_path / "large" / ("bright" if number % 2 else "dark") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (90, 70), 20 * number).save(path)
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    assert striate_here("data", "audit", tmp_path / "large", "--out", tmp_path / "audit").code == 0
    assert striate_here("data", "inspect", tmp_path / "large", "--out", tmp_path / "seen").code == 0
    [pixels] = (tmp_path / "cache" / "packs").glob("*/pixels.npy")
    assert np.load(pixels, mmap_mode="r").shape == (12, 64, 64, 1)


def test_splits_that_tear_a_group_apart_are_noted_by_train(tmp_path: Path, written: Path) -> None:
    striate_here("data", "split", written, "--out", tmp_path / "random.csv")
    outcome = try_to_train(
        written, tmp_path / "run", "--splits", tmp_path / "random.csv", "--group-from", WRITER
    )
    assert outcome.code == 0
    assert "a group leak" in outcome.err
    refused(striate_here("evaluate", tmp_path / "run"), 1, "groups that were trained on")


# Pseudonyms


def test_a_pseudonymous_run_can_be_judged_and_names_nothing(tmp_path: Path, shapes: Path) -> None:
    train(shapes, tmp_path / "run", "--pseudonyms")
    assert striate_here("evaluate", tmp_path / "run").code == 0
    for name in ("splits.csv", "predictions.csv", "data.json"):
        assert ".png" not in (tmp_path / "run" / name).read_text()
    plain = striate_here("predict", tmp_path / "run", shapes / "dark" / "000.png", "--json")
    hidden = striate_here("predict", tmp_path / "run", shapes / "dark" / "000.png", "--json", "--pseudonyms")
    named, unnamed = json.loads(plain.out), json.loads(hidden.out)
    assert named.pop("source").endswith("000.png")
    assert unnamed.pop("source").startswith("image-")
    assert named == unnamed


# Decisions after an audit


def test_decisions_reach_the_run_and_its_verdict(tmp_path: Path, shapes: Path) -> None:
    decisions = tmp_path / "audit.csv"
    with decisions.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["finding", "severity", "source", "label", "other", "detail", "action", "new_label"])
        writer.writerow(["suspect", "warning", "dark/001.png", "dark", "", "", "drop", ""])
        writer.writerow(["suspect", "warning", "dark/002.png", "dark", "", "", "relabel", "bright"])
    outcome = train(shapes, tmp_path / "run", "--audit", decisions)
    assert "1" in outcome.err
    table = {row["source"]: row for row in rows(tmp_path / "run" / "splits.csv")}
    assert table["dark/001.png"]["split"] == "dropped"
    assert table["dark/002.png"]["label"] == "bright"
    verdict = striate_here("evaluate", tmp_path / "run")
    assert verdict.code == 0, verdict.err

"""`striate train --folds`: what is printed, what is written, corrections read back, going on, and what is refused."""

import csv
import itertools
import json
import shlex
from pathlib import Path

import pytest

from doors import Outcome, refused, striate_here, train, tree, try_to_train, write_pictures
from striate.cli.stop import StopRequest

FILES = {
    "folds.json",
    "folds.html",
    "predictions.csv",
    "review.csv",
    "review.html",
    "fold-1",
    "fold-2",
}


@pytest.fixture(scope="module")
def mistaken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 × 15 pictures, of which one dark one lies among the striped ones; to be read, never written to."""
    folder = write_pictures(tmp_path_factory.mktemp("mistaken") / "set", each=15)
    (folder / "dark" / "007.png").rename(folder / "striped" / "moved.png")
    return folder


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory, mistaken: Path) -> tuple[Path, Outcome]:
    """Two folds of them; to be read, never written to."""
    out = tmp_path_factory.mktemp("crossed") / "cv"
    return out, train(mistaken, out, "--epochs", 6, "--folds", 2)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_line_a_fold_then_the_pooled_verdict_and_the_spread(crossed: tuple[Path, Outcome]) -> None:
    out, outcome = crossed
    lines = outcome.out.splitlines()
    assert [line.split("   ")[0] for line in lines[:2]] == ["fold 1/2", "fold 2/2"]
    assert "epoch 1/" not in outcome.out
    assert "of 45 out-of-fold images are classified correctly" in outcome.out
    assert "no unbiased estimate of that variance exists" in " ".join(outcome.out.split())
    assert f"to check: {out / 'review.html'}" in outcome.out
    assert {path.name for path in out.iterdir()} >= FILES
    assert sorted({row["fold"] for row in rows_of(out / "predictions.csv")}) == ["1", "2"]


def test_a_fold_is_a_run_that_predicts(crossed: tuple[Path, Outcome], mistaken: Path) -> None:
    said = striate_here("predict", crossed[0] / "fold-1", mistaken / "dark" / "000.png", "--json")
    row = next(row for row in rows_of(crossed[0] / "predictions.csv") if row["source"] == "dark/000.png")
    answer = json.loads(said.out)
    assert answer["class"] in {"bright", "dark", "striped"}
    if row["fold"] == "1":
        assert answer["probability"] == float(row["probability"])


def test_corrections_are_read_back_by_train(
    crossed: tuple[Path, Outcome], mistaken: Path, tmp_path: Path
) -> None:
    rows = rows_of(crossed[0] / "review.csv")
    moved = next(row for row in rows if row["source"] == "striped/moved.png")
    assert (moved["label"], moved["other"], moved["action"]) == ("striped", "dark", "")
    assert moved["finding"] in {"label-suspects", "worst-errors"}
    moved |= {"action": "relabel", "new_label": moved["other"]}
    edited = tmp_path / "review.csv"
    with edited.open("w", newline="") as file:
        writer = csv.DictWriter(file, moved)
        writer.writeheader()
        writer.writerows(rows)
    train(mistaken, tmp_path / "run", "--audit", edited)
    before = {row["source"]: row["label"] for row in rows_of(crossed[0] / "fold-1" / "splits.csv")}
    after = {row["source"]: row["label"] for row in rows_of(tmp_path / "run" / "splits.csv")}
    assert {name: (before[name], label) for name, label in after.items() if label != before[name]} == {
        "striped/moved.png": ("striped", "dark")
    }


def test_json_is_one_object_a_line(mistaken: Path, tmp_path: Path) -> None:
    outcome = train(mistaken, tmp_path / "cv", "--folds", 2, "--json")
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    events = [line["event"] for line in lines if line["event"] != "note"]
    assert events == ["epoch", "fold", "epoch", "fold", "done"]
    assert [line["fold"] for line in lines if line["event"] in ("epoch", "fold")] == [1, 1, 2, 2]
    assert lines[-1]["run"] == str(tmp_path / "cv")
    assert lines[-1]["pooled"]["images"] == 45
    assert outcome.err == ""


def test_stopped_it_says_how_to_go_on_and_ends_as_if_nothing_had_been(
    crossed: tuple[Path, Outcome], mistaken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "my cv"
    steps = itertools.count()
    with monkeypatch.context() as patch:
        patch.setattr(StopRequest, "__call__", lambda _: next(steps) > 15)
        outcome = try_to_train(mistaken, out, "--epochs", 6, "--folds", 2, "--quiet")
    assert outcome.code == 130
    said, _, again = outcome.err.splitlines()[-1].partition(" Go on with: ")
    assert said.startswith("striate: Fold 2 of 2: Stopped in epoch ")
    words = shlex.split(again)
    assert words[-1] == "--resume"
    assert words[words.index("--out") + 1] == str(out)
    assert striate_here(*words[1:]) == Outcome(0, "", "")
    for number in (1, 2):
        name = Path(f"fold-{number}") / "model.safetensors"
        assert (out / name).read_bytes() == (crossed[0] / name).read_bytes()


def test_pseudonyms_are_all_that_is_written_of_names(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "cv"
    outcome = train(pictures, out, "--folds", 2, "--pseudonyms", "--group-from", r"(0\d\d)\.png")
    for path in [*out.glob("*.*"), *out.glob("fold-*/*.*")]:
        content = path.read_bytes()
        assert b"000.png" not in content, path
        assert b"dark/0" not in content, path
    assert ".png" not in outcome.out + outcome.err
    assert all(row["source"].startswith("image-") for row in rows_of(out / "predictions.csv"))
    assert all(row["group"].startswith("group-") for row in rows_of(out / "predictions.csv"))


def test_wrong_questions_get_one_sentence(shapes: Path, pictures_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "cv"
    refused(try_to_train(shapes, out, "--folds", 1), 2, "--folds 1: there must be at least 2")
    refused(
        try_to_train(shapes, out, "--folds", 9),
        1,
        "--folds 9 needs 9 different pictures of each class",
        "has 8",
    )
    splits = pictures_run / "splits.csv"
    refused(
        try_to_train(shapes, out, "--folds", 3, "--splits", splits),
        2,
        "--folds and --splits exclude each other",
    )
    assert not out.exists()
    refused(striate_here("train", shapes, "--folds", 3, "--resume"), 2, "--resume needs --out")


def test_no_folder_is_overwritten(crossed: tuple[Path, Outcome], mistaken: Path, pictures_run: Path) -> None:
    before = tree(pictures_run)
    refused(
        try_to_train(mistaken, pictures_run, "--folds", 3), 1, "holds", "not from a cross-validation", "--out"
    )
    assert {name: one for name, one in tree(pictures_run).items() if name != ".lock"} == {
        name: one for name, one in before.items() if name != ".lock"
    }
    taken = crossed[0]
    refused(try_to_train(mistaken, taken), 1, "holds a cross-validation. Choose another folder with --out")
    refused(try_to_train(mistaken, taken, "--folds", 2), 1, "holds a cross-validation already", "--resume")
    refused(
        try_to_train(mistaken, taken, "--folds", 3, "--resume"), 2, "begun with 2 folds, and 3 are asked for"
    )

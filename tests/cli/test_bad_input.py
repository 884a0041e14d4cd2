"""Sources, names and values that cannot be, through the real command line: a sentence, a code, nothing lost."""

import csv
import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest
import torch
from PIL import Image

import striate
from doors import (
    picture,
    refused,
    striate_here,
    train,
    tree,
    try_to_train,
    write_pictures,
)

# Sources


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(try_to_train(tmp_path / "empty", tmp_path / "out"), 1, "holds no pictures", "Expected")
    assert not (tmp_path / "out").exists()


def test_a_source_that_does_not_exist(tmp_path: Path) -> None:
    refused(try_to_train("digts", tmp_path / "out"), 1, "'digts' is no path", "did you mean digits?")


def test_one_class_only(tmp_path: Path) -> None:
    source = write_pictures(tmp_path / "data", each=5, classes=("dark",))
    before = tree(source)
    refused(try_to_train(source, tmp_path / "out"), 1, "one class only, 'dark'", "at least two")
    assert tree(source) == before


def test_a_class_with_a_single_picture_leaves_no_folder_behind(tmp_path: Path, shapes: Path) -> None:
    (shapes / "rare").mkdir()
    Image.fromarray(picture(0, 99)).save(shapes / "rare" / "only.png")
    before = tree(shapes)
    refused(try_to_train(shapes, tmp_path / "out"), 1, "'rare' has 1", "add pictures or leave the class out")
    assert tree(shapes) == before
    assert not (tmp_path / "out").exists()


def test_unreadable_and_other_files_are_named_and_the_counts_add_up(tmp_path: Path, shapes: Path) -> None:
    whole = (shapes / "dark" / "000.png").read_bytes()
    (shapes / "dark" / "cut.png").write_bytes(whole[:60])
    (shapes / "dark" / "words.png").write_text("no picture at all")
    (shapes / "bright" / "nothing.png").write_bytes(b"")
    (shapes / "bright" / "notes.txt").write_text("a list")
    before = tree(shapes)
    outcome = try_to_train(shapes, tmp_path / "out")
    assert outcome.code == 0, outcome.err
    for name in ("dark/cut.png: ", "dark/words.png: ", "bright/nothing.png: ", "bright/notes.txt"):
        assert name in outcome.err
    assert "3 of 27 files cannot be read" in outcome.err
    assert "Traceback" not in outcome.err
    with (tmp_path / "out" / "splits.csv").open() as file:
        splits = Counter(row["split"] for row in csv.DictReader(file))
    assert splits["unreadable"] == 3
    assert splits["train"] + splits["validation"] + splits["test"] == 24
    counts = json.loads((tmp_path / "out" / "data.json").read_text())["counts"]
    assert {split: sum(each.values()) for split, each in counts.items()} == {
        split: splits[split] for split in ("train", "validation", "test")
    }
    assert tree(shapes) == before


@pytest.mark.parametrize("name", ["../outside.png", "dark/../../outside.png", "/absolute.png"])
def test_a_zip_whose_names_lead_out_of_it(tmp_path: Path, shapes: Path, name: str) -> None:
    path = tmp_path / "hostile.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(shapes / "dark" / "000.png", "dark/000.png")
        archive.writestr(zipfile.ZipInfo(name), (shapes / "dark" / "001.png").read_bytes())
    before = tree(tmp_path)
    refused(try_to_train(path, tmp_path / "out"), 1, "leads out of the archive", repr(name))
    assert tree(tmp_path) == before


def test_a_zip_that_is_cut_short(tmp_path: Path, shapes: Path) -> None:
    path = tmp_path / "cut.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(shapes / "dark" / "000.png", "dark/000.png")
    path.write_bytes(path.read_bytes()[:-30])
    refused(try_to_train(path, tmp_path / "out"), 1, "cut.zip")


# Names and values


def test_an_unknown_model_suggests_the_nearest(tmp_path: Path) -> None:
    refused(
        striate_here("train", "digits", "--model", "lenet", "--out", tmp_path / "out"),
        2,
        "did you mean lenet5?",
    )
    refused(striate_here("models", "compakt"), 2, "did you mean compact?")
    assert not (tmp_path / "out").exists()


def test_an_unknown_recipe_field_suggests_the_nearest(tmp_path: Path) -> None:
    refused(try_to_train("digits", tmp_path / "out", "--set", "batchsize=3"), 2, "did you mean batch_size?")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("batch_size=many", "Recipe field batch_size = 'many'"),
        ("learning_rate=-1", "greater than 0"),
        ("learning_rate=nan", "finite"),
        ("dropout=1.5", "less than 1"),
        ("optimiser=adamm", "'sgd', 'adam', 'adamw' or 'muon'"),
        ("batch_size", "expected field=value"),
        ("=3", "expected field=value"),
    ],
)
def test_a_wrong_value(tmp_path: Path, setting: str, words: str) -> None:
    refused(try_to_train("digits", tmp_path / "out", "--set", setting), 2, words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", [["--epochs", "0"], ["--seed", "-1"]])
def test_a_wrong_number(tmp_path: Path, options: list[str]) -> None:
    refused(striate_here("train", "digits", *options, "--out", tmp_path / "out"), 2, options[0].strip("-"))


def test_a_number_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    outcome = striate_here("train", "digits", "--epochs", "three", "--out", tmp_path / "out")
    assert (outcome.code, outcome.out) == (2, "")
    assert "valid integer" in outcome.err


@pytest.mark.parametrize("text", ["28", "1x28", "0x28x28", "1x28x28x1", "axbxc", ""])
def test_a_wrong_input_shape(text: str) -> None:
    refused(striate_here("models", "lenet5", "--input", text), 2, "for example 3x32x32")


@pytest.mark.parametrize("options", [["--input", "1x2x2"], ["--classes", "1"], ["--classes", "0"]])
def test_a_network_that_cannot_be(options: list[str]) -> None:
    refused(
        striate_here("models", "lenet5", *options),
        2,
        "at least 2 classes" if "--classes" in options else "2 × 2",
    )


def test_a_network_that_no_memory_holds_can_be_looked_at() -> None:
    outcome = striate_here("models", "mlp", "--input", "3x400000x400000")
    assert (outcome.code, outcome.err) == (0, "")
    assert "245,760,000,268,298 parameters" in outcome.out


def test_memory_that_ends_in_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        torch.empty(2**50)

    monkeypatch.setattr(striate, "summarize", full)
    refused(striate_here("models", "mlp"), 1, "not enough memory", "batch_size")


def test_memory_that_ends_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(striate, "summarize", full)
    refused(striate_here("models", "mlp"), 1, "not enough memory", "batch_size")


def test_a_recipe_that_the_model_refuses_can_be_put_right_in_the_same_folder(
    tmp_path: Path, shapes: Path
) -> None:
    wrong = [
        "train",
        shapes,
        "--out",
        tmp_path / "out",
        "--model",
        "lenet5",
        "--epochs",
        1,
        "--set",
        "size=28",
    ]
    refused(striate_here(*wrong, "--set", "dropout=0.5"), 2, "lenet5 has no dropout")
    assert striate_here(*wrong).code == 0


def test_a_loss_that_explodes_stops_the_run_which_can_be_put_right_in_the_same_folder(tmp_path: Path) -> None:
    wrong = ["--set", "optimiser=sgd", "--set", "learning_rate=1e30"]
    refused(try_to_train("digits", tmp_path / "out", *wrong), 1, "epoch 1, step", "digits/", "learning_rate")
    assert not (tmp_path / "out" / "model.safetensors").exists()
    train("digits", tmp_path / "out")

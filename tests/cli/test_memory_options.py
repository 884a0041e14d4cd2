"""`--max-memory` and `--tune`."""

import json
from pathlib import Path

import pytest

import striate
from doors import QUICK, refused, striate_here, try_to_train
from striate.cli.quantities import gibibytes


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GB", 2e9), ("2gb", 2e9), ("512MB", 512e6), ("1.5GiB", 1.5 * 2**30), ("3 T", 3e12), ("64kib", 2**16)],
)
def test_sizes_are_read(text: str, size: float) -> None:
    assert gibibytes(text) * 2**30 == pytest.approx(size)


@pytest.mark.parametrize("text", ["", "2", "GB", "-2GB", "0MB", "2XB", "two GB", "1e3GB", "2GB!", "½GB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(striate.UsageError) as caught:
        gibibytes(text)
    assert str(caught.value) == (
        f"--max-memory {text}: expected a number above 0 and a unit, such as 512MB, 2GB or 1.5GiB."
    )


def test_the_limit_is_in_the_recipe_of_the_run(tmp_path: Path) -> None:
    assert try_to_train("digits", tmp_path / "run", "--max-memory", "32GB").code == 0
    recipe = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert recipe["max_memory"] == pytest.approx(32e9 / 2**30)
    assert (recipe["accumulate"], recipe["recompute"]) == (1, False)


def test_too_little_is_one_sentence(tmp_path: Path) -> None:
    outcome = try_to_train("digits", tmp_path / "run", "--max-memory", "1MB")
    refused(outcome, 1, "Training mlp needs ", "max_memory=0.000931323 GiB leaves", "Try smaller images")
    assert not (tmp_path / "run").exists()
    refused(
        try_to_train("digits", tmp_path / "run", "--max-memory", "1"), 2, "--max-memory 1: expected a number"
    )


def test_folds_are_not_tuned() -> None:
    refused(striate_here("train", "digits", "--folds", 2, "--tune", *QUICK), 2, "exclude each other")

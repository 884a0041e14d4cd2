"""predictions.csv reads back to the same bits, whatever the names."""

import csv
from pathlib import Path

import numpy as np
import pytest

from striate.evaluation import write_predictions

NASTY = ['a,"b".png', "line\nbreak.png", "\u202egpj.exe", "", "byte\udcff.png", "=1+1"]


def read(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_and_names_read_back(tmp_path: Path, dtype: type) -> None:
    generator = np.random.default_rng(1)
    probabilities = generator.dirichlet([0.01] * 3, len(NASTY)).astype(dtype)
    path = tmp_path / "predictions.csv"
    assert write_predictions(path, iter(NASTY), iter(NASTY), iter(NASTY), iter(probabilities), NASTY[:3]) == 6
    header, *rows = read(path)
    assert header == ["source", "truth", "prediction", "probability", *(f"p:{name}" for name in NASTY[:3])]
    assert [row[0] for row in rows] == [row[1] for row in rows] == [row[2] for row in rows] == NASTY
    assert (np.array([row[4:] for row in rows]).astype(dtype) == probabilities).all()
    assert (np.array([row[3] for row in rows]).astype(dtype) == probabilities.max(axis=1)).all()


def test_float32_is_short_and_unknown_truth_empty(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    write_predictions(path, ["x.png"], None, ["owl"], np.array([[0.1, 0.9]], np.float32), ["cat", "owl"])
    assert read(path)[1] == ["x.png", "", "owl", "0.9", "0.1", "0.9"]


def test_unequal_lengths_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        write_predictions(
            tmp_path / "p.csv", ["x", "y"], None, ["owl"], np.array([[0.1, 0.9]]), ["cat", "owl"]
        )

"""Promise 5: through every door the same picture gets the same probabilities, to the last bit."""

import csv
import json
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import striate
from doors import striate_apart, striate_here, zipped
from striate import Classifier

CLASSES = list("0123456789")
Table = dict[str, list[float]]


@pytest.fixture(scope="module")
def run(digits_run: Path) -> Path:
    return digits_run


@pytest.fixture(scope="module")
def test_pictures(
    tmp_path_factory: pytest.TempPathFactory, run: Path
) -> tuple[Path, dict[str, np.ndarray], Table]:
    """The run's test images as files and as arrays, and what `evaluate` says of them."""
    root = tmp_path_factory.mktemp("doors")
    outcome = striate_here("evaluate", run, "--out", root / "verdict", "--quiet")
    assert outcome.code == 0, outcome.err
    with (root / "verdict" / "predictions.csv").open() as file:
        told = {row["source"]: [float(row[f"p:{name}"]) for name in CLASSES] for row in csv.DictReader(file)}
    values, labels = load_digits(return_X_y=True)
    pixels = np.rint(values.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    arrays = {}
    for name in told:
        row = int(name.removeprefix("digits/")) - 1
        path = root / "files" / str(labels[row]) / f"{row + 1:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[row]).save(path)
        arrays[name] = pixels[row]
    assert len(arrays) > 200
    return root / "files", arrays, told


def key(source: str) -> str:
    return f"digits/{Path(source).stem}"


def from_json(text: str) -> Table:
    rows = [json.loads(line) for line in text.splitlines()]
    return {key(row["source"]): [row["probabilities"][name] for name in CLASSES] for row in rows}


def test_arrays_in_python(run: Path, test_pictures: tuple[Path, dict[str, np.ndarray], Table]) -> None:
    _, arrays, told = test_pictures
    classifier = Classifier.load(run)
    chances = classifier.predict_proba(np.stack(list(arrays.values())))
    assert dict(zip(arrays, chances.tolist(), strict=True)) == told


def test_a_table_in_python(run: Path, test_pictures: tuple[Path, dict[str, np.ndarray], Table]) -> None:
    folder, _, told = test_pictures
    images = striate.load_images(folder)
    chances = Classifier.load(run).predict_proba(images)
    assert dict(zip(map(key, images.names), chances.tolist(), strict=True)) == told


def test_one_at_a_time_and_in_another_order(
    run: Path, test_pictures: tuple[Path, dict[str, np.ndarray], Table]
) -> None:
    folder, arrays, told = test_pictures
    classifier = Classifier.load(run)
    paths = sorted(folder.rglob("*.png"))
    random.Random(5).shuffle(paths)
    mixed = {key(answer.source): answer for answer in classifier.answers(paths)}
    assert [key(str(path)) for path in paths] == list(mixed)
    assert {name: list(answer.probabilities.values()) for name, answer in mixed.items()} == told
    for path in paths[:40]:
        by_file, by_bytes = classifier.predict_one(path), classifier.predict_one(path.read_bytes())
        by_array = classifier.predict_one(arrays[key(str(path))])
        for answer in (by_file, by_bytes, by_array):
            assert list(answer.probabilities.values()) == told[key(str(path))]
            assert answer.label == mixed[key(str(path))].label


def test_the_command_line_from_a_folder_as_json_in_a_process_of_its_own(
    run: Path, test_pictures: tuple[Path, dict[str, np.ndarray], Table]
) -> None:
    folder, _, told = test_pictures
    outcome = striate_apart("predict", run, folder, "--json")
    assert outcome.code == 0, outcome.err
    assert from_json(outcome.out) == told


def test_the_command_line_from_a_zip_as_csv_and_json(
    tmp_path: Path, run: Path, test_pictures: tuple[Path, dict[str, np.ndarray], Table]
) -> None:
    folder, _, told = test_pictures
    archive = zipped(folder, tmp_path / "pictures.zip")
    table = striate_here("predict", run, archive, "--csv")
    assert table.code == 0, table.err
    rows = list(csv.DictReader(table.out.splitlines()))
    assert {key(row["source"]): [float(row[f"p:{name}"]) for name in CLASSES] for row in rows} == told
    assert from_json(striate_here("predict", run, archive, "--json").out) == told


def test_evaluate_on_files_writes_what_it_wrote_on_its_own_split(
    tmp_path: Path, run: Path, test_pictures: tuple[Path, dict[str, np.ndarray], Table]
) -> None:
    folder, _, told = test_pictures
    outcome = striate_here("evaluate", run, "--data", folder, "--out", tmp_path / "verdict", "--quiet")
    assert outcome.code == 0, outcome.err
    with (tmp_path / "verdict" / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {key(row["source"]): [float(row[f"p:{name}"]) for name in CLASSES] for row in rows} == told

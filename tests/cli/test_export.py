"""`striate export`: the file and what is said of it, and everything that stops it, in one plain sentence."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from doors import Outcome, plain, refused, striate_apart, striate_here, train, write_pictures


@pytest.fixture(scope="module")
def exported(pictures_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    run = Path(shutil.copytree(pictures_run, tmp_path_factory.mktemp("exported") / "run"))
    outcome = striate_here("export", run, "--to", "torch")
    assert outcome.code == 0, outcome.err
    return run, outcome.out


def test_the_file_stands_in_the_run_and_the_table_on_the_terminal(exported: tuple[Path, str]) -> None:
    run, out = exported
    assert {"model.pt2", "model.pt2.parity.json"} <= {path.name for path in run.iterdir()}
    assert f"{run / 'model.pt2'}: {(run / 'model.pt2').stat().st_size:,} bytes, one file" in out
    report = json.loads((run / "model.pt2.parity.json").read_text())
    assert f"parity on {report['images']} pictures:" in out
    for row in (
        "largest difference of a probability",
        "same class",
        "prepared pictures, relative",
        "sizes",
        "pixels",
    ):
        assert f"\n  {row}" in out
    assert "12×12" in out


def test_a_run_with_a_file_in_it_still_loads(exported: tuple[Path, str], pictures: Path) -> None:
    assert striate_here("predict", exported[0], pictures).code == 0


@pytest.fixture(scope="module")
def apart(pictures_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """An ONNX file made in a process of its own, where nothing catches what torch and onnxruntime print."""
    path = tmp_path_factory.mktemp("apart") / "a.onnx"
    return path, striate_apart("export", pictures_run, "--out", path, "--quantise", "--json")


def test_the_onnx_file_and_one_json_object(apart: tuple[Path, Outcome]) -> None:
    path, outcome = apart
    assert (outcome.code, outcome.err) == (0, "")
    report = json.loads(outcome.out)
    assert report["passed"] is True
    assert report["file"] == "a.onnx"
    assert report["quantised"]["file"] == "a.int8.onnx"
    assert sorted(one.name for one in path.parent.iterdir()) == [
        "a.int8.onnx",
        "a.onnx",
        "a.onnx.parity.json",
    ]


def test_the_example_of_the_guide_needs_neither_torch_nor_striate(
    apart: tuple[Path, Outcome], pictures_run: Path, pictures: Path
) -> None:
    """docs/exporting.md says how a file is used with Pillow, numpy and onnxruntime alone: that very code is run."""
    text = (Path(__file__).parents[2] / "docs" / "exporting.md").read_text(encoding="utf8")
    code = text.partition("```python\n")[2].partition("```")[0]
    picture = min(pictures.rglob("*.png"))
    code = code.replace("runs/first/model.onnx", str(apart[0])).replace("photo.png", str(picture))
    code += "\nimport sys\nassert not {'torch', 'striate'} & set(sys.modules)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    known = json.loads(striate_here("predict", pictures_run, picture, "--json").out)
    name, _, probability = done.stdout.strip().rpartition(" ")
    assert name == known["class"]
    assert np.isclose(float(probability), known["probability"], atol=1e-5)


def test_not_a_run(tmp_path: Path) -> None:
    refused(striate_here("export", tmp_path), 1, "is not a run folder")
    refused(striate_here("export", tmp_path / "none"), 1, "there is no such folder")


def test_an_unknown_kind(run: Path) -> None:
    refused(striate_here("export", run, "--to", "tensorrt"), 2, "--to tensorrt: ", "Allowed: onnx, torch.")


def test_a_place_that_cannot_be_written(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    outcome = striate_here("export", run, "--to", "torch", "--out", tmp_path / "file" / "a.pt2")
    refused(outcome, 1, "a file stands where a folder is needed")


def test_images_that_are_not_where_they_were(tmp_path: Path) -> None:
    images, folder = write_pictures(tmp_path / "data", each=8), tmp_path / "run"
    train(images, folder)
    images.rename(tmp_path / "moved")
    refused(striate_here("export", folder), 1, "not where they were", "Give labelled images with --data.")
    assert not list(folder.glob("model.onnx*"))
    outcome = striate_here("export", folder, "--to", "torch", "--data", tmp_path / "moved")
    assert outcome.code == 0, outcome.err


def test_an_empty_place(run: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    outcome = striate_here("export", run, "--data", tmp_path / "empty")
    plain(outcome)
    assert outcome.code == 1

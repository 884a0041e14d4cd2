"""One picture, one tensor, one answer: validation loader, Python, command line, HTTP by torch and by onnxruntime."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from mixed import write_mixed
from serving_kit import client
from starlette.testclient import TestClient

import striate
from doors import picture, striate_here
from striate.data import build_pack, load_images
from striate.data.batches import to_input
from striate.export.onnx_file import onnx_answers
from striate.pixels.raw import raw_values
from striate.pixels.reading import read_picture

AT_ONCE = 50


def in_loader(folder: Path, classifier: striate.Classifier) -> dict[str, str]:
    """Digests of what the loader of evaluation gives the network of every picture, by name."""
    preparation = classifier.preparation_
    images = load_images(folder)
    pack = build_pack(images.source, preparation)
    images = images.with_pack(pack)
    found = {}
    for start in range(0, len(images), 16):
        rows = images.rows[start : start + 16]
        inputs = to_input(np.stack([pack.pixels[row] for row in rows]), preparation).numpy()
        for row, values in zip(rows.tolist(), inputs, strict=True):
            found[images.source.names[row]] = hashlib.sha256(
                np.ascontiguousarray(values).tobytes()
            ).hexdigest()
    return found


def over_http(service: TestClient, files: list[Path]) -> list[dict]:
    answers = []
    for start in range(0, len(files), AT_ONCE):
        parts = [("file", (path.name, path.read_bytes())) for path in files[start : start + AT_ONCE]]
        answers += service.post("/predict", params={"digests": True}, files=parts).json()["answers"]
    return answers


def chances(answers: list[dict]) -> np.ndarray:
    return np.array([list(one["probabilities"].values()) for one in answers])


@pytest.fixture(scope="module")
def float_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that takes every mode and depth: it was trained on floating-point pictures."""
    pixels = np.stack([picture(number % 3, number) for number in range(60)])[..., None].repeat(3, axis=3)
    recipe = striate.Recipe(model="compact", epochs=1, batch_size=16)
    fitted = striate.Classifier(recipe).fit((pixels / 255).astype(np.float32), ["a", "b", "c"] * 20)
    folder = tmp_path_factory.mktemp("floats") / "run"
    fitted.save(folder)
    return folder


@pytest.fixture(params=["8 bits", "floating point"])
def run(request: pytest.FixtureRequest, pictures_run: Path, float_run: Path) -> tuple[Path, bool]:
    """A run, and whether it takes floating-point pictures."""
    return (float_run, True) if request.param == "floating point" else (pictures_run, False)


@pytest.mark.parametrize("count", [90, pytest.param(1000, marks=pytest.mark.slow)])
def test_the_same_tensor_and_answer_everywhere(tmp_path: Path, run: tuple[Path, bool], count: int) -> None:
    """The digest is one at every door; ONNX lies within 1e-5, and no class differs."""
    folder, floats = run
    files = write_mixed(tmp_path / "mixed", count, floats=floats)
    classifier = striate.Classifier.load(folder)
    by_line = striate_here("predict", folder, *files, "--json", "--digests")
    assert by_line.code == 0, by_line.err
    line = [json.loads(text) for text in by_line.out.splitlines()]
    in_python = list(classifier.answers(files, digests=True))
    responder = classifier.responder("onnxruntime")
    prepared = [responder.prepare(path.read_bytes()) for path in files]
    with client(folder, engine="torch") as service:
        by_torch = over_http(service, files)
    with client(folder, engine="onnxruntime") as service:
        by_onnx = over_http(service, files)

    digests = [responder.digest(pixels) for pixels in prepared]
    assert len(set(digests)) > 0.9 * count
    loader = in_loader(tmp_path / "mixed", classifier)
    assert [loader[f"{path.parent.name}/{path.name}"] for path in files] == digests
    for answers in (line, by_torch, by_onnx):
        assert [one["digest"] for one in answers] == digests
    assert [one.digest for one in in_python] == digests

    known = np.array([list((one.probabilities or {}).values()) for one in in_python])
    assert np.abs(chances(line) - known).max() == 0
    assert np.abs(chances(by_torch) - known).max() <= 1e-6
    assert np.abs(chances(by_onnx) - known).max() <= 1e-5
    for answers in (line, by_torch, by_onnx):
        assert [one["class"] for one in answers] == [one.said for one in in_python]


def test_the_exported_file_prepares_the_same(tmp_path: Path, float_run: Path) -> None:
    files = write_mixed(tmp_path / "mixed", 60, floats=True)
    classifier = striate.Classifier.load(float_run)
    classifier.export(tmp_path / "model.onnx", np.zeros((2, 12, 12, 3), np.uint8))
    ask, responder = onnx_answers(tmp_path / "model.onnx"), classifier.responder("torch")
    scale, offset = classifier.preparation_.affine()
    for path in files:
        values, full_scale = raw_values(read_picture(path.read_bytes()), classifier.preparation_)
        known = (responder.prepare(path) * scale + offset).transpose(2, 0, 1)
        found = ask(values[None], full_scale).prepared[0]
        assert np.abs(found - known).max() <= 1e-5 * np.abs(known).max()

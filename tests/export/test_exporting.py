"""`Classifier.export`: the user's own pictures, of every mode a file may have, and what stops an export."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from torch import Tensor, nn

import striate
from striate import Classifier, ModelError, Recipe, SourceError, StriateError, UsageError
from striate.classifier import exporting
from striate.classifier.exporting import paired_rates
from striate.evaluation.comparing.differences import Ground
from striate.export.parity import Answers
from striate.files import sha256_of

MODES = ("L", "RGB", "RGBA", "P", "1", "I;16", "LA")


def write_modes(root: Path) -> Path:
    """Two classes of pictures of every mode of PNG, JPEG and TIFF, in sizes of their own, some turned by EXIF."""
    generator = np.random.default_rng(3)
    for number in range(28):
        mode, folder = MODES[number % len(MODES)], root / ("bright", "dark")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        height, width = generator.integers(5, 60, 2)
        colour = Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8))
        if mode == "I;16":
            deep = Image.fromarray(generator.integers(0, 65536, (height, width), dtype=np.uint16))
            deep.save(folder / f"{number:03d}.{('png', 'tif')[number % 2]}")
            continue
        colour.convert(mode).save(folder / f"{number:03d}.png")
        turned = Image.Exif()
        turned[0x0112] = 6
        colour.save(folder / f"{number:03d}t.jpg", exif=turned, quality=90)
    return root


@pytest.fixture(scope="module")
def made(
    pictures_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Classifier, exporting.Exported]:
    folder = tmp_path_factory.mktemp("export")
    classifier = Classifier.load(pictures_run)
    classifier.decide(operate=("sensitivity>=0.5",), positive="dark")
    modes = write_modes(folder / "modes")
    return classifier, classifier.export(folder / "shapes.onnx", modes, quantise=True)


def test_pictures_of_every_mode(made: tuple[Classifier, exporting.Exported]) -> None:
    parity = made[1].parity
    assert parity.images == parity.agreed == 52
    assert parity.probability < 1e-5
    assert parity.prepared < 1e-5
    assert set(parity.modes) >= {"uint8, 1 channel", "uint8, 3 channels", "uint16, 1 channel"}
    assert len(parity.sizes) > 20


def test_the_report_beside_the_file(made: tuple[Classifier, exporting.Exported]) -> None:
    _, exported = made
    report = json.loads(exported.report.read_text())
    assert exported.report.name == "shapes.onnx.parity.json"
    assert report == exported.to_dict()
    assert report["sha256"] == sha256_of(exported.path)
    assert report["passed"] is True
    assert report["images"] == 52


def test_eight_bits_and_their_cost(made: tuple[Classifier, exporting.Exported]) -> None:
    found = made[1].quantised
    assert found is not None
    assert found.path.name == "shapes.int8.onnx"
    assert found.path.stat().st_size == found.bytes < 0.5 * found.full_bytes
    assert found.difference.n == found.accuracy.n == 52
    low, value, high = found.difference.low, found.difference.value, found.difference.high
    assert low is not None
    assert value is not None
    assert high is not None
    assert low <= value <= high
    assert low < high
    assert 0 < found.probability < 0.5
    held = {entry.key for entry in onnx.load(str(found.path)).metadata_props}
    assert {"classes", "notice", "model_sha256"} <= held


def test_the_metadata(made: tuple[Classifier, exporting.Exported], pictures_run: Path) -> None:
    classifier, exported = made
    said = {entry.key: entry.value for entry in onnx.load(str(exported.path)).metadata_props}
    assert json.loads(said["classes"]) == ["bright", "dark", "striped"]
    assert striate.Preparation(**json.loads(said["preparation"])) == classifier.preparation_
    assert said["model_sha256"] == sha256_of(pictures_run / "model.safetensors")
    [point] = json.loads(said["decision"])["operating"]
    assert point["positive"] == "dark"
    assert "0..255" not in said["inputs"]
    assert "255 where it is left out" in json.loads(said["inputs"])["full_scale"]
    assert str(pictures_run) not in str(said)


def test_a_torch_archive_on_the_runs_own_test_images(pictures_run: Path, tmp_path: Path) -> None:
    classifier = Classifier.load(pictures_run)
    exported = classifier.export(tmp_path / "new" / "shapes.pt2", to="torch")
    assert exported.parity.images == classifier.evaluate().accuracy.n
    assert exported.parity.probability < 1e-6
    about = {"striate.json": ""}
    program = torch.export.load(tmp_path / "new" / "shapes.pt2", extra_files=about)
    assert json.loads(about["striate.json"])["classes"] == ["bright", "dark", "striped"]
    said, _, prepared = program.module()(torch.zeros(3, 100, 40, 3), torch.tensor(255.0))
    assert said.shape == (3, 3)
    assert prepared.shape == (3, 1, 12, 12)


def lying(_path: Path) -> Any:
    def ask(pixels: np.ndarray, full: float) -> Answers:
        return Answers(np.full((len(pixels), 3), 1 / 3), np.zeros((len(pixels), 1, 12, 12), np.float32))

    return ask


def test_a_file_that_says_something_else_is_not_kept(
    pictures_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "write", lambda _classifier, path, _to: path.write_bytes(b"a file"))
    monkeypatch.setattr(exporting, "onnx_answers", lying)
    path = tmp_path / "shapes.onnx"
    with pytest.raises(StriateError) as raised:
        Classifier.load(pictures_run).export(path)
    words = str(raised.value)
    assert words.startswith(f"{path} was not written, because it would not say what the run says: ")
    assert "pictures differ by more than 1e-04: " in words
    assert ".png (" in words
    assert raised.value.exit_code == 1
    assert [one.name for one in tmp_path.iterdir()] == ["shapes.onnx.parity.json"]
    report = json.loads((tmp_path / "shapes.onnx.parity.json").read_text())
    assert report["passed"] is False
    assert report["apart"][0]["image"].endswith(".png")


def test_what_stood_there_stays(pictures_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "write", lambda _classifier, path, _to: path.write_bytes(b"a file"))
    monkeypatch.setattr(exporting, "onnx_answers", lying)
    path = tmp_path / "shapes.onnx"
    path.write_bytes(b"older")
    with pytest.raises(StriateError, match="was not written"):
        Classifier.load(pictures_run).export(path)
    assert path.read_bytes() == b"older"


class Choosing(nn.Module):
    """A forward that takes other steps for other pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        return self.fc(x) if float(x.mean()) > 0 else self.fc(-x)


class Mine(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.fc = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(4 * 64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.relu(self.first(x)).reshape(x.size(0), -1))


def fitted(network: nn.Module) -> tuple[Classifier, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    X = (X.reshape(-1, 8, 8) * 15).astype(np.uint8)
    recipe = Recipe(epochs=1, batch_size=64, views="flip")
    return Classifier(recipe, network=network).fit(X[:300], y[:300]), X[300:340]


def test_a_network_of_ones_own_on_arrays_without_labels(tmp_path: Path) -> None:
    classifier, X = fitted(Mine())
    exported = classifier.export(tmp_path / "mine.pt2", X, to="torch")
    assert exported.parity.agreed == 40
    assert exported.parity.probability < 1e-6


def test_a_network_that_cannot_be_followed_is_refused(tmp_path: Path) -> None:
    classifier, X = fitted(Choosing())
    with pytest.raises(ModelError) as raised:
        classifier.export(tmp_path / "mine.onnx", X)
    assert str(raised.value).startswith("The network cannot be exported: torch.export cannot follow it (")
    assert str(raised.value).endswith(
        "Its forward must take the same steps for every picture and for any number of pictures."
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("a.onnx", {"to": "onxx"}, "--to onxx: did you mean onnx? Allowed: onnx, torch."),
        ("a.pt", {}, "a.pt does not end in .onnx, as a file for --to onnx does."),
        ("a.onnx", {"to": "torch"}, "a.onnx does not end in .pt2, as a file for --to torch does."),
        ("a.pt2", {"to": "torch", "quantise": True}, "--quantise makes an ONNX file of 8-bit weights: add --to onnx."),
        ("folder.onnx", {}, "folder.onnx is a folder: give the name of a file, such as "),
        ("a.onnx", {"X": np.zeros((2, 12, 12), np.uint8), "quantise": True}, "needs y: one label for each image."),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for(
    pictures_run: Path, tmp_path: Path, name: str, options: dict[str, Any], words: str
) -> None:
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(UsageError) as raised:
        Classifier.load(pictures_run).export(tmp_path / name, **options)
    assert words in str(raised.value)
    assert [one.name for one in tmp_path.iterdir()] == ["folder.onnx"]


def test_classes_that_the_run_does_not_know_cannot_be_counted(pictures_run: Path, tmp_path: Path) -> None:
    for number, name in enumerate(("dark", "owl")):
        (tmp_path / "data" / name).mkdir(parents=True)
        Image.new("L", (9, 9), number).save(tmp_path / "data" / name / "a.png")
    with pytest.raises(SourceError, match="classes that this run does not know: owl"):
        Classifier.load(pictures_run).export(tmp_path / "a.onnx", tmp_path / "data", quantise=True)


@pytest.mark.parametrize("missing", ["onnx", "onnxscript", "onnxruntime"])
def test_a_package_that_is_missing(
    pictures_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, missing, None)
    with pytest.raises(StriateError) as raised:
        Classifier.load(pictures_run).export(tmp_path / "a.onnx")
    assert str(raised.value) == (
        f"ONNX files need onnx, onnxscript, onnxruntime, and {missing} is not installed: pip install 'striate[onnx]'"
    )


def test_a_difference_of_groups_is_wider_than_that_of_images() -> None:
    truth = np.zeros(60, np.int64)
    before = np.ones(60, bool)
    after = before.copy()
    after[:10] = False
    alone = paired_rates(Ground(truth, ("a", "b"), None, 0), before, after)
    groups = np.repeat(np.arange(6), 10)
    together = paired_rates(Ground(truth, ("a", "b"), groups, 0), before, after)
    assert alone[2].value == together[2].value == pytest.approx(-10 / 60)
    assert (together[2].high or 0) - (together[2].low or 0) > (alone[2].high or 0) - (alone[2].low or 0)


def test_before_fit(tmp_path: Path) -> None:
    with pytest.raises(NotFittedError, match="call fit"):
        Classifier().export(tmp_path / "a.onnx")

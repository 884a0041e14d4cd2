"""An ONNX file answers as the predictor does, picture by picture, whatever the picture's size, depth and channels."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from exported_kit import CLASSES, Case, case, examples, mixed

from striate.evaluation.decisions.calibration import Temperature, VectorScaling
from striate.export.parity import compare
from striate.models import create_model, model_names
from striate.pixels import Preparation

SHARED = {"mean": (0.4,), "std": (0.3,)}
COLOUR = {"mean": (0.4, 0.5, 0.6), "std": (0.3, 0.2, 0.1)}
VECTOR = VectorScaling(np.array([1.5, 0.5, 1.0, 2.0, 1.0]), np.array([0.3, -0.3, 0.0, 0.1, -0.1]))
CASES = {
    "uint8": (
        Preparation(height=28, width=28, channels=1, depth="uint8", **SHARED),
        {"model": "lenet5", "calibration": Temperature(0.4)},
    ),
    "uint16": (
        Preparation(height=32, width=40, channels=3, depth="uint16", patch=(28, 32), **COLOUR),
        {"model": "compact", "views": "ten", "calibration": VECTOR},
    ),
    "float32": (
        Preparation(height=20, width=16, channels=1, depth="float32", fit="stretch", **SHARED),
        {"model": "mlp", "views": "flip", "calibration": Temperature(2.5)},
    ),
    "windowed": (
        Preparation(height=32, width=32, channels=1, depth="uint16", window="lung", **SHARED),
        {"model": "resnet20"},
    ),
    "int16": (
        Preparation(height=9, width=14, channels=3, depth="int16", mean=(0.01,) * 3, std=(0.02,) * 3),
        {"model": "mlp"},
    ),
}
EACH = 200
"""Pictures of each kind: a thousand in all."""


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=pytest.mark.slow if kind in ("uint16", "windowed") else ()) for kind in CASES],
)
def test_an_exported_file(kind: str, tmp_path: Path) -> None:
    """One export, which takes seconds, and everything that must hold of it."""
    preparation, options = CASES[kind]
    one = case(tmp_path, preparation, **options)
    two_hundred_mixed_pictures_agree(kind, one)
    the_module_prepares_whole_values_to_the_last_bit(kind, one)
    it_is_whole_and_says_what_it_is(one)
    nothing_of_the_machine_that_made_it_is_in_it(one)
    the_full_scale_may_be_left_out(kind, one)
    every_batch_size_says_the_same(kind, one)
    what_the_run_refuses_is_not_a_number(kind, one)


def two_hundred_mixed_pictures_agree(kind: str, one: Case) -> None:
    parity, said = compare(one.ask, examples(one.predictor, mixed(kind, EACH)))
    assert parity.images == parity.agreed == EACH
    assert parity.prepared < 1e-5
    assert parity.probability < 1e-5
    assert parity.passed
    assert said.std(axis=0).max() > 1e-3, "answers that hardly vary would prove nothing"
    assert max(map(int, parity.batches)) > 1


def the_module_prepares_whole_values_to_the_last_bit(kind: str, one: Case) -> None:
    for example in examples(one.predictor, mixed(kind, 60, seed=1)):
        pixels, full = torch.from_numpy(example.pixels)[None], torch.tensor(example.full_scale)
        with torch.inference_mode():
            found = one.answering.preparing(pixels, full)[0].numpy()
        if kind == "float32":  # nothing is rounded, and sums are made in another order
            assert np.abs(found - example.prepared).max() <= 4e-7 * np.abs(example.prepared).max()
        else:
            assert np.array_equal(found, example.prepared)


def it_is_whole_and_says_what_it_is(one: Case) -> None:
    assert [path.name for path in one.path.parent.iterdir()] == [one.path.name]
    model = onnx.load(str(one.path), load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert not [tensor for tensor in model.graph.initializer if tensor.external_data]
    shape = [axis.dim_param for axis in model.graph.input[0].type.tensor_type.shape.dim]
    assert shape == ["batch", "height", "width", "channel"]
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert said["notice"] == "For research; not a medical device."
    assert json.loads(said["classes"]) == ["a", "b"]
    assert said["opset"] == "20"


def nothing_of_the_machine_that_made_it_is_in_it(one: Case) -> None:
    content = one.path.read_bytes()
    for word in (b"site-packages", b"/src/striate", b"stack_trace", b".py", b"/work", b"/tmp", b"/home"):
        assert word not in content, word


def the_full_scale_may_be_left_out(kind: str, one: Case) -> None:
    depth = one.predictor.preparation.depth
    every = examples(one.predictor, mixed(kind, 30))
    example = next(found for found in every if found.depth == depth or kind == "windowed")
    session = onnxruntime.InferenceSession(str(one.path), providers=["CPUExecutionProvider"])
    assert [given.name for given in session.get_inputs()] == ["pixels"]
    said = session.run(["probabilities"], {"pixels": example.pixels[None]})[0]
    assert np.abs(said - example.probabilities).max() < 1e-5


def every_batch_size_says_the_same(kind: str, one: Case) -> None:
    example = next(examples(one.predictor, mixed(kind, 1)))
    for count in (1, 2, 7, 33):
        said = one.ask(np.repeat(example.pixels[None], count, axis=0), example.full_scale)
        assert said.probabilities.shape == (count, len(CLASSES))
        assert np.abs(said.probabilities - example.probabilities).max() < 1e-5


def what_the_run_refuses_is_not_a_number(kind: str, one: Case) -> None:
    depths = {"windowed": "uint16"}
    wanted = depths.get(kind, kind)
    example = next(each for each in examples(one.predictor, mixed(kind, 30)) if each.depth == wanted)
    refused = example.pixels + (0.5 if kind != "windowed" else np.nan)
    if kind == "float32":
        refused[0, 0, 0] = np.inf
    full = np.array(example.full_scale, np.float32)
    session = onnxruntime.InferenceSession(str(one.path), providers=["CPUExecutionProvider"])
    for said in session.run(None, {"pixels": np.stack([refused, example.pixels]), "full_scale": full}):
        assert np.isnan(said[0]).all()
        assert np.isfinite(said[1]).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", model_names())
def test_every_network_of_the_catalogue(name: str, tmp_path: Path) -> None:
    sides = {"alexnet": 63, "alexnet2012": 227, "zfnet": 224, "googlenet2014": 224}
    side = sides.get(name, 64)
    preparation = Preparation(height=side, width=side, channels=3, depth="uint8", **COLOUR)
    try:
        create_model(name, classes=5, channels=3, size=(side, side))
    except Exception:
        preparation = Preparation(height=32, width=32, channels=1, depth="uint8", **SHARED)
    one = case(tmp_path, preparation, name)
    parity, _ = compare(one.ask, examples(one.predictor, mixed("uint8", 12, largest=150)))
    assert parity.agreed == 12
    assert parity.prepared < 1e-5
    assert parity.probability < 1e-5

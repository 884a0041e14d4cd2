"""Published weights: torchvision's names onto ours, against a second writing of the networks and its own logits."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.random import Generator, Philox
from torch import Tensor, nn

import theirs
from striate.errors import ModelError
from striate.models import create_model, from_torchvision
from striate.models.torchvision_names import RENAMINGS

# each at a size that keeps the hidden layers small; GoogLeNet's auxiliary heads need 4×4 cells
SMALL: dict[str, tuple[int, Callable[[], nn.Module]]] = {
    "alexnet": (63, lambda: theirs.AlexNet(5)),
    "vgg11": (32, lambda: theirs.VGG("64 M 128 M 256 256 M 512 512 M 512 512 M", False, 5)),
    "vgg11_bn": (32, lambda: theirs.VGG("64 M 128 M 256 256 M 512 512 M 512 512 M", True, 5)),
    "googlenet": (64, lambda: theirs.GoogLeNet(5)),
    "resnet18": (32, lambda: theirs.ResNet((2, 2, 2, 2), False, 5)),
    "resnet50": (32, lambda: theirs.ResNet((3, 4, 6, 3), True, 5)),
}


def draw(key: int, shape: tuple[int, ...]) -> Any:
    return Generator(Philox(key=[2026, key])).standard_normal(shape, dtype=np.float32)


def drawn_state(entries: list[tuple[str, tuple[int, ...]]]) -> dict[str, Tensor]:
    """Weights that anyone can rebuild, by the rule in the reference's README."""
    state = {}
    for index, (name, shape) in enumerate(entries):
        values = draw(index, shape)
        if name.endswith("num_batches_tracked"):
            values = np.int64(0)
        elif name.endswith("running_mean"):
            values = 0.1 * values
        elif name.endswith("running_var"):
            values = 1 + 0.1 * abs(values)
        elif len(shape) >= 2:
            values = values * np.float32(math.sqrt(2 / math.prod(shape[1:])))
        else:
            values = 0.05 * values + (0 if name.endswith("bias") else 1)
        state[name] = torch.as_tensor(values)
    return state


def distance(found: Tensor, expected: Tensor) -> float:
    return float(torch.linalg.vector_norm(found - expected) / torch.linalg.vector_norm(expected))


@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_every_name_fits_and_the_logits_are_the_same(name: str) -> None:
    side, build = SMALL[name]
    with torch.device("meta"):
        other = build().eval()
    state = drawn_state([(key, tuple(value.shape)) for key, value in other.state_dict().items()])
    other.load_state_dict(state, assign=True)
    network = create_model(name, classes=5, size=(side, side), weights=False).eval()
    network.load_state_dict(from_torchvision(name, state), strict=True, assign=True)
    images = torch.from_numpy(draw(10**6, (2, 3, side, side)))
    assert distance(network(images), other(images)) <= 1e-5
    if name == "googlenet":
        for ours, expected in zip(network.all_logits(images), other.all_logits(images), strict=True):
            assert distance(ours, expected) <= 1e-5


def reference() -> Path:
    data = os.environ.get("STRIATE_DATA")
    if not data:
        pytest.skip(
            "torchvision's own figures stand beside the folder that STRIATE_DATA names; it is not set"
        )
    folder = Path(data).parent / "reference"
    if not folder.is_dir():
        pytest.skip(f"{folder}, which holds torchvision's own figures, does not exist")
    return folder


def layout_of(name: str) -> list[tuple[str, tuple[int, ...]]]:
    listed = json.loads((reference() / "torchvision.json").read_text())["networks"][name]["state_dict"]
    return [(key, tuple(shape)) for key, shape in listed]


def test_every_network_of_the_reference_has_names() -> None:
    listed = json.loads((reference() / "torchvision.json").read_text())["networks"]
    assert set(listed) == set(RENAMINGS)


@pytest.mark.parametrize("name", RENAMINGS)
def test_every_published_name_and_shape_fits(name: str) -> None:
    state = {key: torch.empty(shape, device="meta") for key, shape in layout_of(name)}
    found = from_torchvision(name, state)
    network = create_model(name, classes=1000, size=(224, 224), weights=False)
    own = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert len(found) == len(state)
    assert {key: tuple(value.shape) for key, value in found.items()} == own


LIGHT = ("resnet18", "googlenet")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name not in LIGHT)) for name in RENAMINGS]
)
@torch.no_grad()
def test_the_logits_are_torchvisions(name: str) -> None:
    expected = torch.from_numpy(np.load(reference() / "torchvision_logits.npz")[name])
    network = create_model(name, classes=1000, size=(224, 224), weights=False).eval()
    network.load_state_dict(from_torchvision(name, drawn_state(layout_of(name))), assign=True)
    images = torch.from_numpy(draw(10**6, (2, 3, 224, 224)))
    assert distance(network(images), expected) <= 1e-4


def test_a_network_without_published_weights_is_refused() -> None:
    with pytest.raises(ModelError) as raised:
        from_torchvision("alexnet2012", {})
    assert str(raised.value).startswith(
        "torchvision publishes no weights that fit alexnet2012; did you mean alexnet? Allowed: alexnet, vgg11, "
    )


def test_a_name_that_no_layer_has_is_kept() -> None:
    assert list(from_torchvision("resnet18", {"layer5.0.conv9.extra": torch.zeros(1)})) == [
        "stages.stage5.block1.branch.conv9.extra"
    ]
    assert list(from_torchvision("alexnet", {"momentum": torch.zeros(1)})) == ["momentum"]

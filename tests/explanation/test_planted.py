"""Where the reason is known, because it was planted, Grad-CAM and its kin and occlusion must point at it."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from planted import MARKS, STAGE, Task, hits, planted, planted_task, trained
from torch import Tensor

from striate.explanation import METHODS
from striate.explanation.gradient import target_gradient
from striate.explanation.methods import to_maps
from striate.models import Network, create_model

METHODS_TO_ASK = ("gradcam", "gradcam_plus_plus", "layercam", "occlusion")


def mnist(data: Path, count: int) -> Tensor:
    """So many test digits, evenly spaced, 0 to 1."""
    with zipfile.ZipFile(data / "mnist.zip") as archive:
        names = sorted(name for name in archive.namelist() if "/train/" in name and name.endswith(".png"))
        chosen = names[:: len(names) // count][:count]
        arrays = [np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in chosen]
    return torch.from_numpy(np.stack(arrays)).float() / 255


def compact() -> Network:
    return create_model("compact", classes=len(MARKS), channels=1, size=(28, 28))


@pytest.fixture(scope="module")
def mnist_task() -> Task:
    """Two epochs on 4,000 digits at 28×28, and 1,000 others."""
    folder = os.environ.get("STRIATE_DATA")
    if not folder:
        pytest.skip("STRIATE_DATA is unset: the folder with mnist.zip is needed")
    generator = torch.Generator().manual_seed(1)
    digits = mnist(Path(folder), 5_000)
    inputs, labels, corners = planted(digits[torch.randperm(5_000, generator=generator)], generator)
    network = trained(compact, inputs[1_000:], labels[1_000:], epochs=2, seed=1)
    return network, inputs[:1_000], labels[:1_000], corners[:1_000]


def share_of_hits(method: str, task: Task) -> float:
    network, inputs, labels, corners = task
    side = inputs.shape[2]
    stage = STAGE if METHODS[method].seam == "stage" else None
    raw = METHODS[method].function(network, inputs, labels, stage=stage)
    maps = raw[:, 0] if stage else to_maps(raw, METHODS[method], (side, side))
    return hits(maps, corners, side=side, grid=side // 4).double().mean().item()


def accuracy(network: Network, inputs: Tensor, labels: Tensor) -> float:
    with torch.no_grad():
        return (network(inputs).argmax(1) == labels).double().mean().item()


def plain_hits(task: Task) -> list[float]:
    """The same of the input gradient, with its sign and without."""
    network, inputs, labels, corners = task
    gradient = target_gradient(network, inputs, labels)[:, 0]
    grid = inputs.shape[2] // 4
    return [
        hits(maps, corners, side=inputs.shape[2], grid=grid).double().mean().item()
        for maps in (gradient, gradient.abs())
    ]


@pytest.mark.parametrize("method", METHODS_TO_ASK)
def test_a_mark_planted_among_small_digits_is_found(method: str) -> None:
    network, *rest = planted_task(0)
    assert accuracy(network, *rest[:2]) >= 0.99
    few = slice(None) if method != "occlusion" else slice(40)  # it runs the network a hundred times an image
    task = network, rest[0][few], rest[1][few], rest[2][few]
    assert share_of_hits(method, task) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS_TO_ASK)
def test_a_mark_planted_in_mnist_is_found(method: str, mnist_task: Task) -> None:
    network, inputs, labels, corners = mnist_task
    assert accuracy(network, inputs, labels) >= 0.99
    few = slice(None) if method != "occlusion" else slice(200)
    assert share_of_hits(method, (network, inputs[few], labels[few], corners[few])) >= 0.95


def test_the_plain_gradient_does_not_find_it() -> None:
    assert max(plain_hits(planted_task(0))) < 0.95


@pytest.mark.slow
def test_the_plain_gradient_does_not_find_it_in_mnist(mnist_task: Task) -> None:
    assert max(plain_hits(mnist_task)) < 0.95

"""The one contract that every network of the catalogue keeps."""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.models import (
    Network,
    create_model,
    load_weights,
    model_entry,
    model_names,
    save_weights,
)

SIDES = {
    "alexnet": 63,
    "alexnet2012": 63,
    "zfnet": 47,
    "googlenet2014": 31,
}
"""Images of the smallest size, or of 32 pixels where that is more."""
BASICS = ("compact", "lesson", "lenet5", "lenet5_1998", "mlp")
QUICK = (
    *BASICS,
    *("alexnet", "alexnet2012", "zfnet", "vgg11_bn", "googlenet", "googlenet2014"),
    *("resnet18", "resnet50", "resnet20"),
)
"""The shortest of each kind; the deeper ones are the same code with a longer table."""
ADAM = partial(torch.optim.Adam, lr=3e-3)
SGD = partial(torch.optim.SGD, lr=0.01, momentum=0.9)
FITTING = {
    **dict.fromkeys(BASICS, (ADAM, 40)),
    "alexnet": (partial(torch.optim.Adam, lr=3e-4), 15),
    "vgg11_bn": (SGD, 8),
    "googlenet": (ADAM, 15),
    "resnet18": (SGD, 8),
    "resnet20": (ADAM, 30),
}
"""One member a family: how one batch of it is overfitted, and in how many steps."""


def those(quick: Sequence[str]) -> pytest.MarkDecorator:
    """Every model of the catalogue, the ones outside `quick` behind the slow marker."""
    names = [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in model_names()]
    return pytest.mark.parametrize("name", names)


every_model = those(QUICK)


def build(name: str, seed: int = 0, classes: int = 10, channels: int | None = None) -> Network:
    torch.manual_seed(seed)
    dropout = None if model_entry(name).dropout is None else 0.0
    return create_model(name, classes=classes, channels=channels, size=size_of(name), dropout=dropout)


def size_of(name: str) -> tuple[int, int]:
    side = model_entry(name).default_input[1] if name in BASICS else SIDES.get(name, 32)
    return side, side


def noise(name: str, images: int, channels: int | None = None) -> Tensor:
    default = model_entry(name).default_input[0]
    generator = torch.Generator().manual_seed(7)
    return torch.randn(images, channels or default, *size_of(name), generator=generator)


def settled(network: Network, images: Tensor) -> Network:
    """In evaluation mode, its normalisation as these images leave it: without, depth multiplies their size."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    for layer in layers:
        layer.momentum = 1.0
    with torch.no_grad():
        network.train()(images)
    return network.eval()


def assert_near(found: Tensor, expected: Tensor) -> None:
    """Equal but for the rounding of sums in another order; in float64, since depth multiplies it."""
    assert found.dtype == torch.float64
    assert torch.linalg.vector_norm(found - expected) <= 1e-8 * torch.linalg.vector_norm(expected)


def loss_of(network: Network, images: Tensor, labels: Tensor) -> Tensor:
    loss, *aside = [F.cross_entropy(logits, labels) for logits in network.all_logits(images)]
    return loss + network.auxiliary_weight * sum(aside, torch.zeros(()))


@every_model
@pytest.mark.parametrize(("channels", "classes"), [(1, 62), (3, 2)])
def test_logits_are_finite_for_any_channels_and_classes(name: str, channels: int, classes: int) -> None:
    with torch.no_grad():
        logits = build(name, classes=classes, channels=channels)(noise(name, 4, channels))
    assert logits.shape == (4, classes)
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()


@pytest.mark.parametrize("name", model_names())
def test_a_default_network_is_what_its_entry_says(name: str) -> None:
    entry = model_entry(name)
    network = create_model(name, classes=entry.default_classes, weights=False)
    images = torch.zeros(2, *entry.default_input, device="meta")
    assert network(images).shape == (2, entry.default_classes)


@every_model
def test_every_parameter_gets_a_gradient(name: str) -> None:
    network = build(name)
    loss_of(network, noise(name, 16), torch.arange(16) % 10).backward()
    for path, weight in network.named_parameters():
        assert weight.grad is not None, path
        assert weight.grad.isfinite().all(), path
        assert weight.grad.any(), path


@every_model
@torch.no_grad()
def test_the_seams_join(name: str) -> None:
    network, images = build(name).eval(), noise(name, 2)
    logits = network(images)
    torch.testing.assert_close(network.head(network.features(images)), logits, rtol=0, atol=0)
    for stage in network.stage_names:
        resumed = network.run_from(network.run_to(images, stage), stage)
        torch.testing.assert_close(resumed, logits, rtol=0, atol=0)
    assert torch.equal(network.all_logits(images)[0], logits)
    last = network.run_to(images, network.stage_names[-1])
    torch.testing.assert_close(last, network.features(images), rtol=0, atol=0)


@those(tuple(FITTING))
@torch.no_grad()
def test_saved_weights_come_back(name: str, tmp_path: Path) -> None:
    network, other, images = build(name, seed=0), build(name, seed=1).eval(), noise(name, 4)
    network.train()(images)
    logits = network.eval()(images)
    assert not torch.equal(other(images), logits)
    save_weights(network, tmp_path / "weights.safetensors")
    load_weights(other, tmp_path / "weights.safetensors")
    assert torch.equal(other(images), logits)
    for path, tensor in network.state_dict().items():
        assert torch.equal(other.state_dict()[path], tensor), path


@pytest.mark.parametrize("name", FITTING)
def test_one_batch_can_be_overfitted(name: str) -> None:
    network, images, labels = build(name).train(), noise(name, 10), torch.arange(10)
    create, steps = FITTING[name]
    optimiser = create(network.parameters())
    first = F.cross_entropy(network(images), labels).item()
    for _ in range(steps):
        loss = loss_of(network, images, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    logits = network(images)
    assert (logits.argmax(dim=1) == labels).all()
    assert F.cross_entropy(logits, labels).item() < first / 10


@those(tuple(FITTING))
@torch.no_grad()
def test_an_image_is_judged_alone(name: str) -> None:
    images = noise(name, 8).double()
    network = settled(build(name).double(), images)
    order = torch.tensor([3, 0, 7, 6, 1, 5, 2, 4])
    assert_near(network(images[order]), network(images)[order])
    assert_near(network(images[:1]), network(images)[:1])


@those(tuple(FITTING))
@torch.no_grad()
def test_channels_last_memory_changes_nothing(name: str) -> None:
    images = noise(name, 4).double()
    network = settled(build(name).double(), images)
    logits = network(images)
    network.to(memory_format=torch.channels_last)
    assert_near(network(images.contiguous(memory_format=torch.channels_last)), logits)


@those(tuple(FITTING))
def test_the_exported_network_is_the_same(name: str) -> None:
    images = noise(name, 2)
    network = settled(build(name), images)
    exported = torch.export.export(network, (images,)).module()
    with torch.no_grad():
        torch.testing.assert_close(exported(images), network(images), rtol=1e-5, atol=1e-5)


@those(tuple(FITTING))
def test_a_seed_decides_the_weights_and_building_nothing_else(name: str) -> None:
    np.random.seed(3)
    before = (np.random.get_state()[1].tolist(), torch.get_default_dtype(), torch.is_grad_enabled())
    first, second, other = (build(name, seed).state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(first[path], second[path]) for path in first)
    assert any(not torch.equal(first[path], other[path]) for path in first)
    after = (np.random.get_state()[1].tolist(), torch.get_default_dtype(), torch.is_grad_enabled())
    assert before == after


@every_model
@pytest.mark.parametrize("channels", [1, 3])
def test_an_untrained_network_prefers_no_class(name: str, channels: int) -> None:
    """In training mode, dropout off; the output's weights have a deviation of 0.002 to 0.01, as each file says."""
    count = 256 if name in BASICS else 32
    images, labels = noise(name, count, channels), torch.arange(count) % 10
    with torch.no_grad():
        losses = [
            F.cross_entropy(logits, labels).item()
            for logits in build(name, channels=channels).train().all_logits(images)
        ]
    assert losses == pytest.approx([math.log(10)] * len(losses), rel=0.15)

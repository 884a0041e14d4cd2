"""The one contract that every network of the catalogue keeps."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from striate.models import (
    Network,
    create_model,
    load_weights,
    model_entry,
    model_names,
    save_weights,
)

PARAMETERS = {
    "compact": 225_498,
    "lesson": 2_230_186,
    "lenet5": 61_706,
    "lenet5_1998": 60_000,
    "mlp": 669_706,
}

every_model = pytest.mark.parametrize("name", model_names())


def build(name: str, seed: int = 0, classes: int = 10, channels: int | None = None) -> Network:
    torch.manual_seed(seed)
    dropout = None if model_entry(name).dropout is None else 0.0
    return create_model(name, classes=classes, channels=channels, dropout=dropout)


def noise(name: str, images: int, channels: int | None = None) -> Tensor:
    default, height, width = model_entry(name).default_input
    generator = torch.Generator().manual_seed(7)
    return torch.randn(images, channels or default, height, width, generator=generator)


def test_the_table_has_every_model() -> None:
    assert tuple(PARAMETERS) == model_names()


@every_model
def test_parameters_are_counted_exactly(name: str) -> None:
    assert sum(weight.numel() for weight in build(name).parameters()) == PARAMETERS[name]


@every_model
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("classes", [2, 62])
def test_logits_are_finite_for_any_channels_and_classes(name: str, channels: int, classes: int) -> None:
    logits = build(name, classes=classes, channels=channels)(noise(name, 4, channels))
    assert logits.shape == (4, classes)
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()


@every_model
def test_a_default_network_is_what_its_entry_says(name: str) -> None:
    entry = model_entry(name)
    network = create_model(name, classes=entry.default_classes)
    assert network(torch.zeros(2, *entry.default_input)).shape == (2, entry.default_classes)


@every_model
def test_every_parameter_gets_a_gradient(name: str) -> None:
    network = build(name)
    F.cross_entropy(network(noise(name, 16)), torch.arange(16) % 10).backward()
    for path, weight in network.named_parameters():
        assert weight.grad is not None, path
        assert weight.grad.isfinite().all(), path
        assert weight.grad.any(), path


@every_model
def test_the_seams_join(name: str) -> None:
    network, images = build(name).eval(), noise(name, 4)
    logits = network(images)
    torch.testing.assert_close(network.head(network.features(images)), logits, rtol=0, atol=0)
    for stage in network.stage_names:
        resumed = network.run_from(network.run_to(images, stage), stage)
        torch.testing.assert_close(resumed, logits, rtol=0, atol=0)
    last = network.run_to(images, network.stage_names[-1])
    torch.testing.assert_close(last, network.features(images), rtol=0, atol=0)


@every_model
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


@every_model
def test_one_batch_can_be_overfitted(name: str) -> None:
    network, images, labels = build(name).train(), noise(name, 16), torch.arange(16) % 10
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    first = F.cross_entropy(network(images), labels).item()
    for _ in range(40):
        loss = F.cross_entropy(network(images), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    logits = network(images)
    assert (logits.argmax(dim=1) == labels).all()
    assert F.cross_entropy(logits, labels).item() < first / 10


@every_model
def test_an_image_is_judged_alone(name: str) -> None:
    network, images = build(name).eval(), noise(name, 8)
    order = torch.tensor([3, 0, 7, 6, 1, 5, 2, 4])
    torch.testing.assert_close(network(images[order]), network(images)[order], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(network(images[:1]), network(images)[:1], rtol=1e-4, atol=1e-5)


@every_model
def test_channels_last_memory_changes_nothing(name: str) -> None:
    network, images = build(name).eval(), noise(name, 4)
    logits = network(images)
    network.to(memory_format=torch.channels_last)
    laid_out = network(images.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(laid_out, logits, rtol=1e-4, atol=1e-5)


@every_model
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
    images = noise(name, 256, channels)
    with torch.no_grad():
        logits = build(name, channels=channels).eval()(images)
    loss = F.cross_entropy(logits, torch.arange(256) % 10).item()
    assert loss == pytest.approx(math.log(10), rel=0.15)

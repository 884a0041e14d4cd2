"""The heads that take the place of a network's own, over every network of the catalogue."""

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from striate.models import Changes, Network, create_model, model_entry, model_names
from striate.models.heads import ADAPTED, adapted_head
from striate.pixels import Preparation
from striate.run import load_run, save_run
from striate.training.recipe import Recipe

CLASSES = 5
SIDES = {"alexnet": 63, "alexnet2012": 63, "zfnet": 47, "googlenet2014": 31}
BASICS = ("compact", "lesson", "lenet5", "lenet5_1998", "mlp")
QUICK = (*BASICS, "resnet20")
HEADS = ("own", "linear", "mlp")
every_model = pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in model_names()]
)
every_head = pytest.mark.parametrize("head", HEADS)


def shape_of(name: str) -> tuple[int, int, int]:
    channels, side, _ = model_entry(name).default_input
    side = side if name in BASICS else SIDES.get(name, 32)
    return channels, side, side


def build(name: str, head: str) -> Network:
    torch.manual_seed(0)
    channels, *size = shape_of(name)
    drops = model_entry(name).dropout is not None or head == "mlp"
    return create_model(
        name,
        classes=CLASSES,
        channels=channels,
        size=(size[0], size[1]),
        dropout=0.0 if drops else None,
        changes=Changes(head=head),
    )


@every_model
@every_head
def test_an_untrained_head_prefers_no_class_and_every_weight_of_it_learns(name: str, head: str) -> None:
    network, count = build(name, head).train(), 64 if name in BASICS else 16
    images = torch.randn(count, *shape_of(name), generator=torch.Generator().manual_seed(7))
    logits = network(images)
    assert logits.shape == (count, CLASSES)
    assert logits.isfinite().all()
    loss = F.cross_entropy(logits, torch.arange(count) % CLASSES)
    assert loss.item() == pytest.approx(math.log(CLASSES), rel=0.15)
    network.freeze("all")
    F.cross_entropy(network(images), torch.arange(count) % CLASSES).backward()
    weights = list(network.head.named_parameters())
    assert weights
    for path, weight in weights:
        assert weight.grad is not None, path
        assert weight.grad.isfinite().all(), path
        assert weight.grad.any(), path
    assert all(weight.grad is None for weight in network.stages.parameters())


@every_model
@every_head
def test_a_run_with_any_head_comes_back(name: str, head: str, tmp_path: Path) -> None:
    channels, height, width = shape_of(name)
    network = build(name, head)
    preparation = Preparation(height=height, width=width, channels=channels, depth="uint8")
    about = {
        "model": name,
        "classes": [f"class {number}" for number in range(CLASSES)],
        "preparation": preparation.model_dump(),
        "kept_epoch": 1,
        "data": {},
    }
    record = {"epoch": 1, "train": {}, "validation": {"accuracy": 1.0, "loss": 0.0}}
    save_run(tmp_path, network, about, Recipe(model=name, head=head), [record], b"")
    found = load_run(tmp_path).network
    assert [path for path, _ in found.named_parameters()] == [path for path, _ in network.named_parameters()]
    for path, tensor in network.state_dict().items():
        assert torch.equal(found.state_dict()[path], tensor), path
    images = torch.randn(2, channels, height, width)
    with torch.no_grad():
        assert torch.equal(network.eval()(images), found(images))


@pytest.mark.parametrize("features", [(6, 3, 5), (6, 1, 1), (90,)])
def test_a_linear_head_is_the_mean_of_each_map_and_one_product(features: tuple[int, ...]) -> None:
    head = adapted_head("linear", features, classes=3, dropout=0.5).train()
    maps = torch.randn(4, *features)
    output = head.get_submodule("output")
    assert isinstance(output, nn.Linear)
    means = maps.flatten(2).mean(dim=2) if len(features) == 3 else maps
    torch.testing.assert_close(head(maps), means @ output.weight.T + output.bias)
    assert sum(weight.numel() for weight in head.parameters()) == 3 * (features[0] + 1)


def test_an_mlp_head_has_a_hidden_layer_of_256_and_drops_it_out_in_training() -> None:
    head, maps = adapted_head("mlp", (6, 2, 2), classes=3, dropout=0.5), torch.randn(4, 6, 2, 2)
    hidden, output = head.get_submodule("hidden"), head.get_submodule("output")
    assert isinstance(hidden, nn.Linear)
    assert isinstance(output, nn.Linear)
    assert ADAPTED == hidden.out_features == 256
    units = (maps.mean(dim=(2, 3)) @ hidden.weight.T + hidden.bias).clamp(min=0)
    torch.testing.assert_close(head.eval()(maps), units @ output.weight.T + output.bias)
    assert not torch.equal(head.train()(maps), head(maps))
    # He et al. 2015: variance 2 / fan-in; the output near zero
    assert hidden.weight.std().item() == pytest.approx(math.sqrt(2 / 6), rel=0.1)
    assert output.weight.std().item() == pytest.approx(0.005, rel=0.2)
    assert not any(layer.bias.any() for layer in (hidden, output))

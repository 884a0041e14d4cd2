"""Names, defaults and refusals of the catalogue."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import nn

from striate.errors import ModelError
from striate.models import Changes, create_model, model_entry, model_names


def test_the_default_comes_first() -> None:
    assert model_names() == (
        *("compact", "lesson", "lenet5", "lenet5_1998", "mlp", "alexnet", "alexnet2012", "zfnet"),
        *("vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"),
        *("googlenet", "googlenet2014", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
        *("resnet18_small", "resnet34_small", "resnet50_small"),
        *("resnet20", "resnet32", "resnet44", "resnet56", "resnet110"),
    )


@pytest.mark.parametrize("name", model_names())
def test_an_entry_tells_its_story(name: str) -> None:
    entry = model_entry(name)
    assert entry.name == name
    assert entry.summary
    assert any(character.isdigit() for character in entry.paper)
    with pytest.raises(dataclasses.FrozenInstanceError):
        entry.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("name", model_names()[5:])
def test_a_network_of_a_paper_says_where_it_departs(name: str) -> None:
    assert model_entry(name).departures


@pytest.mark.parametrize("name", model_names())
def test_remarks_are_sentences(name: str) -> None:
    entry = model_entry(name)
    assert all(sentence.endswith(".") for sentence in (*entry.departures, *entry.disagreements))


@pytest.mark.parametrize(
    ("name", "smallest"),
    [
        *(("compact", 8), ("lesson", 4), ("lenet5", 28), ("lenet5_1998", 28), ("mlp", 1)),
        *(("alexnet", 63), ("alexnet2012", 63), ("zfnet", 47), ("vgg11", 32), ("vgg11_bn", 32)),
        *(("googlenet", 15), ("googlenet2014", 31), ("resnet18", 1), ("resnet20", 1)),
    ],
)
def test_the_smallest_size_works_and_one_less_does_not(name: str, smallest: int) -> None:
    entry = model_entry(name)
    assert entry.smallest == smallest
    network = create_model(name, classes=3, channels=1, size=(smallest, smallest), weights=False).eval()
    assert network(torch.zeros(1, 1, smallest, smallest, device="meta")).shape == (1, 3)
    if smallest > 1:
        with pytest.raises(ModelError):
            create_model(name, classes=3, channels=1, size=(smallest - 1, smallest + 5))


def test_finding_the_smallest_size_draws_no_random_numbers() -> None:
    entry = dataclasses.replace(model_entry("compact"))
    before = torch.get_rng_state()
    assert entry.smallest == 8
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {"name": "lenet", "classes": 10},
            "There is no model 'lenet'; did you mean lenet5? Allowed: compact, ",
        ),
        (
            {"name": "lenet5", "classes": 10, "size": (8, 8)},
            "lenet5 cannot be built for images of 8 × 8 pixels: layer c3.conv does not fit the 6 × 4 × 4 that"
            " reaches it; the smallest square image it takes is 28 × 28"
            " (in training, --set size=28 scales images to it).",
        ),
        (
            {"name": "compact", "classes": 10, "size": (64, 4)},
            "layer stage3.pool does not fit the 96 × 16 × 1 that reaches it; the smallest square image"
            " it takes is 8 × 8",
        ),
        (
            {"name": "lenet5", "classes": 10, "dropout": 0.5},
            "lenet5 has no dropout; leave it out, or take a model that has: compact, lesson, mlp, alexnet, ",
        ),
        (
            {"name": "mlp", "classes": 10, "dropout": 1.0},
            "Dropout is a probability from 0 up to, not including, 1; got 1.0.",
        ),
        (
            {"name": "vgg16", "classes": 10, "size": (31, 64)},
            "layer pool5 does not fit the 512 × 1 × 4 that reaches it; the smallest square image it takes is 32 × 32",
        ),
        (
            {"name": "googlenet2014", "classes": 10, "size": (28, 28)},
            "the smallest square image it takes is 31 × 31",
        ),
        (
            {"name": "resnet81", "classes": 10},
            "There is no model 'resnet81'; did you mean resnet18? Allowed: compact, ",
        ),
        ({"name": "mlp", "classes": 10, "dropout": float("nan")}, "got nan"),
        ({"name": "mlp", "classes": 1}, "A classifier needs at least 2 classes; got 1."),
        (
            {"name": "mlp", "classes": 2, "channels": 0},
            "at least 1 channel and 1 × 1 pixels; got 0 and 28 × 28.",
        ),
        ({"name": "mlp", "classes": 2, "size": (0, 5)}, "got 1 and 0 × 5."),
    ],
)
def test_refusals_say_what_to_try(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError) as raised:
        create_model(**arguments)
    assert words in str(raised.value)


@pytest.mark.parametrize(("name", "own"), [("lesson", 0.5), ("mlp", 0.2), ("compact", 0.0)])
def test_dropout_is_the_networks_own_unless_given(name: str, own: float) -> None:
    for given, expected in ((None, own), (0.25, 0.25), (0.0, 0.0)):
        network = create_model(name, classes=10, dropout=given)
        found = {layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)}
        assert found == {expected}


@pytest.mark.parametrize("size", [(8, 8), (9, 13), (64, 64), (28, 40)])
@pytest.mark.parametrize("channels", [1, 3])
def test_compact_takes_any_size_from_8_up(size: tuple[int, int], channels: int) -> None:
    network = create_model("compact", classes=5, channels=channels, size=size)
    assert network(torch.randn(2, channels, *size)).shape == (2, 5)


def test_compact_normalises_after_pooling_and_has_no_bias_before() -> None:
    network = create_model("compact", classes=5)
    kinds = [type(layer).__name__ for layer in network.stages["stage1"].children()]
    assert kinds == ["Conv2d", "MaxPool2d", "BatchNorm2d", "ReLU", "Residual"]
    assert all(layer.bias is None for layer in network.modules() if isinstance(layer, nn.Conv2d))


@pytest.mark.parametrize(("width", "maps"), [(0.1, (16, 16, 16)), (1.0, (16, 32, 96)), (2.5, (32, 80, 240))])
def test_compact_is_built_to_any_width_in_multiples_of_sixteen(width: float, maps: tuple[int, ...]) -> None:
    network = create_model("compact", classes=5, channels=3, size=(32, 32), changes=Changes(width=width))
    stages = dict(network.stages.items())
    found = tuple(len(stages[name].get_parameter("conv.weight")) for name in ("stage1", "stage2", "stage3"))
    assert (len(stages["stem"].get_parameter("conv.weight")), found) == (16, maps)
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 5)


@pytest.mark.parametrize(("side", "maps"), [(64, 64), (65, 33), (128, 64), (129, 33), (224, 56)])
def test_the_stem_of_compact_steps_over_large_images(side: int, maps: int) -> None:
    network = create_model("compact", classes=5, channels=3, size=(side, side + 10))
    assert network.stages["stem"](torch.zeros(1, 3, side, side)).shape == (1, 16, maps, maps)


def test_a_width_that_cannot_be_is_refused_in_words() -> None:
    with pytest.raises(ModelError, match=r"lenet5 has one width; leave width out, or .*: compact\."):
        create_model("lenet5", classes=5, changes=Changes(width=2.0))
    with pytest.raises(ModelError, match="above 0 and up to 32; got 33"):
        create_model("compact", classes=5, changes=Changes(width=33.0))

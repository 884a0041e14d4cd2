"""Feature maps: those of the network, raw ones by hand, dead and saturated channels, and what the tiles say."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from networks_to_explain import images_for, network_of, network_to_explain
from torch import Tensor, nn

from striate.errors import ModelError, UsageError
from striate.explanation.feature_maps import feature_maps, side_by_side
from striate.explanation.raw_form import raw_form
from striate.models import Network, create_model, summarize, wrap
from striate.models.alexnet2012 import response_normalisation


@pytest.mark.parametrize("name", ["lenet5", "compact", "resnet18_small"])
def test_maps_are_what_leaves_the_stage(name: str) -> None:
    network, (inputs, _) = network_to_explain(name, "trained"), images_for(name)
    shape = (inputs.shape[1], inputs.shape[2], inputs.shape[3])
    rows = summarize(network, shape).rows
    for stage in network.stage_names:
        found = feature_maps(network, inputs, stage)
        with torch.no_grad():
            assert torch.equal(found.maps, network.run_to(inputs, stage)), stage
        assert found.sees == [row for row in rows if row.stage == stage][-1].receptive_field


def raw(name: str, stage: str) -> tuple[Network, Tensor, Tensor]:
    """A trained network, what enters a stage, and its raw maps."""
    with torch.enable_grad():  # the first to ask for a trained network trains it
        network, (inputs, _) = network_to_explain(name, "trained"), images_for(name)
    names = network.stage_names
    at = names.index(stage)
    with torch.no_grad():
        entering = network.run_to(inputs, names[at - 1]) if at else inputs
    return network, entering, feature_maps(network, inputs, stage, activated=False).maps


def near(found: Tensor, expected: Tensor) -> bool:
    return torch.allclose(found, expected, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_raw_maps_of_a_residual_block_are_the_sum() -> None:
    network, entering, found = raw("resnet18_small", "stage2")
    first, second = network.stages["stage2"].children()
    block = second.get_submodule("branch")
    x = first(entering)
    x_before = F.conv2d(x, block.get_parameter("conv1.weight"), padding=1)
    hidden = block.get_submodule("norm1")(x_before).relu()
    branch = block.get_submodule("norm2")(F.conv2d(hidden, block.get_parameter("conv2.weight"), padding=1))
    assert near(found, branch + x)
    assert bool((found < 0).any())


@torch.no_grad()
def test_raw_maps_of_an_inception_module_are_those_of_its_branches() -> None:
    network, entering, found = raw("googlenet", "3a")
    module = network.stages["3a"]

    def unrectified(branch: nn.Module, x: Tensor) -> Tensor:
        return branch.get_submodule("norm")(branch.get_submodule("conv")(x))

    one, three, five, pool = (module.get_submodule(name) for name in ("one", "three", "five", "pool"))
    branches = [
        unrectified(one, entering),
        unrectified(three.get_submodule("conv"), three.get_submodule("reduce")(entering)),
        unrectified(five.get_submodule("conv"), five.get_submodule("reduce")(entering)),
        unrectified(pool.get_submodule("project"), pool.get_submodule("pool")(entering)),
    ]
    assert near(found, torch.cat(branches, dim=1))


@torch.no_grad()
def test_raw_maps_before_tanh_and_before_normalisation_of_responses() -> None:
    network, entering, found = raw("lenet5", "c3")
    assert near(found, network.get_submodule("stages.c3.conv")(entering))
    torch.manual_seed(0)
    convolution, images = nn.Conv2d(3, 8, 3), torch.randn(1, 3, 9, 9)
    alexnet = network_of(nn.Sequential(convolution, nn.ReLU(), response_normalisation()))
    first = feature_maps(alexnet, images, "layer1", activated=False)
    assert near(first.maps, convolution(images))
    assert first.form == "before ReLU and local response normalisation"
    assert feature_maps(alexnet, images, "layer1").form == "after ReLU and local response normalisation"


@pytest.mark.parametrize("name", ["lenet5", "compact", "resnet18_small"])
def test_the_activation_makes_the_maps_of_the_raw_ones(name: str) -> None:
    network, (inputs, _) = network_to_explain(name, "trained"), images_for(name)
    activation = torch.tanh if name == "lenet5" else torch.relu
    shape = (inputs.shape[1], inputs.shape[2], inputs.shape[3])
    with_raw = [stage for stage in network.stage_names if raw_form(network, shape, stage)]
    for stage in with_raw:
        before = feature_maps(network, inputs, stage, activated=False).maps
        assert near(activation(before), feature_maps(network, inputs, stage).maps), stage
    expected = {
        "lenet5": ["c1", "c3", "c5"],
        "compact": ["stem"],
        "resnet18_small": list(network.stage_names),
        "vgg11_bn": [stage for stage in network.stage_names if "pool" not in stage],
        "googlenet": [stage for stage in network.stage_names if "pool" not in stage],
    }
    assert with_raw == expected[name]


def shifted(norm: nn.BatchNorm2d) -> nn.BatchNorm2d:
    """With shifts of both signs: without any, normalisation could be exchanged with a rectifier."""
    norm.load_state_dict({**norm.state_dict(), "bias": torch.tensor([-0.4, -0.1, 0.1, 0.4])})
    return norm


LAYERS = {
    "conv": lambda: nn.Conv2d(4, 4, 3, padding=1),
    "norm": lambda: shifted(nn.BatchNorm2d(4)),
    "relu": nn.ReLU,
    "in place": lambda: nn.ReLU(inplace=True),
    "max": lambda: nn.MaxPool2d(2, ceil_mode=True),
    "mean": lambda: nn.AvgPool2d(2, ceil_mode=True),
    "dropout": lambda: nn.Dropout(0.5),
}


@settings(deadline=None, max_examples=25)
@given(names=st.lists(st.sampled_from(sorted(LAYERS)), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_a_raw_form_is_right_wherever_there_is_one(names: list[str], seed: int) -> None:
    torch.manual_seed(seed)
    network = network_of(nn.Sequential(*(LAYERS[name]() for name in names)))
    inputs = torch.randn(2, 4, 8, 8)
    form = raw_form(network, (4, 8, 8), "layer1")
    rectifiers = [at for at, name in enumerate(names) if name in ("relu", "in place")]
    rest = names[rectifiers[-1] + 1 :] if rectifiers else names
    assert (form is None) == (not rectifiers or "conv" in rest or "norm" in rest)
    if form and form.left_out:
        assert "mean" in rest
    elif form:
        before = feature_maps(network, inputs, "layer1", activated=False).maps
        assert near(before.relu(), feature_maps(network, inputs, "layer1").maps)


def test_stages_without_raw_maps_say_why() -> None:
    network, (inputs, _) = network_to_explain("compact", "random"), images_for("compact")
    with pytest.raises(ModelError) as caught:
        feature_maps(network, inputs, "stage2", activated=False)
    assert str(caught.value) == (
        "Stage 'stage2' has no raw maps: its last step is no ReLU but a layer or a sum behind it; ask for its maps as"
        " they leave it."
    )
    assert feature_maps(network, inputs, "stage2").form == "as the stage leaves them"
    lenet, (digits, _) = network_to_explain("lenet5", "random"), images_for("lenet5")
    with pytest.raises(ModelError, match="'s2' has no raw maps: it has no activation layer of its own; ask"):
        feature_maps(lenet, digits, "s2", activated=False)


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.relu(self.conv(x)).mean(dim=(2, 3)))


def test_a_network_of_ones_own_whose_rectifier_is_a_function() -> None:
    network = wrap(Functional(), example=(3, 8, 8))
    with pytest.raises(ModelError, match="makes maps"):
        feature_maps(network, torch.randn(1, 3, 8, 8))
    sequential = nn.Sequential(nn.Conv2d(3, 4, 3), nn.GELU(), nn.Flatten(), nn.Linear(144, 2))
    opened = wrap(sequential, example=(3, 8, 8))
    assert feature_maps(opened, torch.randn(1, 3, 8, 8), "1", activated=False).form == "before GELU"


def bias_only(values: list[float], activation: nn.Module) -> Network:
    layer = nn.Conv2d(1, len(values), 1)
    with torch.no_grad():
        layer.weight.fill_(1.0)
        layer.get_parameter("bias").copy_(torch.tensor(values))
    return network_of(nn.Sequential(layer, activation))


def test_dead_and_saturated_channels_by_hand() -> None:
    inputs = torch.linspace(-1, 1, 32).view(2, 1, 4, 4)
    rectified = feature_maps(bias_only([-9.0, 0.0, 9.0, -1.5], nn.ReLU()), inputs, "layer1")
    assert (rectified.dead, rectified.saturated) == ((0, 3), ())
    squashed = feature_maps(bias_only([-9.0, 0.0, 9.0, 3.0], nn.Tanh()), inputs, "layer1")
    assert (squashed.dead, squashed.saturated) == ((), (0, 2))
    assert "2 saturated" in squashed.sentence()
    half = feature_maps(bias_only([0.0, -40.0, 40.0], nn.Sigmoid()), inputs, "layer1")
    assert half.saturated == (1, 2)
    before = feature_maps(bias_only([-9.0, 9.0], nn.Tanh()), inputs, "layer1", activated=False)
    assert (before.dead, before.saturated) == ((), ())
    assert feature_maps(bias_only([0.5], nn.ReLU()), inputs[:1] * 0, "layer1").dead == (0,)


def test_a_single_number_is_dead_where_it_is_zero() -> None:
    network = bias_only([-1.0, 2.0, 0.0], nn.ReLU())
    assert feature_maps(network, torch.zeros(1, 1, 1, 1), "layer1").dead == (0, 2)
    squashed = feature_maps(bias_only([5.0, 0.3], nn.Tanh()), torch.zeros(1, 1, 1, 1), "layer1")
    assert (squashed.dead, squashed.saturated) == ((), (0,))


def test_the_strongest_come_first_and_every_tile_says_channel_and_range() -> None:
    inputs = torch.linspace(0, 1, 16).view(1, 1, 4, 4)
    found = feature_maps(bias_only([0.0, 2.0, -9.0, 1.0], nn.ReLU()), inputs, "layer1")
    assert found.strongest() == [1, 3, 0, 2]
    tiles = found.sheet().panels[0].tiles
    assert [(tile.name, tile.line) for tile in tiles] == [
        ("1", "2 … 3"), ("3", "1 … 2"), ("0", "0 … 1"), ("2", "0 everywhere"),
    ]  # fmt: skip
    in_order = found.sheet(order="channel", most=2)
    assert [tile.name for tile in in_order.panels[0].tiles] == ["0", "1"]
    assert in_order.lines[1].startswith(
        "2 of 4 channels, in order; dark 0, bright the largest value of the tile"
    )
    assert found.sentence() == (
        "4 × 4 × 4 · max 3 · stage layer1, after ReLU · each cell sees 1 × 1 pixels · 1 dead"
    )
    before = feature_maps(bias_only([0.0, 2.0, -9.0], nn.ReLU()), inputs, "layer1", activated=False)
    assert before.strongest() == [1, 0, 2]  # a large value, not a large magnitude, passes the rectifier
    tanh = feature_maps(bias_only([0.0, -9.0], nn.Tanh()), inputs, "layer1")
    assert tanh.strongest() == [1, 0]


def test_maps_of_one_cell_are_coloured_by_one_scale() -> None:
    found = feature_maps(bias_only([1.0, 2.0], nn.ReLU()), torch.zeros(1, 1, 1, 1), "layer1")
    strong, weak = found.tiles([1, 0])
    assert strong.picture.sum() > weak.picture.sum()
    assert "bright the largest value of all" in found.colours()


def test_wrong_stages_images_and_orders_are_refused() -> None:
    network, (inputs, _) = network_to_explain("compact", "random"), images_for("compact")
    with pytest.raises(ModelError) as caught:
        feature_maps(network, inputs, "stage9")
    assert str(caught.value) == (
        "No stage 'stage9' makes maps; did you mean stage3? Allowed: stem, stage1, stage2, stage3."
    )
    found = feature_maps(network, inputs)
    assert found.stage == "stage2"  # the deepest that still says where
    with pytest.raises(UsageError, match="no order 'chanel'; did you mean channel"):
        found.sheet(order="chanel")
    with pytest.raises(UsageError, match="There is no image 2 among 2, which are counted from 0"):
        found.sheet(2)
    mlp = create_model("mlp", classes=10, channels=1, size=(8, 8))
    with pytest.raises(ModelError, match="No stage of this network makes maps"):
        feature_maps(mlp, torch.zeros(1, 1, 8, 8), "hidden1")


def test_stage_after_stage() -> None:
    network, (inputs, _) = network_to_explain("vgg11_bn", "trained"), images_for("vgg11_bn", images=1)
    picture = np.random.default_rng(0).integers(0, 4096, (50, 40, 1), dtype=np.uint16)
    sheet = side_by_side(network, inputs, picture=picture, channels=3)
    assert sheet.across
    titles = [panel.title for panel in sheet.panels]
    assert titles[0] == "picture"
    sizes = [feature_maps(network, inputs, name).maps.shape[-1] for name in titles[1:]]
    assert sizes == sorted(set(sizes), reverse=True)
    for panel in sheet.panels[1:]:
        strongest = feature_maps(network, inputs, panel.title).strongest()[:3]
        assert [tile.name for tile in panel.tiles] == [str(channel) for channel in strongest]
    assert sheet.panels[0].tiles[0].picture.shape == (50, 40, 3)
    chosen = side_by_side(network, inputs, stages=network.stage_names[:1])
    assert [panel.title for panel in chosen.panels] == ["picture", network.stage_names[0]]


@pytest.mark.parametrize("activated", [True, False])
def test_nothing_of_the_network_changes(activated: bool) -> None:
    network = copy.deepcopy(network_to_explain("resnet18_small", "trained")).train()
    inputs, before = images_for("resnet18_small")[0], copy.deepcopy(network.state_dict())
    seen = inputs.clone()
    feature_maps(network, inputs, "stem", activated=activated)
    assert network.training
    assert torch.equal(inputs, seen)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(layer._forward_hooks for layer in network.modules())


def test_a_first_layer_in_place_leaves_the_images_alone() -> None:
    network = network_of(nn.ReLU(inplace=True))
    images = torch.tensor([-1.0, 2.0]).view(1, 1, 1, 2)
    assert feature_maps(network, images, "layer1").maps.flatten().tolist() == [0, 2]
    assert feature_maps(network, images, "layer1", activated=False).maps.flatten().tolist() == [-1, 2]
    assert images.flatten().tolist() == [-1, 2]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["resnet50", "googlenet2014", "zfnet", "alexnet2012", "lenet5_1998", "resnet20"]
)
def test_other_networks_of_the_catalogue(name: str) -> None:
    shape = {"lenet5_1998": (1, 28, 28), "resnet20": (3, 32, 32)}.get(name, (3, 96, 96))
    network = create_model(name, classes=3, channels=shape[0], size=shape[1:]).eval()
    inputs = torch.randn(1, *shape)
    assert len(side_by_side(network, inputs).panels) > 1
    for stage in network.stage_names:
        if (form := raw_form(network, shape, stage)) and not form.left_out:
            before = feature_maps(network, inputs, stage, activated=False).maps
            with torch.no_grad():
                assert near(form.activation(before), feature_maps(network, inputs, stage).maps)

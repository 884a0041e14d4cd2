"""Which networks allow no other rule for their rectifiers, and in which words that is said."""

from collections.abc import Callable
from itertools import chain

import pytest
import torch
import torch.nn.functional as F
from networks_to_explain import SHAPES, network_of, network_to_explain
from torch import Tensor, nn

from striate.errors import ModelError
from striate.explanation import attribute
from striate.explanation.rectifiers import rectifier_obstacle
from striate.models import Network, create_model, wrap

NO_RELU = "it has no ReLU whose gradient the rule could change"


class Forward(nn.Module):
    """A layer whose forward is a function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


@pytest.mark.parametrize("name", ["compact", "resnet18_small", "vgg11_bn", "googlenet"])
def test_networks_of_relu_layers_have_no_obstacle(name: str) -> None:
    assert rectifier_obstacle(network_to_explain(name, "random"), SHAPES[name], None) is None


def test_tanh_networks_are_refused_with_their_activations() -> None:
    taught = create_model("lenet5", classes=10)
    assert rectifier_obstacle(taught, (1, 28, 28), None) == f"{NO_RELU}; its activation is tanh (c1)"
    published = create_model("lenet5_1998", classes=10)
    assert rectifier_obstacle(published, (1, 28, 28), None) == f"{NO_RELU}; its activation is tanh (c1)"
    with pytest.raises(ModelError) as caught:
        attribute(taught, torch.randn(1, 1, 28, 28), torch.tensor([3]), method="guided_backpropagation")
    assert str(caught.value) == (
        f"Guided backpropagation cannot be right for this network: {NO_RELU}; its activation is tanh (c1)."
    )


def test_a_linear_network_has_nothing_to_rectify() -> None:
    network = network_of(nn.Conv2d(1, 2, 3))
    assert rectifier_obstacle(network, (1, 8, 8), None) == NO_RELU
    assert rectifier_obstacle(network, (1, 8, 8), "layer1") is None


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "relu_": lambda x: (x * 1).relu_(),
    "clamp": lambda x: x.clamp(min=0),
    "clamp_": lambda x: (x * 1).clamp_(0, 1),
    "clamp_min": lambda x: torch.clamp_min(x, 0.0),
    "maximum": lambda x: torch.maximum(x, torch.zeros(())),
    "threshold": lambda x: F.threshold(x, 0.0, 0.0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_rectifies_is_found_beside_relu_layers(name: str) -> None:
    network = network_of(nn.Conv2d(1, 2, 3), nn.ReLU(), Forward(FUNCTIONS[name]))
    assert rectifier_obstacle(network, (1, 8, 8), None) == (
        f"it rectifies by a function ({name} (layer3)), which the rule does not reach; make it an nn.ReLU layer"
    )
    assert rectifier_obstacle(network, (1, 8, 8), "layer2") is None


def test_a_relu_of_somebody_elses_making_is_a_function() -> None:
    class Shifted(nn.ReLU):
        def forward(self, input: Tensor) -> Tensor:  # noqa: A002
            return F.relu(input - 1)

    found = rectifier_obstacle(network_of(nn.ReLU(), Shifted()), (1, 8, 8), None)
    assert found is not None
    assert found.startswith("it rectifies by a function (relu (layer2))")


@pytest.mark.parametrize(
    ("layer", "word"),
    [
        (nn.GELU(), "GELU"),
        (nn.SiLU(inplace=True), "SiLU"),
        (nn.Sigmoid(), "sigmoid"),
        (nn.LeakyReLU(inplace=True), "leaky ReLU"),
        (nn.PReLU(), "PReLU"),
        (nn.SELU(), "ELU"),
        (nn.ReLU6(), "ReLU6 or hard tanh"),
        (nn.Hardswish(), "hard swish"),
        (Forward(F.gelu), "GELU"),
    ],
)
def test_other_activations_are_named(layer: nn.Module, word: str) -> None:
    network = network_of(nn.Conv2d(1, 2, 3), nn.ReLU(), layer)
    expected = f"beside ReLU it has {word} (layer3), for which the rule is not defined"
    assert rectifier_obstacle(network, (1, 8, 8), None) == expected
    alone = network_of(nn.Conv2d(1, 2, 3), layer)
    assert rectifier_obstacle(alone, (1, 8, 8), None) == f"{NO_RELU}; its activation is {word} (layer2)"


def test_several_activations_are_all_named() -> None:
    network = network_of(nn.Tanh(), nn.GELU(), nn.Tanh())
    expected = f"{NO_RELU}; its activations are tanh (layer1), GELU (layer2)"
    assert rectifier_obstacle(network, (1, 8, 8), None) == expected


def test_what_only_looks_like_a_rectifier_is_none() -> None:
    def normalised(x: Tensor) -> Tensor:
        return F.normalize(x, dim=1).clamp(max=0.5) + torch.maximum(x, x.flip(3))

    layers = (nn.Conv2d(1, 4, 3), nn.ReLU(), nn.LocalResponseNorm(3), Forward(normalised), nn.Dropout())
    assert rectifier_obstacle(network_of(*layers), (1, 8, 8), None) is None


def test_heads_that_only_training_uses_do_not_count() -> None:
    stages = {"conv": nn.Conv2d(1, 2, 3), "relu": nn.ReLU()}
    network = Network(stages, nn.Flatten(), auxiliaries={"conv": nn.Sequential(nn.Tanh(), nn.Flatten())})
    assert rectifier_obstacle(network, (1, 8, 8), None) is None
    linear = Network({"conv": nn.Conv2d(1, 2, 3)}, nn.Flatten(), auxiliaries={"conv": nn.ReLU()})
    assert rectifier_obstacle(linear, (1, 8, 8), None) == NO_RELU


def test_a_module_that_is_one_stage_is_looked_through() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.last = nn.Conv2d(1, 2, 3), nn.Linear(72, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(torch.relu(self.conv(x)).flatten(1)) * 2

    network = wrap(Functional())
    found = rectifier_obstacle(network, (1, 8, 8), None)
    assert found is not None
    assert found.startswith("it rectifies by a function (relu (network))")
    with pytest.raises(ModelError, match=r"Guided backpropagation cannot be right .* \(relu \(network\)\)"):
        attribute(network, torch.randn(1, 1, 8, 8), torch.tensor([0]), method="guided_backpropagation")


def test_obstacles_of_a_network_in_double_precision() -> None:
    network = network_of(nn.Conv2d(1, 2, 3), nn.Tanh()).double()
    assert rectifier_obstacle(network, (1, 8, 8), None) == f"{NO_RELU}; its activation is tanh (layer2)"


def test_looking_for_obstacles_changes_nothing() -> None:
    network = network_of(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(inplace=True)).train()
    before = [tensor.clone() for tensor in chain(network.parameters(), network.buffers())]
    with torch.no_grad():
        assert rectifier_obstacle(network, (1, 8, 8), None) is None
    after = chain(network.parameters(), network.buffers())
    assert all(torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert all(layer.training for layer in network.modules())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in network.modules())


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(ModelError, match=r"The network has no stage 'layer9'; did you mean layer1\?"):
        rectifier_obstacle(network_of(nn.ReLU()), (1, 8, 8), "layer9")

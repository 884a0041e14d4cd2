"""The backward rules of rectifiers by hand, and the copy that has them."""

import warnings
from typing import Literal

import pytest
import torch
from networks_to_explain import images_for, network_of, network_to_explain
from torch import Tensor, nn

from striate.explanation.gradient import target_gradient
from striate.explanation.rectifiers import Rectifier, rectifier_obstacle, with_rule

RULES: list[Literal["guided", "deconvnet"]] = ["guided", "deconvnet"]
every_rule = pytest.mark.parametrize("rule", RULES)


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize(("rule", "passed"), [("guided", [0, 0, 0, 8, 0]), ("deconvnet", [5, 0, 0, 8, 9])])
def test_the_rules_by_hand(rule: Literal["guided", "deconvnet"], passed: list[int], inplace: bool) -> None:
    values = torch.tensor([-1.0, 2.0, -3.0, 4.0, 0.0]).view(1, 1, 1, 5).requires_grad_()
    signal = torch.tensor([[5.0, -6.0, -7.0, 8.0, 9.0]])
    ruled = with_rule(network_of(nn.ReLU(inplace=inplace)), rule)
    answered = ruled(values * 1)
    assert answered.tolist() == [[0, 2, 0, 4, 0]]
    (gradient,) = torch.autograd.grad(answered, values, signal)
    assert gradient.flatten().tolist() == passed
    (plain,) = torch.autograd.grad(values.relu().flatten(1), values, signal)
    assert plain.flatten().tolist() == [0, -6, 0, 8, 0]


def test_max_pooling_sends_the_signal_to_its_switches() -> None:
    values = torch.tensor([[3.0, -1.0, -5.0, -2.0]]).view(1, 1, 1, 4).requires_grad_()
    ruled = with_rule(network_of(nn.ReLU(), nn.MaxPool2d((1, 2)), nn.ReLU()), "deconvnet")
    (gradient,) = torch.autograd.grad(ruled(values), values, torch.tensor([[7.0, -7.0]]))
    assert gradient.flatten().tolist() == [7, 0, 0, 0]


@every_rule
@pytest.mark.parametrize("name", ["compact", "resnet18_small", "googlenet"])
def test_the_copy_computes_what_the_network_does_and_shares_its_weights(
    rule: Literal["guided", "deconvnet"], name: str
) -> None:
    network, (inputs, _) = network_to_explain(name, "trained"), images_for(name)
    ruled = with_rule(network, rule)
    assert torch.equal(ruled(inputs), network(inputs))
    for of in ("parameters", "buffers"):
        assert [id(t) for t in getattr(ruled, of)()] == [id(t) for t in getattr(network, of)()]
    relus = [path for path, layer in network.named_modules() if isinstance(layer, nn.ReLU)]
    assert [path for path, layer in ruled.named_modules() if isinstance(layer, Rectifier)] == relus
    assert not any(isinstance(layer, nn.ReLU) for layer in ruled.modules())
    mine = {id(layer) for layer in network.modules()}
    assert not mine & {id(layer) for layer in ruled.modules()}


def test_the_copy_is_in_evaluation_and_the_network_stays_in_training() -> None:
    network = network_of(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU()).train()
    ruled = with_rule(network, "guided")
    counted = network.stages["layer2"].get_buffer("num_batches_tracked")
    ruled(torch.randn(4, 1, 8, 8))
    assert int(counted) == 0
    assert all(layer.training for layer in network.modules())


class OneReluThrice(nn.Module):
    """The same ReLU in two places of the tree and in a plain list besides."""

    def __init__(self, inplace: bool) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Conv2d(1, 6, 3), nn.Conv2d(6, 6, 3), nn.Conv2d(6, 6, 3)
        self.relu = nn.ReLU(inplace=inplace)
        self.again = self.relu
        self.steps = [self.relu]

    def forward(self, x: Tensor) -> Tensor:
        x = self.again(self.second(self.relu(self.first(x))))
        return self.steps[0](self.third(x))


@every_rule
@pytest.mark.parametrize("inplace", [False, True])
def test_a_relu_in_several_places_follows_the_rule_in_each(
    rule: Literal["guided", "deconvnet"], inplace: bool
) -> None:
    torch.manual_seed(2)
    shared = OneReluThrice(inplace)
    apart = nn.Sequential(shared.first, nn.ReLU(), shared.second, nn.ReLU(), shared.third, nn.ReLU())
    images, targets = torch.randn(3, 1, 8, 8), torch.tensor([0, 11, 23])
    assert rectifier_obstacle(network_of(shared), (1, 8, 8), None) is None
    found = target_gradient(with_rule(network_of(shared), rule), images, targets)
    assert torch.equal(found, target_gradient(with_rule(network_of(apart), rule), images, targets))
    plain = target_gradient(network_of(shared), images, targets)
    assert float((found - plain).abs().max()) > 0.1 * float(found.abs().max())


def test_what_an_in_place_relu_overwrites_stays_overwritten() -> None:
    class Before(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x: Tensor) -> Tensor:
            x = x * 1
            return self.relu(x) + x

    network = network_of(Before())
    values = torch.tensor([-1.0, 2.0, 3.0]).view(1, 1, 1, 3).requires_grad_()
    assert network(values).tolist() == [[0, 4, 6]]
    answered = with_rule(network, "guided")(values)
    assert answered.tolist() == [[0, 4, 6]]
    # both terms of the sum are the rectifier's, so the signal comes back to it twice; captum.GuidedBackprop gives an
    # in-place ReLU a clone to overwrite, and so explains another network here
    (gradient,) = torch.autograd.grad(answered, values, torch.tensor([[5.0, 7.0, -9.0]]))
    assert gradient.flatten().tolist() == [0, 14, 0]


@pytest.mark.parametrize(("rule", "passed"), [("guided", [5, -9, 0]), ("deconvnet", [10, -9, 0])])
def test_what_passes_beside_a_relu_keeps_its_gradient(
    rule: Literal["guided", "deconvnet"], passed: list[int]
) -> None:
    """As in residual blocks that begin with their ReLU, whose shortcut no rule concerns."""

    class Beside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relu = nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.relu(x) + x

    values = torch.tensor([-1.0, 2.0, 3.0]).view(1, 1, 1, 3).requires_grad_()
    answered = with_rule(network_of(Beside()), rule)(values)
    (gradient,) = torch.autograd.grad(answered, values, torch.tensor([[5.0, -9.0, 0.0]]))
    assert gradient.flatten().tolist() == passed


@every_rule
def test_without_pooling_the_rules_are_captums(rule: Literal["guided", "deconvnet"]) -> None:
    from captum.attr import Deconvolution, GuidedBackprop

    torch.manual_seed(4)
    network = network_of(
        *(nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU()),
        *(
            nn.Conv2d(8, 8, 3, stride=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(72, 12),
            nn.ReLU(),
            nn.Linear(12, 4),
        ),
    )
    images, targets = torch.randn(3, 3, 16, 16), torch.tensor([0, 3, 1])
    method = {"guided": GuidedBackprop, "deconvnet": Deconvolution}[rule](network)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        expected = method.attribute(images.clone().requires_grad_(), target=targets)
    found = target_gradient(with_rule(network, rule), images, targets)
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))
    assert not torch.allclose(found, target_gradient(network, images, targets), rtol=0.1)

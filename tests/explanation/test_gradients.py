"""The gradient methods against captum's, against figures made by hand, and against what their papers promise."""

import copy
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from networks_to_explain import RECTIFIED, SHAPES, WEIGHTS, apart, images_for, in_double, network_to_explain
from torch import Tensor, nn

from striate.errors import ModelError, UsageError
from striate.explanation import METHODS, attribute, gradient
from striate.explanation.gradient import target_gradient
from striate.explanation.guided_backpropagation import guided_backpropagation
from striate.explanation.integrated_gradients import integrate, integrated_gradients
from striate.explanation.saliency import gradient_input, saliency
from striate.explanation.smooth_grad import smooth_grad
from striate.models import Network

OURS: dict[str, Callable[..., Tensor]] = {
    "saliency": saliency,
    "gradient_input": gradient_input,
    "guided_backpropagation": guided_backpropagation,
    "integrated_gradients": partial(integrated_gradients, steps=6),
    "smooth_grad": partial(smooth_grad, samples=4),
}
every_weight = pytest.mark.parametrize("weights", WEIGHTS)
every_network = pytest.mark.parametrize("name", SHAPES)
# the largest of them, in double precision
QUICK = [pytest.param(name, marks=pytest.mark.slow) if name == "vgg11_bn" else name for name in SHAPES]
every_sum = pytest.mark.parametrize("name", QUICK)
every_method = pytest.mark.parametrize("method", OURS)


def theirs(kind: str, network: Network, inputs: Tensor, targets: Tensor, **options: Any) -> Tensor:
    import captum.attr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it warns of its own hooks, and of the grads it sets
        return getattr(captum.attr, kind)(network).attribute(
            inputs.clone().requires_grad_(), target=targets, **options
        )


@every_weight
@every_network
def test_saliency_and_gradient_times_input_are_captums(name: str, weights: str) -> None:
    network, (inputs, targets) = network_to_explain(name, weights), images_for(name)
    assert apart(saliency(network, inputs, targets), theirs("Saliency", network, inputs, targets)) <= 1e-5
    product = theirs("InputXGradient", network, inputs, targets)
    assert apart(gradient_input(network, inputs, targets), product) <= 1e-5


@every_weight
@pytest.mark.parametrize("name", RECTIFIED)
def test_guided_backpropagation_is_captums(name: str, weights: str) -> None:
    network, (inputs, targets) = network_to_explain(name, weights), images_for(name)
    expected = theirs("GuidedBackprop", network, inputs, targets)
    assert apart(guided_backpropagation(network, inputs, targets), expected) <= 1e-5


@every_weight
@every_sum
def test_integrated_gradients_are_captums_sum_over_midpoints(name: str, weights: str) -> None:
    network, inputs, targets = in_double(name, weights)
    black = torch.linspace(-2.0, -1.0, inputs.shape[1], dtype=torch.float64)[:, None, None]
    for baseline in (None, black):
        expected = theirs(
            "IntegratedGradients",
            network,
            inputs,
            targets,
            n_steps=6,
            method="riemann_middle",
            baselines=0 if baseline is None else baseline.expand_as(inputs).clone(),
        )
        found = integrated_gradients(network, inputs, targets, steps=6, baseline=baseline)
        assert apart(found, expected) <= 1e-5


@every_weight
@every_sum
def test_smooth_grad_is_captums_noise_tunnel_with_the_same_noise(
    name: str, weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from captum.attr import NoiseTunnel, Saliency

    network, inputs, targets = in_double(name, weights)
    drawn = np.random.Generator(np.random.Philox(key=11)).standard_normal(
        (4, *SHAPES[name]), dtype=np.float32
    )
    noise = torch.from_numpy(drawn)
    monkeypatch.setattr(torch, "normal", lambda _, deviation: noise * deviation.double())
    expected = []
    for image, target in zip(inputs.split(1), targets.split(1), strict=True):
        deviation = 0.2 * float(image.max() - image.min())
        tunnel = NoiseTunnel(Saliency(network))
        expected.append(tunnel.attribute(image, nt_samples=4, stdevs=deviation, target=target, abs=False))
    found = smooth_grad(network, inputs, targets, samples=4, sigma=0.2, seed=11)
    assert apart(found, torch.cat(expected)) <= 1e-5


@every_method
def test_no_method_is_the_plain_gradient(method: str) -> None:
    network, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact")
    assert apart(OURS[method](network, inputs, targets), target_gradient(network, inputs, targets)) > 0.1


class SumOfSquares(nn.Module):
    """One class, whose logit is the sum of the squares of the input."""

    def forward(self, x: Tensor) -> Tensor:
        return x.square().flatten(1).sum(1, keepdim=True)


SQUARES = Network({"as_it_is": nn.Identity()}, head=SumOfSquares())


def test_a_sum_of_squares_by_hand() -> None:
    network, image = SQUARES, torch.tensor([[[[1.0, -2.0], [0.5, 0.0]]]])
    target = torch.tensor([0])
    assert saliency(network, image, target).flatten().tolist() == [2, 4, 1, 0]
    assert gradient_input(network, image, target).flatten().tolist() == [2, 8, 0.5, 0]
    # the integral of 2x from 0 to x is x²; from -1, x² - 1: midpoints are exact where the gradient is straight
    assert integrated_gradients(network, image, target).flatten().tolist() == pytest.approx([1, 4, 0.25, 0])
    from_black = integrated_gradients(network, image, target, baseline=torch.full((1, 1, 1), -1.0))
    assert from_black.flatten().tolist() == pytest.approx([0, 3, -0.75, -1])


def test_smooth_grad_of_a_sum_of_squares_shows_the_mean_of_the_noise() -> None:
    image = torch.tensor([[[[1.0, -2.0], [0.5, 0.0]]]])
    found = smooth_grad(SQUARES, image, torch.tensor([0]), samples=50, sigma=0.1, seed=4)
    noise = np.random.Generator(np.random.Philox(key=4)).standard_normal((50, 1, 2, 2), dtype=np.float32)
    expected = 2 * image + 2 * 0.1 * 3.0 * torch.from_numpy(noise).mean(0)  # the range is 3
    assert apart(found, expected) < 1e-5
    assert apart(found, 2 * image) > 0.005


def test_guided_backpropagation_by_hand() -> None:
    """Two hidden units of two pixels: one whose gradient is negative, and one that is off."""
    first, second = nn.Linear(2, 3, bias=False), nn.Linear(3, 1, bias=False)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, -1.0], [-4.0, 1.0]]))
        second.weight.copy_(torch.tensor([[5.0, -7.0, 11.0]]))
    network = Network({"flatten": nn.Flatten(), "first": first, "relu": nn.ReLU()}, head=second)
    image, target = torch.tensor([[[[1.0, 1.0]]]]), torch.tensor([0])
    # hidden before the rectifier: 3, 2, -3; back at it come 5, -7, 11; only the first is on and positive
    assert guided_backpropagation(network, image, target).flatten().tolist() == [5, 10]
    assert target_gradient(network, image, target).flatten().tolist() == [5 - 21, 10 + 7]


@every_method
def test_a_map_does_not_depend_on_the_other_images(method: str) -> None:
    network, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact", images=5)
    together = OURS[method](network, inputs, targets)
    for one in range(5):
        alone = OURS[method](network, inputs[[one]], targets[[one]])
        assert apart(together[[one]], alone) <= 1e-5
    turned = OURS[method](network, inputs.flip(0) * 1.0, targets.flip(0))
    assert apart(turned.flip(0), together) <= 1e-5


@every_method
def test_few_values_at_once_give_the_same(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact")
    whole = OURS[method](network, inputs, targets)
    monkeypatch.setattr(gradient, "VALUES_AT_ONCE", 3 * 16 * 16 * 3 + 1)
    assert apart(OURS[method](network, inputs, targets), whole) <= 1e-5


def test_the_seed_decides_the_noise() -> None:
    network, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact")
    first, again, other = (smooth_grad(network, inputs, targets, samples=3, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert apart(first, other) > 0.01
    still = smooth_grad(network, inputs, targets, samples=3, sigma=0.0)
    assert apart(still, target_gradient(network, inputs, targets)) <= 1e-5


@every_method
@pytest.mark.parametrize("training", [True, False])
def test_nothing_of_the_network_changes(method: str, training: bool) -> None:
    network = copy.deepcopy(network_to_explain("compact", "trained")).train(training)
    network.freeze("stem")
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    inputs, targets = images_for("compact")
    before, seen = copy.deepcopy(network), inputs.clone()
    with torch.no_grad():
        attribute(network, inputs, targets, method=method)
    assert torch.equal(inputs, seen)
    assert not inputs.requires_grad
    assert [layer.training for layer in network.modules()] == [layer.training for layer in before.modules()]
    for (name, tensor), old in zip(network.state_dict().items(), before.state_dict().values(), strict=True):
        assert torch.equal(tensor, old), name
    for now, was in zip(network.parameters(), before.parameters(), strict=True):
        assert now.requires_grad == was.requires_grad
        assert now.grad is not None
        assert torch.equal(now.grad, torch.ones_like(now))
    assert not any(layer._forward_hooks or layer._backward_hooks for layer in network.modules())


@every_method
def test_the_caller_may_have_switched_gradients_off(method: str) -> None:
    network, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact")
    with torch.no_grad():
        found = OURS[method](network, inputs, targets)
    assert apart(found, OURS[method](network, inputs, targets)) <= 1e-5
    assert not found.requires_grad


def test_a_first_layer_in_place_leaves_the_images_alone() -> None:
    network = Network({"relu": nn.ReLU(inplace=True)}, head=nn.Flatten())
    images, targets = torch.tensor([-1.0, 2.0]).view(1, 1, 1, 2), torch.tensor([1])
    for method in OURS:
        attribute(network, images, targets, method=method)
        assert images.flatten().tolist() == [-1, 2], method


@every_method
def test_maps_through_the_door(method: str) -> None:
    network, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact")
    reason = attribute(network, inputs, targets, method=method)
    assert reason.raw.shape == inputs.shape
    assert reason.maps.shape == (2, 16, 16)
    if METHODS[method].signed:
        assert torch.equal(reason.maps, reason.raw.sum(dim=1))
        assert bool((reason.maps < 0).any())
    else:
        assert torch.equal(reason.maps, reason.raw.abs().amax(dim=1))


@every_method
def test_a_stage_is_refused(method: str) -> None:
    network, (inputs, targets) = network_to_explain("compact", "random"), images_for("compact")
    with pytest.raises(
        ModelError, match=r"stage='stage2': .* follows the target's logit to the pixels and knows no"
    ):
        OURS[method](network, inputs, targets, stage="stage2")


@every_method
def test_targets_that_are_no_class_are_refused(method: str) -> None:
    network, (inputs, _) = network_to_explain("compact", "random"), images_for("compact")
    with pytest.raises(ModelError) as caught:
        OURS[method](network, inputs, torch.tensor([10, 10]))
    assert str(caught.value) == "Target 10 is no class of the network, whose classes are 0 to 9."
    with pytest.raises(ModelError, match="Target -1 is no class"):
        OURS[method](network, inputs, torch.tensor([-1, 0]))


def test_options_outside_their_range_are_refused() -> None:
    network, (inputs, targets) = network_to_explain("lenet5", "random"), images_for("lenet5")
    with pytest.raises(
        UsageError, match=r"steps=0: integrated gradients need at least one step; 64 is common\."
    ):
        integrate(network, inputs, targets, steps=0)
    outside: list[dict[str, Any]] = [{"samples": 0}, {"sigma": -0.1}, {"sigma": float("nan")}]
    for wrong in outside:
        with pytest.raises(
            UsageError, match=r"needs at least one sample and a sigma of 0 or more; 50 and 0\.15"
        ):
            smooth_grad(network, inputs, targets, **wrong)

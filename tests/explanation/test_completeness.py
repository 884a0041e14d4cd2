"""Integrated gradients add up to what they explain, or say that they do not."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks_to_explain import WEIGHTS, apart, images_for, network_to_explain
from torch import nn

from striate.errors import ModelError
from striate.explanation.integrated_gradients import MOST_STEPS, integrate, integrated_gradients
from striate.models import Network


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", ["lenet5", "compact", "resnet18"])
def test_integrated_gradients_add_up(name: str, weights: str) -> None:
    network, (inputs, targets) = network_to_explain(name, weights), images_for(name)
    whole = integrate(network, inputs, targets)
    logits = network(torch.cat([inputs, torch.zeros_like(inputs)])).detach()
    change = (logits[:2] - logits[2:]).gather(1, targets[:, None])[:, 0]
    assert apart(whole.difference, change) < 1e-4
    assert bool(whole.complete.all())
    error = whole.maps.sum(dim=(1, 2, 3)) - change
    size = torch.maximum(0.05 * change.abs(), 0.005 * whole.maps.abs().sum(dim=(1, 2, 3)))
    assert bool((error.abs() <= size * 1.001).all())
    assert torch.allclose(whole.error, error, atol=1e-4 * float(change.abs().max()))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), scale=st.floats(0.1, 5), shift=st.floats(-2, 2), target=st.integers(0, 9))
def test_integrated_gradients_add_up_from_any_baseline(
    seed: int, scale: float, shift: float, target: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    network, image = network_to_explain("compact", "trained"), torch.randn(1, 3, 8, 8, generator=generator)
    baseline = torch.full((3, 1, 1), shift)
    whole = integrate(network, image * scale, torch.tensor([target]), baseline=baseline)
    logits = network(torch.cat([image * scale, baseline.expand(1, 3, 8, 8)])).detach()[:, target]
    error = abs(float(whole.maps.sum()) - float(logits[0] - logits[1]))
    allowed = max(0.05 * abs(float(logits[0] - logits[1])), 0.005 * float(whole.maps.abs().sum()))
    assert error <= allowed * 1.01 + 1e-5
    assert int(whole.steps) in (64, 128, 256, 512, 1024)


def test_more_steps_are_taken_for_the_image_that_needs_them() -> None:
    # a kink close to the end of the way: the gradient is 0 before 0.995, and 1 after
    bend = Network({"bend": nn.Threshold(0.995, 0.995)}, head=nn.Flatten())
    images, targets = torch.tensor([0.2, 1.0]).view(2, 1, 1, 1), torch.tensor([0, 0])
    whole = integrate(bend, images, targets)
    assert whole.steps[0] == 64
    assert whole.steps[1] > 64
    assert whole.complete.tolist() == [True, True]
    coarse = integrate(bend, images, targets, steps=64)
    assert coarse.steps.tolist() == [64, 64]
    assert coarse.complete.tolist() == [True, False]


def test_a_sum_that_does_not_add_up_is_refused() -> None:
    step = Network(
        {"step": nn.Threshold(0.5, 0.0)}, head=nn.Flatten()
    )  # jumps by 0.5, with a gradient of 0 or 1
    image, target = torch.ones(1, 1, 1, 1), torch.tensor([0])
    assert integrate(step, image, target).steps.tolist() == [MOST_STEPS]
    with pytest.raises(ModelError) as caught:
        integrated_gradients(step, image, target)
    assert str(caught.value) == (
        "The integrated gradients of image 0 add up to 0.5 after 1,024 steps, and the logit changes by 1: give another"
        " baseline, or more steps to go without this check."
    )
    assert float(integrated_gradients(step, image, target, steps=2048)) == pytest.approx(0.5, abs=1e-3)

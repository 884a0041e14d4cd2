"""The two seams of a network, and what it says of a stage that it has not."""

import pytest
import torch
from torch import Tensor, nn

from striate.errors import ModelError
from striate.models import Network


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    stages = {"stem": nn.Conv2d(1, 2, 3), "stage1": nn.ReLU(), "stage2": nn.MaxPool2d(2)}
    return Network(stages, head=nn.Sequential(nn.Flatten(), nn.Linear(18, 3)))


@pytest.fixture
def images() -> Tensor:
    return torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_stages_keep_their_order(network: Network) -> None:
    assert network.stage_names == ("stem", "stage1", "stage2")


def test_run_to_includes_its_stage(network: Network, images: Tensor) -> None:
    assert (network.run_to(images, "stem") < 0).any()
    assert torch.equal(network.run_to(images, "stage1"), network.stages["stem"](images).relu())


def test_run_from_begins_after_its_stage(network: Network, images: Tensor) -> None:
    maps = torch.zeros(2, 2, 6, 6)
    bias = network.head(torch.zeros(2, 2, 3, 3))
    assert torch.equal(network.run_from(maps, "stage1"), bias)
    assert not torch.equal(network.run_from(maps, "stage1"), network(images))


@pytest.mark.parametrize("run", ["run_to", "run_from"])
def test_an_unknown_stage_is_named_with_the_nearest(network: Network, images: Tensor, run: str) -> None:
    with pytest.raises(ModelError) as raised:
        getattr(network, run)(images, "stage3")
    assert str(raised.value) == (
        "The network has no stage 'stage3'; did you mean stage2? Allowed: stem, stage1, stage2."
    )


def test_gradients_flow_through_the_seam(network: Network, images: Tensor) -> None:
    maps = network.run_to(images, "stem").detach().requires_grad_()
    network.run_from(maps, "stem").sum().backward()
    assert maps.grad is not None
    assert maps.grad.any()

"""Where the deconvnet refuses, and in which words."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from networks_to_explain import apart, images_for, network_of, network_to_explain
from torch import Tensor, nn
from turned_round import sent_back

from striate.errors import ModelError, UsageError
from striate.explanation import attribute
from striate.explanation import deconvnet as module
from striate.explanation.deconvnet import deconvnet, deconvnet_obstacle, project
from striate.models import Network, create_model, wrap


class Doing(nn.Module):
    """One function of the maps, with a ReLU layer and a convolution before it."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.relu(self.conv(x)))


REFUSED: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "functional": (F.relu, "it rectifies by a function (relu (layer1)), which the rule does not reach"),
    "gate": (lambda x: x * x.mean(dim=(2, 3), keepdim=True).sigmoid(), "beside ReLU it has sigmoid (layer1)"),
    "attention": (lambda x: x.softmax(dim=1), "it computes softmax (layer1), which is neither linear"),
    "square": (lambda x: x * x, "it computes mul (layer1), which is neither linear, nor a ReLU, nor max"),
    "quotient": (lambda x: 1 / (x + 1), "it computes reciprocal (layer1)"),
    "share": (lambda x: torch.ones_like(x) / (x + 1), "it computes div (layer1)"),
    "group": (nn.GroupNorm(2, 4), "it computes native_group_norm (layer1)"),
    "instance": (nn.InstanceNorm2d(4), "it computes native_batch_norm (layer1)"),
    "batch": (nn.BatchNorm2d(4, track_running_stats=False), "it computes native_batch_norm (layer1)"),
    "response": (lambda x: F.local_response_norm(x, 3), "it computes mul (layer1), avg_pool3d (layer1)"),
    "kernels": (lambda x: F.conv2d(x, x[:, :, :2, :2]), "it computes convolution (layer1)"),
}
ALLOWED: dict[str, Callable[[Tensor], Tensor]] = {
    "scaled": lambda x: x * 3 / 2 + 1,
    "weighted": lambda x: x * torch.linspace(0, 1, 4, device=x.device)[:, None, None],
    "summed": lambda x: torch.zeros_like(x) + x,
    "shuffled": lambda x: x.view(-1, 2, 2, *x.shape[2:]).transpose(1, 2).flatten(1, 2),
    "averaged": lambda x: F.adaptive_avg_pool2d(x, 3),
    "padded": lambda x: F.pad(x, (1, 2, 3, 4)),
    "enlarged": lambda x: F.interpolate(x, scale_factor=2),
    "pooled": lambda x: F.max_pool2d(x, 2),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_what_has_no_way_back(name: str) -> None:
    function, words = REFUSED[name]
    network = network_of(Doing(function))
    reason = deconvnet_obstacle(network, (3, 8, 8), None)
    assert reason is not None
    assert reason.startswith(words)
    with pytest.raises(ModelError, match=r"^Deconvnet cannot be right for this network: "):
        attribute(network, torch.randn(1, 3, 8, 8), torch.tensor([0]), method="deconvnet")
    with pytest.raises(ModelError, match=r"^Deconvnet cannot be right for this network: "):
        project(network, torch.randn(1, 3, 8, 8), "layer1", 0)


@pytest.mark.parametrize("name", ALLOWED)
def test_takes_what_is_linear_or_pools(name: str) -> None:
    network = network_of(Doing(ALLOWED[name]))
    assert deconvnet_obstacle(network, (3, 8, 8), None) is None
    assert project(network, torch.randn(1, 3, 8, 8), "layer1", 2, which="all").any()


@pytest.mark.parametrize(
    ("name", "words"),
    [("lenet5", "its activation is tanh (c1)"), ("lenet5_1998", "its activation is tanh (c1)")],
)
def test_refuses_lenet(name: str, words: str) -> None:
    network = create_model(name, classes=10)
    reason = deconvnet_obstacle(network, (1, 28, 28), None)
    assert reason == f"it has no ReLU whose gradient the rule could change; {words}"
    assert deconvnet_obstacle(network, (1, 28, 28), "s2") is not None


def test_only_the_way_to_the_stage_counts() -> None:
    network = network_of(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Tanh())
    assert deconvnet_obstacle(network, (1, 8, 8), "layer2") is None
    reason = deconvnet_obstacle(network, (1, 8, 8), "layer3")
    assert reason == "beside ReLU it has tanh (layer3), for which the rule is not defined"


def test_a_wrapped_network_of_somebody_else_is_followed_back() -> None:
    theirs = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 49, 5))
    network = wrap(theirs, example=(3, 16, 16))
    images = torch.randn(2, 3, 16, 16)
    back = deconvnet(network, images, torch.tensor([1, 2]))
    assert apart(back, sent_back(network, images, torch.tensor([1, 2]))) <= 1e-5


def test_weights_that_are_no_parameters_are_watched_on_noise() -> None:
    network = network_of(Doing(lambda x: x * torch.linspace(0, 1, 4)[:, None, None]))
    assert deconvnet_obstacle(network, (3, 8, 8), None) is None


def test_a_layer_that_looks_at_the_numbers_is_watched_on_noise() -> None:
    def careful(x: Tensor) -> Tensor:
        return x * 2 if float(x.detach().max()) > 0 else x

    assert deconvnet_obstacle(network_of(Doing(careful)), (3, 8, 8), None) is None
    squaring = network_of(Doing(lambda x: careful(x) * x))
    assert "mul" in str(deconvnet_obstacle(squaring, (3, 8, 8), None))


# Wrong input


def test_wrong_input_is_answered_in_one_sentence() -> None:
    network, (inputs, targets) = network_to_explain("compact", "random"), images_for("compact")
    with pytest.raises(
        ModelError, match=r"^The network has no stage 'stage9'; .*stem, stage1, stage2, stage3"
    ):
        project(network, inputs, "stage9", 0)
    with pytest.raises(ModelError, match=r"^No stage 'stage9' makes maps; .*stem, stage1, stage2, stage3"):
        deconvnet(network, inputs, targets, stage="stage9")
    with pytest.raises(ModelError, match=r"^Stage 'stage1' has the channels 0 to 15; got 16\.$"):
        project(network, inputs, "stage1", 16)
    with pytest.raises(ModelError, match=r"^Stage 'stage1' has the channels 0 to 15; got -1\.$"):
        project(network, inputs, "stage1", -1)
    with pytest.raises(ModelError, match=r"^There are 3 channels for 2 images; give one an image\.$"):
        module._channels(network, inputs, "stage1", torch.tensor([1, 2, 3]))
    with pytest.raises(UsageError, match=r"^channel=3: the deconvnet needs the stage of that channel"):
        deconvnet(network, inputs, targets, channel=3)
    wrong: Any = "strongst"
    with pytest.raises(UsageError, match=r"^which='strongst' is not a choice of cells; .*strongest"):
        wrong_choice(network, inputs, wrong)
    with pytest.raises(ModelError, match=r"^Target 10 is no class of the network"):
        deconvnet(network, inputs, torch.tensor([1, 10]))


def wrong_choice(network: Network, inputs: Tensor, which: Any) -> None:
    # the types of the public functions would refuse the word before they do
    module._require_which(which)
    module._project(network, inputs, "stage1", 0, which)


def test_a_stage_without_maps_is_refused() -> None:
    network = Network(
        {"conv": nn.Conv2d(1, 2, 3), "relu": nn.ReLU(), "flat": nn.Flatten()}, head=nn.Linear(72, 3)
    )
    with pytest.raises(ModelError, match=r"^No stage 'flat' makes maps; .*conv, relu"):
        project(network, torch.randn(1, 1, 8, 8), "flat", 0)

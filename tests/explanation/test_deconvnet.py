"""The deconvnet on paper, against a second build without gradients, and against captum's."""

import warnings
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from networks_to_explain import WEIGHTS, apart, images_for, network_to_explain
from torch import Tensor, nn
from turned_round import one_layer_each, sent_back, sent_back_from

from striate.explanation.deconvnet import deconvnet, deconvnet_obstacle, project
from striate.explanation.gradient import target_gradient
from striate.explanation.rectifiers import with_rule
from striate.explanation.transposing import switched
from striate.models import Network, create_model

every_weight = pytest.mark.parametrize("weights", WEIGHTS)


# On paper: convolution 2×2, ReLU, max pooling 2, convolution 2×2, ReLU


def on_paper() -> Network:
    first, second = nn.Conv2d(1, 1, 2), nn.Conv2d(1, 1, 2)
    for layer, weights, bias in ((first, [[1, -1], [2, 0]], -1), (second, [[1, -2], [3, 1]], 2)):
        layer.weight.data = torch.tensor([[weights]], dtype=torch.float32)
        layer.get_parameter("bias").data = torch.tensor([float(bias)])
    stages = {"low": nn.Sequential(first, nn.ReLU()), "pool": nn.MaxPool2d(2)}
    return Network({**stages, "high": nn.Sequential(second, nn.ReLU())}, head=nn.Flatten()).eval()


PAPER = torch.tensor(
    [[[[1.0, 1, 3, 1, 2], [1, 1, 3, 2, 2], [0, 3, 2, 2, 3], [1, 3, 0, 0, 3], [1, 0, 0, 0, 3]]]]
)


def test_on_paper_the_way_up() -> None:
    network = on_paper()
    assert network.stages["low"][0](PAPER)[0, 0].tolist() == [  # pyright: ignore[reportIndexIssue]
        [1, -1, 7, 2],
        [-1, 3, 4, 3],
        [-2, 6, -1, -2],
        [-1, 2, -1, -4],
    ]
    assert network.run_to(PAPER, "pool")[0, 0].tolist() == [[3, 7], [6, 0]]
    assert network.run_to(PAPER, "high").item() == 3 - 2 * 7 + 3 * 6 + 0 + 2 == 9


def test_on_paper_the_way_back() -> None:
    """The signal 9 becomes [[9, -18], [27, 9]] at the pooled cells.

    The switches are (1, 1), (0, 2), (2, 1) and, of a window of zeros, its first cell, (2, 2). There -18 is rectified
    away, though 7 went up, and 9 goes on, though -1 did. The filter [[1, -1], [2, 0]] then puts 9 at (1, 1), 27 at
    (2, 1) and 9 at (2, 2).
    """
    expected = [
        [0, 0, 0, 0, 0],
        [0, 9, -9, 0, 0],
        [0, 18 + 27, -27 + 9, -9, 0],
        [0, 54, 18, 0, 0],
        [0, 0, 0, 0, 0],
    ]
    assert project(on_paper(), PAPER, "high", 0)[0, 0].tolist() == expected
    assert deconvnet(on_paper(), PAPER, torch.tensor([0]))[0, 0].mul(9).tolist() == expected


def test_on_paper_other_rules_say_something_else() -> None:
    back = deconvnet(on_paper(), PAPER, torch.tensor([0]))
    for other in (on_paper(), with_rule(on_paper(), "guided")):
        assert not torch.equal(back, target_gradient(other, PAPER, torch.tensor([0])))


def test_on_paper_one_cell_or_all() -> None:
    strongest = project(on_paper(), PAPER, "low", 0)
    assert strongest.nonzero()[:, 2:].tolist() == [[0, 2], [0, 3], [1, 2]]
    assert [strongest[0, 0, 0, 2], strongest[0, 0, 0, 3], strongest[0, 0, 1, 2]] == [7, -7, 14]
    filters = torch.tensor([[[[1.0, -1], [2, 0]]]])
    all_of_them = F.conv_transpose2d(on_paper().run_to(PAPER, "low"), filters)
    assert torch.equal(project(on_paper(), PAPER, "low", 0, which="all"), all_of_them)


# Against a second build: loops over windows, transposed convolutions, no gradients


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        *((name, "random") for name in ("compact", "resnet18_small", "vgg11_bn", "googlenet")),
        ("compact", "trained"),
        *(
            pytest.param(name, "trained", marks=pytest.mark.slow)
            for name in ("resnet18_small", "vgg11_bn", "googlenet")
        ),
    ],
)
def test_a_logit_is_followed_back_as_by_a_second_build(name: str, weights: str) -> None:
    network, (inputs, targets) = network_to_explain(name, weights), images_for(name)
    back = deconvnet(network, inputs, targets)
    assert apart(back, sent_back(network, inputs, targets)) <= 1e-5
    for other in (network, with_rule(network, "guided")):
        assert apart(back, target_gradient(other, inputs, targets)) > 0.1


@pytest.mark.parametrize(
    ("name", "stage"),
    [("compact", "stem"), ("compact", "stage2"), ("resnet18_small", "stage2"), ("googlenet", "3b")],
)
@pytest.mark.parametrize("which", ["strongest", "all"])
def test_an_activation_is_followed_back_as_by_a_second_build(name: str, stage: str, which: Any) -> None:
    network, (inputs, _) = network_to_explain(name, "random"), images_for(name)
    with torch.no_grad():  # the channel that both images excite most
        channel = int(network.run_to(inputs, stage).amax(dim=(2, 3)).amin(dim=0).argmax())
    expected = sent_back_from(network, inputs, stage, channel, which)
    assert expected.abs().amax(dim=(1, 2, 3)).min() > 0
    assert apart(project(network, inputs, stage, channel, which=which), expected) <= 1e-5


def test_every_kind_of_layer_is_turned_round_as_in_a_second_build() -> None:
    network, inputs = one_layer_each()
    targets = torch.tensor([0, 3, 4])
    back = deconvnet(network, inputs, targets)
    assert apart(back, sent_back(network, inputs, targets)) <= 1e-5
    for stage in network.stage_names:
        for which in ("strongest", "all"):
            expected = sent_back_from(network, inputs, stage, 5, which)
            assert apart(project(network, inputs, stage, 5, which=which), expected) <= 1e-5


def test_a_wrong_switch_says_something_else() -> None:
    network, (inputs, targets) = network_to_explain("vgg11_bn", "random"), images_for("vgg11_bn")
    back = deconvnet(network, inputs, targets)
    for wrong in (lambda cells: cells.argmin(dim=2), lambda cells: torch.zeros_like(cells[:, :, 0]).long()):
        assert apart(sent_back(network, inputs, targets, wrong), back) > 0.1


def test_switches_unpool_as_torchs_own_unpooling_does() -> None:
    maps = torch.randn(2, 4, 6, 8)
    pooled, switches = F.max_pool2d(maps, 2, return_indices=True)
    stages = {"conv": nn.Conv2d(4, 4, 1), "pool": nn.MaxPool2d(2)}
    nn.init.dirac_(stages["conv"].get_parameter("weight"))
    nn.init.zeros_(stages["conv"].get_parameter("bias"))
    back = project(Network(stages, nn.Flatten()), maps, "pool", 2, which="all")
    assert torch.equal(back[:, 2], F.max_unpool2d(pooled.clamp(min=0), switches, 2)[:, 2])
    assert not back[:, [0, 1, 3]].any()


@every_weight
def test_without_pooling_it_is_captums_deconvolution(weights: str) -> None:
    import captum.attr

    network, inputs, targets = without_pooling(weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it warns of its own hooks
        theirs = captum.attr.Deconvolution(network).attribute(inputs.clone(), target=targets)
    back = deconvnet(network, inputs, targets)
    assert apart(back, theirs) <= 1e-5
    assert apart(back, target_gradient(network, inputs, targets)) > 0.1
    assert switched(network, (3, 16, 16), None) == ()
    assert deconvnet_obstacle(network, (3, 16, 16), None) is None


def without_pooling(weights: str) -> tuple[Network, Tensor, Tensor]:
    torch.manual_seed(8)
    network = create_model("resnet20", classes=10, channels=3, size=(16, 16))
    inputs, targets = torch.randn(4, 3, 16, 16), torch.tensor([0, 3, 6, 9])
    if weights == "trained":
        optimiser = torch.optim.SGD(network.parameters(), lr=0.02)
        for _ in range(3):
            optimiser.zero_grad()
            F.cross_entropy(network(inputs), targets).backward()
            optimiser.step()
        optimiser.zero_grad()
    return network.eval(), inputs, targets

"""Where Grad-CAM, Grad-CAM++ and Layer-CAM cannot be right, they say so."""

import copy
from collections.abc import Callable

import pytest
import torch
from networks_to_explain import images_for, network_of, network_to_explain
from torch import Tensor, nn

from striate.errors import ModelError
from striate.explanation import METHODS, attribute
from striate.explanation.grad_cam_plus_plus import closed_form_obstacle
from striate.explanation.gradient import require_targets
from striate.models import Network, create_model

every_method = pytest.mark.parametrize("method", ["gradcam", "gradcam_plus_plus", "layercam"])


@pytest.mark.parametrize(
    ("name", "stage", "words"),
    [
        (
            "lenet5",
            "s4",
            "the maps of s4 go below zero, where equation 19 of the paper does not hold; take gradcam or",
        ),
        (
            "alexnet2012",
            "conv1",
            "what follows conv1 is not linear in pieces (tanh, response normalisation or the like), where equation 19"
            " of the paper does not hold; it does from ",
        ),
    ],
)
def test_grad_cam_plus_plus_refuses_where_its_closed_form_does_not_hold(
    name: str, stage: str, words: str
) -> None:
    side = 28 if name == "lenet5" else 63
    network = create_model(name, classes=7, channels=1, size=(side, side))
    inputs, targets = torch.randn(2, 1, side, side), torch.tensor([6, 1])
    with pytest.raises(ModelError) as caught:
        attribute(network, inputs, targets, method="gradcam_plus_plus", stage=stage)
    assert str(caught.value).startswith(f"Grad-CAM++ cannot be right for this network: {words}")


class Curve(nn.Module):
    def __init__(self, curve: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.curve = curve

    def forward(self, x: Tensor) -> Tensor:
        return self.curve(x)


def attention(x: Tensor) -> Tensor:
    """Of cells to cells; torch has no second derivative of its quick form."""
    cells = x.flatten(2).transpose(1, 2)[:, None]
    return nn.functional.scaled_dot_product_attention(cells, cells, cells)


@pytest.mark.parametrize(
    ("layer", "straight"),
    [
        (nn.ReLU(), True),
        (nn.LeakyReLU(), True),
        (nn.MaxPool2d(2), True),
        (nn.BatchNorm2d(4), True),
        (nn.AdaptiveAvgPool2d(2), True),
        (nn.Dropout(), True),
        (nn.Tanh(), False),
        (nn.GELU(), False),
        (nn.LocalResponseNorm(2), False),
        (nn.GroupNorm(2, 4), False),
        (Curve(torch.square), False),
        (Curve(attention), False),
    ],
    ids=str,
)
def test_what_is_linear_in_pieces(layer: nn.Module, straight: bool) -> None:
    torch.manual_seed(6)
    network = network_of(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), layer).train()
    before = copy.deepcopy(network.state_dict())
    reason = closed_form_obstacle(network, (1, 12, 12), "layer2")
    assert (reason is None) == straight
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


@every_method
def test_wrong_targets_and_stages_are_refused(method: str) -> None:
    network, (inputs, targets) = network_to_explain("lenet5", "random"), images_for("lenet5")
    cam = METHODS[method].function
    with pytest.raises(ModelError) as caught:
        cam(network, inputs, torch.tensor([3, 10]))
    assert str(caught.value) == "Target 10 is no class of the network, whose classes are 0 to 9."
    with pytest.raises(ModelError, match=r"Target -1 is no class"):
        cam(network, inputs, torch.tensor([-1, 0]))
    with pytest.raises(ModelError, match=r"no stage 's5'; did you mean s4\? Allowed: c1, s2, c3, s4, c5\."):
        cam(network, inputs, targets, stage="s5")
    with pytest.raises(ModelError, match=r"No stage 's5' makes maps; did you mean s4\?"):
        attribute(network, inputs, targets, method=method, stage="s5")


@every_method
def test_a_stage_without_maps_is_refused(method: str) -> None:
    network = Network({"conv": nn.Conv2d(1, 2, 3), "flatten": nn.Flatten()}, head=nn.Linear(2 * 36, 4)).eval()
    inputs, targets = torch.randn(1, 1, 8, 8), torch.tensor([0])
    with pytest.raises(ModelError, match=r"No stage 'flatten' makes maps; Allowed: conv\."):
        METHODS[method].function(network, inputs, targets, stage="flatten")
    flat = Network({"flatten": nn.Flatten()}, head=nn.Linear(64, 4)).eval()
    with pytest.raises(
        ModelError, match=r"No stage of this network makes maps, so nothing can say where it looked\."
    ):
        attribute(flat, inputs, targets, method=method)


def test_as_many_targets_as_images() -> None:
    with pytest.raises(ModelError) as caught:
        require_targets(torch.tensor([1, 2, 3]), torch.zeros(2, 10))
    assert str(caught.value) == "There are 3 targets for 2 images; give one class an image."

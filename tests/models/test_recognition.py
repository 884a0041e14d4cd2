"""Whose names a file of weights uses, and which network it fits: every network of the catalogue is its own only fit."""

import pytest
import torch
from torch import Tensor, nn

import theirs
from striate.errors import ModelError, RunError
from striate.models import create_model, fit_weights, from_timm, model_entry, model_names
from striate.models.recognition import in_our_names, library_of, recognised
from striate.models.timm_names import TIMM_NAMES
from striate.models.torchvision_names import RENAMINGS

COLUMN = "64 M 128 M 256 256 M 512 512 M 512 512 M"


class TimmVGG(nn.Module):
    """timm's VGG-11, for images of 64 pixels: the hidden layers of the head are convolutions over all cells."""

    def __init__(self, normalised: bool, classes: int) -> None:
        super().__init__()
        self.features = theirs.VGG(COLUMN, normalised, classes).features
        self.pre_logits = nn.Module()
        self.pre_logits.fc1 = nn.Conv2d(512, 4096, 2)
        self.pre_logits.fc2 = nn.Conv2d(4096, 4096, 1)
        self.head = nn.Module()
        self.head.fc = nn.Linear(4096, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.pre_logits.fc1(self.features(x)))
        return self.head.fc(torch.relu(self.pre_logits.fc2(x)).flatten(1))


@pytest.mark.parametrize("normalised", [False, True])
@torch.no_grad()
def test_timms_vgg_gives_its_logits_here(normalised: bool) -> None:
    torch.manual_seed(0)
    other = TimmVGG(normalised, 3).eval()
    state = other.state_dict()
    assert library_of(state) == "timm"
    name = recognised(state, "vgg.safetensors")
    assert name == ("vgg11_bn" if normalised else "vgg11")
    network = create_model(name, classes=3, size=(64, 64)).eval()
    assert fit_weights(network, in_our_names(name, state), "x") == ("The head is taken too.",)
    images = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(network(images), other(images), rtol=1e-4, atol=1e-6)


def test_timms_resnets_have_torchvisions_names() -> None:
    state = theirs.ResNet((2, 2, 2, 2), False, 4).state_dict()
    assert library_of(state) == "torchvision"
    assert from_timm("resnet18", state).keys() == in_our_names("resnet18", state).keys()


def test_timm_has_no_alexnet() -> None:
    assert {"alexnet", "googlenet"} == set(RENAMINGS) - set(TIMM_NAMES)
    with pytest.raises(ModelError, match="timm publishes no weights that fit alexnet; "):
        from_timm("alexnet", {})


@pytest.mark.parametrize("name", model_names())
def test_a_network_is_recognised_by_its_own_names(name: str) -> None:
    side = model_entry(name).default_input[1]
    state = create_model(name, classes=7, channels=1, size=(side, side), weights=False).state_dict()
    assert recognised(state, "x.safetensors") == name


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("alexnet", theirs.AlexNet(4)),
        ("vgg11_bn", theirs.VGG(COLUMN, True, 4)),
        ("googlenet", theirs.GoogLeNet(4)),
        ("resnet34", theirs.ResNet((3, 4, 6, 3), False, 4)),
        ("resnet50", theirs.ResNet((3, 4, 6, 3), True, 4)),
    ],
)
def test_a_network_is_recognised_by_torchvisions_names(name: str, network: nn.Module) -> None:
    state = network.state_dict()
    assert recognised(state, "x.pth") == name
    old = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    assert recognised(old, "x.pth") == name
    stages = {key: value for key, value in state.items() if not key.startswith(("fc.", "classifier.", "aux"))}
    assert recognised(stages, "x.pth") == name


def test_what_fits_nothing_is_said_with_what_was_looked_at() -> None:
    state = theirs.ResNet((2, 2, 2, 3), False, 4).state_dict()
    with pytest.raises(RunError) as raised:
        recognised(state, "mine.pth")
    assert str(raised.value) == (
        f"mine.pth fits none of striate's networks, by the names and shapes of its {len(state)} tensors (looked at,"
        f" with torchvision's names: {', '.join(RENAMINGS)}); --model NAME says which network is meant."
    )
    for strange in ({}, {"weight": torch.zeros(3)}, {"stages.x.weight": torch.zeros(3)}):
        with pytest.raises(RunError, match=r"^mine\.pth fits none of striate's networks"):
            recognised(strange, "mine.pth")

"""Weights fitted to a network of other channels, another head or another precision: what is taken, and what is said."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from striate.errors import RunError
from striate.models import Network, create_model, fit_weights, from_torchvision
from theirs import GoogLeNet, ResNet

TAKEN = "The head is taken too."


def made(name: str, seed: int = 1, classes: int = 5, channels: int = 3, side: int = 32) -> Network:
    torch.manual_seed(seed)
    return create_model(name, classes=classes, channels=channels, size=(side, side)).eval()


def resnet_state(classes: int = 5) -> dict[str, Tensor]:
    torch.manual_seed(3)
    return from_torchvision("resnet18", ResNet((2, 2, 2, 2), False, classes).state_dict())


def same(network: Network, state: Mapping[str, Tensor], prefix: str) -> bool:
    return all(
        torch.equal(tensor, state[name])
        for name, tensor in network.state_dict().items()
        if name.startswith(prefix)
    )


def untouched(network: Network) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


# channels


@pytest.mark.parametrize(
    ("channels", "words"),
    [(1, "3 for grey images"), (2, "3 / 2 for images of 2 channels"), (5, "3 / 5 for images of 5 channels")],
)
@torch.no_grad()
def test_colour_weights_answer_other_channels_as_equal_colours(channels: int, words: str) -> None:
    colour, other = made("resnet18"), made("resnet18", seed=4, channels=channels)
    fit_weights(colour, resnet_state(), "x")
    assert fit_weights(other, resnet_state(), "x") == (
        f"The first layer's weights were averaged over the three colours and multiplied by {words}.",
        TAKEN,
    )
    grey = torch.randn(2, 1, 32, 32)
    torch.testing.assert_close(
        other(grey.expand(-1, channels, -1, -1)), colour(grey.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("name", ["compact", "lenet5", "lenet5_1998", "mlp", "alexnet2012"])
@torch.no_grad()
def test_grey_and_colour_weights_serve_each_other(name: str) -> None:
    side = 63 if name == "alexnet2012" else 32
    grey, colour = made(name, channels=1, side=side), made(name, seed=2, side=side)
    back = made(name, seed=3, channels=1, side=side)
    images = torch.randn(2, 1, side, side)
    expected = grey(images)
    notes = fit_weights(colour, grey.state_dict(), "x")
    assert notes == (
        "The first layer's weights were divided by 3 and repeated for each of 3 channels.",
        TAKEN,
    )
    torch.testing.assert_close(colour(images.expand(-1, 3, -1, -1)), expected, rtol=1e-4, atol=1e-4)
    fit_weights(back, colour.state_dict(), "x")
    torch.testing.assert_close(back(images), expected, rtol=1e-4, atol=1e-4)


def test_channels_that_are_neither_grey_nor_colour() -> None:
    network = made("compact", channels=1)
    before = untouched(network)
    with pytest.raises(RunError) as raised:
        fit_weights(network, made("compact", channels=4).state_dict(), "satellite.pth")
    assert str(raised.value) == (
        "satellite.pth takes images of 4 channels, and these have 1;"
        " weights can be carried over from grey and from colour only."
    )
    assert same(network, before, "")


def test_a_plain_network_of_another_size_does_not_fit() -> None:
    with pytest.raises(RunError, match=r"\+ stages\.hidden1\.linear\.weight  512 × 784 float32"):
        fit_weights(made("mlp", side=32), made("mlp", side=28, channels=1).state_dict(), "x")


# heads


def test_other_classes_keep_a_fresh_output() -> None:
    network = made("resnet18", classes=3)
    before = untouched(network)
    notes = fit_weights(network, resnet_state(1000), "x")
    assert notes == ("The head's output is new, for 3 classes instead of 1,000.",)
    assert same(network, before, "head.")
    assert same(network, resnet_state(1000), "stages.")


def test_hidden_layers_of_a_head_serve_other_classes() -> None:
    trained, network = made("lenet5", classes=7), made("lenet5", seed=2, classes=3)
    before = untouched(network)
    notes = fit_weights(network, trained.state_dict(), "x")
    assert notes == ("The head's output is new, for 3 classes instead of 7.",)
    assert same(network, trained.state_dict(), "head.f6")
    assert same(network, before, "head.output")


@pytest.mark.parametrize(
    ("classes", "words"), [(3, "that of x has other layers."), (7, "that of x is for 7 classes.")]
)
def test_a_head_for_larger_maps_is_new(classes: int, words: str) -> None:
    trained, network = made("vgg11", classes=classes, side=64), made("vgg11", seed=2, classes=3)
    before = untouched(network)
    assert fit_weights(network, trained.state_dict(), "x") == (f"The head is new: {words}",)
    assert same(network, before, "head.")
    assert same(network, trained.state_dict(), "stages.")


def test_stages_alone_are_enough() -> None:
    network = made("resnet18")
    state = {name: tensor for name, tensor in resnet_state().items() if name.startswith("stages.")}
    assert fit_weights(network, state, "x") == ("The head is new: x has none.",)


def test_a_head_is_left_or_taken_whole_by_the_rule() -> None:
    trained = made("lenet5", classes=7)
    for rule, classes, notes in (
        ("none", 7, ()),
        ("whole", 3, ("The head is new: that of x is for 7 classes.",)),
        ("whole", 7, (TAKEN,)),
    ):
        network = made("lenet5", seed=2, classes=classes)
        before = untouched(network)
        assert fit_weights(network, trained.state_dict(), "x", head=rule) == notes
        assert same(network, trained.state_dict() if notes == (TAKEN,) else before, "head.")
        assert same(network, trained.state_dict(), "stages.")


def test_auxiliary_heads_that_the_file_lacks_stay_fresh() -> None:
    torch.manual_seed(0)
    theirs = from_torchvision("googlenet", GoogLeNet(5).state_dict())
    network = made("googlenet", side=64)
    before = untouched(network)
    state = {name: value for name, value in theirs.items() if not name.startswith("auxiliaries.")}
    assert fit_weights(network, state, "x") == (TAKEN, "The auxiliary heads at 4a and 4d are new.")
    assert same(network, before, "auxiliaries.")
    assert fit_weights(network, theirs, "x") == (TAKEN,)
    assert same(network, theirs, "auxiliaries.")


def test_auxiliary_heads_for_other_classes_keep_their_hidden_layers() -> None:
    theirs = from_torchvision("googlenet", GoogLeNet(5).state_dict())
    network = made("googlenet", classes=3, side=64)
    before = untouched(network)
    assert fit_weights(network, theirs, "x") == (
        "The head's output is new, for 3 classes instead of 5.",
        "The outputs of the auxiliary heads at 4a and 4d are new.",
    )
    assert same(network, theirs, "auxiliaries.4a.hidden")
    assert same(network, before, "auxiliaries.4a.output")


# numbers


def test_a_file_from_before_the_counters() -> None:
    state = {
        name: value for name, value in resnet_state().items() if not name.endswith("num_batches_tracked")
    }
    assert fit_weights(made("resnet18"), state, "x") == (
        "x does not count the batches that its normalisation has seen; the counters begin at 0.",
        TAKEN,
    )


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_numbers_of_another_precision_are_converted(kind: torch.dtype) -> None:
    network = made("resnet18")
    state = {
        name: value.to(kind) if value.is_floating_point() else value for name, value in resnet_state().items()
    }
    word = str(kind).removeprefix("torch.")
    assert fit_weights(network, state, "x") == (
        f"The numbers of x are {word}; they were made float32.",
        TAKEN,
    )
    assert same(network, {name: value.float() for name, value in state.items()}, "stages.stem.conv")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_numbers_that_are_not_finite(value: float) -> None:
    network, state = made("resnet18"), resnet_state()
    before = untouched(network)
    state["stages.stage1.block1.branch.conv1.weight"] = torch.full((64, 64, 3, 3), value, dtype=torch.float64)
    with pytest.raises(RunError) as raised:
        fit_weights(network, state, "x.pth")
    assert str(raised.value) == (
        "x.pth is damaged: stages.stage1.block1.branch.conv1.weight holds numbers that are not finite."
    )
    assert same(network, before, "")

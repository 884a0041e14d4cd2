"""What each change does to layers, against formulas and loops written out here."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from striate.errors import ModelError
from striate.models import Changes, Network, Row, create_model, model_entry, summarize
from striate.models.changes import change
from striate.models.lenet5_1998 import ScaledTanh


def test_response_normalisation_is_the_papers_formula() -> None:
    torch.manual_seed(0)
    plain = create_model("lesson", classes=10)
    torch.manual_seed(0)
    changed = create_model("lesson", classes=10, changes=Changes(response_norm=True))
    images = 100 * torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        # all of the first stage but its pooling, the last layer
        a = plain.stages["stage1"][:-1](images).double().numpy()
        b = changed.stages["stage1"][:-1](images).double().numpy()
    expected = np.empty_like(a)
    for i in range(a.shape[1]):
        nearest = a[:, max(0, i - 2) : min(a.shape[1], i + 3)]
        expected[:, i] = a[:, i] / (2 + 1e-4 * (nearest**2).sum(axis=1)) ** 0.75
    np.testing.assert_allclose(b, expected, rtol=1e-5, atol=1e-5)
    assert not np.allclose(a / 2**0.75, expected, rtol=0.1)  # the neighbours do count


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("lesson", ["stage1 relu2 pool", "stage2 relu2 pool"]),
        ("lenet5", ["c1 tanh s2", "c3 tanh s4"]),
        ("lenet5_1998", ["c1 squash subsampling", "c3 squash subsampling"]),
        ("alexnet", ["conv1 relu pool1", "conv2 relu pool2"]),
        ("vgg11_bn", ["stage1 relu1 pool1", "stage2 relu1 pool2"]),
        ("googlenet", ["conv1 relu pool1", "conv2 conv.relu pool2"]),
        ("resnet18", ["stem relu pool"]),
    ],
)
def test_responses_are_normalised_between_activation_and_pooling(name: str, places: list[str]) -> None:
    found = rows_around(name, Changes(response_norm=True), "local response normalisation")
    assert [f"{before.stage} {before.layer} {after.layer}" for before, after in found] == places


@pytest.mark.parametrize("name", ["alexnet2012", "zfnet", "googlenet2014"])
def test_the_papers_own_response_normalisation_stays_or_goes(name: str) -> None:
    own, kept, without = (
        create_model(name, classes=10, weights=False, changes=Changes(response_norm=wanted))
        for wanted in (None, True, False)
    )
    assert count(own, nn.LocalResponseNorm) == 2
    assert repr(kept) == repr(own)
    assert count(without, nn.LocalResponseNorm) == 0
    assert len(list(without.modules())) == len(list(own.modules())) - 2


def test_pooling_that_keeps_the_size_does_not_count_and_normalisation_may_stand_between() -> None:
    layers = {
        "conv": nn.Conv2d(1, 4, 3),
        "relu": nn.ReLU(),
        "blur": nn.MaxPool2d(3, 1, 1),
        "deep": nn.Conv2d(4, 4, 3),
        "tanh": nn.Tanh(),
        "norm": nn.BatchNorm2d(4),
        "pool": nn.MaxPool2d(2),
        "last": nn.MaxPool2d(2),
    }
    network = Network(layers, head=nn.Flatten())
    with pytest.raises(ModelError, match="last does not read an activation"):
        change(network, Changes(response_norm=True), classes=2, input_shape=(1, 20, 20))
    del layers["last"]
    network = Network(layers, head=nn.Flatten())
    change(network, Changes(response_norm=True), classes=2, input_shape=(1, 20, 20))
    assert isinstance(network.stages["relu"], nn.ReLU)
    assert [name for name, _ in network.stages["tanh"].named_children()] == ["tanh", "response"]


# two parameters a map that is normalised; one less where a bias comes in their place
ADDED = {
    ("lenet5", True): 2 * (6 + 16 + 120),
    ("lenet5_1998", True): 2 * (6 + 16 + 120),
    ("lesson", True): 2 * (32 + 32 + 64 + 64),
    ("alexnet", True): 2 * (64 + 192 + 384 + 256 + 256),
    ("alexnet2012", True): 2 * (96 + 256 + 384 + 384 + 256),
    ("vgg11", True): 2 * (64 + 128 + 2 * 256 + 4 * 512),
    ("vgg11_bn", False): -2 * (64 + 128 + 2 * 256 + 4 * 512),
    ("compact", False): -(16 + 3 * 16 + 3 * 32 + 3 * 96),
    ("resnet20", False): -(7 * 16 + 6 * 32 + 6 * 64),
    # stem; four stages of two blocks; the projections of the last three
    ("resnet18", False): -(64 + 4 * 64 + 4 * 128 + 4 * 256 + 4 * 512 + 128 + 256 + 512),
    ("vgg11_bn", True): 0,
    ("compact", True): 0,
    ("resnet20", True): 0,
    ("lesson", False): 0,
    ("mlp", False): 0,
}


@pytest.mark.parametrize(("name", "wanted"), ADDED)
def test_batch_normalisation_costs_what_is_counted_by_hand(name: str, wanted: bool) -> None:
    own, changed = (
        create_model(name, classes=10, weights=False, changes=changes)
        for changes in (Changes(), Changes(batch_norm=wanted))
    )
    before, after = (sum(weight.numel() for weight in network.parameters()) for network in (own, changed))
    assert after - before == ADDED[name, wanted]
    assert not wanted or count(changed, nn.BatchNorm2d)
    assert wanted or not count(changed, nn.BatchNorm2d)


@pytest.mark.parametrize(
    ("name", "maps"),
    # the widths of table 1, module by module, with the two reductions; then both auxiliary heads
    [("googlenet2014", 7_280 + 2 * 128), ("lenet5", 142)],
)
def test_every_convolution_is_followed_by_its_own_normalisation(name: str, maps: int) -> None:
    network = create_model(name, classes=10, weights=False, changes=Changes(batch_norm=True))
    rows = summarize(network, model_entry(name).default_input).rows
    pairs = [(row, after) for row, after in pairwise(rows) if row.kind == "convolution"]
    assert pairs
    for row, after in pairs:
        assert after.kind == "batch normalisation"
        assert after.layer == f"{row.layer}_norm"
        assert after.parameters == 2 * row.output_shape[0]
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert sum(layer.num_features for layer in norms) == maps


def test_vgg_with_batch_normalisation_by_change_and_by_name_are_the_same() -> None:
    def shapes(name: str, wanted: bool) -> list[tuple[int, ...]]:
        network = create_model(name, classes=10, weights=False, changes=Changes(batch_norm=wanted))
        return [tuple(tensor.shape) for tensor in network.state_dict().values()]

    assert shapes("vgg11", True) == shapes("vgg11_bn", True)
    assert shapes("vgg11", False) == shapes("vgg11_bn", False)


def test_a_convolution_that_loses_its_normalisation_gets_a_bias_of_zeros() -> None:
    network = create_model("compact", classes=10, changes=Changes(batch_norm=False))
    biases = [layer.bias for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert len(biases) == 10
    assert not any(bias.any() for bias in biases)
    assert all(bias.requires_grad for bias in biases)


@pytest.mark.parametrize("name", ["lenet5", "lenet5_1998", "compact", "googlenet2014", "resnet50"])
@pytest.mark.parametrize(("word", "kind"), [("relu", nn.ReLU), ("tanh", nn.Tanh), ("sigmoid", nn.Sigmoid)])
def test_there_is_one_activation_everywhere(name: str, word: str, kind: type[nn.Module]) -> None:
    own, changed = (
        create_model(name, classes=10, weights=False, changes=Changes(activation=activation))
        for activation in ("own", word)
    )
    assert count(changed, kind) == count(own, nn.ReLU, nn.Tanh, nn.Sigmoid, ScaledTanh) > 0
    assert count(changed, nn.ReLU, nn.Tanh, nn.Sigmoid, ScaledTanh) == count(changed, kind)


def test_the_heads_activation_is_changed_too() -> None:
    changes = Changes(head="mlp", activation="sigmoid")
    network = create_model("lenet5", classes=10, weights=False, changes=changes)
    assert isinstance(network.head.get_submodule("relu"), nn.Sigmoid)
    assert "sigmoid" in summarize(network, (1, 28, 28)).to_text()


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        (
            "resnet20",
            Changes(overlapping=True),
            "it has no max or average pooling by windows of 2 in steps of 2 to",
        ),
        (
            "mlp",
            Changes(batch_norm=True),
            "it has no convolution whose maps could be normalised; leave batch_norm out.",
        ),
        (
            "resnet20",
            Changes(response_norm=True),
            "it has no pooling for response normalisation to stand before;",
        ),
        (
            "compact",
            Changes(response_norm=True),
            "stage1.pool does not read an activation, and response normalisation",
        ),
        (
            "compact",
            Changes(activation="gelu"),
            "there is no activation 'gelu'; did you mean relu? Allowed: own, relu, tanh, sigmoid.",
        ),
        ("compact", Changes(activation="rleu"), "did you mean relu? Allowed: own, relu, tanh, sigmoid."),
    ],
)
def test_refusals_say_why(name: str, changes: Changes, words: str) -> None:
    with pytest.raises(ModelError) as raised:
        create_model(name, classes=10, changes=changes, weights=False)
    assert str(raised.value).startswith(f"{name} cannot be changed so: ")
    assert words in str(raised.value)
    assert not str(raised.value).endswith("..")


class NormAndMore(nn.BatchNorm2d):
    """A normalisation that does something else as well."""


class Squeezed(nn.Module):
    """A module of somebody's own, no sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.relu = nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.norm(self.conv(x)))


def test_layers_that_are_no_sequence_are_changed_as_well() -> None:
    def network() -> Network:
        return Network(
            {"block": Squeezed(), "pool": nn.MaxPool2d(2), "conv": nn.Conv2d(4, 2, 3)}, nn.Flatten()
        )

    shape = (1, 16, 16)
    changed = change(network(), Changes(batch_norm=True, response_norm=True), classes=2, input_shape=shape)
    assert [name for name, _ in changed.stages["conv"].named_children()] == ["conv", "norm"]
    assert [name for name, _ in changed.stages["block"].relu.named_children()] == ["relu", "response"]
    assert count(changed, nn.BatchNorm2d) == 2
    without = change(network(), Changes(batch_norm=False, overlapping=True), classes=2, input_shape=shape)
    assert isinstance(without.stages["block"].norm, nn.Identity)
    assert without.stages["block"].conv.bias is not None
    assert without(torch.zeros(2, *shape)).shape == (2, 2 * 5 * 5)


def test_what_is_not_understood_is_not_removed() -> None:
    network = Network({"conv": nn.Conv2d(1, 4, 3), "norm": NormAndMore(4)}, head=nn.Flatten())
    with pytest.raises(ModelError, match="NormAndMore does more than normalise; leave batch_norm out"):
        change(network, Changes(batch_norm=False), classes=2, input_shape=(1, 8, 8))
    network = Network({"conv": nn.Conv2d(1, 4, 3)}, head=nn.Flatten())
    with pytest.raises(ModelError, match="it has no ReLU, tanh or sigmoid that could become another"):
        change(network, Changes(activation="tanh"), classes=2, input_shape=(1, 8, 8))


def test_images_that_do_not_fit_are_an_error_in_words() -> None:
    network = create_model("lenet5", classes=10)
    with pytest.raises(ModelError, match="it does not run on images of 3 × 28 × 28 then: "):
        change(network, Changes(activation="relu"), classes=10, input_shape=(3, 28, 28))


def test_a_network_in_prediction_stays_there() -> None:
    network = create_model("lenet5", classes=10).eval()
    change(network, Changes(batch_norm=True), classes=10, input_shape=(1, 28, 28))
    assert not any(module.training for module in network.modules())


def count(network: nn.Module, *kinds: type[nn.Module]) -> int:
    return sum(isinstance(module, kinds) for module in network.modules())


def rows_around(name: str, changes: Changes, kind: str) -> list[tuple[Row, Row]]:
    network = create_model(name, classes=10, changes=changes, weights=False)
    rows = summarize(network, model_entry(name).default_input).rows
    return [(rows[at - 1], rows[at + 1]) for at, row in enumerate(rows) if row.kind == kind]

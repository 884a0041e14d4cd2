"""The one contract that every network of the catalogue keeps under every change that a recipe can name."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import ModelError
from striate.models import (
    Changes,
    Network,
    create_model,
    load_weights,
    model_entry,
    model_names,
    save_weights,
    summarize,
)

BASICS = ("compact", "lesson", "lenet5", "lenet5_1998", "mlp")
QUICK = (*BASICS, "resnet20")
SIDES = {"alexnet": 63, "alexnet2012": 63, "zfnet": 47, "googlenet2014": 31}
"""Images of the smallest size, or of 32 pixels where that is more."""
CHANGES = {
    "relu": Changes(activation="relu"),
    "tanh": Changes(activation="tanh"),
    "sigmoid": Changes(activation="sigmoid"),
    "batch_norm": Changes(batch_norm=True),
    "no batch_norm": Changes(batch_norm=False),
    "response_norm": Changes(response_norm=True),
    "no response_norm": Changes(response_norm=False),
    "overlapping": Changes(overlapping=True),
    "not overlapping": Changes(overlapping=False),
    "all": Changes(head="mlp", activation="tanh", batch_norm=True, response_norm=True, overlapping=True),
    "none": Changes(head="linear", batch_norm=False, response_norm=False, overlapping=False),
}
WITHOUT_POOLING = {
    "mlp",
    *(name for name in model_names() if name.endswith("_small")),
    *("resnet20", "resnet32", "resnet44", "resnet56", "resnet110"),
}
REFUSED = {
    "batch_norm": {"mlp"},
    "response_norm": WITHOUT_POOLING | {"compact"},
    "overlapping": WITHOUT_POOLING | {"lenet5_1998"},
    "all": WITHOUT_POOLING | {"compact", "lenet5_1998"},
}
BRANCHED = ("googlenet2014", "all")
"""One network of branches and auxiliary heads is quick too."""
CASES = [
    pytest.param(name, change, marks=() if name in QUICK or (name, change) == BRANCHED else pytest.mark.slow)
    for name in model_names()
    for change in CHANGES
    if name not in REFUSED.get(change, ())
]
every_case = pytest.mark.parametrize(("name", "change"), CASES)


def build(name: str, changes: Changes, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    dropout = None if model_entry(name).dropout is None else 0.0
    return create_model(name, classes=10, size=size_of(name), dropout=dropout, changes=changes)


def size_of(name: str) -> tuple[int, int]:
    side = model_entry(name).default_input[1] if name in BASICS else SIDES.get(name, 32)
    return side, side


def noise(name: str, images: int) -> Tensor:
    generator = torch.Generator().manual_seed(7)
    return torch.randn(images, model_entry(name).default_input[0], *size_of(name), generator=generator)


def changes_nothing(name: str, change: str) -> bool:
    """Whether the network has already what is asked for; test_every_model then holds its contract."""
    own, changed = (
        create_model(name, classes=10, size=size_of(name), changes=changes, weights=False)
        for changes in (Changes(), CHANGES[change])
    )
    return repr(own) == repr(changed)


@every_case
def test_a_changed_network_keeps_the_contract(name: str, change: str, tmp_path: Path) -> None:
    if changes_nothing(name, change):
        return
    network, images, labels = build(name, CHANGES[change]), noise(name, 8), torch.arange(8)
    logits = network.all_logits(images)
    assert all(each.shape == (8, 10) and each.isfinite().all() for each in logits)
    sum((F.cross_entropy(each, labels) for each in logits), torch.zeros(())).backward()
    for path, weight in network.named_parameters():
        assert weight.grad is not None, path
        assert weight.grad.isfinite().all(), path
        assert weight.grad.any(), path
    summary = summarize(network, (images.shape[1], *size_of(name)))
    assert summary.parameters + summary.auxiliary == sum(weight.numel() for weight in network.parameters())
    network.eval()
    other = build(name, CHANGES[change], seed=1).eval()
    with torch.no_grad():
        expected = network(images)
        torch.testing.assert_close(network.head(network.features(images)), expected, rtol=0, atol=0)
        save_weights(network, tmp_path / "weights.safetensors")
        load_weights(other, tmp_path / "weights.safetensors")
        assert torch.equal(other(images), expected)


@every_case
def test_stages_keep_their_names_and_shapes(name: str, change: str) -> None:
    images = noise(name, 2).to("meta")
    own, changed = (
        create_model(name, classes=10, size=size_of(name), changes=changes, weights=False).eval()
        for changes in (Changes(), CHANGES[change])
    )
    assert changed.stage_names == own.stage_names
    for stage in own.stage_names:
        assert changed.run_to(images, stage).shape == own.run_to(images, stage).shape, stage


@pytest.mark.parametrize(
    ("name", "change"),
    [
        case
        if case.values[:2] in (("lenet5", "all"), ("compact", "none"))
        else pytest.param(*case.values, marks=pytest.mark.slow)
        for case in CASES
    ],
)
def test_the_exported_network_is_the_same(name: str, change: str) -> None:
    if changes_nothing(name, change):
        return
    network, images = build(name, CHANGES[change]), noise(name, 2)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0  # statistics of these images at once: without, depth multiplies their size
    with torch.no_grad():
        network.train()(images)
        logits = network.eval()(images)
        exported = torch.export.export(network, (images,)).module()
        torch.testing.assert_close(exported(images), logits, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param(name, change, marks=() if name in QUICK else pytest.mark.slow)
        for change, names in REFUSED.items()
        for name in sorted(names)
    ],
)
def test_nothing_to_change_is_an_error(name: str, change: str) -> None:
    with pytest.raises(ModelError) as raised:
        create_model(name, classes=10, size=size_of(name), changes=CHANGES[change], weights=False)
    assert str(raised.value).startswith(f"{name} cannot be changed so: ")
    assert "leave " in str(raised.value)


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("change", CHANGES)
def test_weights_that_stay_are_the_same(name: str, change: str) -> None:
    if name in REFUSED.get(change, ()):
        return
    own, changed = build(name, Changes()).state_dict(), build(name, CHANGES[change]).state_dict()
    for path in own.keys() & changed.keys():
        if not path.startswith("head."):
            assert torch.equal(own[path], changed[path]), path

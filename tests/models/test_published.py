"""Files that others have published: read without running code, converted once, fitted or refused."""

import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from theirs import GoogLeNet, ResNet
from torch import Tensor, nn

from striate.errors import RunError
from striate.files import sha256_of
from striate.models import (
    Network,
    create_model,
    from_torchvision,
    load_published,
    published_scaling,
    read_published,
    save_weights,
)
from striate.models import published as room


def state_of(classes: int = 5) -> dict[str, Tensor]:
    torch.manual_seed(3)
    return ResNet((2, 2, 2, 2), False, classes).state_dict()


def resnet18(classes: int = 5, channels: int = 3) -> Network:
    torch.manual_seed(4)
    return create_model("resnet18", classes=classes, channels=channels, size=(32, 32)).eval()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "resnet18.pth"
    torch.save(OrderedDict(state_of()), path)
    return path


class Trap:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.marker,))


@torch.no_grad()
def test_a_file_fills_the_network(file: Path) -> None:
    network, other = resnet18(), ResNet((2, 2, 2, 2), False, 5).eval()
    other.load_state_dict(state_of())
    assert load_published(network, "resnet18", file) == ()
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(network(images), other(images))


def test_a_file_is_converted_once(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    first = read_published(file, cache=cache)
    (kept,) = cache.iterdir()
    assert kept.name == f"{sha256_of(file)}.safetensors"
    assert load_file(kept).keys() == first.keys()

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("the pickle was opened again")

    monkeypatch.setattr(torch, "load", never)
    second = read_published(file, cache=cache)
    assert all(torch.equal(second[name], tensor) for name, tensor in first.items())


def test_safetensors_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "resnet18.safetensors"
    network = nn.Linear(2, 3)
    save_weights(network, path)
    assert torch.equal(read_published(path)["weight"], network.weight)


@pytest.mark.parametrize("kind", ["torch", "torch-old", "pickle"])
def test_a_malicious_file_is_refused_and_not_run(tmp_path: Path, kind: str) -> None:
    path, marker = tmp_path / "model.pth", tmp_path / "marker"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Trap(marker)))
    else:
        torch.save({"trap": Trap(marker)}, path, _use_new_zipfile_serialization=kind == "torch")
    with pytest.raises(RunError) as raised:
        load_published(resnet18(), "resnet18", path, cache=tmp_path / "cache")
    assert str(raised.value) == (
        f"{path} is damaged or holds more than tensors; it was not loaded, because loading it could run its code."
    )
    assert not marker.exists()
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("kept", [0, 10, 1000, -1000])
def test_a_cut_file_is_called_damaged(file: Path, kept: int) -> None:
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(RunError, match=r"resnet18\.pth is damaged"):
        read_published(file)


def test_a_name_that_says_its_digest_is_believed_only_if_true(file: Path) -> None:
    digest = sha256_of(file)
    right, wrong = (file.with_name(f"resnet18-{digits}.pth") for digits in (digest[:8], "0" * 8))
    os.link(file, right)
    assert read_published(right).keys() == state_of().keys()
    os.link(file, wrong)
    with pytest.raises(RunError) as raised:
        read_published(wrong)
    assert str(raised.value) == (
        f"{wrong} is damaged or altered: its SHA-256 begins with {digest[:8]}, its name says 00000000; fetch it again."
    )


@pytest.mark.parametrize(
    "content",
    [[1, 2], {"epoch": 3}, {"model": {"weight": torch.zeros(1)}}, {1: torch.zeros(1)}, torch.zeros(2)],
)
def test_anything_but_tensors_by_name_is_refused(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "x.pth"
    torch.save(content, path)
    with pytest.raises(
        RunError, match=r"x\.pth holds no state dict: expected tensors by name and nothing else\."
    ):
        read_published(path)


def test_a_torch_that_opens_pickles_unsafely_is_not_used(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "__version__", "2.9.1+cpu")
    with pytest.raises(RunError) as raised:
        read_published(file)
    assert str(raised.value) == (
        f"{file} is a pickle, which torch 2.9.1+cpu cannot open safely; install torch 2.10 or later,"
        " or convert the file to safetensors."
    )
    assert room.FIRST_SAFE_TORCH == (2, 10)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"none\.pth could not be read: No such file or directory\."):
        read_published(tmp_path / "none.pth")


def test_weights_of_another_network_are_shown_side_by_side(file: Path) -> None:
    network = create_model("resnet34", classes=5, size=(32, 32))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(RunError) as raised:
        load_published(network, "resnet34", file)
    lines = str(raised.value).splitlines()
    assert lines[0] == f"{file} does not fit the network (- what the network has, + what the file has):"
    assert lines[1] == "- stages.stage1.block3.branch.conv1.weight  64 × 64 × 3 × 3 float32"
    assert len(lines) == 42
    assert lines[-1] == "… and 56 lines more"
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_other_classes_keep_a_fresh_output() -> None:
    network = resnet18(classes=3)
    fresh = network.head.get_parameter("output.weight").clone()
    (note,) = load_published(network, "resnet18", state_of(1000))
    assert note == "head.output keeps its first weights: the file has 1000 classes, the network 3."
    assert torch.equal(network.head.get_parameter("output.weight"), fresh)
    expected = from_torchvision("resnet18", state_of(1000))["stages.stem.conv.weight"]
    assert torch.equal(network.get_parameter("stages.stem.conv.weight"), expected)


@pytest.mark.parametrize(("channels", "word"), [(1, "channel"), (2, "channels"), (5, "channels")])
@torch.no_grad()
def test_other_channels_answer_as_grey_in_three_colours(channels: int, word: str) -> None:
    colour, other = resnet18(), resnet18(channels=channels)
    load_published(colour, "resnet18", state_of())
    (note,) = load_published(other, "resnet18", state_of())
    assert note == (
        f"The first layer's weights were averaged over the three colours and multiplied by 3 / {channels}"
        f" for images of {channels} {word}."
    )
    grey = torch.randn(2, 1, 32, 32)
    torch.testing.assert_close(
        other(grey.expand(-1, channels, -1, -1)), colour(grey.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-4
    )


def test_a_file_from_before_the_counters() -> None:
    state = {name: value for name, value in state_of().items() if not name.endswith("num_batches_tracked")}
    network = resnet18()
    notes = load_published(network, "resnet18", state)
    assert notes == (
        "The file does not count the batches that its normalisation has seen; the counters begin at 0.",
    )


def test_auxiliary_heads_that_the_file_lacks_stay_fresh() -> None:
    torch.manual_seed(0)
    state = {name: value for name, value in GoogLeNet(5).state_dict().items() if not name.startswith("aux")}
    network = create_model("googlenet", classes=5, size=(64, 64))
    fresh = network.auxiliaries.get_parameter("4a.hidden.weight").clone()
    assert load_published(network, "googlenet", state) == (
        "The auxiliary head at 4a keeps its first weights: the file's does not fit it.",
        "The auxiliary head at 4d keeps its first weights: the file's does not fit it.",
    )
    assert torch.equal(network.auxiliaries.get_parameter("4a.hidden.weight"), fresh)


def test_googlenet_was_trained_on_pixels_from_minus_one_to_one() -> None:
    assert published_scaling("googlenet") == ((0.5,) * 3, (0.5,) * 3)
    assert published_scaling("vgg16") == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

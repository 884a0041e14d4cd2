"""Files that others have published: read without running code, converted once, fitted or refused."""

import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from striate.errors import ModelError, RunError
from striate.files import sha256_of
from striate.models import (
    Network,
    create_model,
    load_published,
    published_scaling,
    read_published,
    save_weights,
)
from striate.models import checkpoints as room
from striate.models.published import PUBLISHED_FILES, published_file
from striate.models.torchvision_names import RENAMINGS
from theirs import ResNet


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


@torch.no_grad()
def test_a_file_fills_the_network(file: Path) -> None:
    network, other = resnet18(), ResNet((2, 2, 2, 2), False, 5).eval()
    other.load_state_dict(state_of())
    assert load_published(network, "resnet18", file) == ("The head is taken too.",)
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


@pytest.mark.parametrize("kept", [0, 3, 10, 1000, -1000, -1])
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


def test_a_date_at_the_end_of_a_name_is_no_digest(file: Path) -> None:
    dated = file.with_name("resnet18-20261121.pth")
    os.link(file, dated)
    assert read_published(dated).keys() == state_of().keys()
    other = file.with_name("resnet18-20261321.pth")
    os.link(file, other)
    with pytest.raises(RunError, match="its name says 20261321"):
        read_published(other)


def test_a_damaged_conversion_is_made_again(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = read_published(file, cache=cache)
    (kept,) = cache.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:1000])
    second = read_published(file, cache=cache)
    assert all(torch.equal(second[name], tensor) for name, tensor in first.items())
    assert kept.read_bytes() == whole


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


def test_weights_of_another_network_are_shown_side_by_side(tmp_path: Path) -> None:
    path, network = tmp_path / "resnet34.pth", resnet18()
    torch.save(ResNet((3, 4, 6, 3), False, 5).state_dict(), path)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(RunError) as raised:
        load_published(network, "resnet18", path)
    blocks = {1: (3,), 2: (3, 4), 3: (3, 4, 5, 6), 4: (3,)}
    assert str(raised.value).splitlines() == [
        f"{path} does not fit the network (- what the network has, + what the file has):",
        *(f"+ stages.stage{stage}.block{block}  12 tensors" for stage in blocks for block in blocks[stage]),
    ]
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_a_longer_difference_is_cut(file: Path) -> None:
    network = create_model("resnet152", classes=5, size=(32, 32), weights=False)
    with pytest.raises(RunError) as raised:
        load_published(network, "resnet152", file)
    lines = str(raised.value).splitlines()
    assert len(lines) == 42
    assert lines[1] == "- stages.stage1.block1.branch.conv1.weight  64 × 64 × 1 × 1 float32"
    assert lines[2] == "+ stages.stage1.block1.branch.conv1.weight  64 × 64 × 3 × 3 float32"
    assert lines[-1].startswith("… and ")


def test_every_network_with_names_has_a_published_file() -> None:
    assert PUBLISHED_FILES.keys() == RENAMINGS.keys()
    assert published_file("vgg16_bn") == "vgg16_bn-6c64b313.pth"
    for file in PUBLISHED_FILES.values():
        assert room._STATED.search(file), file
    with pytest.raises(ModelError) as raised:
        published_file("resnet81")
    assert str(raised.value).startswith(
        "torchvision publishes no weights of 'resnet81'; did you mean resnet18? Allowed: alexnet, vgg11, "
    )


def test_googlenet_was_trained_on_pixels_from_minus_one_to_one() -> None:
    assert published_scaling("googlenet") == ((0.5,) * 3, (0.5,) * 3)
    assert published_scaling("vgg16") == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

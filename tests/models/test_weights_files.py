"""Weights to and from files: strict, deterministic, and deaf to any code inside."""

import json
import os
import pickle
import stat
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from striate.errors import RunError
from striate.models import create_model, load_weights, save_weights, weights_bytes


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return create_model("lenet5", classes=10)


def test_the_library_reads_what_is_written(network: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    network.to(memory_format=torch.channels_last)
    save_weights(network, path)
    found = load_file(path)
    assert found.keys() == network.state_dict().keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in network.state_dict().items())
    assert os.listdir(tmp_path) == ["weights.safetensors"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_metadata_is_kept_in_order(tmp_path: Path) -> None:
    state = {"weight": torch.arange(6.0).reshape(2, 3), "steps": torch.tensor(7)}
    metadata = {f"key{number}": f"wert – {number}" for number in range(20)}
    content = weights_bytes(state, metadata)
    (tmp_path / "x.safetensors").write_bytes(content)
    with safe_open(tmp_path / "x.safetensors", "pt") as file:
        assert file.metadata() == metadata
        assert torch.equal(file.get_tensor("weight"), state["weight"])
        assert torch.equal(file.get_tensor("steps"), state["steps"])
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    assert list(header["__metadata__"]) == sorted(metadata)
    assert length % 8 == 0
    assert content == weights_bytes(dict(reversed(state.items())), dict(reversed(metadata.items())))


def test_views_and_tied_tensors_are_written_whole() -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    content = weights_bytes({"column": whole[:, 1], "turned": whole.T, "again": whole})
    assert content == weights_bytes(
        {"column": whole[:, 1].clone(), "turned": whole.T.clone(), "again": whole.clone()}
    )


def test_only_tensors_of_the_same_names_shapes_and_types_fit(network: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    state = network.state_dict()
    state["stages.c1.conv.weight"] = torch.zeros(6, 3, 5, 5)
    state["head.f6.bias"] = torch.zeros(84, dtype=torch.float16)
    del state["head.output.bias"]
    state["head.extra"] = torch.tensor(1)
    path.write_bytes(weights_bytes(state))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(RunError) as raised:
        load_weights(network, path)
    assert str(raised.value).splitlines() == [
        f"{path} does not fit the network (- what the network has, + what the file has):",
        "- stages.c1.conv.weight  6 × 1 × 5 × 5 float32",
        "+ stages.c1.conv.weight  6 × 3 × 5 × 5 float32",
        "- head.f6.bias  84 float32",
        "+ head.f6.bias  84 float16",
        "- head.output.bias  10 float32",
        "+ head.extra  one number int64",
    ]
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


class Trap:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.marker,))


@pytest.mark.parametrize("kind", ["torch", "torch-old", "pickle"])
def test_a_pickle_is_refused_and_not_run(network: nn.Module, tmp_path: Path, kind: str) -> None:
    path, marker = tmp_path / "model.pt", tmp_path / "marker"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Trap(marker)))
    else:
        torch.save({"trap": Trap(marker)}, path, _use_new_zipfile_serialization=kind == "torch")
    with pytest.raises(RunError) as raised:
        load_weights(network, path)
    assert str(raised.value) == (
        f"{path} is not a safetensors file (it looks like a pickle); striate loads no pickles because"
        " loading one runs its code."
    )
    assert not marker.exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 100, b"{}", b"GIF89a" + b"x" * 50])
def test_another_kind_of_file_is_named_so(network: nn.Module, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights"
    path.write_bytes(content)
    with pytest.raises(RunError, match="is not a safetensors file; striate reads weights from no other kind"):
        load_weights(network, path)


@pytest.mark.parametrize("kept", [100, 5_000, -1])
def test_a_cut_file_is_called_damaged(network: nn.Module, tmp_path: Path, kept: int) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(weights_bytes(network.state_dict())[:kept])
    with pytest.raises(RunError, match="is a damaged safetensors file"):
        load_weights(network, path)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_an_altered_header_is_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    layer = nn.Linear(3, 2)
    content = bytearray(weights_bytes(layer.state_dict(), {"model": "x"}))
    end = 8 + int.from_bytes(content[:8], "little")
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, end - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("altered") / "weights.safetensors"
    path.write_bytes(content)
    # any other error, or a crash, fails the test
    with suppress(RunError):
        load_weights(layer, path)


def test_a_missing_file_and_a_folder(network: nn.Module, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"none\.safetensors could not be read: No such file or directory"):
        load_weights(network, tmp_path / "none.safetensors")
    with pytest.raises(RunError, match="could not be read: Is a directory"):
        load_weights(network, tmp_path)


def test_a_failed_save_leaves_the_old_file(network: nn.Module, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError) as raised:
        save_weights(network, path)
    assert str(raised.value) == f"The weights could not be written to {path}: No space left on device."
    assert os.listdir(tmp_path) == ["weights.safetensors"]
    assert path.read_bytes() == b"old"


def test_saving_into_no_folder(network: nn.Module, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"could not be written to .*: No such file or directory"):
        save_weights(network, tmp_path / "none" / "weights.safetensors")

"""Weights to and from files: safetensors only, names and shapes strictly, no code ever run."""

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from striate.errors import RunError

_LONGEST_DIFFERENCE = 40  # lines
_LONGEST_HEADER = 100_000_000  # bytes; the format's own limit


def weights_bytes(state: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a safetensors file: the same tensors and metadata give the same bytes, in any order.

    >>> first = weights_bytes({"a": torch.zeros(2), "b": torch.ones(3)}, {"classes": "10", "model": "mlp"})
    >>> first == weights_bytes({"b": torch.ones(3), "a": torch.zeros(2)}, {"model": "mlp", "classes": "10"})
    True

    Tensors of any device and memory format; they are written in plain row-major order.
    """
    plain = {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in state.items()
    }
    return _with_metadata(save(plain), metadata) if metadata else save(plain)


def save_weights(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Write every parameter and buffer of a network to a safetensors file, whole or not at all.

    Raises RunError when the file cannot be written; what was there before is then still there.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(weights_bytes(network.state_dict()))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise RunError(f"The weights could not be written to {target}: {error.strerror or error}.") from error


def load_weights(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Fill a network with the weights of a safetensors file; all of them fit, or none is changed.

    Raises RunError for a file that is missing, damaged or of another kind, and for one whose names, shapes or
    number types are not the network's: the message lists them side by side.
    """
    fill(network, read_weights(path), str(path))


def fill(network: nn.Module, found: Mapping[str, Tensor], origin: str) -> None:
    """Copy tensors into a network of the same names, shapes and number types; `origin` is what an error calls them.

    Raises RunError where they are not the same, with both sides like a diff; nothing is changed then.
    """
    own = network.state_dict()
    if differences := _differences(own, found):
        lines = "\n".join(differences[:_LONGEST_DIFFERENCE])
        if len(differences) > _LONGEST_DIFFERENCE:
            lines += f"\n… and {len(differences) - _LONGEST_DIFFERENCE} lines more"
        raise RunError(
            f"{origin} does not fit the network (- what the network has, + what the file has):\n{lines}"
        )
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(found[name])


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name.

    Raises RunError for a file that is missing, damaged or of another kind.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(f"The weights {path} could not be read: {error.strerror or error}.") from error
    try:
        return load(content)
    except SafetensorError as error:
        raise RunError(_why_not(path, content)) from error


def _why_not(path: Path, content: bytes) -> str:
    if content[8:9] == b"{" and int.from_bytes(content[:8], "little") < _LONGEST_HEADER:
        return f"{path} is a damaged safetensors file; it may have been cut off or altered."
    if content.startswith((b"PK\x03\x04", b"\x80")):
        return (
            f"{path} is not a safetensors file (it looks like a pickle);"
            " striate loads no pickles because loading one runs its code."
        )
    return f"{path} is not a safetensors file; striate reads weights from no other kind."


def _differences(own: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """Both sides like a diff; a module that only one side has is one line, with the number of its tensors."""
    lines: list[str] = []
    for name in own:
        if name in found and _describe(own[name]) != _describe(found[name]):
            lines += [f"- {name}  {_describe(own[name])}", f"+ {name}  {_describe(found[name])}"]
        elif name not in found:
            lines.append(f"- {_alone(name, own, found)}")
    lines += [f"+ {_alone(name, found, own)}" for name in sorted(found.keys() - own.keys(), key=_natural)]
    return list(dict.fromkeys(lines))


def _alone(name: str, side: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> str:
    """The largest module around a tensor that the other side lacks, or the tensor where there is none."""
    for depth in range(1, name.count(".") + 1):
        module = ".".join(name.split(".")[:depth])
        if not any(known.startswith(f"{module}.") for known in other):
            count = sum(known.startswith(f"{module}.") for known in side)
            return f"{name}  {_describe(side[name])}" if count == 1 else f"{module}  {count} tensors"
    return f"{name}  {_describe(side[name])}"


def _natural(name: str) -> list[tuple[int, str]]:
    """An order in which block10 comes after block9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _describe(tensor: Tensor) -> str:
    shape = " × ".join(map(str, tensor.shape)) or "one number"
    return f"{shape} {str(tensor.dtype).removeprefix('torch.')}"


def _with_metadata(content: bytes, metadata: Mapping[str, str]) -> bytes:
    # the library writes metadata in the order of a hash map that differs from run to run
    length = int.from_bytes(content[:8], "little")
    header = {"__metadata__": dict(sorted(metadata.items())), **json.loads(content[8 : 8 + length])}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[8 + length :]

"""Tensors written one after another in the format of safetensors: no second copy of them all is made."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

KINDS = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""What safetensors calls each type; github.com/huggingface/safetensors, section Format."""


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> str:
    """Write a safetensors file, the widest numbers first; returns the SHA-256 of its bytes in hexadecimal.

    >>> import tempfile
    >>> from safetensors.torch import load_file
    >>> path = Path(tempfile.mkdtemp()) / "weights.safetensors"
    >>> len(write_tensors(path, {"weight": torch.ones(2, 3)}, {"from": "here"}))
    64
    >>> tuple(load_file(path)["weight"].shape)
    (2, 3)
    """
    state = hashlib.sha256()
    with path.open("wb") as file:
        for part in parts(tensors, metadata):
            state.update(part)
            file.write(part)
    return state.hexdigest()


def parts(tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> Iterator[Any]:
    """The file's bytes: the length of its head, the head, and each tensor row by row."""
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    entries: dict[str, Any] = {"__metadata__": dict(metadata)}
    offset = 0
    for name in order:
        end = offset + tensors[name].numel() * tensors[name].element_size()
        shape, kind = list(tensors[name].shape), KINDS[tensors[name].dtype]
        entries[name] = {"dtype": kind, "shape": shape, "data_offsets": [offset, end]}
        offset = end
    head = json.dumps(entries, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)  # so that what follows is aligned
    yield len(head).to_bytes(8, "little")
    yield head
    for name in order:
        yield tensors[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data

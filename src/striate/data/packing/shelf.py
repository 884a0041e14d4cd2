"""A folder of arrays with what was found out beside them, and the digests that tell whether all is whole."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from striate.files import sha256_of

INDEX = "index.json"


def put(folder: Path, names: tuple[str, ...], about: Mapping[str, Any]) -> None:
    """Writes the index over arrays that lie in the folder as `<name>.npy`."""
    files = {name: sha256_of(folder / f"{name}.npy") for name in names}
    index = {**about, "files": files}
    (folder / INDEX).write_text(json.dumps({**index, "sha256": _self_digest(index)}, indent=1))


def take(
    folder: Path, names: tuple[str, ...]
) -> tuple[list[Shaped[np.ndarray, "..."]], dict[str, Any]] | None:
    """The arrays, mapped into memory and read-only, and the index; None when anything is missing or altered."""
    try:
        index = json.loads((folder / INDEX).read_text())
        if index.pop("sha256") != _self_digest(index) or set(index["files"]) != set(names):
            return None
        for name, expected in index["files"].items():
            if sha256_of(folder / f"{name}.npy") != expected:
                return None
        mapped = [np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names]
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None
    return [np.asarray(array) for array in mapped], index


def _self_digest(index: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(index, sort_keys=True).encode()).hexdigest()

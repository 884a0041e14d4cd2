"""Files of weights from anywhere, read as tensors and nothing else: no code in them is run."""

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from striate.errors import RunError
from striate.files import replacing, sha256_of
from striate.models.weights import read_weights, weights_bytes

FIRST_SAFE_TORCH = (2, 10)
"""Before this version `weights_only` itself could be made to run code (CVE-2025-32434, CVE-2026-24747)."""
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
_STATED = re.compile(
    r"-(?!(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\.)([0-9a-f]{8}|[0-9a-f]{64})\.pth$"
)
"""Digits of the SHA-256 at the end of a published file's name; eight that are a date are none."""


def read_published(path: Path, *, cache: Path | None = None) -> dict[str, Tensor]:
    """The tensors of a published file by the names it gives them; no code in it is run.

    A `.safetensors` file is read as it is. Any other is opened as a `.pth` file, as tensors alone. With a `cache`
    folder it is converted to safetensors there once, under its SHA-256, and later read from there. Where the file's
    name ends in digits of that sum (`-f37072fd.pth`), they are checked.

    Raises RunError for a file that is missing, damaged, altered, or holds anything but tensors.
    """
    if path.suffix == ".safetensors":
        return read_weights(path)
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise RunError(f"The weights {path} could not be read: {error.strerror or error}.") from error
    if (said := _STATED.search(path.name)) and not digest.startswith(said[1]):
        raise RunError(
            f"{path} is damaged or altered: its SHA-256 begins with {digest[: len(said[1])]}, its name says"
            f" {said[1]}; fetch it again."
        )
    kept = cache / f"{digest}.safetensors" if cache else None
    if kept and (state := _converted(kept)) is not None:
        return state
    state = _unpickled(path)
    if kept:
        with replacing(kept) as partial:
            partial.write_bytes(weights_bytes(state, {"source": path.name, "sha256": digest}))
    return state


def _converted(kept: Path) -> dict[str, Tensor] | None:
    """What an earlier conversion has kept; None where there is none, or a damaged one, which is then made again."""
    try:
        return read_weights(kept) if kept.exists() else None
    except RunError:
        return None


def _unpickled(path: Path) -> dict[str, Tensor]:
    if tuple(map(int, torch.__version__.split(".")[:2])) < FIRST_SAFE_TORCH:
        needed = ".".join(map(str, FIRST_SAFE_TORCH))
        raise RunError(
            f"{path} is a pickle, which torch {torch.__version__} cannot open safely; install torch {needed} or later,"
            " or convert the file to safetensors."
        )
    _look_at(path)
    try:
        with warnings.catch_warnings():
            # torch warns of a pickle's age before it refuses it
            warnings.simplefilter("ignore")
            found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise RunError(
            f"{path} is damaged or holds more than tensors; it was not loaded, because loading it could run its code."
        ) from error
    except Exception as error:  # a damaged archive fails in many ways, all of them before any weight is used
        raise RunError(f"{path} is damaged, or no file of weights; fetch it again.") from error
    if not isinstance(found, Mapping) or not all(map(_plain, found, found.values())):
        raise RunError(f"{path} holds no state dict: expected tensors by name and nothing else.")
    if sum(tensor.nbytes for tensor in found.values()) > path.stat().st_size:
        raise RunError(f"{path} claims more numbers than it has room for; no published file of weights does.")
    return {name: tensor.detach() for name, tensor in found.items()}


def _look_at(path: Path) -> None:
    """RunError for a file that does not begin as weights do, and for an archive that would grow when it is read."""
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        raise RunError(f"{path} is damaged: it is empty; fetch it again.")
    if not head.startswith((_ZIP, _PICKLE)):
        raise RunError(
            f"{path} is damaged, or no file of weights: it begins with {head!r}, as a text or a page that reports an"
            " error may; fetch it again."
        )
    if not head.startswith(_ZIP):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise RunError(f"{path} is damaged: its archive cannot be read ({error}); fetch it again.") from error
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or sum(member.file_size for member in members) > path.stat().st_size:
        raise RunError(
            f"{path} is no file of weights as torch writes them: its archive would grow when it is unpacked."
        )


def _plain(name: object, value: object) -> bool:
    return (
        isinstance(name, str)
        and isinstance(value, Tensor)
        and value.layout == torch.strided
        and not (value.is_meta or value.is_quantized)
    )

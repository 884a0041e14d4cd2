"""Files that pass for weights and are none: each is a function that writes one; a marker file betrays code that ran."""

import io
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch


class Trap:
    """A pickle of this runs a command of the system when it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch '{self.marker}'",)


def _trap(path: Path, marker: Path) -> None:
    torch.save({"trap": Trap(marker)}, path)


def _trap_old(path: Path, marker: Path) -> None:
    torch.save({"trap": Trap(marker)}, path, _use_new_zipfile_serialization=False)


def _nested(path: Path, marker: Path) -> None:
    torch.save({"weight": torch.zeros(2), "more": {"deep": [(Trap(marker),)]}}, path)


def _bare(path: Path, marker: Path) -> None:
    path.write_bytes(pickle.dumps(Trap(marker)))


def _text_protocol(path: Path, marker: Path) -> None:
    path.write_bytes(pickle.dumps(Trap(marker), protocol=0))


def _tar(path: Path, marker: Path) -> None:
    """As torch saved before its version 0.2."""
    with tarfile.open(path, "w") as archive:
        for name in ("sys_info", "pickle", "tensors", "storages"):
            content = pickle.dumps(Trap(marker))
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def _whole_module(path: Path, marker: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), path)


def _growing_zip(path: Path, marker: Path) -> None:
    """Packed a thousand times smaller than what it would unpack to."""
    stored = io.BytesIO()
    torch.save({"weight": torch.zeros(4_000_000)}, stored)
    with zipfile.ZipFile(stored) as archive, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for member in archive.infolist():
            packed.writestr(member.filename, archive.read(member))
    assert path.stat().st_size < 100_000


def _growing_tensor(path: Path, marker: Path) -> None:
    """One number, said to be a tensor of 10¹²."""
    torch.save({"weight": torch.zeros(1).expand(10**6, 10**6)}, path)


def _zip_of_pictures(path: Path, marker: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("dark/000.png", b"\x89PNG")


def _page(path: Path, marker: Path) -> None:
    path.write_text("<!DOCTYPE html><html><body>404 Not Found</body></html>")


def _text(path: Path, marker: Path) -> None:
    path.write_text("learning_rate: 0.1\n")


def _sparse(path: Path, marker: Path) -> None:
    torch.save({"weight": torch.eye(3).to_sparse()}, path)


HOSTILE: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "os.system": (_trap, "it was not loaded, because loading it could run its code."),
    "os.system, older format": (_trap_old, "it was not loaded, because loading it could run its code."),
    "nested": (_nested, "it was not loaded, because loading it could run its code."),
    "bare pickle": (_bare, "it was not loaded, because loading it could run its code."),
    "pickle as text": (_text_protocol, "or no file of weights: it begins with b'cposix"),
    "legacy tar": (_tar, "or no file of weights: it begins with b'sys_info"),
    "a module": (_whole_module, "it was not loaded, because loading it could run its code."),
    "zip bomb": (_growing_zip, "its archive would grow when it is unpacked."),
    "tensor bomb": (_growing_tensor, "claims more numbers than it has room for"),
    "zip of pictures": (_zip_of_pictures, "is damaged, or no file of weights; fetch it again."),
    "a web page": (
        _page,
        "it begins with b'<!DOCTYPE html><', as a text or a page that reports an error may",
    ),
    "a text": (_text, "it begins with b'learning_rate: 0', as a text"),
    "sparse": (_sparse, "holds no state dict: expected tensors by name and nothing else."),
}
"""What is written, and words of the sentence that refuses it."""


def write_hostile(kind: str, path: Path, marker: Path) -> str:
    """Write one of them; returns the words of its refusal."""
    write, words = HOSTILE[kind]
    write(path, marker)
    return words

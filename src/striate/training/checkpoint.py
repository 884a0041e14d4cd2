"""Checkpoints that survive a kill, a power loss and a flipped bit.

A generation is one safetensors file with everything a run needs to go on, and beside it its SHA-256 in the format
of `sha256sum`. The digest is in place before the checkpoint gets its name, so a checkpoint that can be seen can be
checked. Two generations are kept; when the newer one is damaged, the older one is used, and that is said.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load

from striate.errors import RunError
from striate.files import remove_partials, replacing, sync, write_atomically
from striate.training.history import Progress
from striate.training.tensor_file import write_tensors

GENERATIONS = 2
LONGEST_HEAD = 100_000_000
"""Bytes that a head may have, as safetensors itself holds."""
Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """A state read back: its progress, its tensors by name, and what must be said about how it was found."""

    progress: Progress
    tensors: Tensors
    note: str | None

    def part(self, prefix: str) -> Tensors:
        """The tensors below a prefix, without it: `network`, `optimiser` or `best`."""
        start = f"{prefix}/"
        return {name.removeprefix(start): t for name, t in self.tensors.items() if name.startswith(start)}


class CheckpointFolder:
    """A folder that holds the last two generations of a run's state.

    >>> import tempfile
    >>> folder = CheckpointFolder(Path(tempfile.mkdtemp()))
    >>> folder.save(Progress(epoch=1), {"network/weight": torch.ones(2, 3)})
    >>> folder.load().part("network")["weight"].shape
    torch.Size([2, 3])
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, progress: Progress, tensors: Tensors) -> None:
        """Write one generation and forget all but the newest two.

        Raises:
            StriateError: the disk is full or the folder cannot be written; earlier generations are untouched.
        """
        path = self.folder / f"epoch-{progress.epoch:05d}-step-{progress.step:07d}.safetensors"
        if path.exists():  # the state at a step is a function of the step: what stands there is this one
            return
        metadata = {"progress": json.dumps(progress.to_dict(), allow_nan=False)}
        with replacing(
            path, sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
        ) as partial:
            digest = write_tensors(partial, tensors, metadata)
            write_atomically(digest_path(path), digest_line(digest, path.name))
        self.forget_all_but(self.generations()[-GENERATIONS:])

    def load(self) -> Checkpoint | None:
        """The newest undamaged generation, or None where there is none yet.

        Raises:
            RunError: there are checkpoints, and every one of them is damaged.
        """
        remove_partials(self.folder)
        damaged: list[Path] = []
        for path in reversed(self.generations()):
            try:
                progress, tensors = read(path)
            except (OSError, ValueError, KeyError, TypeError, SafetensorError):
                damaged.append(path)
                continue
            return Checkpoint(progress, tensors, set_aside(damaged, path))
        if damaged:
            names = ", ".join(path.name for path in damaged)
            raise RunError(
                f"Every checkpoint in {self.folder} is damaged ({names}): their SHA-256 differ from "
                "those written beside them. Train again into another folder with --out."
            )
        return None

    def generations(self) -> list[Path]:
        """The checkpoints in the folder, oldest first."""
        return sorted(self.folder.glob("epoch-*.safetensors"))

    def forget_all_but(self, kept: list[Path]) -> None:
        """Remove older generations, and digests that no checkpoint belongs to."""
        names = {path.name for path in kept} | {digest_path(path).name for path in kept}
        for path in self.folder.glob("epoch-*"):
            if path.name not in names:
                path.unlink(missing_ok=True)
        sync(self.folder)


def set_aside(damaged: list[Path], used: Path) -> str | None:
    """Rename damaged generations so that the run can write them anew, and say so."""
    for path in damaged:
        path.replace(path.with_name(f"damaged-{path.name}"))
    names = " and ".join(path.name for path in damaged)
    return f"{names}: damaged (SHA-256 differs), set aside; going on from {used.name}." if damaged else None


def digest_path(path: Path) -> Path:
    """Where a checkpoint's digest stands."""
    return path.with_suffix(".sha256")


def digest_line(digest: str, name: str) -> bytes:
    """A line that `sha256sum --check` reads."""
    return f"{digest}  {name}\n".encode()


def read(path: Path) -> tuple[Progress, Tensors]:
    """One generation, after its digest has been checked; ValueError when it differs."""
    content = path.read_bytes()
    if digest_path(path).read_bytes() != digest_line(hashlib.sha256(content).hexdigest(), path.name):
        raise ValueError(path.name)
    return progress_in(content[8 : 8 + int.from_bytes(content[:8], "little")]), load(content)


def peek(path: Path) -> Progress:
    """The progress of one generation from its head alone: no weight is read, and its digest is not checked.

    For looking on while another process trains. OSError, ValueError, KeyError or TypeError where there is none.
    """
    with path.open("rb") as file:
        return progress_in(file.read(min(int.from_bytes(file.read(8), "little"), LONGEST_HEAD)))


def progress_in(head: bytes) -> Progress:
    """The progress in the head of a safetensors file."""
    return Progress.from_dict(json.loads(json.loads(head)["__metadata__"]["progress"]))

"""A run folder while it is being made: taken by one process, begun once, resumed only as what it is."""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from striate.classifier.material import Decoded
from striate.drawing.tiles import to_uint8
from striate.errors import RunError, UsageError
from striate.files import explain, remove_partials, write_atomically, write_json
from striate.models.own import difference
from striate.run import FILES, RECIPE, SPLITS, is_finished, read_json
from striate.training.checkpoint import CheckpointFolder
from striate.training.events import Events
from striate.training.recipe import Recipe

if TYPE_CHECKING:
    from io import TextIOWrapper

LOCK = ".lock"
PLAN = "plan.json"
"""What the folder of a cross-validation has beside its folds, which are runs of their own."""
LAYERS = "network.txt"
"""The layers of a network of the user's own, for whoever reads the folder, and to resume with no other."""


class Workplace:
    """The folder that a run is trained in.

    A folder that holds no more than a recipe and splits has lost nothing yet, and may be begun anew.

    Raises:
        RunError: the folder holds another run, or another process is training in it.
    """

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self.folder = folder
        self.resume = resume
        self.made = not folder.exists()
        self.lock = take(folder)
        self.checkpoints = CheckpointFolder(folder / "checkpoint")
        try:
            if not (resume and (folder / RECIPE).exists()):
                self.require_free()
        except BaseException:
            self.release()
            raise
        remove_partials(folder)

    def begin(self, recipe: Recipe, table: bytes, layers: Sequence[str] = ()) -> bool:
        """Write down what is to be done, or check that it is what was begun; True when it is done already.

        `layers` are those of a network of the user's own, which no recipe names.
        """
        if self.resume and (self.folder / RECIPE).exists():
            self.require_same(recipe, table)
            self.require_layers(layers)
            return is_finished(self.folder)
        if layers:
            write_atomically(self.folder / LAYERS, as_lines(layers))
        write_json(self.folder / RECIPE, recipe.model_dump())
        write_atomically(self.folder / SPLITS, table)
        return False

    def require_layers(self, layers: Sequence[str]) -> None:
        """Refuse to resume with a network of other layers."""
        path = self.folder / LAYERS
        if layers and path.exists() and path.read_bytes() != as_lines(layers):
            apart = difference(path.read_text(encoding="utf8").splitlines(), layers)
            raise RunError(
                f"--resume: the network given is not the one that {self.folder} was begun with. Give that one, or train"
                f" into another folder (- begun with, + given):\n{apart}"
            )

    def require_free(self) -> None:
        """Refuse a folder where a run, or a file of the user's, would be overwritten."""
        if self.checkpoints.generations() or is_finished(self.folder):
            raise RunError(
                f"{self.folder} holds a run already. Choose another folder with --out, or go on with it by --resume."
            )
        if (self.folder / PLAN).exists():
            raise RunError(f"{self.folder} holds a cross-validation. Choose another folder with --out.")
        found = {name for name in FILES if (self.folder / name).exists()}
        if found and (RECIPE not in found or not found <= {RECIPE, SPLITS} or not self.begun()):
            raise RunError(
                f"{self.folder} holds {', '.join(sorted(found))} already, and not from a run begun there. "
                "Choose another folder with --out."
            )

    def begun(self) -> Recipe | None:
        """The recipe that the run in the folder was begun with, or None where there is no such thing."""
        try:
            return Recipe(**read_json(self.folder / RECIPE))
        except (RunError, UsageError, TypeError):
            return None

    def require_same(self, recipe: Recipe, table: bytes) -> None:
        """Refuse to resume with another recipe or other images."""
        begun = self.begun()
        if begun is None:
            raise RunError(
                f"--resume: {self.folder / RECIPE} is damaged or of another striate. "
                "Restore it from a copy, or train into another folder with --out."
            )
        if begun != recipe:
            raise UsageError(
                f"--resume: {self.folder} was begun with another recipe ({'; '.join(begun.differences(recipe))}). "
                "Resume with the same options, or train into another folder with --out."
            )
        splits = self.folder / SPLITS
        if not splits.exists() and not self.checkpoints.generations():
            write_atomically(splits, table)  # killed between the two first files
        if not splits.exists() or splits.read_bytes() != table:
            raise RunError(
                f"--resume: the images or their splits are not those that {self.folder} was begun with "
                f"({SPLITS} {'differs' if splits.exists() else 'is missing'}). "
                "Restore them, or train into another folder with --out."
            )

    def listeners(self, decoded: Decoded, recipe: Recipe, input_shape: tuple[int, ...]) -> list[Events]:
        """What listens to a training in a folder: TensorBoard. `input_shape` is what the trained module takes."""
        from striate.training.tensorboard import TensorBoard

        def pictures(rows: np.ndarray) -> list[np.ndarray]:
            return [to_uint8(decoded.pack.pixels[row]) for row in rows]

        classes = decoded.images.classes
        return [TensorBoard(self.folder / "tensorboard", recipe, classes, input_shape, pictures)]

    def release(self) -> None:
        """Let another process train here, and leave no empty folder behind; safe to call twice."""
        if self.made and not self.lock.closed and [path.name for path in self.folder.iterdir()] == [LOCK]:
            (self.folder / LOCK).unlink()
            self.folder.rmdir()
        self.lock.close()


def as_lines(layers: Sequence[str]) -> bytes:
    """Layers as the bytes of a text file."""
    return "".join(f"{layer}\n" for layer in layers).encode("utf8")


def take(folder: Path) -> "TextIOWrapper":
    """An open lock file that no other process holds; it is free again when its process ends, however it ends."""
    path = folder / LOCK
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = path.open("a")
        except OSError as error:
            raise explain(error, folder, 0) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise RunError(
                f"Another process is training in {folder}. Wait for it, or choose another --out."
            ) from None
        if path.exists() and path.stat().st_ino == os.fstat(lock.fileno()).st_ino:
            return lock
        lock.close()  # its last holder has just removed it

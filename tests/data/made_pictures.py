"""A folder of small pictures, made on the spot."""

import os
import signal
import time
from pathlib import Path

import numpy as np
from PIL import Image

from striate.data.sources.folder import FolderStore
from striate.data.sources.stored import StoredSource

CLASSES = ("cat", "dog", "owl")


def write_pictures(root: Path, classes=CLASSES, count: int = 20, shape=(8, 8), dtype="uint8") -> Path:
    random = np.random.default_rng(0)
    for name in classes:
        (root / name).mkdir(parents=True)
        for number in range(1, count + 1):
            pixels = random.integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    return root


class FolderSource(StoredSource):
    """The pictures of a folder, to be disturbed by what follows."""

    def __init__(self, location):
        super().__init__(FolderStore(location))


class Killing(FolderSource):
    """A folder whose fifth picture ends every process but `home` that reads it."""

    home = 0

    def load(self, name, draft=None):
        if name == "cat/5.png" and os.getpid() != self.home:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().load(name)


class Sleeping(FolderSource):
    """A folder whose fifth picture keeps every process but `home` for a minute."""

    home = 0

    def load(self, name, draft=None):
        if name == "cat/5.png" and os.getpid() != self.home:
            time.sleep(60)
        return super().load(name)

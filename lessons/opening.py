"""How every lesson begins: what its reader asked for, which images are at hand, and where figures go.

lesson = open_lesson("02_kernels")                  # in a notebook: open_lesson("02_kernels", source="owl.jpg")
python lessons/02_kernels.py --source owl.jpg --short --out figures
"""

import argparse
import base64
import html
import os
import shutil
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from drawn import DRAWN
from PIL import Image

import striate

FILES = {"mnist": "mnist.zip", "cifar10": "cifar10.zip", "chars74k": "chars74k_hnd.zip"}
"""Archives that `STRIATE_DATA` may hold, by the name that `striate data download` gives the same images."""


Value = TypeVar("Value")


@dataclass(frozen=True)
class Lesson:
    """One reading of a lesson: the reader's own images if any, the short or the full form, and a folder for output."""

    name: str
    source: str | None
    short: bool
    out: Path

    def pick(self, full: Value, short: Value) -> Value:
        """`full`, or `short` in the short form: epochs, images, seeds."""
        return short if self.short else full

    def picture(self, name: str = "flower") -> np.ndarray:
        """The reader's own picture, or one that comes with striate: uint8 `height width 3`.

        A folder or an archive of images gives its first one; a grey picture gets three equal channels.
        """
        if self.source is None:
            print(
                f"Picture: {name}, {striate.EXAMPLE_PICTURES[name].credit}. --source PICTURE takes your own."
            )
            return striate.example_picture(name)
        if is_one_picture(self.source):
            pixels = striate.read_image(self.source)
        else:
            pixels = np.asarray(striate.load_images(self.source).packed()[2].pixels[0])
        pixels = striate.working_copy(pixels, 512).pixels
        print(f"Picture: {self.source}")
        return pixels if pixels.shape[2] == 3 else np.repeat(pixels[..., :1], 3, axis=2)

    def images(self, *names: str) -> str:
        """Where images are: the reader's own, else the first of `names` at hand, as `striate train` takes it.

        `digits` comes with striate, `shapes` is drawn in place; mnist, cifar10, chars74k count in the full form
        where `STRIATE_DATA` or a download has them. The last name must be one that every reader has.
        """
        if self.source is not None and not is_one_picture(self.source):
            print(f"Images: {self.source}")
            return self.source
        if self.source is not None:
            print(
                f"{self.source} is one picture; what follows needs many, in folders named for their classes."
            )
        missing = []
        for name in names:
            found = self._at_hand(name)
            if found is not None:
                said = f" ({', '.join(missing)} not at hand)" if missing and not self.short else ""
                print(f"Images: {name}{said}. --source IMAGES takes your own.")
                return found
            missing.append(name)
        raise striate.UsageError(f"None of {', '.join(names)} is at hand; give a folder with --source.")

    def _at_hand(self, name: str) -> str | None:
        if name == "digits":
            return name
        if name in DRAWN:
            folder = self.out / "images" / name
            if not folder.is_dir():
                DRAWN[name](folder)
            return str(folder)
        if self.short:
            return None
        archive = Path(os.environ.get("STRIATE_DATA") or "no-folder") / FILES.get(name, "no-archive")
        if archive.is_file():
            return str(archive)
        return name if striate.is_downloaded(name) else None

    def folder(self, name: str) -> Path:
        """An empty folder of this lesson's own: for a run, a log, images to be made."""
        folder = self.out / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        return folder

    def show(self, figure: Any, name: str, says: str) -> None:
        """Show a figure: below the cell in a notebook, as a PNG file elsewhere.

        `figure` is a matplotlib figure, a PIL picture, an array `height width [channel]`, a file, or what `striate`'s
        `write_…` functions return; `says` is one sentence of what is to be seen, which is also read to who cannot see.
        """
        picture = png_of(figure)
        path = self.out / f"{self.name}-{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)
        if not in_notebook():
            print(f"{says}\n  → {path}")
            return
        from IPython.display import HTML, display

        code = base64.b64encode(picture).decode()
        said = html.escape(says)
        display(
            HTML(
                f'<figure class="lesson"><img src="data:image/png;base64,{code}" alt="{said}">'
                f"<figcaption>{said}</figcaption></figure>"
            )
        )


def open_lesson(name: str, *, source: str | None = None, short: bool | None = None) -> Lesson:
    """Read the command line (in a notebook: the arguments here, or `STRIATE_LESSON=short`)."""
    parser = argparse.ArgumentParser(description=f"Lesson {name}", add_help=not in_notebook())
    parser.add_argument("--source", help="your own picture, folder, archive or table of images")
    parser.add_argument(
        "--short", action="store_true", help="seconds instead of minutes: few images, few epochs"
    )
    parser.add_argument("--out", type=Path, help="folder for figures and runs (build/lessons)")
    given = parser.parse_args([] if in_notebook() else None)
    asked = os.environ.get("STRIATE_LESSON") == "short" if short is None else short
    out = given.out or Path(os.environ.get("STRIATE_LESSON_OUT", "build/lessons"))
    if not in_notebook():
        mpl.use("Agg")
        sys.excepthook = say_in_one_sentence
    return Lesson(name, source or given.source, asked or given.short, out / name)


def say_in_one_sentence(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """End a lesson: what the reader can mend in one sentence, all else with the places where it happened."""
    if isinstance(error, striate.StriateError):
        print(f"{Path(sys.argv[0]).stem}: {error}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


def is_one_picture(source: str) -> bool:
    """Whether a source is the file of a picture, rather than a folder, an archive, a table or a known name."""
    many = {".zip", ".tar", ".tgz", ".gz", ".csv", ".parquet", ".npz"}
    return Path(source).is_file() and Path(source).suffix.lower() not in many


def in_notebook() -> bool:
    """Whether a notebook runs this."""
    return "ipykernel" in sys.modules


def png_of(figure: Any) -> bytes:
    """A figure of any kind as the bytes of a PNG file."""
    if isinstance(figure, str | Path):
        return Path(figure).read_bytes()
    if hasattr(figure, "files"):
        return next(path for path in figure.files if path.suffix == ".png").read_bytes()
    memory = BytesIO()
    if hasattr(figure, "savefig"):
        figure.savefig(memory, format="png", dpi=150, bbox_inches="tight")
        plt.close(figure)  # or a notebook shows it a second time
    else:
        pixels = np.squeeze(figure) if isinstance(figure, np.ndarray) else figure
        (Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels).save(memory, "PNG")
    return memory.getvalue()

"""What a source becomes when its labels, its groups or its rows are told by its names: the courses' preparation."""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from striate.data.sources.door import Source
from striate.errors import SourceError
from striate.pixels.picture import Description, ImageArray, Picture

CHARACTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
CLOTHING = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
REPEATED = "cell_images"

_SAMPLE = re.compile(r"Sample0*(\d{1,3})")
_WRITER = re.compile(r"-0*(\d+)\.\w+$")
_PATIENT = re.compile(r"(?:^|/)C(\d+)(?:[A-Z]?P(\d+))?(?![0-9])")


class PreparedSource:
    """A source under another name, with some of its pictures, other labels and groups; the pictures stay its own."""

    def __init__(
        self,
        source: Source,
        location: str,
        *,
        rows: Sequence[int] | None = None,
        labels: list[str] | None = None,
        groups: list[str] | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self._source = source
        self._rows = list(range(len(source.names)) if rows is None else rows)
        self.location = location
        self.names = [source.names[row] for row in self._rows]
        self.labels = labels if labels is not None else self._chosen(source.labels)
        self.splits = self._chosen(source.splits)
        self.groups = groups if groups is not None else self._chosen(source.groups)
        self.stamps = source.stamps[np.array(self._rows, dtype=np.int64)]
        self.notes = [*source.notes, *notes]
        self.in_memory = source.in_memory
        self.columns = source.columns

    def load(self, name: str, draft: tuple[int, int] | None = None) -> Picture:
        """The picture, decoded, with what its file says of it; ImageError gives the reason alone."""
        return self._source.load(name, draft)

    def read(self, name: str) -> ImageArray:
        """The pixels of the picture; ImageError gives the reason alone."""
        return self._source.read(name)

    def describe(self, name: str) -> Description:
        """Size, channels and depth by the header alone; ImageError gives the reason alone."""
        return self._source.describe(name)

    def column(self, name: str) -> list[str]:
        """One text an image; SourceError where there is no such column."""
        values = self._source.column(name)
        return [values[row] for row in self._rows]

    def _chosen(self, values: list[str] | None) -> list[str] | None:
        return None if values is None else [values[row] for row in self._rows]


def characters(source: Source, location: str) -> PreparedSource:
    """Chars74K: the sample's number becomes the character, and the writer, after the dash, the group."""
    return PreparedSource(
        source,
        location,
        labels=[character_of(label) for label in source.labels or ()],
        groups=[writer_of(name) for name in source.names],
    )


def character_of(sample: str) -> str:
    """The character that a folder of Chars74K holds.

    >>> character_of("Sample001"), character_of("Sample011"), character_of("Sample062")
    ('0', 'A', 'z')
    """
    match = _SAMPLE.fullmatch(sample)
    if match is None or not 1 <= int(match[1]) <= len(CHARACTERS):
        raise SourceError(f"the folder {sample!r} is none of Chars74K's, which are Sample001 to Sample062")
    return CHARACTERS[int(match[1]) - 1]


def writer_of(name: str) -> str:
    """The writer of a picture of Chars74K: the number after the dash.

    >>> writer_of("Sample001/img001-012.png")
    'writer 12'
    """
    match = _WRITER.search(name)
    if match is None:
        raise SourceError(f"{name} names no writer; the pictures of Chars74K are called like img001-012.png")
    return f"writer {match[1]}"


def cells(source: Source, location: str) -> PreparedSource:
    """Malaria cells: the patient is the group, and the folder that some copies hold twice is left out."""
    labels = source.labels or []
    rows = [row for row, label in enumerate(labels) if label != REPEATED]
    names = [source.names[row] for row in rows]
    notes = []
    if repeated := len(labels) - len(rows):
        notes.append(f"pictures left out because the archive holds its folder {REPEATED} twice: {repeated:,}")
    if unnamed := sum(not patient_of(name).startswith("patient") for name in names):
        notes.append(
            f"pictures whose names tell a slide and no patient (C1_thinF_…, not C33P1thinF_…): {unnamed:,}; "
            "their slide is the group"
        )
    return PreparedSource(
        source, location, rows=rows, groups=[patient_of(name) for name in names], notes=notes
    )


def patient_of(name: str) -> str:
    """The patient, or else the slide, that a malaria cell's file name tells.

    >>> patient_of("Parasitized/C33P1thinF_IMG_20150619_114756a_cell_179.png")
    'patient C33P1'
    >>> patient_of("Uninfected/C1_thinF_IMG_20150604_104722_cell_9.png")
    'slide C1'

    What follows the numbers (ThinF, NThinF, thin_Original_Motic, …) tells of the recording and not of the patient.
    A name that tells neither is a group of its own.
    """
    match = _PATIENT.search(name)
    if match is None:
        return f"picture {name}"
    return f"patient C{match[1]}P{match[2]}" if match[2] else f"slide C{match[1]}"


def clothing(source: Source, location: str) -> PreparedSource:
    """Fashion-MNIST: numbers become the names of its README."""
    labels = source.labels or []
    wrong = [
        label for label, _ in Counter(labels).items() if not label.isdecimal() or int(label) >= len(CLOTHING)
    ]
    if wrong:
        raise SourceError(f"Fashion-MNIST has the label {wrong[0]}, but its classes are numbered 0 to 9")
    return PreparedSource(source, location, labels=[CLOTHING[int(label)] for label in labels])


def cracks(source: Source, location: str) -> PreparedSource:
    """Concrete cracks: the classes are the folders Positive and Negative."""
    found = sorted(set(source.labels or ()))
    if found != ["Negative", "Positive"]:
        raise SourceError(
            f"the folders of the concrete cracks are Negative and Positive, and not {', '.join(found)}"
        )
    return PreparedSource(source, location)


def unchanged(source: Source, location: str) -> PreparedSource:
    """The source as it is, under the name of the data."""
    return PreparedSource(source, location)


PREPARATIONS: dict[str, Callable[[Source, str], PreparedSource]] = {
    "mnist": unchanged,
    "fashion-mnist": clothing,
    "cifar10": unchanged,
    "cifar100": unchanged,
    "chars74k": characters,
    "malaria": cells,
    "concrete-cracks": cracks,
}

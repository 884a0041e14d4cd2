"""Where files lie: one shape for folders, zips and tars, so that what files mean is decided once for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int64

from striate.data.sources.kinds import kind_of
from striate.errors import ImageError
from striate.pixels.formats.endings import HEAD_BYTES, sniff
from striate.pixels.reading import count_images

OUTSIDE = "a link that leaves the folder or loops"
LINK = "a link, which is not followed"
NOT_A_FILE = "a pipe or a device"
NOT_A_PICTURE = "without a picture's ending"
BAD_NAME = "with a name that is not valid UTF-8"
REPLACED = "with the name of a later member"


@dataclass
class LeftOut:
    """Files that are not listed: how many for each reason, and one example."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, name: str) -> None:
        """Counts one file."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        self.examples.setdefault(reason, name)

    def copy(self) -> "LeftOut":
        """The same so far, to be added to."""
        return LeftOut(dict(self.counts), dict(self.examples))

    def notes(self) -> list[str]:
        """One sentence for each reason.

        >>> left_out = LeftOut()
        >>> left_out.add("a pipe or a device", "cat/fifo")
        >>> left_out.notes()
        ['1 file left out, a pipe or a device: cat/fifo']
        """
        return [
            f"{count:,} file{'s' * (count > 1)} left out, {reason}: {self.examples[reason]}{', …' * (count > 1)}"
            for reason, count in self.counts.items()
        ]


@dataclass
class Listing:
    """Every file of a store with its stamp, in the store's own order, and what was left out."""

    files: list[str]
    stamps: Int64[np.ndarray, "file field"]
    left_out: LeftOut


class Store:
    """Files by name; a subclass says where they lie. Picklable, so that worker processes can read too.

    A `stamp` says which content a name stands for without reading it. `look_through`: a folder around
    everything means nothing here, as in an archive.
    """

    location: str
    look_through = True

    def listing(self) -> Listing:
        """Every file; SourceError when the store is damaged or hostile."""
        raise NotImplementedError

    def read(self, file: str) -> bytes:
        """All bytes of a file; ImageError gives the reason alone."""
        raise NotImplementedError

    def head(self, file: str) -> bytes:
        """The first bytes of a file, enough to tell what it is; ImageError gives the reason alone."""
        return self.read(file)[:HEAD_BYTES]

    def stamps_of(self, files: Sequence[str]) -> Int64[np.ndarray, "file field"]:
        """The stamps of some files, −1 for those that are not there."""
        raise NotImplementedError

    def path(self, file: str) -> str | None:
        """Where a file lies on disk, None for a member of an archive; ImageError where it leads out."""
        return None

    def count(self, file: str) -> int:
        """How many pages or frames a file holds; ImageError gives the reason alone."""
        return count_images(self.path(file) or self.read(file))


def is_picture(file: str, store: Store) -> bool:
    """Whether a file is a picture by its ending, or by its first bytes where it has none."""
    kind = kind_of(file)
    if kind != "unsure":
        return kind in ("picture", "several")
    try:
        return sniff(store.head(file)) is not None
    except ImageError:
        return False


def last_rows(files: Sequence[str], left_out: LeftOut) -> Int64[np.ndarray, " row"]:
    """The rows of an archive's members to list: of several with one name the last, as archives mean it."""
    last = {file: row for row, file in enumerate(files)}
    if len(last) < len(files):
        for row, file in enumerate(files):
            if last[file] != row:
                left_out.add(REPLACED, file)
    return np.array(sorted(last.values()), dtype=np.int64)


def printable(name: str) -> str:
    """A name that is no text, fit to be shown."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

"""The table of images: one row each, with its label, its split and the digest of its pixels."""

import csv
import io
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int, Int32, Shaped

from striate.data.layout import SPLITS, natural_key
from striate.data.pack import Pack, pack_source
from striate.data.sources import Source, open_source
from striate.data.split import assign_splits
from striate.errors import SourceError
from striate.files import write_atomically

COLUMNS = ("source", "label", "split", "digest")
UNREADABLE = "unreadable"


@dataclass(frozen=True, eq=False)
class Images:
    """Images of one source, columnar: a million rows open in seconds.

    `rows` are the rows in the source's listing (and in its pack); `labels` index into `classes`; `splits`
    are 'train', 'validation', 'test' or '' until assigned; `digests` are None until the pictures have been
    decoded; `groups` name what must stay together (a patient, a part, a scene), where that is known; and
    `unreadable` names those that could not be, which have no row.
    """

    source: Source
    rows: Int[np.ndarray, " image"]
    classes: tuple[str, ...]
    labels: Int32[np.ndarray, " image"]
    splits: Shaped[np.ndarray, " image"]
    digests: Shaped[np.ndarray, " image"] | None = None
    groups: Shaped[np.ndarray, " image"] | None = None
    unreadable: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def names(self) -> list[str]:
        """The name of every image, relative to the source."""
        return [self.source.names[row] for row in self.rows.tolist()]

    def select(self, which: Bool[np.ndarray, " image"] | Int[np.ndarray, " chosen"]) -> "Images":
        """The images under a mask or at some indices."""
        digests = None if self.digests is None else self.digests[which]
        return replace(
            self,
            rows=self.rows[which],
            labels=self.labels[which],
            splits=self.splits[which],
            digests=digests,
            groups=None if self.groups is None else self.groups[which],
        )

    def of_split(self, name: str) -> "Images":
        """The images of one split, empty when there is none."""
        return self.select(self.splits == name)

    def counts(self) -> dict[str, dict[str, int]]:
        """How many images each class has in each split, splits without any left out."""
        found = Counter(zip(self.splits.tolist(), self.labels.tolist(), strict=True))
        return {
            split: {name: found[split, label] for label, name in enumerate(self.classes)}
            for split in (*SPLITS, "")
            if any(known == split for known, _ in found)
        }

    def with_pack(self, pack: Pack) -> "Images":
        """The same images with their digests; those that the pack could not read move to `unreadable`."""
        failed = np.isin(self.rows, np.fromiter(pack.failures, dtype=np.int64, count=len(pack.failures)))
        unreadable = tuple((self.source.names[row], pack.failures[row]) for row in self.rows[failed].tolist())
        kept = self.select(~failed)
        return replace(kept, digests=pack.digests[kept.rows], unreadable=(*self.unreadable, *unreadable))

    def with_splits(self, seed: int = 0) -> "Images":
        """The same images with every split assigned; see `assign_splits` for the rule."""
        decoded = self._decoded()
        assert decoded.digests is not None
        splits, notes = assign_splits(
            decoded.digests, decoded.labels, decoded.splits, seed, classes=self.classes
        )
        return replace(decoded, splits=splits, notes=(*self.notes, *notes))

    def split(self, seed: int = 0) -> tuple["Images", "Images", "Images"]:
        """Training, validation and test images.

        >>> train, validation, test = load_images("digits").split(seed=0)
        >>> len(train) + len(validation) + len(test)
        1797
        """
        table = self.with_splits(seed)
        return table.of_split("train"), table.of_split("validation"), table.of_split("test")

    def straddling(self) -> list[tuple[str, ...]]:
        """Groups of images with identical pixels in more than one split, by name: leaks, unless empty."""
        if self.digests is None or not len(self):
            return []
        order = np.argsort(self.digests, kind="stable")
        starts = np.flatnonzero(self.digests[order][1:] != self.digests[order][:-1]) + 1
        several = [members for members in np.split(order, starts) if len(members) > 1]
        return [
            tuple(self.source.names[self.rows[member]] for member in members)
            for members in several
            if len(set(self.splits[members])) > 1
        ]

    def splits_csv(self) -> bytes:
        """The table as csv: source, label, split, digest; unreadable pictures with split 'unreadable'."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(self._table())
        return text.getvalue().encode("utf-8", errors="surrogateescape")

    def write_splits(self, path: str | os.PathLike) -> None:
        """Writes `splits_csv` to a file, whole or not at all."""
        write_atomically(Path(path), self.splits_csv())

    def with_splits_from(self, path: str | os.PathLike) -> "Images":
        """The same images with the splits of a csv, written by `write_splits` or by hand.

        Raises SourceError when the csv and the images are not the same: rows on one side only, other
        labels, other pixels, pictures that could be read and now cannot, or the reverse.
        """
        from striate.data.splits_file import matched_splits

        decoded = self._decoded()
        return replace(decoded, splits=matched_splits(path, list(decoded._table())))

    def _decoded(self) -> "Images":
        return self if self.digests is not None else self.with_pack(pack_source(self.source)[1])

    def _table(self) -> Iterator[tuple[str, str, str, str]]:
        digests = [b""] * len(self) if self.digests is None else self.digests.tolist()
        labels = [self.classes[label] for label in self.labels.tolist()]
        for name, label, split, digest in zip(self.names, labels, self.splits.tolist(), digests, strict=True):
            yield name, label, split, digest.decode()
        if self.unreadable and self.source.labels is not None:
            known = dict(zip(self.source.names, self.source.labels, strict=True))
            for name, _ in self.unreadable:
                yield name, known[name], UNREADABLE, ""


def load_images(location: str | os.PathLike | Source) -> Images:
    """The table of images at a location: a folder, a zip, the name of embedded data, or an open source.

    >>> images = load_images("digits")
    >>> len(images), images.classes[:3], images.counts()[""]["0"]
    (1797, ('0', '1', '2'), 178)

    Raises SourceError for what is no source of labelled images.
    """
    source = location if isinstance(location, Source) else open_source(location)
    if source.labels is None:
        raise SourceError(f"{source.location} has no labels; a table of images needs one for each image")
    classes = tuple(sorted(set(source.labels), key=natural_key))
    number = {name: label for label, name in enumerate(classes)}
    count = len(source.names)
    return Images(
        source=source,
        rows=np.arange(count),
        classes=classes,
        labels=np.fromiter((number[label] for label in source.labels), dtype=np.int32, count=count),
        splits=np.array(source.splits, dtype="U10")
        if source.splits is not None
        else np.full(count, "", "U10"),
        groups=None if source.groups is None else np.array(source.groups),
        notes=tuple(source.notes),
    )

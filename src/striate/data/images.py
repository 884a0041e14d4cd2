"""The table of images: one row each, with its label, its split and the digest of its pixels."""

import os
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Int, Int32, Shaped

from striate.data.packing.ahead import begin_packing
from striate.data.packing.pack import Pack, pack_source
from striate.data.packing.workers import Progress
from striate.data.pseudonyms import PseudonymousSource, pseudonyms
from striate.data.sources.door import Source
from striate.data.sources.layout import SPLITS, natural_key
from striate.data.split import FRACTIONS, assign_folds, assign_splits, half_of
from striate.data.splits_file import DROPPED, UNREADABLE, Row, matched, table_csv
from striate.files import write_atomically
from striate.pixels.preparation import Preparation

if TYPE_CHECKING:
    from striate.data.audit import Audit
    from striate.data.inspection import Inspection


@dataclass(frozen=True, eq=False)
class Images:
    """Images of one source, columnar: a million rows open in seconds.

    `rows` are the rows in the source's listing (and in its pack); `labels` index into `classes`; `splits`
    are 'train', 'validation', 'test' or '' until assigned; `digests` are None until the pictures have been
    decoded; `groups` name what must stay together (a patient, a part, a scene), where that is known, '' for
    an image that stands alone. `unreadable` names pictures that could not be decoded and `dropped` those that
    somebody decided to leave out, each with the reason; they have no row.
    """

    source: Source
    rows: Int[np.ndarray, " image"]
    classes: tuple[str, ...]
    labels: Int32[np.ndarray, " image"]
    splits: Shaped[np.ndarray, " image"]
    digests: Shaped[np.ndarray, " image"] | None = None
    groups: Shaped[np.ndarray, " image"] | None = None
    unreadable: tuple[tuple[str, str], ...] = ()
    dropped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    grouping: tuple[str | None, str | None] = (None, None)
    """The column and the expression that the groups were taken from."""

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

    def with_splits(
        self,
        seed: int = 0,
        *,
        fractions: tuple[float, float, float] = FRACTIONS,
        stratify: bool = False,
    ) -> "Images":
        """The same images with every split assigned; see `assign_splits` for the rule."""
        decoded = self._decoded()
        assert decoded.digests is not None
        splits, notes = assign_splits(
            decoded.digests,
            decoded.labels,
            decoded.splits,
            seed,
            classes=self.classes,
            fractions=fractions,
            groups=decoded.groups,
            stratify=stratify,
        )
        return replace(decoded, splits=splits, notes=(*self.notes, *notes))

    def split(self, seed: int = 0) -> tuple["Images", "Images", "Images"]:
        """Training, validation and test images.

        >>> from striate.data import load_images
        >>> train, validation, test = load_images("digits").split(seed=0)
        >>> len(train) + len(validation) + len(test)
        1797
        """
        table = self.with_splits(seed)
        return table.of_split("train"), table.of_split("validation"), table.of_split("test")

    def folds(self, count: int, seed: int = 0, *, stratify: bool = False) -> list["Images"]:
        """The same images `count` times: in each, another fold is the test split and validation is cut from the rest.

        >>> from striate.data import load_images
        >>> tables = load_images("digits").folds(3)
        >>> sum(len(table.of_split("test")) for table in tables)
        1797
        """
        decoded = self._decoded()
        assert decoded.digests is not None
        fold = assign_folds(
            decoded.digests, decoded.labels, count, seed, groups=decoded.groups, stratify=stratify
        )
        marked = [np.where(fold == number, "test", "train").astype("U10") for number in range(count)]
        # Under the folds' own seed the places that validation is cut from would all lie in the last fold.
        return [replace(decoded, splits=marks).with_splits(seed + 1, stratify=stratify) for marks in marked]

    def halves(self, seed: int = 0) -> tuple["Images", "Images"]:
        """Two halves of decoded images that share no pixels and no group, each class shared out between them."""
        assert self.digests is not None, "halves are cut by the digests of decoded images"
        first = half_of(self.digests, self.labels, seed, groups=self.groups)
        return self.select(first), self.select(~first)

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

    def straddling_groups(self) -> list[tuple[str, tuple[str, ...]]]:
        """Groups with images in more than one split, with these splits: leaks, unless empty."""
        if self.groups is None:
            return []
        pairs = {pair for pair in zip(self.groups.tolist(), self.splits.tolist(), strict=True) if pair[0]}
        found: dict[str, set[str]] = {}
        for group, split in pairs:
            found.setdefault(group, set()).add(split)
        order = (*SPLITS, "")
        return [
            (group, tuple(sorted(splits, key=order.index)))
            for group, splits in sorted(found.items(), key=lambda item: natural_key(item[0]))
            if len(splits) > 1
        ]

    def splits_csv(self) -> bytes:
        """The table as csv: source, label, split, digest, and group where groups are known.

        Pictures without a row of their own follow, with the split 'unreadable' or 'dropped'.
        """
        return table_csv(self._table(), with_groups=self.groups is not None)

    def write_splits(self, path: str | os.PathLike) -> None:
        """Writes `splits_csv` to a file, whole or not at all."""
        write_atomically(Path(path), self.splits_csv())

    def with_splits_from(self, path: str | os.PathLike | bytes, *, as_was: bool = False) -> "Images":
        """The same images with the splits of a csv, written by `write_splits` or by hand.

        Groups are taken from the csv where the images have none. With `as_was` its labels and its dropped
        pictures are taken too: the table of a run, as it was trained. Raises SourceError when the csv and the
        images are not the same: rows on one side only, other labels, other pixels, pictures that could be read
        and now cannot, or the reverse.
        """
        decoded = self._decoded()
        found = matched(path, decoded._table(), as_was=as_was)
        kept = replace(decoded.select(found.kept), splits=found.splits)
        gone = np.flatnonzero(~found.kept)
        dropped = tuple((decoded.source.names[row], "as in the run") for row in decoded.rows[gone].tolist())
        groups = found.groups if self.groups is None else kept.groups
        kept = replace(kept, groups=groups, dropped=(*self.dropped, *dropped))
        return kept.relabelled(found.labels) if as_was else kept

    def relabelled(self, labels: list[str]) -> "Images":
        """The same images with other class names, one each; classes are those that occur."""
        classes = tuple(sorted(set(labels), key=natural_key))
        number = {name: index for index, name in enumerate(classes)}
        found = np.fromiter((number[label] for label in labels), dtype=np.int32, count=len(labels))
        return replace(self, classes=classes, labels=found)

    def packed(self, progress: Progress | None = None, **options: Any) -> tuple["Images", Preparation, Pack]:
        """The same images decoded, with the preparation chosen for them and the pack; options as of `pack_source`."""
        preparation, pack = pack_source(self.source, progress=progress, **options)
        return self if self.digests is not None else self.with_pack(pack), preparation, pack

    def pack_ahead(self, progress: Progress | None = None, **options: Any) -> None:
        """Begins in the background what `packed`, or a fit, will ask for with the same options, and then find."""
        begin_packing(self.source, progress, **options)

    def inspect(self, progress: Progress | None = None) -> "Inspection":
        """Counts, sizes, kinds of file and pixels, and contact sheets; see `Inspection`."""
        from striate.data.inspection import inspect

        images, _, pack = self.packed(progress, small=True)
        return inspect(images, pack)

    def audit(self, *, quick: bool = False, seed: int = 0, progress: Progress | None = None) -> "Audit":
        """What is wrong with the images, before anything is trained on them; see `Audit`.

        `quick` asks only for what decoding has told already.
        """
        from striate.data.audit import audit_images

        images, _, pack = self.packed(progress, small=True)
        return audit_images(images, pack, quick=quick, seed=seed, progress=progress)

    def decided(self, path: str | os.PathLike | bytes) -> "Images":
        """The same images after the decisions in an edited audit.csv: some dropped, some with another label."""
        from striate.data.audit import apply_decisions

        return apply_decisions(self, path)

    def pseudonymised(self) -> "Images":
        """The same images, pictures and groups called by keyed digests; notes that may name files are left out."""
        source = PseudonymousSource(self.source)
        hidden = [
            tuple(
                zip(
                    pseudonyms((name for name, _ in pairs), kind="image"),
                    (why for _, why in pairs),
                    strict=True,
                )
            )
            for pairs in (self.unreadable, self.dropped)
        ]
        groups = None if self.groups is None else np.array(pseudonyms(self.groups.tolist(), kind="group"))
        return replace(
            self,
            source=source,
            groups=groups,
            unreadable=hidden[0],
            dropped=hidden[1],
            notes=tuple(source.notes),
        )

    @property
    def pseudonymous(self) -> bool:
        """Whether pictures are called by keyed digests."""
        return isinstance(self.source, PseudonymousSource)

    def _decoded(self) -> "Images":
        return self if self.digests is not None else self.with_pack(pack_source(self.source)[1])

    def _table(self) -> list[Row]:
        count = len(self)
        digests = [""] * count if self.digests is None else [one.decode() for one in self.digests.tolist()]
        groups = [""] * count if self.groups is None else self.groups.tolist()
        labels = [self.classes[label] for label in self.labels.tolist()]
        rows = [
            Row(*row) for row in zip(self.names, labels, self.splits.tolist(), digests, groups, strict=True)
        ]
        if (self.unreadable or self.dropped) and self.source.labels is not None:
            known = dict(zip(self.source.names, self.source.labels, strict=True))
            rows += [Row(name, known[name], UNREADABLE, "", "") for name, _ in self.unreadable]
            rows += [Row(name, known[name], DROPPED, "", "") for name, _ in self.dropped]
        return rows

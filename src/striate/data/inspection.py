"""What a source holds, at a glance: counts, sizes, kinds of file and pixels, and a contact sheet for every class."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int, Shaped

from striate.data.images import Images
from striate.data.packing.pack import Pack
from striate.data.sources.layout import SPLITS
from striate.drawing.text import shorten, visible
from striate.drawing.tiles import contact_sheet

if TYPE_CHECKING:
    from PIL.Image import Image

SHOWN_CLASSES, SHOWN_KINDS, SHOWN_BAD = 40, 8, 20
SHEET = 40
"""Pictures on a class's contact sheet."""


@dataclass(frozen=True, eq=False)
class Inspection:
    """A source described: nothing is judged here; `Images.audit` judges.

    `sizes` are the least, median and largest height and width; `kinds` count pictures by format, mode, channels and
    bits; `counts` by split and class.
    """

    images: Images
    pack: Pack
    sizes: dict[str, tuple[int, float, int]]
    distinct_sizes: int
    kinds: dict[str, int]
    groups: int | None

    def to_dict(self) -> dict[str, Any]:
        """Everything but the pictures, ready for JSON."""
        return {
            "source": self.images.source.location,
            "images": len(self.images),
            "unreadable": [list(pair) for pair in self.images.unreadable],
            "classes": list(self.images.classes),
            "counts": self.images.counts(),
            "sizes": {side: list(values) for side, values in self.sizes.items()},
            "distinct_sizes": self.distinct_sizes,
            "kinds": self.kinds,
            "groups": self.groups,
            "notes": list(self.images.notes),
        }

    def to_text(self) -> str:
        """The inspection for a terminal; of more than 40 classes the rest is counted."""
        images = self.images
        lines = [
            f"{images.source.location}: {len(images):,} pictures, {len(images.classes):,} classes"
            + (f", {self.groups:,} groups" if self.groups is not None else "")
        ]
        lines += [f"note: {visible(note)}" for note in images.notes]
        if images.unreadable:
            lines.append(f"{len(images.unreadable):,} cannot be read:")
            lines += [f"  {visible(name)}: {reason}" for name, reason in images.unreadable[:SHOWN_BAD]]
            lines += _more(len(images.unreadable), SHOWN_BAD)
        for side, (least, median, largest) in self.sizes.items():
            lines.append(f"{side:<8}{least:,} to {largest:,} pixels, median {median:,.0f}")
        moving = int((self.pack.facts["frames"][images.rows] > 1).sum())
        lines += [f"{moving:,} are animations; the first frame of each is taken"] if moving else []
        kinds = list(self.kinds.items())
        lines += [
            "",
            *(f"{count:>10,}  {kind}" for kind, count in kinds[:SHOWN_KINDS]),
            *_more(len(kinds), SHOWN_KINDS),
        ]
        return "\n".join([*lines, "", *self._class_lines()])

    def _class_lines(self) -> list[str]:
        counts = self.images.counts()
        splits = [split for split in (*SPLITS, "") if split in counts]
        names = [shorten(visible(name), 32) for name in self.images.classes[:SHOWN_CLASSES]]
        width = max(map(len, ["class", *names]))
        heading = "".join(f"{split or 'pictures':>12}" for split in splits)
        rows = [
            f"{shown:<{width}}" + "".join(f"{counts[split][name]:>12,}" for split in splits)
            for shown, name in zip(names, self.images.classes, strict=False)
        ]
        return [f"{'class':<{width}}{heading}", *rows, *_more(len(self.images.classes), SHOWN_CLASSES)]

    def sheets(self) -> Iterator[tuple[str, "Image"]]:
        """Each class with a contact sheet of up to 40 of its pictures, evenly spread, as a network would be given them.

        Captions are the pictures' names, and their own sizes where these differ.
        """
        for label, name in enumerate(self.images.classes):
            members = np.flatnonzero(self.images.labels == label)
            chosen = members[
                np.unique(np.linspace(0, len(members) - 1, min(len(members), SHEET)).round().astype(int))
            ]
            yield name, self._sheet(chosen)

    def _sheet(self, chosen: Int[np.ndarray, " chosen"]) -> "Image":
        rows = self.images.rows[chosen]
        names = [self.images.source.names[row].rpartition("/")[2] for row in rows.tolist()]
        if self.distinct_sizes > 1:  # one size is said once, and the names keep their room
            facts = self.pack.facts[rows]
            sizes = [f" · {one['width']}×{one['height']}" for one in facts]
            names = [name + size for name, size in zip(names, sizes, strict=True)]
        return contact_sheet([self.pack.pixels[row] for row in rows], names)


def inspect(images: Images, pack: Pack) -> Inspection:
    """The inspection of a table whose pictures have been decoded into a pack."""
    facts = pack.facts[images.rows]
    sides = {side: _spread(facts[side]) for side in ("width", "height")}
    groups = None if images.groups is None else len(set(images.groups.tolist()) - {""})
    return Inspection(
        images,
        pack,
        sides,
        len(np.unique(facts[["height", "width"]])) if len(facts) else 0,
        _kinds(facts),
        groups,
    )


def _spread(values: Shaped[np.ndarray, " image"]) -> tuple[int, float, int]:
    return (int(values.min()), float(np.median(values)), int(values.max())) if len(values) else (0, 0.0, 0)


def _kinds(facts: Shaped[np.ndarray, " image"]) -> dict[str, int]:
    """Counts of each kind of picture in words, the most frequent first."""
    columns = (facts[name].tolist() for name in ("format", "mode", "channels", "bits", "depth"))
    found = Counter(zip(*columns, strict=True))
    return {
        f"{kind[0]} {kind[1]}, {kind[3]} bits, read as {kind[2]} channel{'s' * (kind[2] > 1)} {kind[4]}": count
        for kind, count in found.most_common()
    }


def _more(count: int, shown: int) -> list[str]:
    return [f"  and {count - shown:,} more"] if count > shown else []

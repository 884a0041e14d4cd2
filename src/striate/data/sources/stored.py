"""Pictures in a store of files, listed in natural order with what their names or a table say about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64

from striate.data.sources.kinds import is_single
from striate.data.sources.layout import read_layout
from striate.data.sources.order import natural_order
from striate.data.sources.parts import Pictures, take_apart
from striate.data.sources.pictures import PictureSource
from striate.data.sources.stores import NOT_A_PICTURE, Listing, Store, is_picture
from striate.pixels.picture import Description
from striate.pixels.reading import describe_image


@dataclass
class Rows:
    """What is known of some pictures, columnar, in any order: lists as long as `pictures.names`."""

    pictures: Pictures
    stamps: Int64[np.ndarray, "picture field"]
    labels: Sequence[str] | None = None
    splits: Sequence[str] | None = None
    groups: Sequence[str] | None = None


class StoredPictures(PictureSource):
    """Pictures in a store; `prefix` is the folder there that the names are relative to."""

    store: Store
    prefix: str = ""

    def arrange(self, rows: Rows) -> list[int]:
        """Takes over the rows, in natural order of their names; the order is returned."""
        order = natural_order(rows.pictures.names)
        self.names = [rows.pictures.names[row] for row in order]
        self.parts = rows.pictures.parts
        self.labels = ordered(rows.labels, order)
        self.splits = ordered(rows.splits, order)
        self.groups = ordered(rows.groups, order)
        self.stamps = np.column_stack([rows.stamps, rows.pictures.numbers])[order]
        return order

    def file_bytes(self, file: str) -> bytes:
        """All bytes of one file; ImageError gives the reason alone."""
        return self.store.read(self.prefix + file)

    def describe(self, name: str) -> Description:
        """Size, channels and depth by the header alone; ImageError gives the reason alone."""
        file, image = self.parts.get(name, (name, 0))
        path = self.store.path(self.prefix + file)
        return super().describe(name) if path is None else describe_image(path, image)


class StoredSource(StoredPictures):
    """Pictures whose folders are their classes, and maybe their splits."""

    def __init__(self, store: Store, listing: Listing | None = None) -> None:
        listing = listing or store.listing()
        self.store, self.location = store, store.location
        files, stamps = pictures_in(listing, store)
        layout = read_layout(files, self.location, look_through=store.look_through)
        self.prefix = layout.prefix
        pictures = take_apart(layout.names, lambda file: store.count(self.prefix + file))
        whole = not pictures.parts

        def spread(values: list[str] | None) -> list[str] | None:
            return values if whole or values is None else [values[row] for row in pictures.rows.tolist()]

        self.arrange(Rows(pictures, stamps[pictures.rows], spread(layout.labels), spread(layout.splits)))
        self.notes = layout.notes + listing.left_out.notes() + alike(self.names)


def ordered(values: Sequence[Any] | None, order: list[int]) -> list[Any] | None:
    """A column in another order; None stays None."""
    return None if values is None else [values[row] for row in order]


def pictures_in(listing: Listing, store: Store) -> tuple[list[str], Int64[np.ndarray, "file field"]]:
    """The pictures of a listing and their stamps; whatever else there is joins what is left out."""
    rows: list[int] = []
    for row, file in enumerate(listing.files):
        if is_single(file) or is_picture(file, store):
            rows.append(row)
        else:
            listing.left_out.add(NOT_A_PICTURE, file)
    if len(rows) == len(listing.files):
        return listing.files, listing.stamps
    return [listing.files[row] for row in rows], listing.stamps[rows]


def alike(names: Sequence[str]) -> list[str]:
    """A note when names differ by nothing but upper and lower case, which many disks cannot tell apart.

    >>> alike(["cat/1.png", "cat/1.PNG", "dog/1.png"])
    ['1 name differs from another by upper and lower case alone: cat/1.png and cat/1.PNG']
    """
    several = len(names) - len(set(map(str.casefold, names)))
    if not several:
        return []
    first: dict[str, str] = {}
    pairs = ((first.setdefault(name.casefold(), name), name) for name in names)
    one, other = next(pair for pair in pairs if pair[0] != pair[1])
    words = "name differs" if several == 1 else "names differ"
    return [f"{several:,} {words} from another by upper and lower case alone: {one} and {other}"]

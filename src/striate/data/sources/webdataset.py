"""Samples as webdataset stores them: files of one key side by side, `key.jpg` with its class in `key.cls`.

The key is everything up to the first dot of the file's own name. The class is a number or a name, in `key.cls`, else
in `key.txt`, else the `label` (or `class`) of `key.json`. Shards are tars in one folder, in natural order.
"""

import json
import re
from collections.abc import Iterable, Sequence

from striate.data.sources.kinds import kind_of
from striate.data.sources.layout import SPLIT_FOLDERS, refuse_single_class
from striate.data.sources.parts import take_apart
from striate.data.sources.stored import Rows, StoredPictures, alike, pictures_in
from striate.data.sources.stores import Listing, Store
from striate.errors import ImageError, SourceError

CLASS_ENDINGS = (".cls", ".txt", ".json")
CLASS_BYTES = 1 << 16
NO_CLASS = "without a class beside them"
_SPLIT_WORD = re.compile(f"(?:{'|'.join(SPLIT_FOLDERS)})(?![a-z])", re.IGNORECASE)


class WebDatasetSource(StoredPictures):
    """Pictures of a tar, or of a folder of shards, with their classes beside them."""

    def __init__(self, store: Store, listing: Listing) -> None:
        self.store, self.location = store, store.location
        beside = {file for file in listing.files if file.endswith(CLASS_ENDINGS)}
        left_out = listing.left_out
        pictures = Listing(
            [file for file in listing.files if file not in beside],
            listing.stamps[[file not in beside for file in listing.files]],
            left_out,
        )
        files, stamps = pictures_in(pictures, store)
        reader = _Classes(store, beside)
        found = [reader.of(file) for file in files]
        kept = [row for row, label in enumerate(found) if label]
        for row, label in enumerate(found):
            if not label:
                left_out.add(NO_CLASS, files[row])
        if not kept:
            raise SourceError(
                f"{self.location} holds no picture with its class beside it; expected {EXPECTED}"
            )
        taken = take_apart([files[row] for row in kept], store.count)
        stored_rows = [kept[row] for row in taken.rows.tolist()]
        labels = [found[row] for row in stored_rows]
        refuse_single_class(set(labels), self.location)
        splits = shard_splits([files[row] for row in stored_rows])
        self.arrange(Rows(taken, stamps[stored_rows], labels, splits))
        self.notes = left_out.notes() + alike(self.names)


EXPECTED = "pairs such as 0001.jpg and 0001.cls"


def has_classes(files: Iterable[str]) -> bool:
    """Whether a listing has files that can be nothing but classes: `key.cls`."""
    return any(file.endswith(".cls") for file in files)


def has_pairs(files: Iterable[str]) -> bool:
    """Whether a listing has texts beside pictures that may be their classes.

    >>> has_pairs(["0001.jpg", "0001.json"]), has_pairs(["cat/1.png", "readme.txt"])
    (True, False)
    """
    files = list(files)
    texts = {key_of(file) for file in files if file.endswith(CLASS_ENDINGS)}
    return bool(texts) and any(
        kind_of(file) in ("picture", "several") and key_of(file) in texts for file in files
    )


def key_of(file: str) -> str:
    """The key that a sample's files share.

    >>> key_of("v1.0/0001.seg.png")
    'v1.0/0001'
    """
    folder, slash, own = file.rpartition("/")
    return folder + slash + own.split(".", 1)[0]


def shard_splits(files: Sequence[str]) -> list[str] | None:
    """The split that the name of each file's shard begins with, when every one does and there is more than one."""
    known: dict[str, str | None] = {}
    found = [known[top] if top in known else known.setdefault(top, split_of(top)) for top in map(_top, files)]
    if None in known.values() or len(set(found)) < 2 or "train" not in found:
        return None
    return [split for split in found if split is not None]


def split_of(stem: str) -> str | None:
    """The split that a shard's or a table's own name begins with.

    >>> split_of("train-00000-of-00002"), split_of("data/val_3"), split_of("trains")
    ('train', 'validation', None)
    """
    word = _SPLIT_WORD.match(stem.rpartition("/")[2])
    return SPLIT_FOLDERS[word[0].lower()] if word else None


def _top(file: str) -> str:
    return file.split("/", 1)[0]


class _Classes:
    """Reads the class beside a picture; equal classes are one text in memory."""

    def __init__(self, store: Store, beside: set[str]) -> None:
        self._store, self._beside = store, beside
        self._known: dict[bytes, str] = {}

    def of(self, file: str) -> str:
        key = key_of(file)
        for ending in CLASS_ENDINGS:
            if (name := key + ending) in self._beside:
                return self._read(name)
        return ""

    def _read(self, name: str) -> str:
        try:
            raw = self._store.read(name)
        except ImageError as error:
            raise SourceError(f"{self._store.location}: {name} cannot be read: {error}") from None
        if len(raw) > CLASS_BYTES:
            raise SourceError(f"{self._store.location}: {name} has {len(raw):,} bytes; a class has a few")
        label = self._known.get(raw)
        if label is None:
            self._known[raw] = label = _parsed(raw, name, self._store.location)
        return label


def _parsed(raw: bytes, name: str, location: str) -> str:
    try:
        text = raw.decode("utf-8").strip()
        if not name.endswith(".json"):
            return text
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise SourceError(f"{location}: {name} is not UTF-8 text, or no JSON") from None
    value = told.get("label", told.get("class", "")) if isinstance(told, dict) else ""
    return str(value) if isinstance(value, str | int) else ""

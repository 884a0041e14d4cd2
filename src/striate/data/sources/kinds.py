"""What kind of file a name promises: a picture, a table, an archive, or something only its first bytes can tell."""

import re
from functools import lru_cache
from typing import Literal

from striate.pixels.formats.endings import SEVERAL, SUFFIXES

Kind = Literal["picture", "several", "unsure", "table", "parquet", "tar", "class", "other"]
"""`several`: it may hold many pages or frames. `unsure`: the name has no ending. `class`: a class beside a picture."""

_KINDS: dict[str, Kind] = {
    ".csv": "table",
    ".tsv": "table",
    ".jsonl": "table",
    ".parquet": "parquet",
    ".tar": "tar",
    ".cls": "class",
    ".txt": "class",
    ".json": "class",
    **dict.fromkeys(SUFFIXES, "picture"),
    **dict.fromkeys(SEVERAL, "several"),
}
_CLUTTER = re.compile(r"(?:^|/)(?:\.|(?:thumbs\.db|desktop\.ini|__macosx|dicomdir)(?:/|$))", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_LEADS_OUT = re.compile(r"(?:^|/)\.\.(?:/|$)|^/|^.:|\0")
_UNUSUAL = re.compile(
    r"(?:^|/)(?:\.|thumbs\.db|desktop\.ini|__macosx|dicomdir)|^/|^.:|[\0\\\ud800-\udfff]", re.IGNORECASE
)
_SINGLE = {written for suffix in SUFFIXES - SEVERAL for written in (suffix, suffix.upper())}


def kind_of(name: str) -> Kind:
    """The kind of file that a name promises.

    >>> kind_of("cat/1.PNG"), kind_of("scan.dcm"), kind_of("IM0001"), kind_of("1.2.840.10008"), kind_of("a.zip")
    ('picture', 'several', 'unsure', 'unsure', 'other')
    """
    stem, dot, ending = name.rpartition(".")
    if not dot or "/" in ending or not stem or stem.endswith("/"):
        return "unsure"
    return _kind_of_ending(ending)


@lru_cache(maxsize=1024)
def _kind_of_ending(ending: str) -> Kind:
    # DICOM files are often called by their UID, which ends in a number.
    return "unsure" if ending.isdecimal() else _KINDS.get(f".{ending.lower()}", "other")


def is_single(name: str) -> bool:
    """Whether a name is surely that of one picture: the quick answer for nearly all of a million names."""
    return name[name.rfind(".") :] in _SINGLE


def is_unusual(name: str) -> bool:
    """Whether a member's name needs a closer look: all that is clutter, leads out or is no text does.

    >>> [is_unusual(name) for name in ("set/cat/1.png", "../1.png", "a/.DS_Store", "C:/1.png", "dog/1.png")]
    [False, True, True, True, False]
    """
    return _UNUSUAL.search(name) is not None


def is_clutter(name: str) -> bool:
    """Whether a name, or a folder in it, is what systems leave behind: hidden files, thumbnails, indices."""
    return _CLUTTER.search(name) is not None


def is_text(name: str) -> bool:
    """Whether a name is valid Unicode and can be written to a table."""
    return name.isascii() or _SURROGATE.search(name) is None


def leads_out(name: str) -> bool:
    """Whether the name of an archive's member leads out of the archive, or hides where it leads.

    >>> [leads_out(name) for name in ("cat/1.png", "../1.png", "/etc/passwd", "C:/1.png", "a\\0b")]
    [False, True, True, True, True]
    """
    return _LEADS_OUT.search(name) is not None

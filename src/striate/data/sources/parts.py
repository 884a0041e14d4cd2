"""Files of several pages or frames, listed as several pictures: `scan.dcm#1`, `scan.dcm#2`, …"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from striate.data.sources.kinds import is_single, kind_of
from striate.errors import ImageError

_ADDRESS = re.compile(r"(.+)#([1-9][0-9]{0,8})", re.DOTALL)


@dataclass
class Pictures:
    """Files taken apart: the name of each picture, the row of its file, and its place in it (0: the whole file).

    `parts` says for names that are no files which file, and which picture in it, from 0.
    """

    names: list[str]
    rows: Int64[np.ndarray, " picture"]
    numbers: Int64[np.ndarray, " picture"]
    parts: dict[str, tuple[str, int]]


def take_apart(files: Sequence[str], count: Callable[[str], int]) -> Pictures:
    """Every picture in some files; `count` is asked for those alone that may hold more than one.

    >>> taken = take_apart(["cat.png", "scan.dcm"], lambda file: 3)
    >>> taken.names, taken.rows.tolist(), taken.parts["scan.dcm#3"]
    (['cat.png', 'scan.dcm#1', 'scan.dcm#2', 'scan.dcm#3'], [0, 1, 1, 1], ('scan.dcm', 2))

    A file that cannot be counted is listed as one: the reason is told where it is decoded.
    """
    known: dict[int, int] = {}
    for row, file in enumerate(files):
        if is_single(file):
            continue
        if kind_of(file) in ("several", "unsure") and (images := counted(file, count)) > 1:
            known[row] = images
    if not known:
        whole = np.zeros(len(files), dtype=np.int64)
        return Pictures(list(files), np.arange(len(files)), whole, {})
    sizes = np.ones(len(files), dtype=np.int64)
    sizes[list(known)] = list(known.values())
    rows = np.repeat(np.arange(len(files)), sizes)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    numbers = np.where(sizes[rows] > 1, np.arange(len(rows)) - starts + 1, 0)
    names = [
        f"{files[row]}#{number}" if number else files[row]
        for row, number in zip(rows.tolist(), numbers.tolist(), strict=True)
    ]
    parts = {
        name: (files[row], number - 1)
        for name, row, number in zip(names, rows.tolist(), numbers.tolist(), strict=True)
        if number
    }
    return Pictures(names, rows, numbers, parts)


def counted(file: str, count: Callable[[str], int]) -> int:
    """How many pictures a file holds; 1 when it cannot be told."""
    try:
        return count(file)
    except ImageError:
        return 1


def addressed(name: str) -> tuple[str, int] | None:
    """File and picture (from 0) that a name such as `scan.dcm#12` addresses, or None for any other name.

    >>> addressed("scan.dcm#12"), addressed("scan.dcm"), addressed("scan.dcm#0")
    (('scan.dcm', 11), None, None)
    """
    found = _ADDRESS.fullmatch(name)
    return (found[1], int(found[2]) - 1) if found else None

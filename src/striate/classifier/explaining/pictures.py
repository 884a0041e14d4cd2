"""Reasons for many pictures: from files, folders and archives to a folder each."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.classifier.explaining.files import FILES, colours
from striate.classifier.explaining.options import read_options
from striate.classifier.explaining.question import Question
from striate.classifier.explaining.reason import Reason, explain_picture, file_digest
from striate.data import list_pictures
from striate.data.pseudonyms import pseudonyms, secret_key
from striate.errors import ImageError
from striate.explanation import DEFAULT
from striate.explanation.checks import Checks
from striate.explanation.methods import known_method

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier

NAMELESS = "striate explain --pseudonyms, whose words name pictures and are left out"
LONGEST = 80
"""Letters of the folder of one picture."""


@dataclass(frozen=True, eq=False)
class Explained:
    """What became of one picture: its reason, what checks found, the folder of its files; or why there are none."""

    source: str
    reason: Reason | None = None
    checks: Checks | None = None
    folder: Path | None = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The reason and its folder, or `{source, error}`; ready for JSON."""
        if self.reason is None:
            return {"source": self.source, "error": self.error}
        checks = None if self.checks is None else self.checks.to_dict()
        return {**self.reason.to_dict(), "checks": checks, "folder": os.fspath(self.folder or "")}

    def to_text(self) -> str:
        """Class, probability and picture, the method, the checks, and where the files are; or why there are none."""
        if self.reason is None:
            return f"unreadable  {self.source}: {self.error}"
        reason, (rows, columns) = self.reason, self.reason.raw.shape[1:]
        where = f" of {reason.stage}" if reason.stage else ""
        checks = "".join(f"    {said}\n" for said in (self.checks.sentences() if self.checks else ()))
        return (
            f"{reason.label:<20} {reason.probability:>8.2%}  {self.source}\n"
            f"    {reason.about.title}{where}, {rows} × {columns} cells: {colours(reason)}\n{checks}"
            f"    {self.folder}: {', '.join(FILES)}"
        )


def explain_pictures(
    classifier: "Classifier",
    paths: Iterable[str | os.PathLike],
    out: str | os.PathLike | None = None,
    *,
    method: str = DEFAULT,
    stage: str | None = None,
    label: Any = None,
    settings: Iterable[str] = (),
    check: bool = False,
    seed: int = 0,
    pseudonymous: bool = False,
    command: str | None = None,
) -> Iterator[Explained]:
    """The reason for every picture in files, folders and archives, in order, its files written before it is given.

    One picture's files go to `out`, `explanations/NAME` unless given; those of several to a folder each in it.
    `settings` are options of the method as `name=value`; with `check` every reason is checked under `seed`. A picture
    that cannot be read gives its `error` and no files. With `pseudonymous` pictures, and folders, are called by keyed
    digests of their names. Raises as `Classifier.explain`, before any picture is read.
    """
    options = read_options(known_method(method), settings)
    question = Question(method=method, stage=stage, label=label, options=options)
    predictor = classifier.predictor_
    question.require(predictor)
    pictures = list_pictures(paths, predictor.preparation.draft_size())
    first = list(islice(pictures, 2))
    single, taken = len(first) == 1, set[str]()
    key = secret_key() if pseudonymous else None
    for name, read in chain(first, pictures):
        source = pseudonyms([name], kind="image", key=key)[0] if key else name
        try:
            sha256 = None if key else file_digest(name)
            reason = explain_picture(predictor, source, read(), question, sha256=sha256)
        except ImageError as error:
            yield Explained(source, error=str(error))
            continue
        folder, checks = _folder(out, source, single, taken), reason.check(seed) if check else None
        reason.save(folder, checks=checks, command=NAMELESS if pseudonymous else command)
        yield Explained(source, reason, checks, folder)


def _folder(out: str | os.PathLike | None, source: str, single: bool, taken: set[str]) -> Path:
    """Where the files of a picture go: no two pictures share a folder."""
    if single and out is not None:
        return Path(out)
    stem = folder_name(source)
    names = chain([stem], (f"{stem}-{number}" for number in count(2)))
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return Path(out or "explanations") / name


def folder_name(source: str) -> str:
    """What the folder of a picture is called: the last part of its name, without its ending and what may not be.

    >>> folder_name("scans/owl.JPG"), folder_name("a.zip/x/../.hidden"), folder_name("scan.dcm#3")
    ('owl', 'hidden', 'scan-3')
    """
    base, _, page = source.rpartition("/")[2].partition("#")
    stem = base.rpartition(".")[0] or base
    name = re.sub(r"[^\w.-]+", "_", f"{stem}-{page}" if page else stem).strip("._")[:LONGEST]
    return name or "picture"

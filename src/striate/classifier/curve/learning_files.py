"""The folder of a learning curve: its finished trainings while it is made, then curve.json, curve.csv, curve.html."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from striate.classifier.provenance import versions
from striate.classifier.workplace import LOCK, take
from striate.errors import RunError, UsageError
from striate.evaluation.learning.learning_curve import LearningCurve
from striate.evaluation.learning.learning_points import CurveTraining
from striate.evaluation.reporting.learning_curve_page import render_curve
from striate.files import remove_partials, write_atomically, write_json
from striate.run import read_json

TRAININGS, CURVE = "trainings.json", "curve.json"


@dataclass(frozen=True)
class Trained:
    """A finished training, and which of the images judged it got wrong, counted from 0."""

    training: CurveTraining
    wrong: tuple[int, ...]


Finished = dict[tuple[float, int], Trained]
"""Finished trainings by their part and repeat."""


class LearningPlace:
    """A folder that finished trainings are kept in."""

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self.folder, self.resume = folder, resume
        self.facts: dict[str, Any] = {}

    def begun(self, facts: dict[str, Any]) -> Finished:
        """The trainings that are finished already; none where nothing was begun.

        Raises RunError where there is a curve that was not asked to be gone on with, or a damaged one; UsageError
        where it is one of other images or of another recipe.
        """
        self.facts = facts
        path = self.folder / TRAININGS
        if not self.resume:
            found = [name for name in (TRAININGS, CURVE) if (self.folder / name).exists()]
            if found:
                raise RunError(
                    f"{self.folder} holds {found[0]} already. Choose another folder with --out, or go on with it by "
                    "--resume."
                )
        if not path.exists():
            return {}
        content = read_json(path)
        try:
            known, listed = content["begun"], content["trainings"]
            read = [Trained(CurveTraining(**one["training"]), tuple(one["wrong"])) for one in listed]
        except (KeyError, TypeError) as error:
            raise RunError(f"{path} was not written by this striate: {error}.") from error
        if apart := differences(known, facts):
            raise UsageError(
                f"--resume: {self.folder} was begun with other {apart}. Resume with the same, or choose another folder "
                "with --out."
            )
        return {(one.training.part, one.training.repeat): one for one in read}

    def keep(self, finished: Finished) -> None:
        """Write down what is finished."""
        write_json(
            self.folder / TRAININGS,
            {
                "begun": self.facts,
                "trainings": [
                    {"training": asdict(one.training), "wrong": list(one.wrong)} for one in finished.values()
                ],
            },
        )


@contextmanager
def learning_place(folder: Path, *, resume: bool) -> Iterator[LearningPlace]:
    """Holds the folder for the block; a folder made for it and left empty goes again."""
    made = not folder.exists()
    lock = take(folder)
    try:
        remove_partials(folder)
        yield LearningPlace(folder, resume=resume)
    finally:
        if made and [path.name for path in folder.iterdir()] == [LOCK]:
            (folder / LOCK).unlink()
            folder.rmdir()
        lock.close()


def differences(known: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """In what two curves differ, in words; '' where they do not."""
    if known.get("split") != facts["split"]:
        return f"images to judge by ({known.get('split')}, not {facts['split']})"
    if known.get("recipe") != facts["recipe"]:
        before = dict(known.get("recipe") or {})
        fields = [name for name, value in facts["recipe"].items() if before.get(name) != value]
        return f"settings ({', '.join(fields)})"
    return "" if known.get("splits_sha256") == facts["splits_sha256"] else "images or splits"


def write_curve(folder: Path, curve: LearningCurve, command: str | None) -> None:
    """Write a curve to a folder, each file whole or not at all."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    made_by = command or "striate.learning_curve in Python"
    about = {
        "recipe": dict(curve.recipe),
        "created": created,
        "command": made_by,
        "versions": versions(),
        "note": "For research; not a medical device.",
    }
    write_json(folder / CURVE, {**curve.to_dict(), **about})
    write_atomically(folder / "curve.csv", curve.to_csv().encode("utf8"))
    page = render_curve(curve, made_by, created)
    write_atomically(folder / "curve.html", page.encode("utf8", errors="replace"))

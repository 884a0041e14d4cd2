"""`striate predict`: classes and probabilities of pictures, one row each, however many there are."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.border import fail, in_plain_words
from striate.cli.sources import Pseudonyms

if TYPE_CHECKING:
    import striate


@in_plain_words
def predict(
    run: Annotated[Path, typer.Argument(help="A run folder that `striate train` made.")],
    paths: Annotated[
        list[Path], typer.Argument(help="Pictures, DICOM files, folders of them, zips or tars.")
    ],
    pseudonyms: Pseudonyms = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A csv with one column a class.")] = False,
    digests: Annotated[
        bool, typer.Option("--digests", help="With --json or --csv: SHA-256 of what the network was given.")
    ] = False,
) -> None:
    """Predict the class of pictures.

    \b
    A picture that cannot be read costs its own row only; the exit code is then 1.
    Example:  striate predict runs/first photo.png --json
    """
    import striate

    if as_json and as_csv:
        raise striate.UsageError("--json and --csv exclude each other: choose one.")
    if digests and not (as_json or as_csv):
        raise striate.UsageError("--digests needs a row with room for them: add --json or --csv.")
    classifier = striate.Classifier.load(run)
    row = json_row if as_json else csv_row(classifier, digests) if as_csv else text_row
    unread = total = 0
    for note in classifier.notes_:
        print(f"note: {note}", file=sys.stderr)
    for answer in classifier.answers(paths, pseudonymous=pseudonyms, digests=digests):
        row(answer)
        total += 1
        unread += answer.error is not None
    if total == 0:
        fail(f"no pictures in {', '.join(map(str, paths))}.", 1)
    if unread:
        fail(f"{unread} of {total} pictures could not be read; each is named above with the reason.", 1)


def json_row(answer: "striate.Answer") -> None:
    """`{source, class, probability, probabilities}` or `{source, error}`."""
    print(json.dumps(answer.to_dict(), ensure_ascii=False, allow_nan=False))


def csv_row(classifier: "striate.Classifier", digests: bool) -> "Callable[[striate.Answer], None]":
    """A function that writes one csv row an answer, below a header it writes first."""
    classes = classifier.class_names_
    writer = csv.writer(sys.stdout, lineterminator="\n")
    decided = decided_cells(classifier.decision_)
    if digests:
        decided["digest"] = lambda answer: answer.digest
    writer.writerow(["source", "class", "probability", "error", *(f"p:{name}" for name in classes), *decided])

    def write(answer: "striate.Answer") -> None:
        writer.writerow(
            [
                answer.source,
                answer.said,
                answer.probability,
                answer.error,
                *(answer.probabilities.values() if answer.probabilities else [None] * len(classes)),
                *(None if answer.error else cell(answer) for cell in decided.values()),
            ]
        )

    return write


def decided_cells(decision: "striate.Decision | None") -> "dict[str, Callable[[striate.Answer], Any]]":
    """The columns of what a run decides, by their heading: only those that it does decide."""
    if decision is None or decision.by != "image":
        return {}
    cells: dict[str, Callable[[striate.Answer], Any]] = {
        f"reached:{point.positive}": lambda answer, name=point.positive: (answer.operating or {}).get(name)
        for point in decision.operating
    }
    if decision.abstention:
        cells["answered"] = lambda answer: not answer.abstained
    if decision.sets:
        cells["set"] = lambda answer: "|".join(answer.classes or ())
    return cells


def text_row(answer: "striate.Answer") -> None:
    """One aligned line for a person."""
    if answer.error is not None:
        print(f"unreadable  {answer.source}: {answer.error}")
    else:
        best = f" (best guess {answer.label})" if answer.abstained else ""
        held = "" if answer.classes is None else f"  {{{', '.join(answer.classes)}}}"
        print(f"{answer.said or 'no answer':<20} {answer.probability:>8.2%}  {answer.source}{best}{held}")

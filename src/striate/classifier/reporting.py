"""The files of a verdict: evaluation.json, predictions.csv, predictions.png, report.html, inside.html and README.md."""

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int, UInt8

from striate.classifier.carding import write_card
from striate.classifier.explaining.inside import NAME, write_inside
from striate.classifier.explaining.looking import least_certain, most_wrong, reasons_of
from striate.classifier.judging import Judged
from striate.classifier.provenance import versions
from striate.drawing.tiles import contact_sheet, png_bytes, reduced, to_uint8
from striate.evaluation import Report, WrongImage, render_report, write_predictions
from striate.evaluation.reporting.report_pictures import LARGEST, LARGEST_IN_CELL, by_turns
from striate.files import replacing, sha256_of, write_atomically, write_json
from striate.run import FILES

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier

SHOWN = 40
"""Pictures on the contact sheet."""
WRONG = 48
"""Mistakes handed to the report."""
IN_CELLS = 2000
"""Pictures of cells of the confusion matrix handed to it."""


def write_report(folder: Path, classifier: "Classifier", judged: Judged, command: str | None) -> None:
    """Write the verdict to a folder, each file whole or not at all."""
    created, command = (
        datetime.now(UTC).isoformat(timespec="seconds"),
        command or "Classifier.report in Python",
    )
    report = report_of(folder, classifier, judged, command, created)
    evaluated = {
        **report.to_dict(),
        "source": judged.images.source.location,
        "unreadable": [list(pair) for pair in judged.images.unreadable],
        "created": created,
        "command": command,
        "note": "For research; not a medical device.",
    }
    write_json(folder / "evaluation.json", evaluated)
    write_table(folder / "predictions.csv", classifier.class_names_, judged)
    write_atomically(folder / "predictions.png", png_bytes(sheet(classifier.class_names_, judged)))
    write_inside(folder, classifier, judged, command, created)
    write_atomically(folder / "report.html", render_report(report).encode("utf8", errors="replace"))
    write_card(folder, classifier, judged, evaluated)


def report_of(folder: Path, classifier: "Classifier", judged: Judged, command: str, created: str) -> Report:
    """All that the report shows; the digests are of the run's files in the folder, where it is the run's own."""
    about = classifier.about_
    return Report(
        title=Path(judged.images.source.location).stem,
        verdict=judged.verdict,
        history=classifier.history_,
        kept_epoch=about["kept_epoch"],
        counts=about["data"]["counts"],
        leaks=judged.verdict.leaks,
        recipe=classifier.recipe_.model_dump(),
        preparation=classifier.preparation_.model_dump(),
        model={
            "name": about["model"],
            "parameters": about["parameters"],
            "multiply_adds": about["multiply_adds"],
            "input": "×".join(map(str, classifier.preparation_.input_shape())),
        },
        versions={**about["provenance"]["versions"], **machine(about), **evaluated_with(about)},
        command=about["provenance"]["command"],
        evaluate_command=command,
        seed=classifier.recipe_.seed,
        created=created,
        digests={name: sha256_of(folder / name) for name in FILES if (folder / name).is_file()},
        unreadable=[tuple(pair) for pair in about["data"]["unreadable"]],
        notes=about["data"]["notes"],
        wrong=shown_images(classifier.class_names_, judged, most_wrong(judged)[:WRONG], LARGEST),
        cells=cells_of(classifier.class_names_, judged),
        reasons=reasons_of(classifier, judged),
        inside=NAME,
    )


def machine(about: dict[str, Any]) -> dict[str, str]:
    """What else must be the same for the same weights to come out again."""
    trained, host = about["provenance"], about["provenance"]["machine"]
    return {
        "threads": str(trained["threads"]),
        "machine": f"{host['system']}, {host['processor']}, {host['cores']} cores",
    }


def evaluated_with(about: dict[str, Any]) -> dict[str, str]:
    """Versions that differ between training and this evaluation; usually none."""
    trained = about["provenance"]["versions"]
    return {f"{name} (evaluation)": now for name, now in versions().items() if trained.get(name) != now}


def write_table(path: Path, classes: tuple[str, ...], judged: Judged) -> None:
    """Every image: source, truth, prediction, probability of every class."""
    predicted = judged.probabilities.argmax(axis=1)
    with replacing(path) as half:
        write_predictions(
            half,
            judged.names,
            (classes[label] for label in judged.truth),
            (classes[label] for label in predicted),
            judged.probabilities,
            classes,
        )


def sheet(classes: tuple[str, ...], judged: Judged) -> UInt8[np.ndarray, "height width rgb"]:
    """A picture of predictions: the mistakes first, then images spread evenly over the rest."""
    predicted = judged.probabilities.argmax(axis=1)
    wrong = most_wrong(judged)[: SHOWN // 2]
    right = np.flatnonzero(predicted == judged.truth)
    spread = (
        right[np.linspace(0, len(right) - 1, min(len(right), SHOWN - len(wrong))).astype(int)]
        if len(right)
        else right
    )
    chosen = np.concatenate([wrong, spread]).astype(int)
    captions = [
        f"{classes[predicted[i]]} {surely(judged.probabilities[i].max())}"
        + ("" if predicted[i] == judged.truth[i] else f", is {classes[judged.truth[i]]}")
        for i in chosen
    ]
    marks = [bool(predicted[i] == judged.truth[i]) for i in chosen]
    return np.asarray(contact_sheet([shown(judged, i) for i in chosen], captions, columns=8, marks=marks))


def surely(probability: float) -> str:
    """A probability in whole per cent; what is below 1 is never rounded up to it.

    >>> surely(0.5), surely(0.9999), surely(1.0)
    ('50%', '>99%', '100%')
    """
    return ">99%" if 0.995 <= probability < 1 else f"{probability:.0%}"


def shown_images(
    classes: tuple[str, ...], judged: Judged, chosen: Int[np.ndarray, " chosen"], largest: int
) -> list[WrongImage]:
    """Images for the report, no side above `largest` pixels, with what each is and was taken for."""
    names = judged.names
    return [
        WrongImage(
            source=names[i],
            truth=classes[judged.truth[i]],
            predicted=classes[judged.probabilities[i].argmax()],
            probability=float(judged.probabilities[i].max()),
            truth_probability=float(judged.probabilities[i, judged.truth[i]]),
            pixels=reduced(shown(judged, i), largest),
        )
        for i in chosen
    ]


def cells_of(classes: tuple[str, ...], judged: Judged) -> dict[tuple[int, int], list[WrongImage]]:
    """Images of the cells of the confusion matrix: of mistakes the most wrong, of right answers the least certain."""
    rows: dict[tuple[int, int], list[int]] = {}
    predicted = judged.probabilities.argmax(axis=1)
    right = least_certain(judged)
    for index in (*most_wrong(judged).tolist(), *right[predicted[right] == judged.truth[right]].tolist()):
        rows.setdefault((int(judged.truth[index]), int(predicted[index])), []).append(index)
    chosen = list(islice(by_turns(rows, judged.verdict.confusion_matrix), IN_CELLS))
    images = shown_images(
        classes, judged, np.array([index for _, index in chosen], dtype=np.int64), LARGEST_IN_CELL
    )
    found: dict[tuple[int, int], list[WrongImage]] = {}
    for (cell, _), image in zip(chosen, images, strict=True):
        found.setdefault(cell, []).append(image)
    return found


def shown(judged: Judged, index: int | np.integer) -> UInt8[np.ndarray, "height width channel"]:
    """An image as the network was given it, for the eye."""
    return to_uint8(judged.pack.pixels[judged.images.rows[index]])

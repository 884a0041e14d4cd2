"""The report: one offline HTML file that a sceptic can read from the verdict down to the digests."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.drawing import figures, html, numbers
from striate.drawing.differences import plain
from striate.drawing.matrix import NUMBERED
from striate.drawing.overlay import scale_svg
from striate.drawing.scales import SHARES
from striate.drawing.text import unbroken, visible
from striate.evaluation.reporting import findings, findings_decided, report_figures, wording
from striate.evaluation.reporting.reasons import HEADINGS, Reasons, Shown, fitting, on_reasons
from striate.evaluation.reporting.report_pictures import (
    CELL_BYTES,
    PICTURE_BYTES,
    ROOM,
    Cell,
    ShownCell,
    fitting_cells,
    fitting_wrong,
)
from striate.evaluation.reporting.report_pictures import MOST_PICTURES as MOST_PICTURES
from striate.evaluation.reporting.report_pictures import WrongImage as WrongImage
from striate.evaluation.verdict import ClassVerdict, Verdict

if TYPE_CHECKING:
    from jinja2 import Environment

MINUS = "−"
MADE = {
    "top5": "Top-5 accuracy",
    "npv": "NPV",
    "f1": "F1 of a class",
    "auc": "AUC",
    "one_vs_one": "One-vs-one AUC",
    "scores": "Macro F1, kappa, Matthews",
    "brier": "Brier score",
    "calibration": "Calibration error",
    "coverage": "Mean error over coverages",
    "operating": "Operating points",
    "sets": "Sets of classes",
    "unknown": "Unknown pictures",
}
MOST_SHARED = 12
"""Classes up to which the matrix is given as a table of shares as well."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that a report shows, as plain data.

    `history` holds one dict an epoch, as `history.jsonl` does; `counts` images by split and class;
    `unreadable` pairs of file and reason; `wrong` the mistakes, most wrong first; `cells` images of the
    cells of the confusion matrix by row and column, those to be shown first first; `digests` SHA-256 by file
    name; `inside` the name of the page beside it that shows what the network has learned.
    """

    title: str
    verdict: Verdict
    history: Sequence[Mapping[str, Any]]
    kept_epoch: int
    counts: Mapping[str, Mapping[str, int]]
    leaks: str
    recipe: Mapping[str, Any]
    preparation: Mapping[str, Any]
    model: Mapping[str, Any]
    versions: Mapping[str, str]
    command: str
    evaluate_command: str
    seed: int
    created: str
    digests: Mapping[str, str] = field(default_factory=dict)
    unreadable: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    wrong: Sequence[WrongImage] = ()
    cells: Mapping[Cell, Sequence[WrongImage]] = field(default_factory=dict)
    reasons: Reasons | None = None
    inside: str = ""

    def to_dict(self) -> dict[str, object]:
        """Every number that the page states, as plain values for JSON: the verdict's, and what was trained on."""
        looked = fitting(self.reasons) if self.reasons else []
        return {
            **self.verdict.to_dict(),
            **shares_of(self.verdict),
            "mean_stated": findings_decided.mean_stated(self.verdict.calibration)
            if self.verdict.calibration
            else None,
            "counts": {split: dict(classes) for split, classes in self.counts.items()},
            "totals": {split: sum(classes.values()) for split, classes in self.counts.items()},
            "training": {
                "epochs": len(self.history),
                "kept_epoch": self.kept_epoch,
                "kept": next((dict(line) for line in self.history if line["epoch"] == self.kept_epoch), None),
            },
            "most_wrong": [
                {key: value for key, value in vars(one).items() if key != "pixels"} for one in self.wrong
            ],
            "reasons": on_reasons(self.reasons, looked) if self.reasons else None,
            "notes": list(self.notes),
            "unreadable": [list(pair) for pair in self.unreadable],
        }


def render_report(report: Report) -> str:
    """The report as one HTML file under 5 MB: no script, no request, light and dark, prints on A4.

    Names of classes and files are data: they are escaped, with control characters made visible. At most 48 of
    the wrong images are shown, and 8 of a cell of the confusion matrix, fewer when their pictures are large.
    """
    verdict = report.verdict
    drawn = report_figures.drawn_classes(verdict)
    looked = fitting(report.reasons) if report.reasons else []
    unlinked, matrix_note = report_figures.confusion(verdict)
    wrong, cells = _pictures(report, len(unlinked) + sum(len(one.picture) + len(one.heat) for one in looked))
    matrix, _ = report_figures.confusion(verdict, {(cell.row, cell.column) for cell in cells})
    body = (
        environment()
        .get_template("report.html")
        .render(
            report=report,
            verdict=verdict,
            warned=findings.flatters(report.leaks),
            classes=sorted(verdict.per_class, key=findings.recall),
            made=_made(verdict),
            numbered=len(verdict.classes) <= NUMBERED,
            left_out=findings.left_out(
                len(report.unreadable), sum(sum(classes.values()) for classes in report.counts.values())
            ),
            finding=_sentences(report, drawn, [one for one, _ in wrong], looked),
            matrix=matrix,
            matrix_note=matrix_note,
            cells=cells,
            shared=_shared(verdict),
            shares=_share_legend(),
            roc=report_figures.roc(verdict, drawn),
            precision_recall=report_figures.precision_recall(verdict, drawn),
            drawn=drawn,
            points=report_figures.operating(verdict),
            prevalences=sorted(
                {one.prevalence for one in report_figures.operating(verdict) if one.prevalence}
            ),
            reliability=report_figures.reliability(verdict),
            coverage=report_figures.coverage(verdict),
            subgroup_forest=report_figures.subgroup_forest(verdict),
            swatch=figures.swatch,
            curves=report_figures.learning(report.history, report.kept_epoch),
            wrong=wrong,
            looked={
                heading: [one for one in looked if one.image.kind == kind]
                for kind, heading in HEADINGS.items()
            },
            scale=scale_svg(signed=False),
        )
    )
    return html.page(report.title, body)


def environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("striate.evaluation.reporting", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "visible": visible,
        "percent": lambda number: unbroken(numbers.percent(number)),
        "decimal": lambda number: unbroken(numbers.decimal(number).replace("-", MINUS)),
        "percent_parts": numbers.percent_parts,
        "decimal_parts": plain,
        "four_digits": lambda value: f"{value:.4f}".replace("-", MINUS),
        "plain": lambda value: value if isinstance(value, str) else json.dumps(value, default=str),
        "unbroken": unbroken,
        "count": lambda value: f"{value:,}",
        "threshold": wording.threshold_text,
        "plain_percent": wording.plain_percent,
        "outcome": wording.outcome,
        "points": wording.signed_points,
    }
    return environment


def shares_of(verdict: Verdict) -> dict[str, list[list[float | None]]]:
    """The confusion matrix as shares of each row (the class) and of each column (those called so); None without any."""
    counts = np.array(verdict.confusion_matrix, dtype=np.float64)
    found = {}
    for name, totals in (
        ("by_row", counts.sum(axis=1, keepdims=True)),
        ("by_column", counts.sum(axis=0)[None]),
    ):
        shares = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
        found[f"confusion_{name}"] = [
            [None if share != share else share for share in line] for line in shares.tolist()
        ]
    return found


def _pictures(report: Report, taken: int) -> tuple[list[tuple[WrongImage, str]], list[ShownCell]]:
    """The mistakes and the cells that the file has room for, where so many bytes of it are `taken`."""
    room = ROOM - taken
    wrong = fitting_wrong(report.wrong, min(PICTURE_BYTES, int(0.6 * room)))
    room -= sum(len(uri) for _, uri in wrong)
    kept = report_figures.kept_classes(report.verdict)
    return wrong, fitting_cells(report.cells, report.verdict, kept, min(CELL_BYTES, room))


def _sentences(
    report: Report, drawn: Sequence[ClassVerdict], wrong: Sequence[WrongImage], looked: Sequence[Shown]
) -> dict[str, Any]:
    """What each part of the page says, from the same numbers; "" where there is nothing to say."""
    verdict, decided = report.verdict, report.verdict.decided
    before = verdict.uncalibrated
    return {
        "level": findings_decided.on_level(verdict),
        "operating": [
            findings_decided.on_operating(one, verdict.unit) for one in report_figures.operating(verdict)
        ],
        "counts": findings.on_counts(report.counts),
        "classes": findings.on_classes(verdict),
        "matrix": findings.on_matrix(verdict),
        "roc": findings.on_roc(drawn, verdict),
        "calibration": findings_decided.on_calibration(before, verdict) if before else "",
        "reliability": findings_decided.on_reliability(verdict, verdict.calibration)
        if verdict.calibration
        else "",
        "coverage": findings_decided.on_coverage(verdict.coverage, verdict) if verdict.coverage else "",
        "abstention": findings_decided.on_abstention(decided.abstention, verdict.unit)
        if decided and decided.abstention
        else "",
        "sets": findings_decided.on_sets(decided.sets) if decided and decided.sets else "",
        "unknown": findings_decided.on_unknown(verdict.unknown) if verdict.unknown else "",
        "subgroups": findings_decided.on_subgroups(verdict) if verdict.subgroups else "",
        "wrong": findings.on_wrong(wrong, verdict),
        "reasons": on_reasons(report.reasons, looked) if report.reasons else "",
        "training": findings.on_training(report.history, report.kept_epoch),
    }


def _shared(verdict: Verdict) -> list[dict[str, Any]]:
    """The matrix as a table of counts with their shares of row and column, of few classes."""
    if len(verdict.classes) > MOST_SHARED:
        return []
    shares = shares_of(verdict)
    return [
        {
            "name": name,
            "support": sum(counts),
            "cells": [
                (count, *(wording.plain_percent(share) if share is not None else "" for share in both))
                for count, *both in zip(counts, rows, columns, strict=True)
            ],
        }
        for name, counts, rows, columns in zip(
            verdict.classes,
            verdict.confusion_matrix,
            shares["confusion_by_row"],
            shares["confusion_by_column"],
            strict=True,
        )
    ]


def _made(verdict: Verdict) -> dict[str, str]:
    """How each interval was made, under the names that the page uses."""
    return {MADE.get(name, name.replace("_", " ").capitalize()): how for name, how in verdict.methods.items()}


def _share_legend() -> list[tuple[int, str]]:
    return [(step, f"to {100 * share:.0f} %") for step, share in enumerate(SHARES, start=1)]

"""The report: one offline HTML file that a sceptic can read from the verdict down to the digests."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from striate.drawing import figures, html, numbers, tiles
from striate.drawing.overlay import scale_svg
from striate.drawing.scales import SHARES
from striate.drawing.text import unbroken, visible
from striate.evaluation import findings
from striate.evaluation.reasons import HEADINGS, Reasons, fitting, on_reasons
from striate.evaluation.verdict import RATES, ClassVerdict, Verdict

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_CURVES, MOST_PICTURES, MOST_CELLS = 8, 48, 80
PICTURE_BYTES = 3_000_000


@dataclass(frozen=True, kw_only=True)
class WrongImage:
    """A misclassified image: where it came from, what it is, what it was taken for and how surely."""

    source: str
    truth: str
    predicted: str
    probability: float
    truth_probability: float
    pixels: UInt8[np.ndarray, "height width channel"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that a report shows, as plain data.

    `history` holds one dict an epoch, as `history.jsonl` does; `counts` images by split and class;
    `unreadable` pairs of file and reason; `wrong` the mistakes, most wrong first; `digests` SHA-256 by file
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
    reasons: Reasons | None = None
    inside: str = ""


def render_report(report: Report) -> str:
    """The report as one HTML file under 5 MB: no script, no request, light and dark, prints on A4.

    Names of classes and files are data: they are escaped, with control characters made visible. At most 48 of
    the wrong images are shown, fewer when their pictures are large.
    """
    verdict = report.verdict
    ranked = sorted((one for one in verdict.per_class if one.roc), key=lambda one: one.auc.value or 0.0)
    drawn = ranked[:1] if len(verdict.classes) == 2 else ranked[:MOST_CURVES]
    wrong, pictures = _pictures(report.wrong)
    looked = fitting(report.reasons) if report.reasons else []
    matrix, matrix_note = _matrix(verdict)
    counted = sum(sum(classes.values()) for classes in report.counts.values())
    body = (
        environment()
        .get_template("report.html")
        .render(
            report=report,
            verdict=verdict,
            classes=sorted(verdict.per_class, key=findings.recall),
            rates=RATES,
            methods=verdict.methods,
            left_out=findings.left_out(len(report.unreadable), counted),
            finding={
                "counts": findings.on_counts(report.counts),
                "classes": findings.on_classes(verdict),
                "matrix": findings.on_matrix(verdict),
                "roc": findings.on_roc(drawn, verdict),
                "wrong": findings.on_wrong(wrong, verdict),
                "reasons": on_reasons(report.reasons, looked) if report.reasons else "",
                "training": findings.on_training(report.history, report.kept_epoch),
            },
            matrix=matrix,
            matrix_note=matrix_note,
            shares=_share_legend(),
            roc=_roc(drawn),
            drawn=drawn,
            swatch=figures.swatch,
            curves=_curves(report),
            wrong=list(zip(wrong, pictures, strict=True)),
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
        loader=PackageLoader("striate.evaluation", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "visible": visible,
        "percent": lambda number: unbroken(numbers.percent(number)),
        "decimal": lambda number: unbroken(numbers.decimal(number)),
        "percent_parts": numbers.percent_parts,
        "decimal_parts": numbers.decimal_parts,
        "plain": lambda value: value if isinstance(value, str) else json.dumps(value, default=str),
        "unbroken": unbroken,
        "count": lambda value: f"{value:,}",
    }
    return environment


def _pictures(wrong: Sequence[WrongImage]) -> tuple[list[WrongImage], list[str]]:
    """The wrong images that fit into the file, and each as a data URI."""
    shown, uris, size = [], [], 0
    for one in wrong[:MOST_PICTURES]:
        encoded = base64.b64encode(tiles.png_bytes(one.pixels, largest=224)).decode("ascii")
        size += len(encoded)
        if size > PICTURE_BYTES:
            break
        shown.append(one)
        uris.append(f"data:image/png;base64,{encoded}")
    return shown, uris


def _matrix(verdict: Verdict) -> tuple[str, str]:
    """The confusion matrix, of the classes with most errors where there are too many to draw."""
    counts = np.array(verdict.confusion_matrix)
    if len(counts) <= MOST_CELLS:
        return figures.matrix("matrix", counts.tolist(), verdict.classes), ""
    errors = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
    keep = np.sort(np.argsort(-errors, kind="stable")[:MOST_CELLS])
    rest = np.delete(np.arange(len(counts)), keep)
    # One more row and column for the others, so that the shares of a row stay true.
    part = np.zeros((len(keep) + 1, len(keep) + 1), dtype=int)
    part[:-1, :-1] = counts[np.ix_(keep, keep)]
    part[:-1, -1], part[-1, :-1] = (
        counts[np.ix_(keep, rest)].sum(axis=1),
        counts[np.ix_(rest, keep)].sum(axis=0),
    )
    part[-1, -1] = counts[np.ix_(rest, rest)].sum()
    names = [*(verdict.classes[index] for index in keep), f"{len(rest):,} others"]
    note = f"Drawn are the {MOST_CELLS} classes with most errors; the other {len(rest):,} share one line."
    return figures.matrix("matrix", part.tolist(), names), note


def _roc(drawn: Sequence[ClassVerdict]) -> str:
    series = [
        figures.Series(one.class_name, one.roc.false_positive_rate, one.roc.true_positive_rate, style)
        for style, one in enumerate(drawn)
        if one.roc
    ]
    return figures.roc("roc", series) if series else ""


def _curves(report: Report) -> list[tuple[str, str]]:
    """Loss and accuracy of training and validation, as pairs of name and figure; none without epochs."""
    drawn = []
    for quantity in ("loss", "accuracy"):
        series = [
            figures.Series(part, [x for x, _ in points], [y for _, y in points], style)
            for style, part in enumerate(("train", "validation"))
            if (points := _points(report.history, part, quantity))
        ]
        if series:
            drawn.append((quantity, figures.curves(quantity, series, quantity, float(report.kept_epoch))))
    return drawn


def _points(history: Sequence[Mapping[str, Any]], part: str, quantity: str) -> list[tuple[float, float]]:
    values = [(line["epoch"], (line.get(part) or {}).get(quantity)) for line in history]
    return [(float(epoch), float(value)) for epoch, value in values if value is not None]


def _share_legend() -> list[tuple[int, str]]:
    return [(step, f"to {100 * share:.0f} %") for step, share in enumerate(SHARES, start=1)]

"""The comparison as one offline page: the verdict, forest plots, and the images that the runs disagree on."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from striate.drawing import html, tiles
from striate.drawing.differences import chance, plain, points
from striate.drawing.forest import Difference, forest
from striate.evaluation.comparing.comparison import Comparison
from striate.evaluation.comparing.pairing import Pairing
from striate.evaluation.intervals import Number
from striate.evaluation.reporting.comparison_text import by_chance, ranged, written
from striate.evaluation.reporting.report import MOST_PICTURES, PICTURE_BYTES, environment

MOST_DRAWN = 30
FACTS = {
    "model": "network",
    "parameters": "parameters",
    "input": "input",
    "seed": "seed",
    "kept_epoch": "epoch kept",
    "folder": "folder",
    "weights_sha256": "SHA-256 of the weights",
    "splits_sha256": "SHA-256 of splits.csv",
    "command": "made by",
}


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one run said of an image."""

    run: str
    predicted: str
    probability: float
    right: bool


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """An image that runs give different classes, and what each said of it."""

    source: str
    truth: str
    said: tuple[Said, ...]
    pixels: UInt8[np.ndarray, "height width channel"]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """How the page was made, and how many images there are to disagree on: with some run right, and with none."""

    command: str
    created: str
    one_right: int
    none_right: int


def render_comparison(comparison: Comparison, shown: Sequence[Disagreement], origin: Origin) -> str:
    """The comparison as one HTML file: no script, no request, light and dark, prints on A4.

    At most 48 of the images are shown, fewer when their pictures are large.
    """
    pictures = fitting(shown)
    body = (
        environment()
        .get_template("comparison.html")
        .render(
            comparison=comparison,
            names=[one.name for one in comparison.contenders],
            pairs=[pair_parts(comparison, number, one) for number, one in enumerate(comparison.pairings)],
            facts=FACTS,
            disagreed=on_disagreements(origin, len(pictures), comparison.images),
            pictures=list(zip(shown, pictures, strict=False)),
            origin=origin,
        )
    )
    return html.page(" against ".join(one.name for one in comparison.contenders), body)


def pair_parts(comparison: Comparison, number: int, one: Pairing) -> dict[str, object]:
    """Everything that the page shows of one pair."""
    found = one.differences
    ranked = sorted(one.per_class, key=by_chance)
    drawn = [each for each in ranked if each.recall.value is not None][:MOST_DRAWN]
    overall = [("accuracy", found.accuracy), ("balanced accuracy", found.balanced_accuracy)]
    sides = {"against": one.reference, "for_": one.other, "unit": "percentage points, with 95 % intervals"}
    return {
        "pairing": one,
        "sentence": comparison.sentence(one),
        "overall": forest(f"pair-{number}", [in_points(*row) for row in overall], **sides),
        "by_class": forest(
            f"classes-{number}", [in_points(each.class_name, each.recall) for each in drawn], **sides
        )
        if drawn
        else "",
        "classes": [
            {
                "name": each.class_name,
                "agreement": each.agreement,
                "recall": ranged(each.recall, points(each.recall)),
                "reason": each.recall.reason,
                "p": written(each.adjusted),
                "auc": ranged(each.auc.difference, plain(each.auc.difference)),
                "auc_reason": each.auc.difference.reason,
                "auc_p": written(each.auc_adjusted),
            }
            for each in ranked
        ],
        "undrawn": len(ranked) - len(drawn),
        "finding": on_classes(one),
        "bootstrap": ranged(found.bootstrap, points(found.bootstrap)),
        "log_loss": ranged(found.log_loss, plain(found.log_loss)),
        "chances": {name: chance(p) for name, p in chances(one).items()},
        "recipes": comparison.recipes.get((one.reference, one.other), ()),
    }


def chances(one: Pairing) -> dict[str, float]:
    """Every p of a pair."""
    return {"own": one.p, "adjusted": one.adjusted, "exact": one.mcnemar.exact, "mid": one.mcnemar.mid}


def in_points(name: str, number: Number) -> Difference:
    """A difference of proportions as a line of the plot."""
    value, low, high = (None if end is None else 100 * end for end in (number.value, number.low, number.high))
    return Difference(name, value, low, high, ranged(number, points(number)))


def on_classes(one: Pairing) -> str:
    """Which classes differ in recall, after Holm's correction.

    Said of as few words as it takes: the classes by name, up to five.
    """
    told = [each.class_name for each in one.per_class if each.adjusted is not None and each.adjusted < 0.05]
    if not told:
        return (
            "In no class by itself is a difference of recall shown (Holm's p of all classes at least 0.05)."
        )
    more = f" and {len(told) - 5:,} more" if len(told) > 5 else ""
    noun = "class" if len(told) == 1 else "classes"
    return f"A difference of recall is shown in {len(told):,} {noun}: {', '.join(told[:5])}{more}."


def on_disagreements(origin: Origin, shown: int, images: int) -> str:
    """How many images get different answers, and how many of them are shown."""
    total = origin.one_right + origin.none_right
    if not total:
        return f"All {images:,} images get the same answer from every run: there is nothing to show."
    gets = "gets" if total == 1 else "get"
    extent = "All are" if shown == total else f"The first {shown:,} are"
    return (
        f"{total:,} of {images:,} images {gets} different answers: of {origin.one_right:,} one is right and another "
        f"wrong, of {origin.none_right:,} all are wrong. "
        f"{extent} shown, those that tell the runs apart most first."
    )


def fitting(shown: Sequence[Disagreement]) -> list[str]:
    """Pictures as data URIs, as many as the file has room for."""
    uris: list[str] = []
    size = 0
    for one in shown[:MOST_PICTURES]:
        encoded = base64.b64encode(tiles.png_bytes(one.pixels, largest=224)).decode("ascii")
        size += len(encoded)
        if size > PICTURE_BYTES:
            break
        uris.append(f"data:image/png;base64,{encoded}")
    return uris

"""The model card: a README of one run for whoever meets its weights, its numbers computed, the rest left blank."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from striate.drawing.numbers import decimal_parts, percent_parts
from striate.evaluation.intervals import Number
from striate.evaluation.reporting import card_sections as sections
from striate.evaluation.reporting.card_limits import limits
from striate.evaluation.reporting.checklist import render_checklist
from striate.evaluation.reporting.markdown import plain, quoted
from striate.evaluation.verdict import Verdict

MARKED = """> **Not a medical device; for research.**
> Every number below was computed from the files of this run. What stands in *italics* could not be, and has to be
> written before anyone relies on this card."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """All that a card says, as plain data: the verdict, and by their names the content of the run's files.

    `files` holds evaluation.json, model.json, data.json and recipe.json as they are, history.jsonl as its lines,
    manifest.json where the run is saved, and of splits.csv the columns split, digest and group. With `hidden` no
    location is shown beyond its last part. Names of pictures and of groups are never shown.
    """

    title: str
    verdict: Verdict
    files: Mapping[str, Any]
    hidden: bool = False


def render_card(card: Card) -> str:
    """The card as Markdown under the front matter of the Hugging Face Hub; names are data, and are shown as such."""
    verdict, files = card.verdict, card.files
    model, data, recipe = files["model.json"], files["data.json"], files["recipe.json"]
    parts = {
        "What it is": sections.what_it_is(model),
        "Intended use": sections.intended_use(verdict),
        "Training data": sections.training_data(data, files["splits.csv"], verdict),
        "Preparation of pictures": sections.preparation(model),
        "Training": sections.training(model, recipe, files["history.jsonl"]),
        "Results": sections.results(verdict),
        "Class by class": sections.class_by_class(verdict),
        "Calibration": sections.calibration(verdict, model.get("calibration")),
        "Decisions": sections.decisions(verdict),
        "Subgroups": sections.subgroups(verdict),
        "Pictures of none of the classes": sections.unknown(verdict),
        "What it looks at": sections.explained(files["evaluation.json"].get("reasons")),
        "Limits": [f"- {plain(one)}" for one in limits(verdict, files)],
        "How to get it again": sections.again(files, card.hidden),
        "Licence and citation": sections.CITATION,
        "Reporting checklists": [render_checklist(files)],
    }
    body = [f"# {plain(card.title)}: {plain(model['model'])}", MARKED]
    for heading, paragraphs in parts.items():
        joint = "\n" if heading == "Limits" else "\n\n"
        body += [f"## {heading}", joint.join(filter(None, paragraphs))]
    return "\n\n".join(["\n".join(front_matter(card)), *body]) + "\n"


def front_matter(card: Card) -> Iterator[str]:
    """YAML for the Hub: what the model does, and its results on the images that were judged.

    Source: the Hub's specification of model cards, field model-index. A licence is for its owner to give.
    """
    name = quoted(f"{card.title}: {card.files['model.json']['model']}")
    yield "---"
    yield "library_name: striate"
    yield "pipeline_tag: image-classification"
    yield "# license: to be written by whoever publishes it"
    yield "tags:"
    yield from (f"  - {tag}" for tag in ("striate", "image-classification", "research-only"))
    yield "model-index:"
    yield f"  - name: {name}"
    yield "    results:"
    yield "      - task:"
    yield "          type: image-classification"
    yield "          name: Image classification"
    yield "        dataset:"
    yield f"          type: {slug(card.title)}"
    yield f"          name: {quoted(card.title)}"
    yield f"          split: {quoted(card.verdict.split)}"
    yield "        metrics:" if any(metrics(card.verdict)) else "        metrics: []"
    for kind, title, number, percent in metrics(card.verdict):
        yield f"          - type: {kind}"
        yield f"            name: {quoted(_named(title, number, percent))}"
        yield f"            value: {number.value!r}"
    yield "---"


def metrics(verdict: Verdict) -> Iterator[tuple[str, str, Number, bool]]:
    """What the front matter gives: type, name, number, and whether it is said in per cent; none that is undefined."""
    area, of = verdict.one_vs_one, "mean over pairs of classes"
    if len(verdict.classes) == 2:
        area, of = verdict.per_class[1].auc, f"{verdict.classes[1]} against {verdict.classes[0]}"
    found = (
        ("accuracy", "Accuracy", verdict.accuracy, True),
        ("balanced_accuracy", "Balanced accuracy", verdict.balanced_accuracy, True),
        ("roc_auc", f"Area under the ROC curve, {of}", area, False),
    )
    yield from (one for one in found if one[2].value is not None)


def slug(name: str) -> str:
    """A name as an identifier of a data set: ASCII letters, digits and hyphens, quoted where nothing else is left.

    >>> slug("Blood cells: no. 7"), slug("血球")
    ('"blood-cells-no-7"', '"images"')
    """
    return quoted(re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "images")


def _named(title: str, number: Number, percent: bool) -> str:
    _, low, high = percent_parts(number) if percent else decimal_parts(number)
    if number.low is None or number.high is None:
        return title
    return f"{title} (95 % interval {low}–{high}{' %' if percent else ''}, n = {number.n:,})"

"""A cross-validation as text for a terminal: a line a fold, the pooled verdict, and how far the folds differ."""

import textwrap

from striate.drawing.numbers import MISSING, percent_parts
from striate.drawing.text import shorten, unbroken, visible
from striate.evaluation.folds import SHARES, Fold, FoldsVerdict, Spread
from striate.evaluation.reporting.text import LONGEST_NAME, aligned, cell, verdict_text

MOST_CLASSES, WIDTH = 20, 112
HEADINGS = ("over the folds", "mean", "least", "greatest", "standard deviation")
NAMES = {
    "accuracy": "accuracy %",
    "balanced_accuracy": "balanced accuracy %",
    "macro_f1": "macro F1 %",
    "log_loss": "log loss",
    "one_vs_one": "AUC, pairs of classes",
}


def fold_line(fold: Fold, folds: int) -> str:
    """One fold in a line: how many images trained, chose the epoch and were judged, and what came out."""
    counts = ", ".join(f"{count:,} {split}" for split, count in fold.images.items())
    accuracy = fold.verdict.accuracy
    return f"fold {fold.number}/{folds}   {counts}   accuracy % {cell(accuracy, *percent_parts(accuracy))}"


def folds_text(verdict: FoldsVerdict) -> str:
    """The pooled verdict, then how far the folds differ, and what the intervals leave out."""
    parts = [verdict_text(verdict.pooled), spread_table(verdict), auc_table(verdict)]
    remarks = [textwrap.fill(unbroken(remark), WIDTH).replace("\u00a0", " ") for remark in verdict.remarks]
    return "\n\n".join([*parts, "\n".join(remarks)])


def spread_table(verdict: FoldsVerdict) -> str:
    """A line a measure: mean, least, greatest and standard deviation over the folds."""
    rows: list[tuple[str, ...]] = [HEADINGS]
    rows += [(NAMES[name], *written(one, name in SHARES)) for name, one in verdict.spread.items()]
    return aligned(rows)


def auc_table(verdict: FoldsVerdict) -> str:
    """A line a class, those of least mean first: its AUC over all images, and over the folds."""
    rows: list[tuple[str, ...]] = [("AUC of class", "pooled", "mean of the folds", "least", "greatest")]
    ranked = by_auc(verdict)
    for name, pooled, spread in ranked[:MOST_CLASSES]:
        mean, least, greatest, _ = written(spread, share=False)
        rows.append((shorten(visible(name), LONGEST_NAME), pooled, mean, least, greatest))
    rest = len(ranked) - MOST_CLASSES
    return aligned(rows) + (f"\n… and {rest:,} classes of larger AUC" if rest > 0 else "")


def by_auc(verdict: FoldsVerdict) -> list[tuple[str, str, Spread]]:
    """Each class with its pooled AUC as written and its AUC over the folds, the least mean first."""
    spreads = verdict.class_auc
    each = [
        (one.class_name, fixed(one.auc.value, share=False), spreads[one.class_name])
        for one in verdict.pooled.per_class
    ]
    return sorted(each, key=lambda line: 2.0 if line[2].mean is None else line[2].mean)


def written(spread: Spread, share: bool) -> tuple[str, str, str, str]:
    """Mean, least, greatest and standard deviation, shares in per cent."""
    mean, least, greatest, deviation = (
        fixed(value, share) for value in (spread.mean, spread.least, spread.greatest, spread.deviation)
    )
    return mean, least, greatest, deviation


def fixed(value: float | None, share: bool) -> str:
    """A number of a table: per cent with one decimal, others with three; a dash where there is none.

    >>> fixed(0.9412, share=True), fixed(0.98765, share=False), fixed(None, share=False)
    ('94.1', '0.988', '–')
    >>> fixed(0.9999, share=False), fixed(0.0, share=True)  # only what is all, or nothing, is written so
    ('0.9999', '0')
    """
    if value is None:
        return MISSING
    number, digits, ends = (100 * value, 1, (0, 100)) if share else (value, 3, (0, 1))
    if number in ends:
        return f"{number:.0f}"
    texts = [f"{number:.{more}f}" for more in range(digits, digits + 5)]
    return next((text for text in texts if float(text) not in ends), texts[-1])

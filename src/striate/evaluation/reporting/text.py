"""The verdict as text for a terminal: one sentence, the numbers with their intervals, a table of the classes."""

from striate.drawing.numbers import MISSING, decimal, decimal_parts, percent, percent_parts
from striate.drawing.text import shorten, visible
from striate.evaluation.intervals import Number
from striate.evaluation.reporting.text_decided import beyond, subgroup_rows
from striate.evaluation.verdict import Verdict

LONGEST_NAME, MOST_CELLS = 24, 12
HEADINGS = ("class", "support", "precision %", "recall %", "specificity %", "F1 %", "AUC")


def verdict_text(verdict: Verdict) -> str:
    """The verdict in plain text, columns aligned; the confusion matrix follows for up to twelve classes."""
    top = [("top-5 accuracy", verdict.top5)] if verdict.top5 else []
    measures = [("accuracy", verdict.accuracy), ("balanced accuracy", verdict.balanced_accuracy), *top]
    measures.append(("macro F1", verdict.scores.macro_f1))
    lines = [f"{name:<20}{percent(number)}" for name, number in measures]
    plain = [
        ("kappa", verdict.scores.kappa),
        ("Matthews", verdict.scores.matthews),
        ("log loss", verdict.log_loss),
    ]
    plain += [("Brier score", verdict.brier.score)] if verdict.brier else []
    lines += [f"{name:<20}{decimal(number)}" for name, number in plain]
    if verdict.calibration:
        lines.append(f"{'calibration error':<20}{percent(verdict.calibration.error)}")
    parts = [verdict.sentence(), "\n".join([*lines, *beyond(verdict)]), class_table(verdict)]
    if verdict.subgroups:
        parts.append(subgroup_table(verdict))
    if verdict.leaks:
        parts.insert(1, visible(verdict.leaks))
    if len(verdict.classes) <= MOST_CELLS:
        parts.append(confusion_text(verdict))
    return "\n\n".join([*parts, f"{independence(verdict)} For research; not a medical device."])


def independence(verdict: Verdict) -> str:
    """What the intervals take as independent, in a sentence."""
    if verdict.groups is None:
        return "Intervals are 95 % and take images as independent."
    return f"Intervals are 95 % and take the {verdict.groups:,} groups, not the images, as independent."


def class_table(verdict: Verdict) -> str:
    """One line a class: support, then each rate and the AUC with their intervals; a dash where undefined."""
    rows: list[tuple[str, ...]] = [HEADINGS]
    for one in verdict.per_class:
        rates = [cell(number, *percent_parts(number)) for number in (one.precision, one.recall)]
        rates += [cell(number, *percent_parts(number)) for number in (one.specificity, one.f1)]
        area = cell(one.auc, *decimal_parts(one.auc))
        rows.append((shorten(visible(one.class_name), LONGEST_NAME), f"{one.support:,}", *rates, area))
    return aligned(rows)


def confusion_text(verdict: Verdict) -> str:
    """The confusion matrix: a row a true class, a column a predicted one; a dot for none."""
    names = [shorten(visible(name), LONGEST_NAME) for name in verdict.classes]
    rows: list[tuple[str, ...]] = [("is ↓ taken for →", *(shorten(name, 8) for name in names))]
    for name, counts in zip(names, verdict.confusion_matrix, strict=True):
        rows.append((name, *(str(count) if count else "·" for count in counts)))
    return aligned(rows)


def subgroup_table(verdict: Verdict) -> str:
    """One line a value of the column, lowest accuracy first; what is beyond twelve is counted."""
    rows, more = subgroup_rows(verdict)
    return aligned(rows) + more


def cell(number: Number, value: str, low: str, high: str) -> str:
    """A number and its interval in a table whose heading says the unit."""
    if number.value is None:
        return MISSING
    return value if MISSING in (low, high) else f"{value} ({low}–{high})"


def aligned(rows: list[tuple[str, ...]]) -> str:
    """Rows as text: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        right = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *right]).rstrip())
    return "\n".join(lines)

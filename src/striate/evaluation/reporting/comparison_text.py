"""A comparison as text for a terminal: a sentence a pair, the runs, the pairs, the classes that differ."""

from striate.drawing.differences import chance, plain, points
from striate.drawing.numbers import MISSING, decimal_parts, percent_parts
from striate.drawing.text import shorten, visible
from striate.evaluation.comparing.comparison import Comparison
from striate.evaluation.comparing.pairing import ClassDifference, Pairing
from striate.evaluation.intervals import Number
from striate.evaluation.reporting.text import LONGEST_NAME, aligned, cell

MOST_CLASSES = 20
METHOD = {
    True: "Accuracy and recall: Tango's score interval; p: McNemar, exact; log loss: BCa bootstrap; AUC: DeLong.",
    False: "Differences: BCa bootstrap of whole groups; p: exact, runs swapped for whole groups; AUC: DeLong, groups.",
}


def comparison_text(comparison: Comparison) -> str:
    """The comparison in plain text, columns aligned.

    Of each pair up to twenty classes are told, those of smallest p first.
    """
    parts = ["\n".join(map(visible, comparison.sentences())), run_table(comparison)]
    parts += [pair_text(comparison, one) for one in comparison.pairings]
    ending = "Intervals are 95 %, each for itself; p of classes is Holm's over the classes."
    notes = [
        *comparison.notes,
        ending,
        METHOD[comparison.groups is None],
        "For research; not a medical device.",
    ]
    return "\n\n".join([*parts, "\n".join(map(visible, notes))])


def run_table(comparison: Comparison) -> str:
    """One line a run: accuracy, balanced accuracy and log loss, each with its interval."""
    rows: list[tuple[str, ...]] = [("run", "accuracy %", "balanced accuracy %", "log loss")]
    for one in comparison.contenders:
        rates = [cell(number, *percent_parts(number)) for number in (one.accuracy, one.balanced_accuracy)]
        loss = cell(one.log_loss, *decimal_parts(one.log_loss))
        rows.append((shorten(visible(one.name), LONGEST_NAME), *rates, loss))
    return aligned(rows)


def pair_text(comparison: Comparison, one: Pairing) -> str:
    """Everything measured of one pair."""
    counts, found = one.agreement, one.differences
    reference, other = (shorten(visible(name), LONGEST_NAME) for name in (one.reference, one.other))
    recipes = comparison.recipes.get((one.reference, one.other), ())
    lines = [
        f"{other} minus {reference}",
        f"{'right':<20}both {counts.both:,}, only {other} {counts.only_other:,}, only {reference} "
        f"{counts.only_reference:,}, neither {counts.neither:,}",
        f"{'accuracy':<20}{in_points(found.accuracy)}",
        *([f"{'  by bootstrap':<20}{in_points(found.bootstrap)}"] if comparison.groups is None else []),
        f"{'balanced accuracy':<20}{in_points(found.balanced_accuracy)}",
        f"{'log loss':<20}{in_plain(found.log_loss)}   (below zero is better)",
        f"{'p':<20}{tests(comparison, one)}",
        f"{'recipes differ in':<20}{visible('; '.join(recipes)) or 'nothing'}",
    ]
    return "\n".join([*lines, "", class_table(one)])


def tests(comparison: Comparison, one: Pairing) -> str:
    """The tests of one pair, and what each stands on."""
    several = (
        f"; Holm's of {len(comparison.pairings)} {chance(one.adjusted)}"
        if len(comparison.pairings) > 1
        else ""
    )
    own = f"McNemar exact {chance(one.mcnemar.exact)}, mid-p {chance(one.mcnemar.mid)}"
    if comparison.groups is None:
        return own + several
    return f"by groups {chance(one.p)}{several}   ({own}: ignores the groups)"


def class_table(one: Pairing) -> str:
    """One line a class, those of smallest p first: recall of both, its difference, and that of the AUC."""
    ranked = sorted(one.per_class, key=by_chance)
    rows: list[tuple[str, ...]] = [
        ("class", "n", "only other", "only ref.", "recall, points", "p Holm", "AUC", "p Holm")
    ]
    for each in ranked[:MOST_CLASSES]:
        rows.append(
            (
                shorten(visible(each.class_name), LONGEST_NAME),
                f"{each.agreement.n:,}",
                f"{each.agreement.only_other:,}",
                f"{each.agreement.only_reference:,}",
                ranged(each.recall, points(each.recall)),
                written(each.adjusted),
                ranged(each.auc.difference, plain(each.auc.difference)),
                written(each.auc_adjusted),
            )
        )
    rest = len(ranked) - MOST_CLASSES
    return aligned(rows) + (f"\n… and {rest:,} classes of larger p" if rest > 0 else "")


def by_chance(one: ClassDifference) -> tuple[float, float]:
    """To sort classes by: their p, then how large the difference is; those without images come last."""
    return 2.0 if one.p is None else one.p, -abs(one.recall.value or 0.0)


def written(p: float | None) -> str:
    """A p for a column whose heading says so."""
    return chance(p).removeprefix("= ")


def ranged(number: Number, texts: tuple[str, str, str]) -> str:
    """A difference and its interval, whose limits may be negative and so are joined by a word."""
    value, low, high = texts
    if number.value is None:
        return MISSING
    return f"{value} ({low} to {high})" if number.low is not None else f"{value} (no interval)"


def in_points(number: Number) -> str:
    """A difference of proportions in words."""
    return (
        f"{ranged(number, points(number))} points"
        if number.value is not None
        else f"{MISSING} {number.reason}"
    )


def in_plain(number: Number) -> str:
    """A difference of plain numbers in words."""
    return ranged(number, plain(number)) if number.value is not None else f"{MISSING} {number.reason}"

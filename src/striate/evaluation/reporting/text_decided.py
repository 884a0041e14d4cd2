"""Lines of the terminal on calibration, decisions, unknown pictures and subgroups: only on what there is."""

from striate.drawing.numbers import MISSING, decimal, percent, percent_parts
from striate.drawing.text import shorten, visible
from striate.evaluation.decisions.decision import Decided, OperatingVerdict
from striate.evaluation.decisions.unknown import Unknown
from striate.evaluation.intervals import Number
from striate.evaluation.reporting.wording import (
    calibration_words,
    counted,
    outcome,
    plain_percent,
    signed_points,
    threshold_text,
)
from striate.evaluation.verdict import Uncalibrated, Verdict

LONGEST_NAME, MOST_ROWS = 24, 12
HEADINGS = ("n", "accuracy %", "balanced %", "points from the others")


def beyond(verdict: Verdict) -> list[str]:
    """A line each, none for what the verdict does not have."""
    lines = [f"{'judged by':<20}group: one answer of all its images"] if verdict.unit != "image" else []
    if verdict.uncalibrated:
        lines += calibration_lines(verdict, verdict.uncalibrated)
    if verdict.decided:
        lines += decided_lines(verdict.decided)
    if verdict.unknown:
        lines += unknown_lines(verdict.unknown)
    return lines


def calibration_lines(verdict: Verdict, before: Uncalibrated) -> list[str]:
    """What the calibration is, and the error before it, which stands above after it."""
    fitted = counted(before.images, "validation image")
    line = f"{'calibration':<20}{calibration_words(before.calibration)}, fitted to {fitted}"
    if before.reliability and verdict.calibration:
        line += f"; error {percent(before.reliability.error)} before"
    if before.changed:
        line += f"; {counted(before.changed, verdict.unit)} changed class"
    return [line]


def decided_lines(decided: Decided) -> list[str]:
    """Operating points with their outcome, the threshold for abstaining, sets."""
    lines = [line for one in decided.operating for line in operating_lines(one)]
    if found := decided.abstention:
        at = threshold_text(found.abstention.threshold)
        lines.append(
            f"{'answers':<20}{percent(found.coverage)} from {found.abstention.score} {at}; wrong of those "
            f"{percent(found.error)}"
        )
    if sets := decided.sets:
        lines.append(
            f"{'sets':<20}hold the truth in {percent(sets.coverage)}, promised {plain_percent(sets.promised)} %; "
            f"{sets.mean_size:.2f} classes on average"
        )
    return lines


def operating_lines(one: OperatingVerdict) -> list[str]:
    """The class, from where on it is called, what that gives, and whether the wish is reached."""
    rates = {name: brief(number) for name, number in one.rates.items()}
    at = "" if one.prevalence is None else f" at a prevalence of {plain_percent(one.prevalence)} %"
    name = shorten(visible(one.point.positive), LONGEST_NAME)
    words = outcome(one)
    return [
        f"{'operating point':<20}{name} from {threshold_text(one.point.threshold)}: "
        f"sensitivity {rates['sensitivity']}, specificity {rates['specificity']}",
        f"{'':<20}ppv {rates['ppv']}, npv {rates['npv']}{at}",
        f"{'':<20}{one.point.wish}{f': {words}' if words else ''}; chosen on {one.point.chosen_on}",
    ]


def unknown_lines(unknown: Unknown) -> list[str]:
    """How each measure of sureness tells unknown pictures from known ones."""
    lines = [
        f"{'unknown':<20}by {one.score}: AUROC {decimal(one.auc)}; {brief(one.taken)} taken for known "
        "where 95 % of those are"
        for one in unknown.scores
    ]
    if unknown.called:
        name = max(unknown.called, key=lambda name: unknown.called[name])
        called = f"{unknown.called[name]:,} of {unknown.images:,}"
        lines.append(f"{'':<20}called {shorten(visible(name), LONGEST_NAME)} most often: {called}")
    if unknown.left_out:
        lines.append(f"{'':<20}{unknown.left_out}")
    return lines


def subgroup_rows(verdict: Verdict) -> tuple[list[tuple[str, ...]], str]:
    """The table of subgroups, and how many more there are."""
    heading = shorten(visible(verdict.subgroups_by or ""), LONGEST_NAME)
    rows: list[tuple[str, ...]] = [(heading, *HEADINGS)]
    for one in verdict.subgroups[:MOST_ROWS]:
        own = one.verdict
        difference = MISSING if one.difference.value is None else signed_points(one.difference)
        name = shorten(visible(one.value), LONGEST_NAME)
        rows.append((name, f"{own.images:,}", bare(own.accuracy), bare(own.balanced_accuracy), difference))
    rest = len(verdict.subgroups) - MOST_ROWS
    return rows, f"\n{counted(rest, 'more value')}, in evaluation.json" if rest > 0 else ""


def brief(number: Number) -> str:
    """A share and its interval, without its n."""
    return MISSING if number.value is None else f"{percent_parts(number)[0]} %{_limits(number)}"


def bare(number: Number) -> str:
    """A share and its interval in a column whose heading says the unit."""
    return MISSING if number.value is None else f"{percent_parts(number)[0]}{_limits(number)}"


def _limits(number: Number) -> str:
    _, low, high = percent_parts(number)
    return "" if MISSING in (low, high) else f" ({low}–{high})"

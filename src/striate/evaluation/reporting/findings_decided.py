"""What the report says of probabilities, decisions, unknown pictures and subgroups, computed from the same numbers."""

import math

from striate.drawing import numbers
from striate.drawing.text import visible
from striate.evaluation.decisions.abstention import CoverageCurve
from striate.evaluation.decisions.conformal import ConformalVerdict
from striate.evaluation.decisions.decision import AbstentionVerdict, OperatingVerdict
from striate.evaluation.decisions.operating import wish_of
from striate.evaluation.decisions.unknown import Unknown, UnknownVerdict
from striate.evaluation.intervals import CONFIDENCE
from striate.evaluation.reliability import Bin, Reliability
from striate.evaluation.reporting.wording import (
    calibration_words,
    counted,
    plain_percent,
    signed_points,
    threshold_text,
)
from striate.evaluation.verdict import Subgroup, Uncalibrated, Verdict

RATES_OF = {
    "sensitivity": ("sensitivity", "specificity"),
    "specificity": ("specificity", "sensitivity"),
    "precision": ("ppv", "sensitivity"),
    "npv": ("npv", "specificity"),
}
NAMES = {"ppv": "positive predictive value", "npv": "negative predictive value"}
SHORT_OF = {
    "reached": "is borne out",
    "missed": "is refuted",
    "open": "is neither borne out nor refuted",
}


def on_level(verdict: Verdict) -> str:
    """Accuracy against always naming the most frequent class, which needs no picture."""
    supports = [sum(line) for line in verdict.confusion_matrix]
    low, high = verdict.accuracy.low, verdict.accuracy.high
    if not verdict.images or low is None or high is None:
        return ""
    most = max(range(len(supports)), key=lambda index: supports[index])
    name, share = visible(verdict.classes[most]), supports[most] / verdict.images
    noun = f"{verdict.unit}s"
    if share == 1:
        return f"All {noun} are of {name}: how well it is told from other classes cannot be seen here."
    said = f"Always answering {name} would be right for {supports[most]:,} of {verdict.images:,} {noun}"
    if low > share:
        return f"{said}; the network does better."
    if high < share:
        return f"{said}; the network does worse."
    return f"{said}; that the network does better is not shown."


def on_calibration(found: Uncalibrated, verdict: Verdict) -> str:
    """What the calibration is, what it was fitted to, and of how many images it changed the class."""
    noun = f"{verdict.unit}s"
    fitted = counted(found.images, "validation image")
    said = f"Calibrated by {calibration_words(found.calibration)}, fitted to {fitted}"
    value = found.calibration.get("value")
    if isinstance(value, int | float) and value != 1:
        said += f" (the network by itself was {'too sure' if value > 1 else 'not sure enough'} of them)"
    if not found.changed:
        return f"{said}. It changes the class of none of these {noun}."
    return f"{said}. Of {found.changed:,} of {verdict.images:,} {noun} another class became the best."


def on_reliability(verdict: Verdict, found: Reliability) -> str:
    """The error, what was stated on average against what was right, and the bin that lies furthest off."""
    before = verdict.uncalibrated.reliability if verdict.uncalibrated else None
    said = f"Calibration error {numbers.percent(found.error)}"
    said += f"; before calibration {numbers.percent(before.error)}." if before else "."
    stated, right = mean_stated(found), verdict.accuracy
    said += f" On average {plain_percent(stated)} % was stated and {numbers.percent(right)} was right: "
    if right.low is None or right.high is None:
        said += "whether that is more than chance cannot be said."
    elif right.low <= stated <= right.high:
        said += "no further apart than chance explains."
    else:
        said += "too sure." if stated > right.high else "not sure enough."
    off = [one for one in found.bins if _off(one)]
    if chance_of(len(off), len(found.bins)) > 1 - CONFIDENCE:
        return said
    worst = max(off, key=lambda one: abs(one.stated - (one.right.value or 0.0)))
    return (
        f"{said} More bins lie off the line than chance explains, furthest where {plain_percent(worst.stated)} % was "
        f"stated on average and {numbers.percent(worst.right)} was right."
    )


def mean_stated(found: Reliability) -> float:
    """The mean of the highest probabilities, over all images."""
    return sum(one.right.n * one.stated for one in found.bins) / sum(one.right.n for one in found.bins)


def chance_of(off: int, bins: int) -> float:
    """How often at least so many of the bins would lie beyond their 95 % intervals by chance.

    >>> round(chance_of(3, 15), 3), round(chance_of(0, 15), 3)
    (0.036, 1.0)
    """
    share = 1 - CONFIDENCE
    return sum(math.comb(bins, k) * share**k * CONFIDENCE ** (bins - k) for k in range(off, bins + 1))


def _off(one: Bin) -> bool:
    low, high = one.right.low, one.right.high
    return low is not None and high is not None and not low <= one.stated <= high


def on_coverage(curve: CoverageCurve, verdict: Verdict) -> str:
    """What answering the surer half alone would give, and how well sureness tells right from wrong."""
    noun = f"{verdict.unit}s"
    if not curve.chance:
        return f"All {noun} are right, so there is nothing to be gained by answering fewer."
    half = next(index for index, share in enumerate(curve.coverage) if share >= 0.5 or share == 1)
    part = ""
    if curve.coverage[half] < 1:
        part = (
            f"Answering only the surest {plain_percent(curve.coverage[half])} % of the {noun} would be right in "
            f"{plain_percent(curve.accuracy[half])} % of them, answering all in "
            f"{plain_percent(1 - curve.chance)} %. "
        )
    return (
        f"{part}The mean error over all coverages (AURC) is {numbers.decimal(curve.area)}: {curve.chance:.3g} were it "
        f"in random order, {curve.least:.3g} were every right answer surer than every wrong one."
    )


def on_operating(one: OperatingVerdict, unit: str) -> str:
    """A point in a sentence: from where on, what it gives here, what it gave where it was chosen, and the outcome."""
    point, found = one.point, one.outcome()
    wished, other = RATES_OF.get(wish_of(point.wish).kind, ("sensitivity", "specificity"))
    said = (
        f"Called {visible(point.positive)} from a probability of {threshold_text(point.threshold)} on: "
        f"{NAMES.get(wished, wished)} {numbers.percent(one.rates[wished])} and {NAMES.get(other, other)} "
        f"{numbers.percent(one.rates[other])}. It was chosen for {point.wish} on {point.chosen_on}"
    )
    there = point.reached.get(wished)
    said += f", where that is {numbers.percent(there)}." if found and there else "."
    return f"{said} The wish {SHORT_OF[found]} by these {unit}s." if found else said


def on_abstention(found: AbstentionVerdict, unit: str) -> str:
    """What the threshold for abstaining does here and did where it was chosen."""
    chosen = found.abstention
    wrong = (
        ""
        if found.error.value is None
        else f", and {numbers.percent(found.error)} of these answers are wrong"
    )
    return (
        f"No answer is given below a {chosen.score} of {threshold_text(chosen.threshold)}, chosen for {chosen.wish}: "
        f"{numbers.percent(found.coverage)} of the {unit}s here are answered{wrong}. Where it was chosen, "
        f"{numbers.percent(chosen.coverage)} were answered, {numbers.percent(chosen.error)} of them wrongly."
    )


def on_sets(found: ConformalVerdict) -> str:
    """What sets were promised to hold, and what they hold here."""
    low, high = found.coverage.low, found.coverage.high
    if low is None or high is None:
        kept = ""
    elif low > found.promised:
        kept = ", more than was promised"
    else:
        kept = ", short of the promise" if high < found.promised else ", as was promised within its interval"
    return (
        f"Sets of classes promised to hold the truth in {plain_percent(found.promised)} % hold it in "
        f"{numbers.percent(found.coverage)}{kept}. They name {found.mean_size:.2f} classes on average; "
        f"{numbers.percent(found.single)} name one, {numbers.percent(found.empty)} none."
    )


def best_score(unknown: Unknown) -> UnknownVerdict | None:
    """The measure of sureness that tells unknown images from known ones best."""
    known = [one for one in unknown.scores if one.auc.value is not None]
    return max(known, key=lambda one: one.auc.value or 0.0) if known else None


def on_unknown(unknown: Unknown) -> str:
    """The best score, and what unknown pictures are called most."""
    best = best_score(unknown)
    if best is None:
        return "There is no unknown image to tell from the known ones."
    said = (
        f"The {counted(unknown.images, 'image')} of none of the classes are told apart best by {best.score}: AUROC "
        f"{numbers.decimal(best.auc)}. With a threshold that keeps 95 % of the known images, "
        f"{numbers.percent(best.taken)} of the unknown ones are taken for known."
    )
    if (best.auc.low or 0.0) <= 0.5:
        said += " That is not shown to be better than chance."
    if unknown.called:
        name = max(unknown.called, key=lambda name: unknown.called[name])
        said += (
            f" Most often they are called {visible(name)}: {unknown.called[name]:,} of {unknown.images:,}."
        )
    if unknown.answered is not None and unknown.answered.value is not None:
        said += f" The threshold for abstaining lets {numbers.percent(unknown.answered)} of them pass."
    if unknown.left_out:
        said += f" There were {unknown.left_out}."
    return said


def on_subgroups(verdict: Verdict) -> str:
    """The worst subgroup, and whether it differs from all others beyond its interval."""
    by = visible(verdict.subgroups_by or "")
    compared = [one for one in verdict.subgroups if one.difference.value is not None]
    if not compared:
        return f"All {verdict.unit}s have the same {by}: there is nothing to compare."
    worst = min(compared, key=lambda one: one.verdict.accuracy.value or 0.0)
    return (
        f"Lowest of {counted(len(verdict.subgroups), 'value')} of {by} is {visible(worst.value)}: accuracy "
        f"{numbers.percent(worst.verdict.accuracy)}, {signed_points(worst.difference)} percentage points from all "
        f"other {verdict.unit}s. {_beyond(worst)}{_by_chance(len(compared))}"
    )


def _beyond(worst: Subgroup) -> str:
    low, high = worst.difference.low, worst.difference.high
    if low is None or high is None:
        return "Whether that is more than chance cannot be said."
    if high < 0:
        return "The interval of the difference does not hold 0: it does worse than the others."
    return "The interval of the difference holds 0: that it does worse is not shown."


def _by_chance(compared: int) -> str:
    return " Of many values, one in twenty lies beyond its interval by chance alone." if compared > 2 else ""

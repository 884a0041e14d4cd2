"""The sentence under each figure of the report: what to see in it, computed from the same numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from striate.drawing import numbers
from striate.drawing.text import visible
from striate.evaluation.verdict import ClassVerdict, Verdict


def on_counts(counts: Mapping[str, Mapping[str, int]]) -> str:
    """How many images went where, and the class with fewest.

    >>> on_counts({"train": {"cat": 70, "owl": 60}, "test": {"cat": 15, "owl": 12}})
    '157 images: 130 train, 27 test. The smallest class of train is owl with 60.'
    """
    totals = {split: sum(classes.values()) for split, classes in counts.items()}
    said = (
        f"{sum(totals.values()):,} images: "
        + ", ".join(f"{n:,} {split}" for split, n in totals.items())
        + "."
    )
    first = next(iter(counts), None)
    if first is None or not counts[first]:
        return said
    least = min(counts[first], key=lambda name: counts[first][name])
    return f"{said} The smallest class of {first} is {visible(least)} with {counts[first][least]:,}."


def on_classes(verdict: Verdict) -> str:
    """The class whose images are recognised least often, against the best."""
    known = [one for one in verdict.per_class if one.recall.value is not None]
    if not known:
        return f"No class has {'an image' if verdict.unit == 'image' else 'a group'} in this split."
    worst, best = min(known, key=recall), max(known, key=recall)
    if recall(worst) == recall(best):
        said = numbers.percent(worst.recall)
        return f"Every class has the same recall: {said} for {visible(worst.class_name)}."
    overlap = (worst.recall.high or 0) >= (best.recall.low or 0)
    contrast = (
        "their intervals overlap, so this split does not tell them apart"
        if overlap
        else "their intervals do not overlap"
    )
    return (
        f"{visible(worst.class_name)} is recognised least often: {numbers.percent(worst.recall)}; "
        f"{visible(best.class_name)} most often: {numbers.percent(best.recall)}; {contrast}."
    )


def on_matrix(verdict: Verdict) -> str:
    """The most frequent confusion."""
    errors = [
        (count, row, column)
        for row, line in enumerate(verdict.confusion_matrix)
        for column, count in enumerate(line)
        if row != column and count
    ]
    if not errors:
        return f"No {verdict.unit} is confused: everything lies on the diagonal."
    count, row, column = max(errors, key=lambda error: error[0])
    noun = f"{verdict.unit}s"
    support, names = verdict.per_class[row].support, [visible(name) for name in verdict.classes]
    return (
        f"The most frequent confusion: {count:,} of {support:,} {noun} of {names[row]} "
        f"{'is' if count == 1 else 'are'} called {names[column]}. "
        f"Off the diagonal lie {sum(error[0] for error in errors):,} of {verdict.images:,} {noun}, "
        f"in {len(errors):,} {'cell' if len(errors) == 1 else 'cells'}."
    )


def on_roc(drawn: Sequence[ClassVerdict], verdict: Verdict) -> str:
    """The class ranked worst against the rest, and how many curves are drawn."""
    if not drawn:
        return "No curve can be drawn: it needs images inside and outside a class."
    worst = min((one for one in verdict.per_class if one.roc), key=lambda one: one.auc.value or 0.0)
    area = numbers.decimal(worst.auc)
    if len(verdict.classes) == 2:
        one = drawn[0]
        return (
            f"The area under the ROC curve of {visible(one.class_name)} is {numbers.decimal(one.auc)}, its average "
            f"precision {numbers.decimal(one.average_precision)}. The ROC curve of the other class is its mirror image."
        )
    said = f"The lowest area under the ROC curve is that of {visible(worst.class_name)}: {area}."
    if len(drawn) < len(verdict.classes):
        order = (
            "those with an operating point, then those of lowest area"
            if verdict.decided and verdict.decided.operating
            else "those of lowest area first"
        )
        return f"{said} Drawn are {len(drawn)} of {len(verdict.classes)} classes, {order}."
    return said


def on_wrong(shown: Sequence[Any], verdict: Verdict) -> str:
    """How many images are wrong, how many of them are shown, and the surest mistake."""
    noun = f"{verdict.unit}s"
    right = sum(line[index] for index, line in enumerate(verdict.confusion_matrix))
    wrong = verdict.images - right
    if wrong == 0:
        return f"All {verdict.images:,} {noun} are classified correctly: there is no mistake to show."
    said = f"{wrong:,} of {verdict.images:,} {noun} {'is' if wrong == 1 else 'are'} wrong."
    if not shown:
        return said
    first = shown[0]
    extent = _extent(len(shown), wrong) if verdict.unit == "image" else "Shown are images, most wrong first"
    return (
        f"{said} {extent}: {visible(first.source)} is {visible(first.truth)}, "
        f"and the network gave {100 * first.probability:.1f} % to {visible(first.predicted)}."
    )


def on_training(history: Sequence[Mapping[str, Any]], kept_epoch: int) -> str:
    """Which epoch was kept, and what training and validation gave there."""
    kept = next((line for line in history if line["epoch"] == kept_epoch), None)
    if kept is None:
        return "No epoch was recorded."
    train, validation = kept.get("train") or {}, kept.get("validation") or {}
    said = f"Epoch {kept_epoch} of {len(history)} was kept"
    if train.get("loss") is None or validation.get("loss") is None:
        return f"{said}."
    return (
        f"{said}: loss {train['loss']:.3f} in training and {validation['loss']:.3f} in validation; "
        f"accuracy {100 * train['accuracy']:.1f} % in training and {100 * validation['accuracy']:.1f} % in validation."
    )


def flatters(leaks: str) -> bool:
    """Whether the leak check found images that had a part in training, and they were counted.

    >>> flatters("2 of these images were trained on, and are counted all the same: a.png, b.png.")
    True
    """
    return any(words in leaks for words in ("are counted all the same", "the weights were chosen with them"))


def _extent(shown: int, wrong: int) -> str:
    if wrong == 1:
        return "It is shown"
    return f"{'All' if shown == wrong else f'The worst {shown}'} are shown, most wrong first"


def recall(one: ClassVerdict) -> float:
    """The recall to sort by; a class without images sorts last."""
    return 2.0 if one.recall.value is None else one.recall.value


def left_out(unreadable: int, counted: int) -> str:
    """What did not take part, in one sentence."""
    if not unreadable:
        return f"Nothing was left out: all {counted:,} images could be read."
    if unreadable == 1:
        return "1 file was left out because no picture could be read from it; it is named below."
    return (
        f"{unreadable:,} files were left out because no picture could be read from them; each is named below."
    )

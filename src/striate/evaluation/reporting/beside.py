"""What stands beside one answer: how the run did on other images, in words."""

from collections.abc import Mapping
from typing import Any

from striate.drawing.numbers import percent
from striate.evaluation.intervals import Number
from striate.evaluation.reporting.wording import OUTCOMES, threshold_text

Saved = Mapping[str, Any]
NAMES = {"ppv": "positive predictive value", "npv": "negative predictive value"}
SHOWN = ("sensitivity", "specificity", "ppv", "npv")
KINDS = {"probability": "a probability", "energy": "an energy score", "mahalanobis": "a likeness to training"}


def beside_answers(decision: Saved | None, evaluation: Saved | None) -> dict[str, Any]:
    """What is known of a run's answers, each number with its interval, its n, and the images it was found on.

    >>> accuracy = {"value": 0.941, "low": 0.9213, "high": 0.9559, "n": 712}
    >>> beside_answers(None, {"split": "test", "unit": "image", "accuracy": accuracy})["accuracy"]
    {'text': '94.1 % (92.1–95.6, n = 712)', 'on': 'test images'}

    `decision` and `evaluation` are what decision.json and evaluation.json hold, None where there is none. `points`,
    `abstention` and `sets` are what was decided, with rates on the judged images where those are of this decision,
    else where it was chosen; None or empty where nothing was decided.
    """
    judged = evaluation or {}
    decided = _of_this(decision, judged.get("decided"))
    on = _images(judged)
    chosen = decision or {}
    return {
        "accuracy": _stated(judged.get("accuracy"), on),
        "balanced_accuracy": _stated(judged.get("balanced_accuracy"), on),
        "points": [_point(point, decided, on) for point in chosen.get("operating", ())],
        "abstention": _abstention(chosen.get("abstention"), decided, on),
        "sets": _sets(chosen.get("sets"), decided, on),
        "caveats": list(chosen.get("caveats", ())),
    }


def _images(judged: Saved) -> str:
    split, unit = judged.get("split"), judged.get("unit", "image")
    return f"{split} {unit}s" if split in ("test", "validation", "train") else f"{unit}s given to be judged"


def _of_this(decision: Saved | None, decided: Saved | None) -> Saved:
    """What was judged of a decision, where it is this one: another threshold is another decision."""
    if decision is None or decided is None:
        return {}
    here = [(one["positive"], one["threshold"]) for one in decision["operating"]]
    there = [(one["point"]["positive"], one["point"]["threshold"]) for one in decided["operating"]]
    mine, theirs = decision["abstention"] or {}, (decided["abstention"] or {}).get("chosen", {})
    same = here == there and mine.get("threshold") == theirs.get("threshold")
    return decided if same else {}


def _point(point: Saved, decided: Saved, on: str) -> dict[str, Any]:
    found = [one for one in decided.get("operating", ()) if one["point"]["positive"] == point["positive"]]
    rates, where = (found[0]["rates"], on) if found else (point["reached"], str(point["chosen_on"]))
    return {
        "class": point["positive"],
        "threshold": point["threshold"],
        "threshold_text": threshold_text(point["threshold"]),
        "wish": point["wish"],
        "outcome": OUTCOMES.get(found[0]["outcome"], "") if found else "",
        "rates": [[NAMES.get(name, name), _text(rates[name])] for name in SHOWN if name in rates],
        "on": where,
    }


def _abstention(chosen: Saved | None, decided: Saved, on: str) -> dict[str, Any] | None:
    if chosen is None:
        return None
    found = decided.get("abstention")
    rates = found or chosen
    return {
        "score": chosen["score"],
        "measure": KINDS.get(chosen["score"], chosen["score"]),
        "threshold": chosen["threshold"],
        "threshold_text": threshold_text(chosen["threshold"]),
        "wish": chosen["wish"],
        "rates": [
            ["answered", _text(rates["coverage"])],
            ["wrong among the answered", _text(rates["error"])],
        ],
        "on": on if found else "the validation images it was chosen on",
    }


def _sets(chosen: Saved | None, decided: Saved, on: str) -> dict[str, Any] | None:
    if chosen is None:
        return None
    found = decided.get("sets")
    return {
        "promised": f"{100 * chosen['coverage']:g} %",
        "rates": [["sets that held the true class", _text(found["coverage"])]] if found else [],
        "on": on if found else f"calibrated on {chosen['images']:,} validation images",
    }


def _stated(number: Saved | None, on: str) -> dict[str, str] | None:
    return None if number is None else {"text": _text(number), "on": on}


def _text(number: Saved) -> str:
    return percent(Number(**number))

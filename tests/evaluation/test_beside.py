"""What stands beside an answer: words and numbers of the two files, and never those of another decision."""

import copy
from typing import Any

from striate.evaluation.reporting.beside import beside_answers


def number(value: float, n: int = 100) -> dict[str, Any]:
    """A rate as the files hold it."""
    return {"value": value, "low": value - 0.02, "high": value + 0.02, "n": n}


POINT = {
    "positive": "owl",
    "threshold": 0.612,
    "wish": "sensitivity>=0.95",
    "chosen_on": "80 validation images",
    "images": 80,
    "reached": {"sensitivity": number(0.96, 40), "specificity": number(0.9, 40)},
}
ABSTENTION = {
    "score": "probability",
    "threshold": 0.55,
    "wish": "coverage>=0.9",
    "coverage": number(0.91, 80),
    "error": number(0.05, 73),
}
DECISION = {
    "by": "image",
    "images": 80,
    "operating": [POINT],
    "abstention": ABSTENTION,
    "sets": {"coverage": 0.9, "threshold": 0.2, "images": 80},
    "caveats": ["Few images."],
}
EVALUATION = {
    "split": "test",
    "unit": "image",
    "accuracy": number(0.93, 200),
    "balanced_accuracy": number(0.92, 200),
    "decided": {
        "operating": [
            {
                "point": POINT,
                "outcome": "open",
                "rates": {"sensitivity": number(0.94, 90), "ppv": number(0.8, 99), "f1": number(0.86, 200)},
            }
        ],
        "abstention": {"chosen": ABSTENTION, "coverage": number(0.88, 200), "error": number(0.04, 176)},
        "sets": {"promised": 0.9, "mean_size": 1.1, "coverage": number(0.91, 200)},
    },
}


def test_rates_come_from_the_judged_images() -> None:
    """Where the evaluation is of this decision."""
    said = beside_answers(DECISION, EVALUATION)
    (point,) = said["points"]
    assert (point["threshold_text"], point["on"]) == ("0.61", "test images")
    assert point["outcome"] == "these images cannot tell"
    assert point["rates"] == [
        ["sensitivity", "94.0 % (92.0–96.0, n = 90)"],
        ["positive predictive value", "80.0 % (78.0–82.0, n = 99)"],
    ]
    assert said["abstention"]["rates"][0] == ["answered", "88.0 % (86.0–90.0, n = 200)"]
    assert said["sets"]["rates"] == [["sets that held the true class", "91.0 % (89.0–93.0, n = 200)"]]
    assert said["accuracy"] == {"text": "93.0 % (91.0–95.0, n = 200)", "on": "test images"}
    assert said["caveats"] == ["Few images."]


def test_an_evaluation_of_another_decision_is_not_taken() -> None:
    """Another threshold: the rates are those of where this one was chosen, and it is said."""
    for change in ("operating", "abstention"):
        other = copy.deepcopy(EVALUATION)
        decided = other["decided"]
        points, abstention = decided["operating"], decided["abstention"]
        where = points[0]["point"] if change == "operating" else abstention["chosen"]
        where["threshold"] = 0.7
        said = beside_answers(DECISION, other)
        assert said["points"][0]["on"] == "80 validation images"
        assert said["points"][0]["rates"][0] == ["sensitivity", "96.0 % (94.0–98.0, n = 40)"]
        assert said["points"][0]["outcome"] == ""
        assert said["abstention"]["on"] == "the validation images it was chosen on"
        assert said["sets"] == {"promised": "90 %", "rates": [], "on": "calibrated on 80 validation images"}


def test_nothing_is_invented() -> None:
    """No files, no numbers."""
    said = beside_answers(None, None)
    assert said == {
        "accuracy": None,
        "balanced_accuracy": None,
        "points": [],
        "abstention": None,
        "sets": None,
        "caveats": [],
    }
    only_judged = beside_answers(None, EVALUATION)
    assert only_judged["points"] == []
    assert only_judged["accuracy"]["on"] == "test images"
    given = beside_answers(None, {**EVALUATION, "split": "given", "unit": "group"})
    assert given["accuracy"]["on"] == "groups given to be judged"

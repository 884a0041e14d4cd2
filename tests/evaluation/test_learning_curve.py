"""The learning curve in words, numbers and on its page: what helps, what does not, what is left out of the law."""

import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from striate.evaluation.learning import extrapolation
from striate.evaluation.learning.learning_curve import LearningCurve, times, written
from striate.evaluation.learning.learning_points import GUESSING, OFF, CurveTraining, learn_curve, worth_of
from striate.evaluation.reporting.learning_curve_page import render_curve

PARTS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extrapolation, "RESAMPLES", 400)


def wrong_of(errors: list[int], judged: int, repeats: int = 3) -> np.ndarray:
    """Which images trainings get wrong: half of their errors on the first images, the others anywhere."""
    random = np.random.default_rng(0)
    rows = []
    for count in np.repeat(errors, repeats).tolist():
        row = np.zeros(judged, bool)
        row[: count // 2] = True
        row[random.choice(np.arange(count // 2, judged), count - count // 2, replace=False)] = True
        rows.append(row)
    return np.array(rows)


def curve_of(errors: list[int], judged: int = 1000, guessing: float = 0.1, **more: object) -> LearningCurve:
    parts = PARTS[-len(errors) :]
    wrong = wrong_of(errors, judged)
    trainings = tuple(
        CurveTraining(
            part=part,
            images=round(1600 * part),
            repeat=repeat,
            seed=repeat,
            epochs=10,
            judged=judged,
            errors=count,
        )
        for part, count in zip(parts, errors, strict=True)
        for repeat in range(3)
    )
    fitted = learn_curve(trainings, wrong, guessing=guessing, **more)  # pyright: ignore[reportArgumentType]
    return LearningCurve(
        trainings=trainings,
        **vars(fitted),
        factor=2.0,
        guessing=guessing,
        split="validation",
        classes=("a", "b"),
        source="folder <b>",
        recipe={"model": "compact"},
        notes=("<script>alert(1)</script>",),
    )


@pytest.fixture
def falling() -> LearningCurve:
    return curve_of([400, 283, 200, 141, 100])


def test_more_that_helps_is_said_with_its_gain(falling: LearningCurve) -> None:
    value = falling.predicted.value
    assert value == pytest.approx(1 - 0.1 / 2**0.5, abs=0.01)
    assert falling.found.helps
    assert re.fullmatch(
        r"Twice the data \(3,200 training images\) would give 9\d\.?\d* % \(\d\d\.?\d*–\d\d\.?\d*\) accuracy, "
        r"\d\.\d+ points \(\d\.?\d*–\d\.?\d*\) more than the law has for 1,600\.",
        falling.sentence(),
    )
    assert falling.on_ceiling().startswith("Where the curve levels off is not told by these sizes")
    assert len(falling.sentences()) == 2
    assert falling.law_text().startswith("errors = ")
    assert "images^−0.5" in falling.law_text()


def test_more_that_does_not_help_is_said() -> None:
    level = curve_of([100, 103, 98, 101, 100])
    assert level.sentence().endswith(": more of the same data is not shown to help.")
    rising = curve_of([90, 95, 100, 105, 110])
    assert rising.law_text() == "errors = 0.1"
    assert "0 points (0–" in rising.sentence()
    assert rising.sentence().endswith("not shown to help.")


def test_a_ceiling_that_the_sizes_tell_is_named() -> None:
    saturated = curve_of([500, 180, 110, 101, 100])
    assert re.match(
        r"By this law accuracy levels off at 90\.?\d* % \(\d\d\.?\d*–9\d\.?\d*\)", saturated.on_ceiling()
    )


def test_points_on_no_law_are_warned_of() -> None:
    broken = curve_of([890, 880, 870, 300, 60])
    assert broken.sentences()[-1].startswith("The points do not lie on a power law (p ")


def test_parts_no_better_than_guessing_are_out_of_the_law(falling: LearningCurve) -> None:
    guessed = curve_of([905, 890, 200, 141, 100])
    assert [one.left_out for one in guessed.points] == [GUESSING, GUESSING, "", "", ""]
    assert "1/16 *" in guessed.to_text()
    assert "* 1/8 is not in the law: no better than guessing." in guessed.to_text()
    same = curve_of([200, 141, 100])
    assert guessed.found.law.exponent == pytest.approx(same.found.law.exponent, abs=1e-6)
    assert not any(one.left_out for one in falling.points)
    hopeless = curve_of([900, 900, 900, 900, 900])
    assert [one.left_out for one in hopeless.points] == [GUESSING, GUESSING, "", "", ""]


def test_a_smallest_part_off_the_law_of_the_others_is_out_of_it() -> None:
    off = curve_of([700, 283, 200, 141, 100])
    assert [one.left_out for one in off.points] == [OFF, "", "", "", ""]
    same = curve_of([283, 200, 141, 100])
    assert off.found.law.exponent == pytest.approx(same.found.law.exponent, abs=1e-6)
    assert off.points[0].accuracy.value == pytest.approx(0.3)
    assert "1/16 is not in the law: off the law of the larger parts." in off.to_text()
    assert not any(one.left_out for one in curve_of([700, 200, 141, 100]).points), (
        "four are needed for a fifth"
    )


def test_numbers_hold_what_was_counted(falling: LearningCurve) -> None:
    said = json.loads(json.dumps(falling.to_dict(), allow_nan=False))
    assert [point["accuracy"]["value"] for point in said["points"]] == pytest.approx(
        [0.6, 0.717, 0.8, 0.859, 0.9]
    )
    assert [training["accuracy"] for training in said["trainings"][:3]] == [0.6, 0.6, 0.6]
    assert said["images"] == 3200
    assert said["gain"]["value"] == pytest.approx(said["predicted"]["value"] - said["present"]["value"])
    assert {row["low"] <= row["accuracy"] <= row["high"] for row in said["band"]} == {True}
    rows = list(csv.DictReader(io.StringIO(falling.to_csv())))
    assert [int(row["errors"]) for row in rows] == [one.errors for one in falling.trainings]
    assert said["worth_images"] == 1000


def test_the_page_shows_every_sentence_and_escapes_names(falling: LearningCurve) -> None:
    page = render_curve(falling, "striate curve <x>", "now")
    for sentence in falling.sentences():
        assert sentence.replace(" %", "\u00a0%") in page
    assert "<script" not in page
    assert "folder &lt;b&gt;" in page
    assert "striate curve &lt;x&gt;" in page
    assert page.count("<circle") + page.count("<use") >= 6
    for point in falling.points:
        assert f"{point.images:,}" in page


def test_groups_that_err_together_widen_the_interval() -> None:
    judged = 1000
    alone = curve_of([400, 283, 200, 141, 100], judged)
    together = curve_of([400, 283, 200, 141, 100], judged, groups=np.arange(judged) // 25)
    assert together.worth < 0.5 * alone.worth
    width, wider = (one.predicted.high - one.predicted.low for one in (alone, together))
    assert wider > 1.2 * width
    assert together.predicted.n == alone.predicted.n == judged
    assert f"worth {together.worth:,} independent ones" in together.to_text()


def test_images_in_groups_are_worth_what_the_design_effect_says() -> None:
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(400), 5)
    same = np.repeat(random.random(400) < 0.3, 5)[None]
    assert worth_of(same, groups) == 400
    free = random.random((20, 2000)) < 0.3
    assert worth_of(free, groups) == pytest.approx(2000, rel=0.1)
    assert worth_of(np.zeros((2, 8), bool), np.zeros(8, int)) == 8


def test_fractions_and_factors_are_written_as_people_do(falling: LearningCurve) -> None:
    assert [written(one) for one in (1 / 3, 0.75, 1 / 256)] == ["1/3", "0.75", "1/256"]
    assert replace(falling, factor=3.0).sentence().startswith("3 times the data (")
    assert times(1.25) == "1.25 times the data"

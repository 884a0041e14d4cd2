"""The report beyond right and wrong: decisions, calibration, unknown pictures, subgroups, pictures behind cells."""

import re
from dataclasses import replace

import numpy as np
import pytest
from test_report import Page, a_report
from whole import NAMES, drawn, report_of, whole_verdict

from striate.drawing import numbers
from striate.evaluation import Report, Verdict, WrongImage, judge, render_report
from striate.evaluation.reporting import findings


@pytest.fixture(scope="module")
def everything() -> tuple[Report, str]:
    report = report_of(whole_verdict())
    return report, render_report(report)


def test_every_part_is_there_with_its_numbers(everything: tuple[Report, str]) -> None:
    report, source = everything
    text, verdict = Page(source).text(), report.verdict
    assert verdict.decided is not None
    assert verdict.uncalibrated is not None
    assert verdict.unknown is not None
    for point in verdict.decided.operating:
        assert numbers.percent(point.rates["sensitivity"]) in text
        assert f"chosen on {point.point.chosen_on}" in text
    assert "these images cannot tell" in text
    assert "PPV and NPV are those at a prevalence of 2.0 %" in text
    assert verdict.decided.decision.caveats[0] in text
    assert verdict.uncalibrated.reliability is not None
    assert f"before calibration {numbers.percent(verdict.uncalibrated.reliability.error)}" in text
    assert "best by energy: AUROC" in text
    assert "/data/other <things>" in text
    assert "Lowest of 4 values of site is north" in text
    assert "promised to hold the truth in 90.0 %" in text
    for name in ("roc", "precision-recall", "reliability-0", "reliability-1", "coverage", "subgroups"):
        assert f'id="{name}-' in source or f'id="{name}"' in source
    assert "striate evaluate RUN" not in text
    assert source.count(">from 0.") == 5  # two points on each of two figures, one threshold for abstaining


def test_what_was_not_asked_is_said_with_the_option_that_asks_it() -> None:
    source = Page(render_report(a_report(["cat", "owl"]))).text()
    for option in (
        "--operate",
        "--abstain",
        "--sets",
        "--unknown",
        "--subgroups",
        "--set calibrate=temperature",
    ):
        assert source.count(option) == 1


def test_cells_lead_to_their_images(everything: tuple[Report, str]) -> None:
    report, source = everything
    links = re.findall(r'<a href="#(cell-\d+-\d+)">', source)
    assert links == [f"cell-{row}-{column}" for row, column in sorted(report.cells)]
    for (row, column), images in report.cells.items():
        section = source[source.index(f'<section class="cell" id="cell-{row}-{column}">') :]
        section = section[: section.index("</section>")]
        count = report.verdict.confusion_matrix[row][column]
        shown = min(4 if row == column else 8, len(images))
        assert section.count("<img") == shown
        said = Page(section).text()
        support = sum(report.verdict.confusion_matrix[row])
        assert (
            f"{NAMES[row]}: {count} of {support} called {NAMES[column]}, {100 * count / support:.1f} %"
            in said
        )
        assert ("All, " if shown == count else f"{shown} of them, ") in said
        assert ("least certain first" if row == column else "most wrong first") in said


def of_matrix(names: list[str], matrix: np.ndarray) -> Verdict:
    """A verdict of many classes, of which only the matrix counts: quicker than judging so many."""
    verdict = judge(*drawn(60, 0), NAMES)
    each = tuple(replace(verdict.per_class[0], class_name=name) for name in names)
    rows = tuple(tuple(row) for row in matrix.tolist())
    return replace(verdict, classes=tuple(names), confusion_matrix=rows, per_class=each)


def test_cells_of_the_drawn_classes_alone_and_by_their_place() -> None:
    matrix = 2 * np.eye(100, dtype=int)
    errors = np.arange(90)  # classes 91 to 99 have none
    matrix[errors, errors + 1] += 1
    verdict = of_matrix([f"c{index}" for index in range(100)], matrix)
    report = report_of(verdict)
    source = render_report(replace(report, wrong=[]))
    links = set(re.findall(r'<a href="#(cell-\d+-\d+)">', source))
    assert links == set(re.findall(r'<section class="cell" id="(cell-\d+-\d+)">', source))
    assert links
    assert all(int(number) < 80 for link in links for number in re.findall(r"\d+", link))
    kept = re.findall(r'text-anchor="end" fill="var\(--ink\)">([^<]+)<', source)
    at = re.search(r'id="(cell-\d+-\d+)">\n<h4>c5: 1 of 3 called c6,', source)
    assert at is not None
    assert at[1] == f"cell-{kept.index('c5')}-{kept.index('c6')}"


def test_large_pictures_leave_room_for_everything() -> None:
    report = a_report(["cat", "owl"])
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    one = replace(report.wrong[0], pixels=noise)
    cells: dict[tuple[int, int], list[WrongImage]] = {(row, 1 - row): [one] * 8 for row in range(2)}
    cells |= {(row, row): [one] * 4 for row in range(2)}
    source = render_report(replace(report, wrong=[one] * 48, cells=cells))
    assert len(source) < 5_000_000
    assert source.count('class="cell"') >= 2
    mistakes = source[source.index('id="cell-0-1"') : source.index('id="cell-1-0"')].count("<img")
    assert mistakes == 8


def test_a_full_matrix_takes_its_room_from_the_pictures() -> None:
    names = [
        f"a class of a name that is far longer than any cell has a place for, {index}" for index in range(90)
    ]
    verdict = of_matrix(names, np.ones((90, 90), dtype=int))
    report = report_of(replace(verdict, confusion_matrix=((1,),)))
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    one = replace(report.cells[0, 0][0], pixels=noise)
    cells = {(number, number + 1): [one] for number in range(60)}
    source = render_report(replace(report, verdict=verdict, wrong=[one] * 48, cells=cells))
    assert source.count("<title>") > 6400
    assert 4_000_000 < len(source) < 4_600_000
    assert source.count('class="cell"') > 10


def test_hostile_names_beyond_classes_stay_text() -> None:
    verdict = whole_verdict()
    assert verdict.unknown is not None
    hostile = "<script>alert(1)</script>\u202e"
    worst = replace(verdict.subgroups[0], value=hostile)
    verdict = replace(
        verdict,
        subgroups_by=hostile,
        subgroups=(worst, *verdict.subgroups[1:]),
        unknown=replace(verdict.unknown, source=hostile, called={hostile: 5}),
    )
    page = Page(source := render_report(report_of(verdict)))
    assert "script" not in {tag for tag, _ in page.tags}
    assert "\u202e" not in source
    assert page.text().count(r"<script>alert(1)</script>\u202e") >= 5


def test_groups_are_called_groups() -> None:
    truth, chances = drawn(60, 0)
    verdict = replace(judge(truth, chances, NAMES), unit="group")
    text = Page(render_report(report_of(verdict))).text()
    assert "60 test groups are classified correctly" in text
    assert "what is judged are 60 groups" in text
    assert not re.search(r"of 60 images|60 test images", text)


def test_a_good_a_bad_and_a_leaking_run() -> None:
    truth, chances = drawn(400, 0)
    good = Page(render_report(report_of(judge(truth, chances, NAMES)))).text()
    assert "the network does better." in good
    assert "on images it never saw?" in good

    guesses = np.random.default_rng(0).permutation(truth)
    bad = Page(render_report(report_of(judge(guesses, chances, NAMES)))).text()
    assert re.search(r"that the network does better is not shown|the network does worse", bad)
    assert "was right: too sure." in bad

    said = (
        "12 of these images were trained on, and are counted all the same: 12 with identical pixels (a.png)."
    )
    source = render_report(report_of(judge(truth, chances, NAMES, leaks=said)))
    assert f'<p class="notice warning">{said}</p>' in source
    leaking = Page(source).text()
    assert "judged on images it was chosen with?" in leaking
    assert "never saw" not in leaking
    assert "head of this page" in leaking


def test_the_sentences_of_leaks_that_are_counted_are_known() -> None:
    from striate.classifier.leaks import trained_of, without_leaks
    from striate.data import ArraySource, load_images

    images = load_images(ArraySource(np.arange(2 * 64, dtype=np.uint8).reshape(2, 8, 8), ["cat", "owl"]))
    images = replace(images, splits=np.array(["train", "train"]), digests=np.array([b"a", b"b"], dtype="S32"))
    for own_split, leaks, counted in (
        ("train", "refuse", True),
        (None, "accept", True),
        (None, "drop", False),
    ):
        said = without_leaks(images, trained_of(images), own_split=own_split, leaks=leaks)[1]
        assert findings.flatters(said) is counted
    clean = replace(images, digests=np.array([b"c", b"d"], dtype="S32"))
    assert not findings.flatters(without_leaks(clean, trained_of(images), own_split=None, leaks="accept")[1])

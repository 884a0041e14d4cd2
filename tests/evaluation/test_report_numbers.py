"""Every number that the report states is found in evaluation.json, rounded as it is written."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from whole import report_of, whole_verdict

from striate.drawing import numbers
from striate.evaluation import render_report

LEFT_OUT = {"svg", "pre", "code", "figcaption", "style", "title"}
"""Axes, commands, captions of pictures."""
ESTIMATE = re.compile(
    r"(?<![\w.])(−?[\d.,]*\d)( %)? \(?(−?[\d.]+)–(−?[\d.]+),?\)? (?:n = )?([\d,]*\d)(?![\w.%])"
)
DIFFERENCE = re.compile(r"(?<![\w.])(−?[\d.]+) \((−?[\d.]+) to (−?[\d.]+)\)")
NUMBER = re.compile(r"(?<![\w.])(?<![A-Za-z]-)−?\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|\.\d)")


class Text(HTMLParser):
    """The words of a page, apart from settings, commands, figures and captions of pictures."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.inside: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = dict(attrs).get("class") or ""
        if (
            tag in LEFT_OUT
            or "mono" in kind
            or "key" in kind.split()
            or (self.inside and tag == self.inside[-1])
        ):
            self.inside.append(tag)
        self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self.inside and tag == self.inside[-1]:
            self.inside.pop()
        self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.words.append(data)

    def text(self) -> str:
        return " ".join("".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())


def stated(source: str) -> str:
    """What the page says up to how to get it again: the rest is versions, digests and commands."""
    body = source[source.index("<body>") :]
    return Text(body[: body.index("<h2>How to get it again</h2>")]).text()


def estimates(known: Any) -> list[tuple[float, float, float, int | None]]:
    """Every value with its limits and its n in the file; rates of a class have theirs by the counts."""
    if isinstance(known, list):
        return [one for item in known for one in estimates(item)]
    if not isinstance(known, dict):
        return []
    found = [one for item in known.values() for one in estimates(item)]
    if {"value", "low", "high", "n"} <= known.keys():
        found.append((known["value"], known["low"], known["high"], known["n"]))
    for name, (low, high) in known.get("intervals", {}).items():
        found.append((known[name], low, high, None))
    return found


def plain(known: Any) -> list[float]:
    """Every number in the file, also those in its sentences."""
    if isinstance(known, dict):
        return [one for item in known.values() for one in plain(item)]
    if isinstance(known, list):
        return [one for item in known for one in plain(item)]
    if isinstance(known, str):
        return [float(text.replace(",", "").replace("−", "-")) for text in NUMBER.findall(known)]
    return [] if known is None else [float(known)]


def normal(text: str) -> str:
    """A number as Python writes it."""
    value = float(text.replace(",", "").replace("−", "-"))
    return f"{value or 0.0:.{len(text.partition('.')[2])}f}"


class Written:
    """Numbers, and the same in per cent, as they are written with any number of digits."""

    def __init__(self, values: list[float]) -> None:
        self.values = [scaled for value in values for scaled in (value, 100 * value)]
        self.texts: dict[int, set[str]] = {}

    def __contains__(self, text: str) -> bool:
        digits = len(text.partition(".")[2])
        if digits not in self.texts:
            self.texts[digits] = {normal(f"{value:.{digits}f}") for value in self.values}
        return normal(text) in self.texts[digits]


def written_as(value: float | None, text: str) -> bool:
    """Whether a number, or it in per cent, is written so with as many digits as there are."""
    return value is not None and text in Written([value])


def unfounded(source: str, known: dict[str, Any]) -> list[str]:
    """What the page states and the file does not hold."""
    text, missing = stated(source), []
    known_estimates, said = estimates(known), json.dumps(known, ensure_ascii=False)

    def bare(match: re.Match[str], count: str | None) -> str:
        seen = [match.group(group) for group in ((1, 3, 4) if count else (1, 2, 3))]
        for *parts, n in known_estimates:
            same = all(written_as(number, text) for number, text in zip(parts, seen, strict=True))
            if same and (not count or n is None or n == int(count.replace(",", ""))):
                return " "
        if match.group(0) in said:
            return " "
        missing.append(match.group(0))
        return " "

    text = ESTIMATE.sub(lambda match: bare(match, match.group(5)), text)
    text = DIFFERENCE.sub(lambda match: bare(match, None), text)
    written = Written(plain(known) + counts(known))
    return missing + [seen for seen in NUMBER.findall(text) if seen not in written]


def counts(known: dict[str, Any]) -> list[float]:
    """Sums of what the file counts, and how many things it lists."""
    matrix, by_split = known["confusion_matrix"], known["counts"].values()
    rows, columns = [sum(row) for row in matrix], [sum(column) for column in zip(*matrix, strict=True)]
    of_class = [sum(split.get(name, 0) for split in by_split) for name in known["classes"]]
    whole, errors = known["images"], sum(rows) - sum(row[index] for index, row in enumerate(matrix))
    filled = sum(
        count > 0 for row, line in enumerate(matrix) for column, count in enumerate(line) if row != column
    )
    lists = [len(known[name]) for name in ("classes", "unreadable", "subgroups", "most_wrong")]
    return [*rows, *columns, *of_class, sum(of_class), errors, filled, *lists, *(whole - row for row in rows)]


@pytest.fixture(scope="module")
def everything() -> tuple[str, dict[str, Any]]:
    report = report_of(whole_verdict())
    return render_report(report), json.loads(json.dumps(report.to_dict(), allow_nan=False))


def test_every_number_is_in_the_file(everything: tuple[str, dict[str, Any]]) -> None:
    source, known = everything
    assert len(ESTIMATE.findall(stated(source))) > 60
    assert unfounded(source, known) == []


def test_a_number_that_is_not_in_the_file_is_found_out(everything: tuple[str, dict[str, Any]]) -> None:
    source, known = everything
    changed = json.loads(json.dumps(known))
    changed["scores"]["kappa"]["low"] += 0.07
    kappa = numbers.decimal_parts(whole_verdict().scores.kappa)
    assert unfounded(source, changed) == ["{} {}–{} 400".format(*kappa)]
    said = source.replace("Nothing was left out", "Nothing was left out of 987,654")
    assert unfounded(said, known) == ["987,654"]
    other = report_of(replace(whole_verdict(seed=3), split="other"))
    assert len(unfounded(source, json.loads(json.dumps(other.to_dict())))) > 40


def test_a_run_judged_on_its_training_images_states_what_its_file_holds_and_warns(
    digits_run: Path, tmp_path: Path
) -> None:
    from striate import Classifier

    Classifier.load(digits_run).report(tmp_path, "digits", leaks="accept")
    known = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf8"))
    source = (tmp_path / "report.html").read_text(encoding="utf8")
    assert unfounded(source, known) == []
    assert 'href="#cell-' in source
    assert '<p class="notice warning">' in source
    assert "judged on images it was chosen with?" in source

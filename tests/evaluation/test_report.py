"""The report: the verdict's own numbers, nothing fetched, nothing run, hostile names as text."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from striate.drawing import numbers
from striate.evaluation import Report, WrongImage, judge, render_report

HOSTILE = [
    "<script>alert(1)</script>",
    'a"onload="x',
    "two\nlines",
    "\u202egpj.exe",
    "a & b's",
    "\udcff{{ 7*7 }}",
]


def a_report(classes: list[str], images: int = 120, seed: int = 0) -> Report:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, len(classes), images)
    logits = generator.normal(size=(images, len(classes)))
    logits[np.arange(images), truth] += 2
    powers = np.exp(logits)
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    epochs = [
        {
            "epoch": epoch,
            "train": {"loss": 1 / epoch, "accuracy": 0.9, "images_per_s": 800.0},
            "validation": {"loss": 1.2 / epoch, "accuracy": 0.8},
            "rate": 0.01,
        }
        for epoch in (1, 2, 3)
    ]
    wrong = [
        WrongImage(
            source=f"{name}.png",
            truth=name,
            predicted=classes[0],
            probability=0.91,
            truth_probability=0.02,
            pixels=generator.integers(0, 255, (8, 8, 1), dtype=np.uint8),
        )
        for name in classes[1:4]
    ]
    return Report(
        title=f"run of {classes[0]}",
        verdict=judge(truth, probabilities, classes),
        history=epochs,
        kept_epoch=3,
        counts={"train": dict.fromkeys(classes, 70), "test": dict.fromkeys(classes, 15)},
        leaks="No image lies in two splits.",
        recipe={"model": "lenet5", "epochs": 3},
        preparation={"height": 8, "mean": [0.5]},
        model={"name": "lenet5", "parameters": 61706},
        versions={"striate": "0.1.0"},
        command=f"striate train '{classes[0]}'",
        evaluate_command="striate evaluate runs/x",
        seed=0,
        created="2026-01-01",
        digests={"model.json": "ab" * 32},
        unreadable=[(f"{classes[0]}.png", "the file ends early")],
        notes=[f"{classes[0]} was topped up."],
        wrong=wrong,
    )


class Page(HTMLParser):
    """The tags, attributes and text of a page, as a browser's parser sees them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self.words.append(" ")

    def text(self) -> str:
        return " ".join("".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())


@pytest.fixture(scope="module")
def digits() -> tuple[Report, str]:
    report = a_report([str(digit) for digit in range(10)])
    return report, render_report(report)


def test_the_report_shows_the_numbers_of_the_verdict(digits: tuple[Report, str]) -> None:
    report, source = digits
    text, verdict = Page(source).text(), report.verdict
    assert verdict.sentence() in text
    for name, number in (
        ("Balanced accuracy", verdict.balanced_accuracy),
        ("Macro F1", verdict.scores.macro_f1),
    ):
        value, low, high = numbers.percent_parts(number)
        assert f"{name} {value} % {low}–{high} {number.n}" in text
    for name, number in (("Log loss, nats", verdict.log_loss), ("Cohen's kappa", verdict.scores.kappa)):
        value, low, high = numbers.decimal_parts(number)
        assert f"{name} {value} {low}–{high} {number.n}" in text
    assert "For research; not a medical device" in text
    rows = re.findall(r"<tr>\s*<td><bdi.*?</tr>", source, flags=re.DOTALL)
    shown = {cells[0]: cells[2:] for cells in map(_cells, rows) if len(cells) == 9}
    assert len(shown) == 10
    for one in verdict.per_class:
        rates = (one.recall, one.precision, one.specificity, one.npv, one.f1)
        areas = [(*numbers.decimal_parts(area), area.n) for area in (one.auc, one.average_precision)]
        expected = [*map(_percent_cell, rates), *("{}{}–{}n = {}".format(*area) for area in areas)]
        assert shown[one.class_name] == expected


def _cells(row: str) -> list[str]:
    return [Page(cell).text() for cell in re.findall(r"<td.*?</td>", row, flags=re.DOTALL)]


def _percent_cell(rate: numbers.Estimate) -> str:
    value, low, high = numbers.percent_parts(rate)
    return f"{value} %{low}–{high}n = {rate.n}"


def test_every_count_of_the_matrix_is_drawn(digits: tuple[Report, str]) -> None:
    report, source = digits
    matrix = source[source.index('id="matrix"') :]
    matrix = matrix[: matrix.index("</svg>")]
    drawn = [int(count) for count in re.findall(r'fill="var\(--on-share-\d\)">(\d+)<', matrix)]
    assert drawn == [count for row in report.verdict.confusion_matrix for count in row if count]


def test_nothing_is_fetched_and_nothing_runs(digits: tuple[Report, str]) -> None:
    _, source = digits
    tags = Page(source).tags
    assert "http:" not in source
    assert "https:" not in source
    assert not {tag for tag, _ in tags} & {"script", "link", "iframe", "object", "embed", "base", "form"}
    sources = [attributes["src"] for _, attributes in tags if "src" in attributes]
    assert sources
    assert all(uri and uri.startswith("data:image/png;base64,") for uri in sources)
    links = [value for _, attributes in tags for name, value in attributes.items() if name.endswith("href")]
    assert all(link and link.startswith("#") for link in links)
    assert "url(" not in re.sub(r"url\(#", "", source)
    assert "@import" not in source


def test_ids_are_unique_and_references_resolve(digits: tuple[Report, str]) -> None:
    _, source = digits
    ids = re.findall(r'\bid="([^"]+)"', source)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(|href=")#([^)"]+)', source)) <= set(ids)


def test_colours_of_figures_are_custom_properties(digits: tuple[Report, str]) -> None:
    _, source = digits
    figures = "".join(re.findall(r"<svg.*?</svg>", source, flags=re.DOTALL))
    assert not re.findall(r"(?:fill|stroke)[:=] ?\"?#[0-9a-f]{3,6}", figures)
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", source))
    assert used <= set(re.findall(r"(--[a-z0-9-]+):", source))


def test_the_same_report_is_the_same_file(digits: tuple[Report, str]) -> None:
    report, source = digits
    assert render_report(report) == source


def test_hostile_names_stay_text() -> None:
    source = render_report(a_report(HOSTILE))
    source.encode("utf-8")
    page = Page(source)
    assert "script" not in {tag for tag, _ in page.tags}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    text = page.text()
    for shown in (HOSTILE[0], HOSTILE[1], r"two\nlines", r"\u202egpj.exe", "a & b's", r"\udcff{{ 7*7 }}"):
        assert shown in text
    assert "\u202e" not in source


@pytest.mark.parametrize(("classes", "curves"), [(2, 1), (8, 8), (62, 8)])
def test_how_many_curves_are_drawn(classes: int, curves: int) -> None:
    source = render_report(a_report([f"c{index}" for index in range(classes)], images=900))
    legend = source[source.index("legend column") :]
    assert legend[: legend.index("</ul>")].count("<li>") == curves
    said = f"Drawn are 8 of {classes} classes, those of lowest area first."
    assert (said in source) == (classes > 8)
    assert len(source) < 5_000_000


def test_a_thousand_classes_still_fit() -> None:
    report = a_report([f"class {index}" for index in range(300)], images=600)
    source = render_report(report)
    assert "Drawn are the 80 classes with most errors; the other 220 share one line." in source
    assert len(source) < 5_000_000


def test_large_pictures_are_reduced_until_the_file_fits() -> None:
    report = a_report(["cat", "owl"])
    noise = np.random.default_rng(0).integers(0, 255, (500, 400, 3), dtype=np.uint8)
    one = replace(report.wrong[0], pixels=noise)
    source = render_report(replace(report, wrong=[one] * 48))
    assert len(source) < 5_000_000
    assert 10 < source.count("<img") < 48


def test_nothing_to_show_is_said() -> None:
    report = a_report(["cat", "owl"])
    empty = judge(np.zeros(0, int), np.zeros((0, 2)), ["cat", "owl"])
    source = Page(render_report(replace(report, verdict=empty, wrong=[], history=[], unreadable=[]))).text()
    for sentence in (
        "There is no test image to judge.",
        "No class has an image in this split.",
        "No curve can be drawn: it needs images inside and outside a class.",
        "No epoch was recorded.",
        "Nothing was left out: all 170 images could be read.",
    ):
        assert sentence in source
    perfect = judge(np.array([0, 1]), np.array([[0.9, 0.1], [0.1, 0.9]]), ["cat", "owl"])
    source = Page(render_report(replace(report, verdict=perfect, wrong=[]))).text()
    assert "All 2 images are classified correctly: there is no mistake to show." in source
    assert "No image is confused: everything lies on the diagonal." in source

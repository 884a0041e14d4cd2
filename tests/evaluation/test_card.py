"""The model card: front matter that parses, names that stay text, numbers of the verdict, blanks that are seen."""

import json
import re
import unicodedata
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from carded import GROUP, PICTURE, card_of, files_of, front_of
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from whole import whole_verdict

from striate.drawing.numbers import decimal_parts, percent_parts
from striate.drawing.text import visible
from striate.evaluation import Verdict, judge
from striate.evaluation.reporting.card import metrics, render_card
from striate.evaluation.reporting.card_sections import shortened
from striate.evaluation.reporting.markdown import fenced, plain, quoted, table

HOSTILE = [
    "a|b",
    "`code`",
    "<script>alert(1)</script>",
    "two\n\n# lines",
    "---",
    "key: value",
    "![i](http://evil/x.png)",
    "[l](javascript:alert(1)) www.evil.org",
    "**bold** _it_ ~~no~~ $x$",
    "1. one",
    "@someone &amp; \\",
    "\u202egpj.exe \udcff",
    "<!-- a comment",
]
SECTIONS = [
    "What it is",
    "Intended use",
    "Training data",
    "Preparation of pictures",
    "Training",
    "Results",
    "Class by class",
    "Calibration",
    "Decisions",
    "Subgroups",
    "Pictures of none of the classes",
    "What it looks at",
    "Limits",
    "How to get it again",
    "Licence and citation",
    "Reporting checklists",
]


def plain_verdict(classes: list[str], images: int = 240, seed: int = 0) -> Verdict:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, len(classes), images)
    powers = np.exp(
        generator.normal(size=(images, len(classes))) + 2 * (truth[:, None] == np.arange(len(classes)))
    )
    return judge(truth, powers / powers.sum(axis=1, keepdims=True), classes, leaks="None of them leaks.")


def tokens(card: str) -> list[Token]:
    """Blocks and what is inside them, as a reader of GitHub's Markdown takes the card below its front matter."""
    body = card.split("---\n", 2)[2]
    found = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(body)
    return [inner for block in found for inner in (block, *(block.children or ()))]


def shape(card: str) -> list[str]:
    return [one.type for one in tokens(card) if one.type != "text"]


def text_of(markdown: str, rule: str = "paragraph_open") -> str:
    """The text of the first block of a kind, nothing in it but text."""
    found = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    inline = next(found[at + 1] for at, one in enumerate(found) if one.type == rule)
    assert {one.type for one in inline.children} <= {"text", "text_special"}, inline.children
    return "".join(one.content for one in inline.children)


# Names


@given(st.text(max_size=60))
def test_plain_text_shows_every_letter_and_does_nothing(name: str) -> None:
    shown = visible(name).strip()
    if shown.strip(" \u3000"):
        assert text_of(f"x {plain(name)} x").strip() == f"x {visible(name)} x"
        assert text_of(f"{plain(shown)}") == shown
        cell = table(["a", "b"], [[name, "end"]])
        assert text_of(cell, "td_open") == "".join(shown)
        assert MarkdownIt("commonmark").enable("table").render(cell).count("<td>") == 2


@pytest.mark.parametrize("name", HOSTILE)
def test_plain_text_of_hostile_names(name: str) -> None:
    assert text_of(plain(name)) == visible(name)
    assert text_of(f"- {plain(name)}") == visible(name)


@given(st.text())
def test_a_quoted_name_reads_back_and_stays_on_its_line(name: str) -> None:
    said = quoted(name)
    assert json.loads(said) == visible(name)
    assert not [letter for letter in said if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")]
    assert not any(letter in said for letter in "\ufeff\ufffe\uffff")


@given(st.text(alphabet="`a \n~", max_size=40))
def test_a_command_cannot_end_its_block(text: str) -> None:
    blocks = MarkdownIt("commonmark").parse(fenced(text))
    assert [one.type for one in blocks] == ["fence"]


def test_hostile_classes_change_no_more_than_the_letters() -> None:
    calm = [f"class {n}" for n in range(len(HOSTILE))]
    cards = [render_card(card_of(plain_verdict(names), title=names[2])) for names in (calm, HOSTILE)]
    assert shape(cards[0]) == shape(cards[1])
    kinds = {one.type for one in tokens(cards[1])}
    assert not kinds & {"html_block", "html_inline", "image", "link_open", "hr"}
    shown = "\n".join(one.content for one in tokens(cards[1]) if one.type in ("text", "inline"))
    for name in HOSTILE:
        assert plain(name) in shown
    front = front_of(cards[1])
    assert front["model-index"][0]["results"][0]["dataset"]["name"] == HOSTILE[2]


def test_pictures_and_groups_are_never_named() -> None:
    verdict = replace(
        whole_verdict(),
        leaks=f"2 of these images were trained on, and are counted all the same: 2 with identical pixels ({PICTURE}).",
    )
    for hidden in (False, True):
        card = render_card(card_of(verdict, hidden=hidden))
        assert not [name for name in (PICTURE, "Mustermann", GROUP, "other.png") if name in unescape(card)]
        assert ("/data/clinic" in card) != hidden
    assert "2 of these images were trained on, and are counted all the same. The results flatter." in card


def test_a_command_loses_its_folders() -> None:
    assert (
        shortened("striate train '/data/a b/cells' --splits /x/y.csv") == "striate train cells --splits y.csv"
    )
    assert shortened("striate train 'unclosed /data/x") == "striate train ''\"'\"'unclosed' x"


# Front matter


def test_the_front_matter_is_what_the_hub_reads() -> None:
    verdict = whole_verdict()
    card = render_card(card_of(verdict))
    front = front_of(card)
    assert front["library_name"] == "striate"
    assert front["pipeline_tag"] == "image-classification"
    assert set(front) == {"library_name", "pipeline_tag", "tags", "model-index"}
    assert "\n# license: to be written" in card
    (result,) = front["model-index"][0]["results"]
    assert front["model-index"][0]["name"] == "breast: compact"
    assert result["task"]["type"] == "image-classification"
    assert (result["dataset"]["type"], result["dataset"]["name"]) == ("breast", "breast")
    values = {one["type"]: one["value"] for one in result["metrics"]}
    assert values == {
        "accuracy": verdict.accuracy.value,
        "balanced_accuracy": verdict.balanced_accuracy.value,
        "roc_auc": verdict.one_vs_one.value,
    }
    _, low, high = percent_parts(verdict.accuracy)
    assert result["metrics"][0]["name"] == f"Accuracy (95 % interval {low}–{high} %, n = 400)"


def test_two_classes_give_the_area_of_the_second_and_one_class_none() -> None:
    two = plain_verdict(["healthy", "ill"])
    found = {kind: (title, number) for kind, title, number, _ in metrics(two)}
    assert found["roc_auc"] == ("Area under the ROC curve, ill against healthy", two.per_class[1].auc)
    one = judge(np.zeros(3, dtype=int), np.full((3, 3), 1 / 3), ["a", "b", "c"])
    assert [kind for kind, *_ in metrics(one)] == ["accuracy", "balanced_accuracy"]
    none = judge(np.zeros(0, dtype=int), np.zeros((0, 2)), ["a", "b"])
    front = front_of(render_card(card_of(none)))
    assert front["model-index"][0]["results"][0]["metrics"] == []


# What it says


def test_the_sections_stand_in_their_order_and_blanks_are_seen() -> None:
    card = render_card(card_of(whole_verdict()))
    found = tokens(card)
    headings = [found[at + 1].content for at, one in enumerate(found) if one.type == "heading_open"]
    assert headings == ["breast: compact", *SECTIONS]
    assert "Not a medical device; for research." in card
    blanks = [line for line in card.splitlines() if line.startswith("*To be written by")]
    assert len(blanks) == 4
    assert card.count("*To be written by whoever uses it.*") == 23


def test_every_number_of_the_results_is_the_verdicts() -> None:
    verdict = whole_verdict()
    card = render_card(card_of(verdict))
    for name, number in (("Accuracy", verdict.accuracy), ("Balanced accuracy", verdict.balanced_accuracy)):
        value, low, high = percent_parts(number)
        assert f"| {name} (%) | {value} ({low}–{high}) | 400 |" in card
    for name, number in (("Cohen's kappa", verdict.scores.kappa), ("Log loss (nats)", verdict.log_loss)):
        value, low, high = decimal_parts(number)
        assert f"| {name} | {value} ({low}–{high}) | 400 |" in card
    for one in verdict.per_class:
        value, low, high = percent_parts(one.recall)
        assert f"| {one.class_name} | {one.support:,} | {value} ({low}–{high}) |" in card
    point = verdict.decided.operating[0]
    value, low, high = percent_parts(point.rates["sensitivity"])
    assert f"{value} ({low}–{high})" in card.split("## Decisions")[1].split("## ")[0]
    assert "2 %" in card.split("## Decisions")[1].split("## ")[0]
    assert "The temperature was fitted to the other half" in card
    worst = verdict.subgroups[0]
    value, low, high = percent_parts(worst.verdict.accuracy)
    rows = card.split("## Subgroups")[1].split("## ")[0].splitlines()
    first = next(at for at, line in enumerate(rows) if line.startswith("|---"))
    assert rows[first + 1].startswith(f"| {worst.value} | {worst.verdict.images} | {value} ({low}–{high}) |")
    assert "told apart best by" in card


def test_groups_are_called_groups() -> None:
    verdict = replace(whole_verdict(), unit="group")
    card = render_card(card_of(verdict))
    assert "400 test groups of the run's own source" in card
    assert "| class | groups | sensitivity % |" in card
    assert "can be read from these groups." in card
    assert "on these groups" in card
    assert "400 groups judged here" in card


def test_undefined_numbers_say_why() -> None:
    card = render_card(card_of(judge(np.zeros(3, dtype=int), np.full((3, 3), 1 / 3), ["a", "b", "c"])))
    assert "| AUC, mean over pairs of classes | – (needs images of two classes) | 3 |" in card
    assert "| Matthews' correlation | – (truth or prediction is always the same class) | 3 |" in card
    assert not re.search(r"\bnan\b", card, re.IGNORECASE)
    assert "There is no test image to judge" in render_card(
        card_of(judge(np.zeros(0, dtype=int), np.zeros((0, 2)), ["a", "b"]))
    )


def test_many_classes_are_counted_beyond_forty() -> None:
    names = [f"kind {n}" for n in range(60)]
    card = render_card(card_of(plain_verdict(names, images=600)))
    assert "| 20 more classes | 14,000 | 2,660 |" in card
    assert "20 more classes are in evaluation.json" in card
    assert " and 20 more." in card


def limits_of(verdict: Verdict, **changes: object) -> str:
    files = files_of(verdict)
    for name, values in changes.items():
        files[name.replace("_", ".")] |= values
    return render_card(card_of(verdict, files=files)).split("## Limits")[1].split("## ")[0]


def test_limits_of_a_run_that_left_everything_out() -> None:
    verdict = plain_verdict(["healthy", "ill"], images=50)
    said = limits_of(verdict, splits_csv={"group": ["", ""]})
    widest = max(verdict.per_class, key=lambda one: one.recall.high - one.recall.low)
    value, low, high = percent_parts(widest.recall)
    for words in (
        "No groups (patients, parts, scenes) are known.",
        f"that of {widest.class_name}: {value} % ({low}–{high}, n = {widest.support})",
        "1 of 2 classes has fewer than 100 training images; the smallest is ill with 50.",
        "fewer than 30 images here",
        "External validation: none.",
        "(breast)",
        "No subgroups were judged",
        "not calibrated (the recipe asks for none)",
        "Pictures of none of its classes were not tried",
        "one training with one seed",
        "1 file could not be read",
    ):
        assert words in said, words


def test_limits_of_a_run_that_did_everything_are_fewer() -> None:
    verdict = whole_verdict()
    said = limits_of(verdict)
    for words in ("No groups", "No subgroups", "not calibrated", "were not tried", "flatter"):
        assert words not in said, words
    assert "The temperature was fitted to the other half" in said
    leaking = replace(
        verdict, leaks="These are the run's own train images: the weights were chosen with them."
    )
    assert "the weights were chosen with them. The results flatter." in limits_of(leaking)


def test_a_verdict_no_better_than_the_most_frequent_class_says_so() -> None:
    truth = np.array([0] * 90 + [1] * 10)
    chances = np.where(np.arange(100)[:, None] % 12 == 0, [0.4, 0.6], [0.7, 0.3])
    said = limits_of(judge(truth, chances, ["a", "b"]))
    assert "Always answering a would be right for 90 of 100 images; the network does worse." in said

"""The table of all methods under all checks."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from planted import MARK, STAGE, planted_task
from torch import Tensor, nn

from striate.drawing.html import page
from striate.errors import ModelError
from striate.explanation.checks import (
    CheckTable,
    RemovalPlan,
    check,
    check_explanations,
    explainer,
    random_orders,
)
from striate.explanation.checks.table_sections import sections
from striate.models import Network, create_model

METHODS = ("gradcam", "saliency", "guided_backpropagation")
OCCLUDED = RemovalPlan(block=3, steps=8)


@pytest.fixture(scope="module")
def task() -> tuple[Network, Tensor, Tensor, np.ndarray]:
    network, inputs, labels, corners = planted_task(0)
    masks = np.zeros((12, *inputs.shape[2:]), bool)
    for mask, (row, column) in zip(masks, corners.tolist(), strict=False):
        mask[row : row + MARK, column : column + MARK] = True
    return network, inputs[:12], labels[:12], masks


@pytest.fixture(scope="module")
def table(task: tuple[Network, Tensor, Tensor, np.ndarray]) -> CheckTable:
    network, inputs, labels, masks = task
    return check_explanations(
        network, inputs, labels, methods=METHODS, stage=STAGE, plan=OCCLUDED, masks=masks, tolerance=4
    )


def test_the_right_method_wins_and_what_knows_nothing_is_found_out(table: CheckTable) -> None:
    found = {row.name: row.checks for row in table.rows if row.checks}
    assert list(found) == [*METHODS, "random", "edges"]
    right, noise, edges = found["gradcam"], found["random"], found["edges"]
    assert right.removal.deletion.gain.low is not None
    assert right.removal.deletion.gain.low > 0.05
    assert right.removal.deletion.better_than.mean() > 0.9
    assert noise.removal.deletion.better_than.mean() < 0.7
    assert right.removal.deletion.areas.mean() < edges.removal.deletion.areas.mean()
    assert right.randomisation.verdict == "changes"
    assert noise.randomisation.verdict == edges.randomisation.verdict == "does not change"
    assert "Grad-CAM" in table.of_verdict("changes")
    assert right.agreement
    assert noise.agreement
    assert right.agreement.pointing.value == 1
    assert right.agreement.hits.sum() > noise.agreement.hits.sum()


def test_a_row_is_what_the_checks_find_alone(
    table: CheckTable, task: tuple[Network, Tensor, Tensor, np.ndarray]
) -> None:
    network, inputs, labels, masks = task
    alone = check(
        network,
        inputs,
        labels,
        explainer("gradcam", stage=STAGE),
        plan=OCCLUDED,
        masks=masks,
        tolerance=4,
        random=random_orders(network, inputs, labels, plan=OCCLUDED),
    )
    assert table.rows[0].checks is not None
    assert alone.to_dict() == table.rows[0].checks.to_dict()
    assert len(alone.sentences()) == 4


class Cells(HTMLParser):
    """The rows of all tables of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("td", "th")
        if self.inside:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self.inside = False


def test_text_json_and_page_say_the_same(table: CheckTable) -> None:
    parser = Cells()
    parser.feed(page("Checks", table.to_html()))
    expected = [list(row) for section in sections(table) for row in (section.headings, *section.rows)]
    assert [[cell.replace("\u00a0", " ") for cell in row] for row in parser.rows] == expected
    text = table.to_text()
    assert max(map(len, text.splitlines())) <= 120
    for row in expected:
        assert any(re.split(r"  +", line) == [cell for cell in row if cell] for line in text.splitlines()), (
            row
        )
    told = json.loads(json.dumps(table.to_dict(), allow_nan=False))
    first = told["rows"][0]["checks"]["removal"]["deletion"]["area"]["value"]
    assert f"{first:.3f}" == sections(table)[0].rows[0][1]
    assert told["sentence"] == table.sentence()
    for section in sections(table):
        assert len({len(row) for row in (section.headings, *section.rows)}) == 1
    assert [row[0] for row in sections(table)[0].rows][-3:] == [
        "Random map",
        "Edges of the picture",
        "Random orders",
    ]


def test_methods_that_cannot_be_right_stand_there_with_the_reason() -> None:
    torch.manual_seed(1)
    told: list[str] = []
    images, targets = torch.randn(2, 1, 28, 28), torch.tensor([3, 5])
    table = check_explanations(
        create_model("lenet5", classes=10),
        images,
        targets,
        methods=["saliency", "guided_backpropagation"],
        progress=told.append,
    )
    assert told == ["Saliency", "Random map", "Edges of the picture"]
    refused = table.rows[1].refused
    assert refused is not None
    assert "tanh" in refused
    assert f"Guided backpropagation is refused: {refused}." in " ".join(table.to_text().split())
    assert "tanh" in table.to_html()
    assert table.sentence().startswith("1 method on 2 images; 1 refused by this network. ")
    without_maps = check_explanations(
        create_model("mlp", classes=10), images, targets, methods=["gradcam", "saliency"]
    )
    assert without_maps.rows[0].refused is not None
    assert "No stage" in without_maps.rows[0].refused
    assert without_maps.rows[1].checks is not None


def test_names_of_parts_are_data() -> None:
    torch.manual_seed(1)
    evil = {"<b>\u202e": nn.Conv2d(1, 2, 3), "relu": nn.ReLU()}
    network = Network(evil, head=nn.Sequential(nn.Flatten(), nn.Linear(2 * 36, 3)))
    table = check_explanations(network, torch.randn(2, 1, 8, 8), torch.tensor([0, 1]), methods=["saliency"])
    assert "<b>" not in table.to_html()
    assert "&lt;b&gt;\\u202e" in table.to_html()
    assert "\u202e" not in table.to_text()


def test_many_parts_are_not_told_one_by_one() -> None:
    torch.manual_seed(1)
    stages = {f"c{number}": nn.Conv2d(1, 1, 3, padding=1) for number in range(12)}
    network = Network(stages, head=nn.Sequential(nn.Flatten(), nn.Linear(64, 3)))
    table = check_explanations(network, torch.randn(2, 1, 8, 8), torch.tensor([0, 1]), methods=["saliency"])
    headings = sections(table)[1].headings
    assert headings[1:7] == ("head", "c10", "c7", "c5", "c2", "c0")
    checks = table.rows[0].checks
    assert checks is not None
    assert len(checks.to_dict()["randomisation"]["steps"]) == 13


def test_wrong_names_are_refused() -> None:
    network, images, targets = (
        create_model("lenet5", classes=10),
        torch.randn(1, 1, 28, 28),
        torch.tensor([3]),
    )
    with pytest.raises(ModelError, match="There is no method 'gradcamm'; did you mean gradcam"):
        check_explanations(network, images, targets, methods=["gradcamm"])
    with pytest.raises(ModelError, match="No stage 'c9' makes maps"):
        check_explanations(network, images, targets, methods=["saliency"], stage="c9")

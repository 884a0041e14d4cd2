"""Heat maps in the report and the page inside.html: what they say, what fits, hostile names as text."""

from dataclasses import replace

import numpy as np
import pytest
from test_report import HOSTILE, Page, a_report

from striate.drawing.tile_sheet import Panel, Tile, TileSheet
from striate.evaluation import render_report
from striate.evaluation.reporting.inside import Inside, render_inside
from striate.evaluation.reporting.reasons import BYTES, Reasoned, Reasons, Shown, fitting, on_reasons


def reasoned(kind: str, name: str = "owl", side: int = 8, **more: bool) -> Reasoned:
    generator = np.random.default_rng(len(name) + side)
    return Reasoned(
        source=f"{name}.png",
        kind=kind,
        truth=name,
        best=(("cat", 0.72), (name, 0.21)),
        pixels=generator.integers(0, 256, (side, side, 1), dtype=np.uint8),
        overlay=generator.integers(0, 256, (side, side, 3), dtype=np.uint8),
        **more,
    )


def reasons(*images: Reasoned, cells: tuple[int, int] = (4, 4)) -> Reasons:
    return Reasons(images=images, method="Grad-CAM of stage3", cells=cells)


def said(given: Reasons) -> str:
    return on_reasons(given, fitting(given))


def test_the_sentence_counts_what_is_shown() -> None:
    wrong, edge = reasoned("wrong"), reasoned("uncertain", at_edge=True)
    silent = reasoned("uncertain", silent=True, at_edge=True)
    text = said(reasons(wrong, wrong, edge, silent))
    assert text.startswith(
        "Grad-CAM of stage3 for the class it chose, of the 2 most wrong and the 2 least certain images. "
    )
    assert "1 map is 0 everywhere: nothing there speaks for the class." in text
    assert "touches the border of the picture in 1 of 3 maps, as 12 of the 16 cells do." in text
    assert "most wrong" not in said(reasons(edge))
    assert "least certain" not in said(reasons(wrong))
    assert "border" not in said(reasons(wrong, cells=(2, 2)))
    assert "border" not in said(reasons(silent))
    assert said(Reasons(refused="There are no maps.")) == "There are no maps."
    assert said(reasons()) == "There is no image to explain."


def test_both_kinds_get_their_share_of_the_room() -> None:
    large = [reasoned(kind, side=512) for kind in ("wrong",) * 40 + ("uncertain",) * 40]
    shown: list[Shown] = fitting(reasons(*large))
    assert 2 <= len(shown) < 80
    kinds = [one.image.kind for one in shown]
    assert abs(kinds.count("wrong") - kinds.count("uncertain")) <= 1
    assert sum(len(one.picture) + len(one.heat) for one in shown) <= BYTES


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: str) -> None:
    report = replace(
        a_report(["a", "b", "c"]), reasons=reasons(reasoned("wrong", name)), inside="inside.html"
    )
    page = Page(render_report(report))
    assert not [tag for tag, _ in page.tags if tag == "script"]
    assert not [key for _, values in page.tags for key in values if key.startswith("on")]
    links = [values["href"] for tag, values in page.tags if tag == "a"]
    assert links == ["inside.html"]


def test_the_report_without_reasons_has_no_such_section() -> None:
    assert "What it looked at" not in render_report(a_report(["a", "b"]))


def test_the_truth_is_marked_and_named_where_it_is_not_among_the_best() -> None:
    second = Page(render_report(replace(a_report(["a", "b"]), reasons=reasons(reasoned("wrong"))))).text()
    assert "✗ cat 72.0 %, ✓ owl 21.0 %" in second
    other = replace(reasoned("wrong"), truth="newt")
    third = Page(render_report(replace(a_report(["a", "b"]), reasons=reasons(other)))).text()
    assert "truth newt" in third


def test_inside_shows_every_tile_that_fits_and_counts_the_rest() -> None:
    generator = np.random.default_rng(0)
    tiles = [
        Tile(generator.integers(0, 256, (96, 96, 3), dtype=np.uint8), str(at), "0 … 3") for at in range(400)
    ]
    sheet = TileSheet("Feature maps of stage3", ("400 × 96 × 96", "strongest first"), [Panel(tiles)])
    inside = Inside(
        title="<script>",
        filters="There are no filters.",
        picture=np.zeros((8, 8, 1), np.uint8),
        picture_words="Image 3: truth <b>",
        maps=[sheet],
        command="striate evaluate 'x<y'",
        created="2026-01-01",
    )
    source = render_inside(inside)
    page = Page(source)
    shown = [values for tag, values in page.tags if tag == "img"]
    assert len(source) < 5_000_000
    assert 50 < len(shown) - 1 < 400
    assert f"{400 - (len(shown) - 1)} more are left out" in page.text()
    assert not [tag for tag, _ in page.tags if tag in ("script", "b")]
    for words in ("There are no filters.", "Image 3: truth <b>", "striate evaluate 'x<y'"):
        assert words in page.text()
    assert "No stage" in Page(render_inside(replace(inside, maps="No stage makes maps."))).text()

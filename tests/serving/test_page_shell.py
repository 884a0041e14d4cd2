"""The page's shell: tabs, the state in the address, what is said of the server, and one language of colours."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from serving_kit import chromium, live

from striate.drawing import scales

READY = ".tab[aria-selected=true]"
LONG = 12_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for this file."""
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def address(digits_run: Path) -> Iterator[str]:
    """A service over the digits, by a network without maps."""
    with live(digits_run) as one:
        yield one


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page of its own, whose errors fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    one, errors = context.new_page(), []
    one.on("pageerror", lambda error: errors.append(str(error)))
    one.clock.install()
    yield one
    context.close()
    assert errors == []


def tab(page: Any) -> str:
    """The tab in front."""
    return page.locator(READY).inner_text()


def test_tabs_by_mouse_by_keys_and_by_the_back_button(page: Any, address: str) -> None:
    """The address follows the tab, and the tab the address."""
    page.goto(address)
    page.wait_for_selector(".door")
    assert (tab(page), page.title()) == ("Try", "Try · run · striate")
    page.get_by_role("tab", name="Kernels").click()
    page.wait_for_selector(".view-kernels > *")
    assert page.url.endswith("#tab=kernels")
    page.keyboard.press("ArrowLeft")
    assert (tab(page), page.evaluate("document.activeElement.id")) == ("Inside", "tab-inside")
    page.keyboard.press("End")
    assert tab(page) == "Training"
    page.go_back()
    page.go_back()
    assert tab(page) == "Kernels"
    page.go_back()
    assert tab(page) == "Try"
    assert page.locator("#view > *").count() == 1


def test_a_link_brings_the_state_back_and_what_it_cannot_use_is_said(page: Any, address: str) -> None:
    """Values that are no values of a field fall back to its default."""
    page.goto(f"{address}/#opacity=0.25&method=saliency&tab=tri&stage5=<b>&opacity=0.3")
    page.wait_for_selector(".door")
    status = page.locator("#status").inner_text()
    assert "tab=tri: it is one of try, inside, kernels, training." in status
    assert "stage5, which this page does not know" in status
    assert tab(page) == "Try"
    page.goto(f"{address}/#tab=training")
    page.wait_for_selector("#tab-training[aria-selected=true]")


def test_the_state_is_typed(page: Any, address: str) -> None:
    """Reading and writing of every kind, by itself."""
    page.goto(address)
    fields = {
        "kind": {"kind": "choice", "choices": ["a", "b"], "default": "a"},
        "share": {"kind": "number", "min": 0, "max": 1, "default": 0.5},
        "row": {"kind": "number", "min": 0, "whole": True, "default": 0},
        "name": {"kind": "text", "default": ""},
        "on": {"kind": "boolean", "default": False},
    }
    read = "async ([hash, fields]) => (await import('/state.js')).parse(hash, fields)"
    write = "async ([values, fields]) => (await import('/state.js')).format(values, fields)"
    values = {"kind": "b", "share": 0.25, "row": 7, "name": "a&b=<ü>", "on": True}
    hashed = page.evaluate(write, [values, fields])
    assert page.evaluate(read, [hashed, fields]) == {"values": values, "problems": []}
    defaults = {name: field["default"] for name, field in fields.items()}
    assert page.evaluate(write, [defaults, fields]) == "#"
    bad = f"#kind=c&share=2&row=1.5&name={'x' * 401}&on=yes&constructor=1&share=NaN&row="
    told = page.evaluate(read, [bad, fields])
    assert told["values"] == defaults
    assert len(told["problems"]) == 8
    assert "share=2: it is a number from 0 to 1." in told["problems"][1]
    assert "row=1.5: it is a whole number from 0." in told["problems"][2]


def test_colours_mean_the_same_as_in_the_report(page: Any, address: str) -> None:
    """The two scales and the classes' colours, against the ones that the report is drawn with."""
    page.goto(address)
    values = np.linspace(-1.5, 1.5, 61)
    draw = """async (values) => {
        const scales = await import('/draw/scales.js');
        return [scales.sequential(values, 0, 1.5), scales.diverging(values, 1.5)].map((one) => [...one]);
    }"""
    found = [np.array(one).reshape(-1, 4) for one in page.evaluate(draw, values.tolist())]
    wanted = [scales.sequential(values[None], 0.0, 1.5)[0], scales.diverging(values[None], 1.5)[0]]
    for mine, theirs in zip(found, wanted, strict=True):
        assert np.abs(mine[:, :3] - theirs.astype(int)).max() <= 1
    assert found[1][30].tolist() == [247, 247, 247, 255]
    flat = """async () => {
        const scales = await import('/draw/scales.js');
        return [...scales.diverging([0], 0), ...scales.sequential([0], 0, 0)];
    }"""
    assert page.evaluate(flat) == [247, 247, 247, 255, 68, 1, 84, 255]
    sheet = (Path(scales.__file__).parents[1] / "serving" / "page" / "style.css").read_text()
    for place, pair in enumerate(zip(scales.CATEGORICAL, scales.CATEGORICAL_DARK, strict=True)):
        assert f"--class-{place}: light-dark({pair[0]}, {pair[1]});" in sheet


def test_the_theme_is_kept(page: Any, address: str) -> None:
    """Dark when asked for, and after a reload; the system's again when that is chosen."""
    page.goto(address)
    page.locator("#theme").select_option("dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(22, 24, 27)"
    page.reload()
    assert page.evaluate(paper) == "rgb(22, 24, 27)"
    page.locator("#theme").select_option("")
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(paper) == "rgb(22, 24, 27)"


def test_a_server_that_is_gone_is_said_and_found_again(page: Any, address: str) -> None:
    """The line comes with what to do, and goes by itself."""
    page.goto(address)
    page.wait_for_selector(".door")
    page.route("**/health/live", lambda route: route.abort())
    page.clock.fast_forward(LONG)
    page.wait_for_selector("#status[data-gone]")
    assert (
        "The server does not answer. See whether `striate serve` still runs"
        in page.locator("#status").inner_text()
    )
    page.unroute("**/health/live")
    page.clock.fast_forward(LONG)
    page.wait_for_selector("#status", state="hidden")
    assert page.locator("#status[data-gone]").count() == 0
    assert page.locator(".door").is_visible()


def test_a_run_in_training_opens_by_itself_when_it_is_finished(page: Any, address: str) -> None:
    """Until then Try and Inside say so."""
    unfinished = {"striate": "0", "run": "new", "state": "training", "reason": None, "limits": {}}
    page.route(
        "**/model", lambda route: route.fulfill(body=json.dumps(unfinished), content_type="application/json")
    )
    page.goto(address)
    page.wait_for_selector(".empty")
    assert "The run is still being trained." in page.locator(".empty").inner_text()
    assert "still being trained" in page.locator("#status").inner_text()
    page.unroute("**/model")
    page.clock.fast_forward(LONG)
    page.wait_for_selector(".door")
    assert page.locator("#status").is_hidden()


def test_a_run_that_cannot_be_used_says_why(page: Any, address: str) -> None:
    """In the server's words, as text."""
    failed = {
        "striate": "0",
        "run": "<b>x</b>",
        "state": "failed",
        "reason": "model.json is <i>altered</i>.",
        "limits": {},
    }
    page.route(
        "**/model", lambda route: route.fulfill(body=json.dumps(failed), content_type="application/json")
    )
    page.goto(address)
    page.wait_for_selector(".empty")
    assert "model.json is <i>altered</i>." in page.locator(".empty").inner_text()
    assert page.locator("#run").inner_text() == "<b>x</b>"


@pytest.mark.parametrize("size", [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_on_any_tab_and_none_is_too_wide(
    browser: Any, address: str, size: tuple[int, str]
) -> None:
    """Every view as it opens, on a desk in the light and on a phone in the dark; down to 360 pixels."""
    width, theme = size
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=theme)
    page = context.new_page()
    for name in ("try", "inside", "kernels", "training"):
        page.goto(f"{address}/#tab={name}")
        page.wait_for_selector(f".view-{name} > *")
        page.wait_for_load_state("networkidle")
        found = Axe().run(page).response["violations"]
        serious = [one["id"] for one in found if one["impact"] in ("serious", "critical")]
        assert (name, serious) == (name, [])
        if width < 400:
            page.set_viewport_size({"width": 360, "height": 640})
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
    context.close()


def test_without_a_run_kernels_opens(page: Any) -> None:
    """And Try says with which command there would be one."""
    with live() as empty:
        page.goto(empty)
        page.wait_for_selector("#tab-kernels[aria-selected=true]")
        assert page.locator("#run").inner_text() == "no run"
        page.get_by_role("tab", name="Try").click()
        assert "striate serve RUN" in page.locator(".empty").inner_text()

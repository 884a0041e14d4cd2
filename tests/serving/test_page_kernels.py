"""Kernels in a browser: what is seen is what numpy computes; keys, address, and nothing from elsewhere."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from kernels_page import CAMERA, Kernels
from PIL import Image
from scipy.signal import correlate2d
from serving_kit import chromium, live

import striate


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[str, Any]]:
    """A service without a run, and a browser with a camera that is not there."""
    with live() as address, chromium(*CAMERA) as browser:
        yield address, browser


def grey_roof() -> np.ndarray:
    """The example as the page has it in grey: the working copy's luma, rounded."""
    copy = striate.working_copy(striate.example_picture("roof")).pixels
    return np.rint(copy @ np.array([0.299, 0.587, 0.114]))


def test_a_typed_kernel_filters_and_its_arithmetic_is_numpys(place: tuple[str, Any]) -> None:
    """The result's range, size and colours, and the window, products and sum of a hovered pixel."""
    weights = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    expected = correlate2d(grey_roof(), weights, mode="valid").astype(int)
    with Kernels(place) as view:
        view.page.fill("#kernel-text", "1 0 -1; 2 0 -2; 1 0 -1")
        view.page.keyboard.press("Enter")
        words = f"{expected.shape[0]} × {expected.shape[1]} · {expected.min()} .. {expected.max()}".replace(
            "-", "−"
        )
        view.page.get_by_text(words).wait_for()
        limit = np.percentile(np.abs(expected), 99)
        from striate.drawing.scales import diverging

        assert np.abs(view.pixels(1).astype(int) - diverging(expected, limit)).max() <= 2
        view.hover(0, 60, 80)
        view.worked(59, 79)
        window = grey_roof()[59:62, 79:82]
        assert np.array_equal(view.table("window"), window)
        assert np.array_equal(view.table("kernel"), weights)
        assert np.array_equal(view.table("products"), window * weights)
        total = f"{expected[59, 79]}".replace("-", "−")
        assert view.page.locator(".board output").inner_text() == total
        assert view.page.locator(".board .sum").inner_text().endswith(f"= {total}")
        view.hover(1, 10, 20)
        view.worked(10, 20)
        assert float(view.page.locator(".board output").inner_text().replace("−", "-")) == expected[10, 20]


def test_the_grid_edits_one_weight(place: tuple[str, Any]) -> None:
    """The text, the sum and the result follow."""
    with Kernels(place, "&kernel=identity&channels=red") as view:
        view.page.get_by_label("row 0, column 2").fill("1/2")
        view.page.keyboard.press("Enter")
        view.page.get_by_text("its weights sum to 1.5").wait_for()
        assert view.page.input_value("#kernel-text") == "0 0 1/2; 0 1 0; 0 0 0"
        assert view.page.input_value("#kernel-name") == ""
        view.page.select_option("#kernel-size", "1 × 3")
        view.page.get_by_text("1 × 3, its weights sum to 1.").wait_for()
        assert view.page.input_value("#kernel-text") == "0 1 0"


def test_stride_padding_and_border(place: tuple[str, Any]) -> None:
    """The size by its formula, and a corner's window with what lies beyond in brackets."""
    with Kernels(place, "&kernel=sobel_x") as view:
        view.page.fill("#kernels-stride", "3")
        view.page.keyboard.press("Enter")
        view.page.select_option("#kernels-padding", "pixels")
        view.page.get_by_label("Pixels of padding").fill("2")
        view.page.keyboard.press("Enter")
        view.page.get_by_text("height ⌊(171 + 2 + 2 − 3) / 3⌋ + 1 = 58").wait_for()
        assert "width ⌊(256 + 2 + 2 − 3) / 3⌋ + 1 = 86" in view.caption(1)
        view.hover(1, 0, 0)
        view.page.locator(".board td.outside").nth(7).wait_for()
        assert view.page.locator(".board td.outside").count() == 8
        view.page.select_option("#kernels-border", "edge")
        expected = np.pad(grey_roof(), 2, mode="edge")[:3, :3]
        view.until(f"document.querySelector('.board td.outside').textContent === '({expected[0, 0]:.0f})'")
        assert np.array_equal(view.table("window"), expected)


def test_pooling(place: tuple[str, Any]) -> None:
    """Max pooling takes the brightest pixel, which is framed."""
    with Kernels(place, "&operation=max&window=4&spot=5,6") as view:
        view.page.locator(".board td.chosen").wait_for()
        window = grey_roof()[20:24, 24:28]
        assert np.array_equal(view.table("window"), window)
        assert float(view.page.locator(".board td.chosen").inner_text()) == window.max()
        assert "height ⌊(171 − 4) / 4⌋ + 1 = 42" in view.caption(1)
        assert view.page.locator(".kernel").is_hidden()


def test_keys_alone(place: tuple[str, Any]) -> None:
    """Tab to the picture, arrows move the window and say the value, Escape leaves it."""
    with Kernels(place, "&example=tiny&kernel=smooth") as view:
        view.page.locator("figure.pane .stage[tabindex='0']").nth(1).focus()
        view.page.keyboard.press("ArrowRight")
        view.worked(7, 7)
        view.page.keyboard.press("ArrowDown")
        view.worked(8, 7)
        view.until("document.getElementById('announcer').textContent.startsWith('row 8, column 7: ')")
        view.page.keyboard.press("Shift+ArrowUp")
        view.worked(0, 7)
        view.until("location.hash.includes('spot=0%2C7') || location.hash.includes('spot=0,7')")
        view.page.keyboard.press("Escape")
        view.page.get_by_text("One cell, worked").wait_for()


def test_the_address_brings_everything_back(place: tuple[str, Any]) -> None:
    """Example, kernel, stride, padding, channels and the worked cell."""
    state = "&example=card&kernel=0+1;+-1+0&stride=2&padding=1&channels=each&indexing=convolution&spot=7,9"
    with Kernels(place, state) as view:
        view.worked(7, 9)
        assert view.page.input_value("#kernels-example") == "card"
        assert view.page.input_value("#kernels-stride") == "2"
        assert view.page.input_value("#kernel-text") == "0 1; -1 0"
        expected = striate.convolve(
            striate.example_picture("card"),
            np.array([[0, 1], [-1, 0]]),
            stride=2,
            padding=1,
            indexing="convolution",
        )
        assert float(view.page.locator(".board output").inner_text().replace("−", "-")) == expected[7, 9, 0]
        view.page.get_by_text("kernel, flipped").wait_for()
        before = view.page.url
        view.page.select_option("#kernel-name", "blur")
        view.until("location.hash.includes('kernel=blur')")
        view.page.go_back()
        view.worked(7, 9)
        view.until("document.getElementById('kernel-text').value === '0 1; -1 0'")
        assert view.page.url == before


def test_a_wrong_kernel_is_refused_beside_it(place: tuple[str, Any]) -> None:
    """In the words of the package; the last result stays, and a right kernel mends it."""
    with Kernels(place) as view:
        view.page.fill("#kernel-text", "1 2; 3")
        view.page.keyboard.press("Enter")
        view.page.locator("#kernel-said", has_text="the rows of a kernel must be equally long").wait_for()
        assert view.page.get_attribute("#kernel-text", "aria-invalid") == "true"
        assert view.page.locator("figure.pane.stale").count() == 1
        view.page.fill("#kernel-text", "2")
        view.page.keyboard.press("Enter")
        view.page.get_by_text("1 × 1, its weights sum to 2.").wait_for()
        view.until("!document.querySelector('figure.pane.stale')")


def test_the_result_is_saved_as_it_is_seen(place: tuple[str, Any]) -> None:
    """A PNG, one pixel a cell."""
    with Kernels(place, "&kernel=blur&channels=each") as view:
        with view.page.expect_download() as downloaded:
            view.page.get_by_role("button", name="Save as PNG").click()
        saved = np.asarray(Image.open(downloaded.value.path()).convert("RGB"))
        assert np.array_equal(saved, view.pixels(1))


def test_axe_finds_nothing_and_nothing_scrolls_sideways(place: tuple[str, Any]) -> None:
    """With a worked cell of three channels, the widest thing there is: on a desktop, in the dark, on a phone."""
    with Kernels(place, "&channels=each&kernel=gaussian:1&spot=3,3") as view:
        view.worked(3, 3)
        view.usable()


def test_places(place: tuple[str, Any]) -> None:
    """From a pixel to a cell and back, as `striate.work_step` has it, and the part shown close up."""
    with Kernels(place) as view:
        slide = {"stride": 2, "before": 1, "reach": 3, "cells": 5}
        boxes = view.page.evaluate(
            "async axis => { const m = await import('./views/kernels_place.js');"
            " return [m.boxOf([axis, axis], [0, 4]), m.cellOf([axis, axis], 0, 99), m.cellOf([axis, axis], 4, 4)]; }",
            slide,
        )
        assert boxes == [{"top": -1, "left": 7, "rows": 3, "columns": 3}, [0, 4], [2, 2]]
        parts = view.page.evaluate(
            "async () => { const m = await import('./draw/matrix.js');"
            " const box = (top, left) => ({ top, left, rows: 3, columns: 3 });"
            " return [[50, 50, 100, 100], [-2, 99, 100, 100], [0, 0, 4, 5]].map(([top, left, height, width]) =>"
            "  m.partAround(box(top, left), 9, height, width)); }"
        )
        assert parts == [
            {"top": 47, "left": 47, "rows": 9, "columns": 9},
            {"top": -2, "left": 93, "rows": 9, "columns": 9},
            {"top": 0, "left": 0, "rows": 4, "columns": 5},
        ]

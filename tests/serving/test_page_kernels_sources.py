"""Where the picture comes from: a file, a drop, a paste, the camera."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kernels_page import CAMERA, Kernels
from PIL import Image
from serving_kit import chromium, live

import striate


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[str, Any]]:
    """A service without a run, and a browser with a camera that is not there."""
    with live() as address, chromium(*CAMERA) as browser:
        yield address, browser


def test_a_file_of_ones_own(place: tuple[str, Any], tmp_path: Path) -> None:
    """Sixteen bits that the browser itself would show wrongly; a file that is no picture is refused, the last stays."""
    values = np.random.default_rng(3).integers(500, 60_000, (40, 50), dtype=np.uint16)
    content = io.BytesIO()
    Image.fromarray(values).save(content, format="TIFF")
    with Kernels(place, "&kernel=identity") as view:
        view.page.set_input_files(
            "#kernels-file", {"name": "scan.tif", "mimeType": "image/tiff", "buffer": content.getvalue()}
        )
        view.page.get_by_text("40 × 50 × 1, uint16; in 8 bits: ").wait_for()
        copy = striate.working_copy(values[:, :, None]).pixels
        assert np.array_equal(view.pixels(0)[:, :, 0], copy[:, :, 0])
        view.page.set_input_files(
            "#kernels-file", {"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"}
        )
        view.page.get_by_role("alert").get_by_text("The picture cannot be read").wait_for()
        assert np.array_equal(view.pixels(0)[:, :, 0], copy[:, :, 0])


def test_a_dropped_and_a_pasted_picture(place: tuple[str, Any]) -> None:
    """Each takes the place of the one before, and the view that is opened next has it too."""
    given = """([kind, bytes]) => {
        const files = new DataTransfer();
        files.items.add(new File([new Uint8Array(bytes)], 'a.png', { type: 'image/png' }));
        const event = kind === 'drop'
            ? new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true })
            : new ClipboardEvent('paste', { clipboardData: files, bubbles: true });
        document.querySelector('.view-kernels').dispatchEvent(event);
    }"""
    with Kernels(place) as view:
        for kind, (rows, columns) in (("drop", (7, 9)), ("paste", (11, 13))):
            content = io.BytesIO()
            Image.new("L", (columns, rows), 90).save(content, "PNG")
            view.page.evaluate(given, [kind, list(content.getvalue())])
            view.page.get_by_text(f"{rows} × {columns} × 1, uint8").wait_for()
        view.page.get_by_role("tab", name="Training").click()
        view.page.get_by_role("tab", name="Kernels").click()
        view.page.get_by_text("11 × 13 × 1, uint8").wait_for()
        view.page.select_option("#kernels-example", "tiny")
        view.page.get_by_text("16 × 16 × 1, uint8").wait_for()


def test_the_camera_is_filtered_frame_by_frame_and_ends_with_the_view(place: tuple[str, Any]) -> None:
    """Chromium's own test picture; held, it can be pointed at; leaving the tab stops it."""
    with Kernels(place, "&kernel=outline", permissions=["camera"]) as view:
        view.page.evaluate(
            """() => {
                const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
                window.streams = [];
                navigator.mediaDevices.getUserMedia = async (...given) => {
                    streams.push(await ask(...given));
                    return streams.at(-1);
                };
            }"""
        )
        view.page.get_by_role("button", name="Camera").click()
        view.page.get_by_text(re.compile(r"\d+ frames a second")).wait_for(timeout=20_000)
        assert sum("kernels/filter" in url for url in view.asked) > 3
        view.page.get_by_role("button", name="Hold the picture").click()
        view.until("streams.every(s => s.getTracks().every(t => t.readyState === 'ended'))")
        view.hover(1, 5, 5)
        view.worked(5, 5)
        view.page.get_by_role("button", name="Camera").click()
        view.until("streams.length === 2 && streams[1].active")
        view.page.get_by_role("tab", name="Training").click()
        view.until("!streams[1].active")


def test_no_camera_is_said(place: tuple[str, Any]) -> None:
    """Refused by the reader, or not given to this page."""
    with Kernels(place) as view:
        view.page.evaluate(
            "() => { navigator.mediaDevices.getUserMedia ="
            " async () => { throw new DOMException('', 'NotAllowedError'); }; }"
        )
        view.page.get_by_role("button", name="Camera").click()
        view.page.get_by_text("The camera was not allowed").wait_for()

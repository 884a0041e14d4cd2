"""`preview` against Pillow's own reading of the PNG, for every depth and count of channels."""

import io

import numpy as np
import pytest
from PIL import Image

from striate.pixels.picture import LookUpTable, Window
from striate.pixels.preview import preview


def shown(png: bytes) -> np.ndarray:
    """The pixels of a PNG as Pillow reads them."""
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.mark.parametrize("channels", [1, 3])
def test_eight_bits_are_left_alone(channels: int) -> None:
    """Every pixel as it is, and said so."""
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    found = preview(pixels)
    assert np.array_equal(shown(found.png), pixels[..., 0] if channels == 1 else pixels)
    assert (found.height, found.width, found.words) == (5, 7, "0 is black, 255 white")


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.array([[[-1000], [24], [1048]]], np.int16), "-1,000 is black, 1,048 white"),
        (np.array([[[0.25], [np.nan], [0.75]]], np.float32), "0.25 is black, 0.75 white"),
        (np.array([[[7], [7], [7]]], np.uint16), "every value is 7"),
        (np.full((1, 3, 1), np.nan, np.float32), "no value is finite"),
    ],
)
def test_other_depths_are_stretched_and_it_is_said(pixels: np.ndarray, words: str) -> None:
    """Lowest black, highest white."""
    found = preview(pixels)
    assert found.words == words
    values = shown(found.png)
    if "black" in words:
        assert values.ravel()[[0, 2]].tolist() == [0, 255]
    else:
        assert not values.any()


def test_a_window_of_the_file_is_used() -> None:
    """Below it black, above it white, whatever else the picture holds."""
    pixels = np.array([[[-3000], [-100], [0], [100], [3000]]], np.int16)
    found = preview(pixels, window=Window(0.0, 100.0))
    assert shown(found.png).ravel().tolist()[:2] == [0, 0]
    assert shown(found.png).ravel().tolist()[3:] == [255, 255]
    assert found.words == "through the file's own window 0/100"
    table = LookUpTable(first=0, entries=(0, 65535), full=65535)
    assert preview(pixels, window=table).words == "through the file's own window"


@pytest.mark.parametrize(
    ("channels", "kept", "words"), [(2, 1, "1 of 2"), (4, 3, "3 of 4"), (7, 3, "3 of 7")]
)
def test_other_numbers_of_channels(channels: int, kept: int, words: str) -> None:
    """The first one or three are shown, and it is said."""
    found = preview(np.zeros((4, 4, channels), np.uint8))
    assert found.words.endswith(f", {words} channels")
    assert shown(found.png).ndim == (2 if kept == 1 else 3)


def test_it_is_made_smaller_never_larger() -> None:
    """The longer side is kept to the limit."""
    large = preview(np.zeros((300, 100, 1), np.uint8), largest=60)
    assert (large.height, large.width) == (60, 20)
    assert preview(np.zeros((3, 2, 1), np.uint8), largest=60).height == 3

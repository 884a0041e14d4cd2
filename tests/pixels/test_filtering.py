"""Gradients, channels, sampling, levels and storage against scipy and hand-written values."""

import re
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from striate.errors import UsageError
from striate.pixels import filtering as f
from striate.pixels.preparation import LUMA


def bumpy(seed: int = 0) -> np.ndarray:
    """A smooth surface whose gradient points everywhere."""
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(60, 70)), 3) * 1000


def test_magnitude_and_direction_are_scipys() -> None:
    image = bumpy()
    right, down = (ndimage.sobel(image, axis=axis, mode="nearest") for axis in (1, 0))
    assert np.allclose(f.gradient_magnitude(image), np.hypot(right, down))
    assert np.allclose(f.gradient_direction(image), np.degrees(np.arctan2(down, right)) % 360)
    prewitt = [ndimage.prewitt(image, axis=axis, mode="nearest") for axis in (1, 0)]
    assert np.allclose(f.gradient_magnitude(image, "prewitt"), np.hypot(*prewitt))


@pytest.mark.parametrize("method", f.PAIRS)
def test_every_method_finds_the_same_direction_on_a_slope(method: str) -> None:
    down, right = np.mgrid[0:9, 0:9]
    for angle in range(0, 360, 15):
        slope = np.cos(np.radians(angle)) * right + np.sin(np.radians(angle)) * down
        made = f.gradient_direction(slope, method, padding="valid")
        assert np.allclose((made - angle + 180) % 360, 180, atol=1e-6), (method, angle)
        assert made.min() >= 0
        assert made.max() < 360
        steep = f.gradient_magnitude(slope, method, padding="valid")
        assert np.allclose(steep, steep[0, 0])


def test_roberts_is_the_root_of_both_diagonals() -> None:
    image = bumpy(1)
    one, two = image[:-1, 1:] - image[1:, :-1], image[:-1, :-1] - image[1:, 1:]
    assert np.allclose(f.gradient_magnitude(image, "roberts", padding="valid"), np.hypot(one, two))


def test_channels_stay_alone_and_come_back() -> None:
    image = np.random.default_rng(0).integers(0, 65535, (5, 6, 3), dtype=np.uint16)
    assert np.array_equal(f.merge_channels(*f.split_channels(image)), image)
    apart = [f.gradient_magnitude(channel) for channel in f.split_channels(image)]
    assert np.array_equal(f.gradient_magnitude(image), np.dstack(apart))


def test_grey_by_stated_weights() -> None:
    image = np.random.default_rng(0).integers(0, 255, (5, 6, 3), dtype=np.uint8)
    assert np.allclose(f.to_grey(image), image @ LUMA)
    assert np.allclose(f.to_grey(image, "mean"), image.mean(axis=2))
    assert np.allclose(f.to_grey(image, "bt709"), image @ [0.2126, 0.7152, 0.0722])
    assert np.allclose(f.to_grey(image, (1, 0, 0)), image[:, :, 0])


@pytest.mark.parametrize("levels", [1, 2, 3, 4, 16, 255, 256])
def test_levels_are_counted_and_keep_their_order(levels: int) -> None:
    ramp = np.arange(256, dtype=np.uint8)
    made = f.quantise(ramp, levels)
    assert len(np.unique(made)) == levels
    assert (np.diff(made.astype(int)) >= 0).all()
    assert np.abs(made.astype(int) - ramp).max() <= 128 / levels + 1
    assert np.array_equal(f.quantise(ramp, 256), ramp)
    assert np.array_equal(f.quantise(np.arange(65536, dtype=np.uint16), 65536), np.arange(65536))


def test_levels_of_floats() -> None:
    assert f.quantise(np.array([0.0, 0.3, 0.6, 1.0, 7.0], np.float32), 4).tolist() == [
        0.125,
        0.375,
        0.625,
        0.875,
        0.875,
    ]


def test_storage_of_the_pictures_of_the_courses() -> None:
    assert [f.storage_bytes(*shape) for shape in ((28, 28), (28, 28, 3), (400, 400, 3), (1000, 1000, 3))] == [
        784,
        2352,
        480_000,
        3_000_000,
    ]
    assert f.storage_bytes(3, 3, 1, bits=1) == 2
    assert f.storage_bytes(512, 512, 1, bits=12) == 393_216


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: f.gradient_magnitude(np.ones((3, 3)), "sobl"),
            "there is no gradient 'sobl'; did you mean sobel?",
        ),
        (lambda: f.merge_channels(np.ones((2, 3)), np.ones((3, 2))), "one size; got (2, 3) and (3, 2)."),
        (lambda: f.to_grey(np.ones((2, 2, 3)), "bt7O9"), "there are no weights 'bt7O9'; did you mean bt709?"),
        (
            lambda: f.to_grey(np.ones((2, 2, 3)), (1, 1, 1)),
            "weights must be 3 numbers that sum to 1; got [1.0, 1.0, 1.0].",
        ),
        (lambda: f.sample(np.ones((2, 2)), 0), "step must be at least 1; got 0."),
        (lambda: f.quantise(np.ones((2, 2)), 0), "levels must be at least 1; got 0."),
        (lambda: f.storage_bytes(0, 5), "a picture of 0 × 5 × 1 at 8 bits cannot be"),
        (lambda: f.one_hot([0, 3], 3), "whole numbers from 0 to 2, one an image; got [0, 3]."),
        (
            lambda: f.stack_images([np.ones((2, 2, 1)), np.ones((2, 3, 1))]),
            "number 0 is (2, 2, 1) float64 and number 1 is (2, 3, 1) float64.",
        ),
    ],
)
def test_what_cannot_be_is_said(call: Any, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        call()

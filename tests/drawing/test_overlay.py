"""Overlays: against a plain blend by hand, for every depth, with what the network did not see left alone."""

import numpy as np
import pytest

from striate.drawing.overlay import enlarged, overlay, scale_svg, to_grey
from striate.drawing.scales import diverging, sequential


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("signed", [False, True])
def test_each_pixel_is_the_blend_of_grey_and_colour(alpha: float, signed: bool) -> None:
    generator = np.random.default_rng(0)
    picture = generator.integers(0, 256, (5, 7, 1), dtype=np.uint8)
    values = generator.normal(size=(5, 7)) if signed else generator.random((5, 7))
    drawn = overlay(picture, values, signed=signed, alpha=alpha)
    colours = diverging(values) if signed else sequential(values)
    for row in range(5):
        for column in range(7):
            for channel in range(3):
                grey, colour = float(picture[row, column, 0]), float(colours[row, column, channel])
                blend = (1 - alpha) * grey + alpha * colour
                assert abs(drawn[row, column, channel] - blend) <= 0.5 + 1e-9


def test_outside_the_box_the_picture_stays() -> None:
    picture = np.full((6, 6, 1), 90, np.uint8)
    drawn = overlay(picture, np.ones((6, 6)), signed=False, alpha=1.0, box=(1, 2, 3, 4))
    seen = np.zeros((6, 6), bool)
    seen[1:4, 2:6] = True
    assert (drawn[~seen] == 90).all()
    assert (drawn[seen] == [253, 231, 37]).all()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_depth_is_shown_in_grey(dtype: str, channels: int) -> None:
    ramp = np.linspace(0, 255 if dtype == "uint8" else 1000, 12).astype(dtype)
    grey = to_grey(np.repeat(ramp.reshape(3, 4, 1), channels, axis=2))
    assert grey.dtype == np.uint8
    assert (grey.min(), grey.max()) == (0, 255)
    assert (np.diff(grey.ravel().astype(int)) >= 0).all()


def test_a_map_without_values_is_one_colour() -> None:
    flat = overlay(np.zeros((2, 2, 1), np.uint8), np.zeros((2, 2)), signed=False, alpha=1.0)
    assert (flat == [68, 1, 84]).all()
    neutral = overlay(np.zeros((2, 2, 1), np.uint8), np.zeros((2, 2)), signed=True, alpha=1.0)
    assert (neutral == 247).all()


def test_small_pictures_grow_by_whole_pixels() -> None:
    small = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    large = enlarged(small, smallest=5)
    assert large.shape == (6, 6, 3)
    assert np.array_equal(large[::3, ::3], small)


def test_the_legend_has_a_bar_a_colour() -> None:
    assert scale_svg(signed=False).count("<rect") == 17
    assert scale_svg(signed=True).count("<rect") == 11

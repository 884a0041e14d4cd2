"""Resizing is checked against Pillow's reducing BILINEAR, luma against Pillow's conversion to grey."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from striate.errors import ImageError
from striate.pixels import Preparation
from striate.pixels.picture import LookUpTable, Window
from striate.pixels.preparation import resampling_matrix, resize
from striate.pixels.windowing import apply_window

RNG = np.random.default_rng(0)
sides = st.integers(1, 40)


def preparation(height=8, width=8, channels=1, depth="uint8", **fields) -> Preparation:
    return Preparation.model_validate(
        {"height": height, "width": width, "channels": channels, "depth": depth, **fields}
    )


@settings(deadline=None, max_examples=60)
@given(sides, sides, sides, sides, st.sampled_from([1, 3]), st.integers(0, 2**32 - 1))
def test_resize_agrees_with_pillow_within_one_grey_level(height, width, to_height, to_width, channels, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    ours = resize(image, to_height, to_width)
    for channel in range(channels):
        pillow = Image.fromarray(image[..., channel]).resize((to_width, to_height), Image.Resampling.BILINEAR)
        assert np.abs(ours[..., channel].astype(int) - np.asarray(pillow).astype(int)).max() <= 1


@pytest.mark.parametrize(("dtype", "mode"), [(np.float32, "F")])
def test_resize_of_floats_agrees_with_pillow(dtype, mode):
    image = RNG.normal(size=(120, 90)).astype(dtype)
    pillow = Image.fromarray(image).resize((31, 17), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(resize(image[..., None], 17, 31)[..., 0], np.asarray(pillow), atol=1e-5)


@settings(deadline=None)
@given(sides, sides)
def test_every_output_pixel_is_an_average(size_in, size_out):
    matrix = resampling_matrix(size_in, size_out)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    assert (matrix >= 0).all()
    np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-12)


def test_halves_round_to_even():
    assert resize(np.array([[[0], [1]]], np.uint8), 1, 1).item() == 0
    assert resize(np.array([[[1], [2]]], np.uint8), 1, 1).item() == 2


@pytest.mark.parametrize("depth", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_at_its_size_is_untouched(depth, channels):
    image = (RNG.random((8, 8, channels)) * 200).astype(depth)
    np.testing.assert_array_equal(preparation(channels=channels, depth=depth).pixels(image), image)


def test_padding_keeps_the_aspect_and_repeats_the_border():
    image = np.zeros((4, 8, 1), np.uint8)
    image[0], image[3] = 50, 90
    pixels = preparation().pixels(image)[..., 0]
    assert (pixels[:3] == 50).all()
    assert (pixels[5:] == 90).all()
    assert preparation(fit="stretch").pixels(image).shape == (8, 8, 1)


@settings(deadline=None)
@given(sides, sides, sides, sides, st.sampled_from(["pad", "stretch"]), st.sampled_from([1, 3]))
def test_any_picture_fits(height, width, to_height, to_width, fit, channels):
    image = np.full((height, width, 4 - channels), 77, np.uint8)
    pixels = preparation(to_height, to_width, channels, fit=fit).pixels(image)
    assert pixels.shape == (to_height, to_width, channels)
    assert (pixels == 77).all()


def test_colour_becomes_grey_as_in_pillow():
    image = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    pillow = np.asarray(Image.fromarray(image).convert("L")).astype(int)
    assert np.abs(preparation().pixels(image)[..., 0].astype(int) - pillow).max() <= 1


def test_grey_becomes_colour_by_copying():
    image = RNG.integers(0, 256, (8, 8, 1), dtype=np.uint8)
    assert (preparation(channels=3).pixels(image) == image).all()


def test_depths():
    image = np.array([0, 1, 255], np.uint8).reshape(1, 3, 1)
    assert preparation(1, 3, depth="uint16").pixels(image).ravel().tolist() == [0, 257, 65535]
    assert preparation(1, 3, depth="float32").pixels(image).ravel().tolist() == pytest.approx([0, 1 / 255, 1])
    deep = np.array([0, 257, 65535], np.uint16).reshape(1, 3, 1)
    assert preparation(1, 3).pixels(deep).ravel().tolist() == [0, 1, 255]


@pytest.mark.parametrize(
    ("mean", "std", "refused"), [(0.4, 0.2, False), (118.0, 60.0, True), (0.0, 1.0, True), (-0.1, 0.3, True)]
)
def test_grey_levels_do_not_meet_floats_of_another_scale(mean, std, refused):
    trained = preparation(depth="float32").with_statistics((mean,), (std,))
    image = np.full((8, 8, 1), 255, np.uint8)
    if refused:
        with pytest.raises(ImageError, match="floating-point of another scale"):
            trained.pixels(image)
    else:
        assert trained.pixels(image).max() == 1.0
    assert trained.pixels(image.astype(np.float32)).max() == 255.0


def test_floats_have_no_place_in_whole_numbers_and_must_be_finite():
    image = np.zeros((8, 8, 1), np.float32)
    with pytest.raises(ImageError, match="floating-point and have no place in uint8"):
        preparation().pixels(image)
    image[0, 0] = np.nan
    with pytest.raises(ImageError, match="not finite"):
        preparation(depth="float32").pixels(image)


def test_affine_is_the_usual_normalisation():
    learned = preparation(channels=3).with_statistics((0.5, 0.4, 0.3), (0.2, 0.25, 0.1))
    scale, offset = learned.affine()
    image = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    expected = (image / 255 - np.array(learned.mean)) / np.array(learned.std)
    np.testing.assert_allclose(image * scale + offset, expected, atol=1e-5)


def test_the_geometry_knows_neither_patch_nor_statistics():
    plain = preparation()
    assert plain.geometry() == preparation(patch=(6, 6), mean=(0.1,), std=(1.0,)).geometry()
    assert plain.geometry() != preparation(fit="stretch").geometry()
    assert preparation(patch=(6, 5)).input_shape() == (1, 6, 5)


def test_it_survives_json():
    given = preparation(patch=(6, 6), mean=(0.1307,), std=(0.3081,))
    assert Preparation.model_validate_json(given.model_dump_json()) == given


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"patch": (9, 8)}, "does not fit"),
        ({"mean": (0.1,)}, "mean and std need 1 values"),
        ({"mean": (0.1,), "std": (0.0,)}, "above zero"),
        ({"mean": (float("nan"),), "std": (1.0,)}, "finite"),
        ({"channels": 2}, "1 or 3"),
        ({"hieght": 3}, "Extra inputs"),
        ({"window": "lung"}, "a window makes pixels of depth uint16, not uint8; set depth=uint16"),
        ({"window": "lnug", "depth": "uint16"}, r"did you mean lung\? Allowed"),
    ],
)
def test_fields_that_do_not_agree(fields, words):
    with pytest.raises(ValidationError, match=words):
        preparation(**fields)


UNITS = np.array([-1350, -600, 0, 150], np.int16).reshape(1, 4, 1)


def test_measured_units_stay_what_they_are():
    np.testing.assert_array_equal(preparation(1, 4, depth="int16").pixels(UNITS), UNITS)
    as_floats = preparation(1, 4, depth="float32").pixels(UNITS)
    assert (as_floats.dtype, as_floats.tolist()) == (np.float32, UNITS.astype(np.float32).tolist())
    assert preparation(1, 2, depth="int16").pixels(UNITS).min() < -800
    learned = preparation(depth="int16").with_statistics((-500 / 32767,), (200 / 32767,))
    scale, offset = learned.affine()
    np.testing.assert_allclose(UNITS * scale + offset, (UNITS + 500.0) / 200, rtol=1e-5)


@pytest.mark.parametrize("depth", ["uint8", "uint16"])
def test_measured_units_and_levels_do_not_mix(depth):
    with pytest.raises(ImageError, match=f"measured units and have no place in {depth}.*--set window=file"):
        preparation(depth=depth).pixels(UNITS)
    with pytest.raises(
        ImageError, match=rf"{depth} levels and have no place in measured units.*window=-600/1500"
    ):
        preparation(depth="int16").pixels(np.zeros((4, 4, 1), depth))


def test_a_window_of_one_s_own():
    lung = preparation(1, 4, depth="uint16", window="lung")
    assert lung == preparation(1, 4, depth="uint16", window=" -600/1500")
    assert lung.window == "-600/1500"
    own = Window(-600.0, 1500.0)
    for image in (UNITS, UNITS.astype(np.float32)):
        # Every file gets this window, whatever its own is.
        np.testing.assert_array_equal(lung.pixels(image, Window(3.0, 4.0)), apply_window(UNITS, own))


def test_the_window_of_each_file():
    shown = preparation(1, 4, depth="uint16", window="file")
    for own in (Window(-100.0, 700.0, "sigmoid"), LookUpTable(-600, (0, 7, 9), 9)):
        np.testing.assert_array_equal(shown.pixels(UNITS, own), apply_window(UNITS, own))
    assert shown.pixels(np.full((1, 4, 1), 3, np.uint8)).ravel().tolist() == [771] * 4
    assert shown.pixels(np.full((1, 4, 1), 3, np.uint16)).ravel().tolist() == [3] * 4
    np.testing.assert_array_equal(shown.pixels(UNITS), UNITS.astype(int) + 32768)
    with pytest.raises(ImageError, match="floating-point and have no place in uint16"):
        shown.pixels(UNITS.astype(np.float32))
    with pytest.raises(ImageError, match="not finite"):
        shown.pixels(np.full((1, 4, 1), np.nan, np.float32), Window(0.0, 2.0))


def test_without_a_window_the_file_s_own_is_left_alone():
    np.testing.assert_array_equal(preparation(1, 4, depth="int16").pixels(UNITS, Window(0.0, 9.0)), UNITS)


def test_colour_is_never_windowed():
    image = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    shown = preparation(channels=3, depth="uint16", window="0/10").pixels(image, Window(0.0, 3.0))
    np.testing.assert_array_equal(shown, image.astype(np.uint16) * 257)


def test_new_fields_key_a_pack_only_where_they_are_used():
    assert set(preparation().geometry()) == {"height", "width", "channels", "depth", "fit"}
    assert preparation(depth="uint16", window="lung").geometry()["window"] == "-600/1500"
    assert preparation(draft=True).geometry()["draft"] is True
    assert preparation(draft=True).draft_size() == (8, 8)
    assert preparation().draft_size() is None
    old = preparation().model_dump(exclude={"window", "draft"})
    assert Preparation(**old) == preparation()

"""Pictures at hand, working copies, and how the result of a filter is coloured."""

import numpy as np
import pytest
from PIL import Image

import striate
from striate.pixels import examples


@pytest.mark.parametrize("name", striate.EXAMPLE_PICTURES)
def test_each_example_is_a_picture_of_8_bits(name: str) -> None:
    """Each is there, and uses what 8 bits have."""
    picture = striate.example_picture(name)
    assert picture.dtype == np.uint8
    assert picture.shape[2] in (1, 3)
    assert picture.max() - picture.min() > 180


def test_the_photograph_is_that_of_scikit_learn() -> None:
    """The roof is the part of china.jpg that the documentation shows, pixel by pixel."""
    from sklearn.datasets import load_sample_image

    theirs = load_sample_image("china.jpg")[20:220, 70:370].astype(int)
    assert np.abs(striate.example_picture("roof").astype(int) - theirs).max() <= 3  # two JPEG decoders


def test_an_unknown_example_is_refused_with_the_nearest_name() -> None:
    """The words of the refusal."""
    with pytest.raises(striate.UsageError, match="did you mean roof"):
        striate.example_picture("rooof")


def test_a_missing_photograph_is_said() -> None:
    """Another scikit-learn may come without it."""
    with pytest.raises(striate.ImageError, match="came without this photograph"):
        examples._photograph("nothing.jpg")


@pytest.mark.parametrize("shape", [(300, 600, 3), (600, 300, 1), (256, 256, 1), (257, 40, 3), (1, 2000, 1)])
def test_a_working_copy_keeps_the_proportions(shape: tuple[int, int, int]) -> None:
    """The longer side has 256 pixels at most, and the picture is Pillow's own reduction."""
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    copy = striate.working_copy(picture).pixels
    assert max(copy.shape[:2]) == min(256, max(shape[:2]))
    image = Image.fromarray(picture.squeeze(2) if shape[2] == 1 else picture)
    image.thumbnail((256, 256))
    assert np.array_equal(copy.squeeze(), np.asarray(image).squeeze())


def test_sixteen_bits_are_stretched_to_eight() -> None:
    """The smallest value becomes 0, the largest 255."""
    values = np.array([[[1000], [2000], [3000]]], np.uint16)
    assert striate.working_copy(values).pixels.ravel().tolist() == [0, 128, 255]


def test_a_window_of_the_file_is_looked_through() -> None:
    """Hounsfield units -160..240 become 0..255, whatever lies outside; linear_exact of DICOM PS3.3, C.11.2.1.3."""
    values = np.array([[[-2000], [-160], [-60], [40], [240], [3000]]], np.int16)
    copy = striate.working_copy(values, window=striate.Window(40.0, 400.0, "linear_exact"))
    assert copy.pixels.ravel().tolist() == pytest.approx([0, 0, 64, 128, 255, 255], abs=1)
    assert copy.words.startswith("through the file's own window")


@pytest.mark.parametrize(
    ("channels", "longest", "words"), [(2, 256, "2 channels"), (1, 4, "8 to 512"), (3, 513, "8 to 512")]
)
def test_what_cannot_be_shown_is_refused(channels: int, longest: int, words: str) -> None:
    """Pictures of two channels, and sizes beyond what is taken."""
    with pytest.raises(striate.StriateError, match=words):
        striate.working_copy(np.zeros((9, 9, channels), np.uint8), longest)


def test_signed_values_have_ends_as_far_on_either_side_of_zero() -> None:
    """The 99th percentile of the magnitudes, unless that is zero."""
    image = np.random.default_rng(1).integers(0, 256, (40, 50, 1), dtype=np.uint8)
    values = striate.convolve(image, striate.kernels.sobel_x)
    scale = striate.colour_scale(values, image, striate.kernels.sobel_x)
    assert scale == striate.ColourScale(True, -scale.high, np.percentile(np.abs(values), 99))
    lone = np.zeros((40, 50, 1), np.int64)
    lone[3, 4] = -7
    assert striate.colour_scale(lone, image, striate.kernels.sobel_x).high == 7


def test_a_picture_stays_between_what_black_and_white_become() -> None:
    """Pooling keeps the ends; a kernel multiplies them by its sum."""
    image = np.zeros((9, 9, 1), np.uint8)
    assert striate.colour_scale(image, image) == striate.ColourScale(False, 0.0, 255.0)
    doubled = striate.colour_scale(image, image, striate.kernels.parse("1 1"))
    assert doubled == striate.ColourScale(False, 0.0, 510.0)

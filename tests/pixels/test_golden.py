"""Every kind of picture gives exactly the pixels it holds: by hand, or by somebody else's writer or decoder."""

import numpy as np
import pytest
from golden import GOLDEN
from golden_kit import Golden

from striate.errors import ImageError
from striate.pixels.reading import count_images, decode_picture, describe_image


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_the_pixels_are_those_of_the_file(case: Golden):
    picture = decode_picture(case.data, case.image)
    assert picture.pixels.dtype == case.pixels.dtype
    np.testing.assert_array_equal(picture.pixels, case.pixels)
    assert (picture.description.mode, picture.description.bits) == (case.mode, case.bits)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_the_header_alone_says_the_same(case: Golden, tmp_path):
    picture = decode_picture(case.data, case.image)
    path = tmp_path / "picture"
    path.write_bytes(case.data)
    assert describe_image(case.data, case.image) == picture.description
    assert describe_image(path, case.image) == picture.description
    assert count_images(path) == picture.description.images
    said = picture.description
    assert (said.height, said.width, said.channels) == case.pixels.shape
    assert said.depth == str(case.pixels.dtype)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_a_file_cut_anywhere_is_refused(case: Golden):
    whole = case.data
    step = max(1, len(whole) // 40)
    cuts = {*range(0, len(whole), step), *range(max(0, len(whole) - 12), len(whole))}
    for cut in cuts:
        with pytest.raises(ImageError):
            decode_picture(whole[:cut], case.image)


def test_the_table_is_long_enough():
    names = [case.name for case in GOLDEN]
    assert len(names) == len(set(names)) >= 40

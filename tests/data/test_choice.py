"""Which preparation is chosen: sizes, channels, and which depths go together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.data import choose_preparation, pack_source
from striate.data.packing.choice import common_depth, widened
from striate.data.sources.pictures import PictureSource
from striate.errors import ImageError
from striate.pixels import Preparation
from striate.pixels.picture import Description, Picture, Window

DEPTHS = ["uint8", "uint16", "int16", "float32"]


class Arrays(PictureSource):
    """A source of arrays of any kinds and sizes, in memory; every file asks for the window 0 ± 50."""

    location, in_memory = "arrays", True

    def __init__(self, *arrays):
        self.arrays = arrays
        self.names = [str(number) for number in range(len(arrays))]
        self.stamps = np.zeros((len(arrays), 1), np.int64)
        self.notes = []
        self.drafts = []

    def load(self, name, draft=None):
        self.drafts.append(draft)
        array = self.arrays[int(name)]
        if array is None:
            raise ImageError("it is torn")
        window = Window(0.0, 100.0, "linear_exact")
        return Picture(array, Description(*array.shape, str(array.dtype), window=window))

    def describe(self, name):
        return self.load(name).description


def picture(dtype, value=7, channels=1):
    return np.full((4, 4, channels), value, dtype)


@pytest.mark.parametrize(
    ("depths", "chosen"),
    [
        (["uint8"], "uint8"),
        (["uint8", "uint16"], "uint16"),
        (["uint8", "float32", "uint16"], "float32"),
        (["int16"], "int16"),
        (["int16", "float32"], "float32"),
        (["int16", "int16", "uint8"], "int16"),
        (["int16", "uint8", "uint16"], "uint16"),
        (["int16", "uint8"], "uint8"),
    ],
)
def test_the_depth_that_suits_several(depths, chosen):
    assert common_depth(depths) == chosen
    assert common_depth(depths[::-1]) == chosen


@given(st.lists(st.sampled_from(DEPTHS), min_size=1), st.sampled_from(DEPTHS))
def test_widening_ends_and_changes_no_kind(met, depth):
    first = Preparation(height=4, width=4, channels=1, depth=depth)
    wide = widened(first, 1, set(met))
    assert widened(wide, 1, set(met)) == wide
    assert wide.depth in {depth, "float32"} or {wide.depth, depth} == {"uint8", "uint16"}
    assert (wide.depth == "float32") == ("float32" in {depth, *met})


def test_measured_values_among_grey_levels_the_majority_decides():
    measured = [picture(np.int16, -1000)] * 3
    preparation, pack = pack_source(Arrays(*measured, picture(np.uint8)))
    assert preparation.depth == "int16"
    assert (pack.pixels[:3] == -1000).all()
    assert list(pack.failures) == [3]
    assert "uint8 levels and have no place in measured units" in pack.failures[3]
    preparation, pack = pack_source(Arrays(*measured, *[picture(np.uint16)] * 3))
    assert preparation.depth == "uint16"
    assert sorted(pack.failures) == [0, 1, 2]
    assert "measured units" in pack.failures[0]


def test_a_window_brings_measured_values_and_grey_levels_together():
    source = Arrays(picture(np.int16, 0), picture(np.float32, 60), picture(np.uint8, 50))
    preparation, pack = pack_source(source, window="file")
    assert (preparation.depth, preparation.window) == ("uint16", "file")
    assert not pack.failures
    np.testing.assert_allclose(pack.pixels[:, 0, 0, 0], [32767.5, 65535, 65535], atol=1)
    assert choose_preparation(source, window="lung").window == "-600/1500"


def test_floating_point_pictures_met_while_decoding_widen_the_pack(monkeypatch):
    monkeypatch.setattr("striate.data.packing.choice.LOOKED_AT", 1)
    preparation, pack = pack_source(Arrays(picture(np.int16), picture(np.float32, 0.25)))
    assert preparation.depth == "float32"
    np.testing.assert_array_equal(pack.pixels[:, 0, 0, 0], [7, 0.25])


def test_a_picture_that_cannot_be_used_widens_nothing(monkeypatch):
    monkeypatch.setattr("striate.data.packing.choice.LOOKED_AT", 1)
    broken = picture(np.float32, np.nan, channels=3)
    preparation, pack = pack_source(Arrays(picture(np.uint8), broken))
    assert (preparation.depth, preparation.channels) == ("uint8", 1)
    assert list(pack.failures) == [1]


def test_the_draft_is_passed_on():
    source = Arrays(picture(np.uint8))
    pack_source(source, size=(3, 2))
    assert set(source.drafts) == {None}
    preparation, _ = pack_source(source, size=(3, 2), draft=True)
    assert preparation.draft
    assert source.drafts[-1] == (3, 2)

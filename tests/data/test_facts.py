"""Facts: what decoding tells for free, against numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from striate.data import open_source, pack_source
from striate.data.packing.facts import FACTS, LARGE, facts_of
from striate.pixels.picture import Description, Picture


def facts(pixels):
    said = Description(*pixels.shape, str(pixels.dtype), "PNG", "L", 12)
    return np.array(facts_of(Picture(pixels, said)), FACTS)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 3), (200, 301, 3)])
def test_against_numpy(dtype, shape):
    full = 255 if dtype == "uint8" else 32767
    pixels = (np.random.default_rng(0).normal(0.5, 0.1, shape).clip(0, 1) * full).astype(dtype)
    found, wide = facts(pixels), pixels.astype(np.float64)
    assert (found["height"], found["width"], found["channels"]) == shape
    assert (found["bits"], found["depth"], found["format"], found["mode"]) == (12, dtype, "PNG", "L")
    measured = [found[name] for name in ("low", "high", "mean", "deviation")]
    np.testing.assert_allclose(
        measured, [wide.min(), wide.max(), wide.mean(), wide.std()], rtol=2e-7, atol=1e-4
    )


@given(arrays(np.uint8, (3, 4, 3)))
def test_small_and_large_pictures_are_measured_alike(tile):
    large = np.tile(tile, (40, 40, 1))
    assert tile.size <= LARGE < large.size
    for name in ("low", "high", "mean", "deviation"):
        assert facts(tile)[name] == facts(large)[name]


@given(st.sampled_from([0, 1, 255, 65535]))
def test_a_constant_picture_does_not_deviate(value):
    assert facts(np.full((300, 300, 1), value, np.uint16))["deviation"] == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 17])
def test_values_that_are_not_finite_have_no_mean(bad, place):
    pixels = np.ones((5, 5, 1), np.float32)
    pixels.flat[place] = bad
    assert np.isnan(facts(pixels)["mean"])


@pytest.mark.parametrize("stream", [False, True])
def test_facts_are_kept_with_the_pack_row_for_row(pictures, stream):
    Image.fromarray(np.full((30, 20, 3), 9, np.uint8)).save(pictures / "cat" / "3.jpg")
    (pictures / "cat" / "2.png").write_bytes(b"no picture")
    source = open_source(pictures)
    for _ in range(2):  # built, then opened
        _, pack = pack_source(source, stream=stream)
        row = source.names.index("cat/3.jpg")
        told = pack.facts[row]
        assert (told["height"], told["width"], told["channels"], told["format"]) == (30, 20, 3, "JPEG")
        assert pack.facts["format"].tolist().count("PNG") == 59
        assert pack.facts[source.names.index("cat/2.png")] == np.zeros((), pack.facts.dtype)
        np.testing.assert_array_equal(pack.facts["mean"][row], np.float32(source.read("cat/3.jpg").mean()))

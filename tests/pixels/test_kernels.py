"""Named kernels: their weights as they are taught, the signs they answer with, and kernels that are typed."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from striate.errors import UsageError
from striate.pixels import kernels
from striate.pixels.convolution import convolve

TAUGHT = {
    "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "sobel_x": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "sobel_y": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "prewitt_x": [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
    "prewitt_y": [[1, 1, 1], [0, 0, 0], [-1, -1, -1]],
    "roberts_x": [[0, 1], [-1, 0]],
    "roberts_y": [[1, 0], [0, -1]],
    "scharr_x": [[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]],
    "scharr_y": [[-3, -10, -3], [0, 0, 0], [3, 10, 3]],
    "laplacian_4": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "laplacian_8": [[1, 1, 1], [1, -8, 1], [1, 1, 1]],
    "outline": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "edges": [[1, 1, 1], [1, -8, 1], [1, 1, 1]],
    "blur": [[1 / 16, 2 / 16, 1 / 16], [2 / 16, 4 / 16, 2 / 16], [1 / 16, 2 / 16, 1 / 16]],
    "smooth": [[1 / 9] * 3] * 3,
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
}


def test_every_named_kernel_has_the_weights_that_are_taught() -> None:
    assert {name: named.weights.tolist() for name, named in kernels.NAMED.items()} == TAUGHT
    for name in TAUGHT:
        assert getattr(kernels, name) is kernels.read(name) is kernels.NAMED[name].weights
    for alias, name in kernels.ALIASES.items():
        assert kernels.read(alias) is kernels.NAMED[name].weights


def test_named_kernels_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        kernels.sobel_x[0, 0] = 7


def test_signs_of_the_derivatives() -> None:
    right = np.tile(np.arange(6), (6, 1))
    down = right.T
    for name in ("sobel_x", "prewitt_x", "scharr_x"):
        assert (convolve(right, kernels.read(name)) > 0).all()
        assert (convolve(down, kernels.read(name)) == 0).all()
    for name, sign in (("sobel_y", 1), ("scharr_y", 1), ("prewitt_y", -1)):
        assert (np.sign(convolve(down, kernels.read(name))) == sign).all()
    assert (convolve(right - down, kernels.roberts_x) == 2).all()  # towards the upper right
    assert (convolve(-right - down, kernels.roberts_y) == 2).all()  # towards the upper left


@given(st.floats(0.3, 20))
def test_a_gaussian_is_scipys(sigma: float) -> None:
    weights = kernels.gaussian(sigma)
    size = 2 * math.ceil(3 * sigma) + 1
    point = np.zeros((size, size))
    point[size // 2, size // 2] = 1
    reference = ndimage.gaussian_filter(point, sigma, radius=size // 2, mode="constant")
    assert weights.shape == (size, size)
    assert np.allclose(weights, reference, rtol=1e-9, atol=0)
    assert weights.sum() == pytest.approx(1)


@given(st.lists(st.lists(st.integers(-999, 999), min_size=3, max_size=3), min_size=1, max_size=4))
def test_a_typed_kernel_is_read_back(rows: list[list[int]]) -> None:
    typed = "; ".join(" ".join(map(str, row)) for row in rows)
    assert kernels.parse(typed).tolist() == rows
    assert kernels.parse(kernels.to_text(np.array(rows)).replace("\n", ";")).tolist() == rows
    assert kernels.parse(typed).dtype == np.int64


def test_fractions_commas_and_decimals_are_read() -> None:
    assert kernels.parse("1/9, 0.5, -1e-2;").tolist() == [[1 / 9, 0.5, -0.01]]
    assert kernels.read(" gaussian:2 ").shape == (13, 13)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("1 2 3; 4 5", "row 1 has 3 numbers and row 2 has 2."),
        ("1 2 3;; 4 5 6", "row 1 has 3 numbers and row 2 has 0."),
        ("", "a kernel has 1 to 10,000 numbers; got 0."),
        (" ".join(["1"] * 10_001), "got 10,001."),
        ("1 2x 3", "'2x' in a kernel is not a number; write rows such as \"0 -1 0; -1 5 -1; 0 -1 0\"."),
        ("1 nan 3", "'nan' in a kernel is not a number"),
        ("1 1/0 3", "'1/0' in a kernel is not a number"),
        ("1e999", "'1e999' in a kernel is not a number"),
        ("outlin", "there is no kernel 'outlin'; did you mean outline? Allowed: identity, sobel_x"),
        ("gaussian:wide", "'gaussian:wide': write the standard deviation in pixels, such as gaussian:2."),
        ("gaussian:0", "sigma must be above 0 and at most 1,000 pixels; got 0."),
        ("gaussian:nan", "sigma must be above 0 and at most 1,000 pixels; got nan."),
        ("blur:3", "there is no kernel 'blur:3'"),
    ],
)
def test_a_kernel_that_cannot_be_is_said_in_one_sentence(typed: str, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        kernels.read(typed)


def test_an_even_gaussian_is_refused() -> None:
    with pytest.raises(UsageError, match=r"must be odd, so that it has a middle; got 4\."):
        kernels.gaussian(1.0, size=4)

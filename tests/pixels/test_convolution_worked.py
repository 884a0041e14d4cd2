"""Convolution against the numbers that the courses work by hand, and what it refuses."""

import re
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from striate.errors import UsageError
from striate.pixels import kernels
from striate.pixels.convolution import convolve

DIAGONALS = [
    [1, 0, 0, 0, 0, 1],
    [0, 1, 0, 0, 1, 0],
    [0, 0, 1, 1, 0, 0],
    [1, 0, 0, 0, 1, 0],
    [0, 1, 0, 0, 1, 0],
    [0, 0, 1, 0, 1, 0],
]


def test_signals_of_the_courses() -> None:
    full = {"padding": "full", "indexing": "convolution"}
    assert convolve([1, 2, 3, 4, 5], [3], **full).tolist() == [3, 6, 9, 12, 15]
    assert convolve([1, 2, 3, 4, 5], [3, 2, 1], **full).tolist() == [3, 8, 14, 20, 26, 14, 5]
    assert convolve([5, 3, 2, 5, 9, 7], [1, 2, 3]).tolist() == [17, 22, 39, 44]


def test_a_weighted_moving_average_takes_noise_out_of_a_track() -> None:
    time = np.linspace(0, 6, 400)
    noisy = np.sin(time) + np.random.default_rng(0).normal(0, 0.2, 400)
    weights = np.arange(1, 10) / 45  # the older, the lighter
    smooth = convolve(noisy, weights, padding=[(8, 0)], border="edge")
    assert smooth.shape == noisy.shape
    assert np.abs(smooth - np.sin(time)).mean() < 0.6 * np.abs(noisy - np.sin(time)).mean()
    # The sensor's reading i is the mean of the readings up to i, the newest with the largest weight.
    assert smooth[100] == pytest.approx(sum(weights[8 - a] * noisy[100 - a] for a in range(9)))


def test_images_of_the_courses() -> None:
    bank = [[[1, -1, -1], [-1, 1, -1], [-1, -1, 1]], [[-1, 1, -1], [-1, 1, -1], [-1, 1, -1]]]
    maps = convolve(DIAGONALS, bank)
    assert maps.shape == (4, 4, 2)
    assert maps[:, :, 0].tolist() == [[3, -1, -3, -1], [-3, 1, 0, -3], [-3, -3, 0, 1], [3, -2, -2, -1]]
    assert maps[:, :, 1].tolist() == [[-1, -1, -1, -1], [-1, -1, -2, 1], [-1, -1, -2, 1], [-1, 0, -4, 3]]
    assert convolve(DIAGONALS, bank[0], stride=2)[0].tolist() == [3, -3]
    five = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
    assert convolve(five, [[1, 0, 1], [0, 1, 0], [1, 0, 1]]).tolist() == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
    framed = np.array(
        [[0] * 6, [0, 1, 1, 1, 1, 0], [0, 1, -1, -1, 1, 0], [0, 1, -1, -1, 1, 0], [0, 1, 1, 1, 1, 0], [0] * 6]
    )
    corner = [[0, 0, 0], [0, -1, 1], [0, 1, -1]]
    assert convolve(framed, corner).tolist() == [[2, 0, -2, 0], [0, 0, 0, 0], [-2, 0, 2, 0], [0, 0, 0, -1]]
    assert convolve(framed, corner, stride=2).tolist() == [[2, -2], [-2, 2]]


def test_the_case_that_tells_the_indexings_apart() -> None:
    image = [[3, 5, 2, 8, 1], [9, 7, 5, 4, 3], [2, 0, 6, 1, 6], [6, 3, 7, 9, 2], [1, 4, 9, 5, 1]]
    kernel = [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    flipped = [[21, 15, 15], [22, 23, 14], [21, 21, 18]]
    assert convolve(image, kernel).tolist() == [[25, 18, 17], [18, 22, 14], [20, 15, 23]]
    assert convolve(image, kernel, indexing="convolution").tolist() == flipped
    assert convolve(image, kernel, indexing="centred").tolist() == flipped


def test_zero_padding_keeps_the_size_and_valid_padding_does_not() -> None:
    image = [[35, 19, 25, 6], [13, 22, 16, 53], [4, 3, 7, 10], [9, 8, 1, 3]]
    assert convolve(image, np.ones((3, 3), int), padding=1).shape == (4, 4)
    large = np.zeros((400, 400), np.uint8)
    assert convolve(large, kernels.sobel_x, padding="same").shape == (400, 400)
    assert convolve(large, kernels.sobel_x).shape == (398, 398)


@pytest.mark.parametrize(
    ("image", "kernel", "options", "words"),
    [
        (
            np.ones((9, 9)),
            [[1, 2, 3], [4, 5]],
            {},
            "rows of the kernel must be equally long; got rows of 3 and 2 numbers",
        ),
        (np.ones((9, 9)), np.ones((2, 4)), {"indexing": "centred"}, "of odd sizes; got 2 × 4."),
        (
            np.ones((9, 9)),
            np.ones((3, 3)),
            {"stride": 0},
            "stride must be a whole number of at least 1; got 0.",
        ),
        (
            np.ones((9, 9)),
            np.ones((3, 3)),
            {"dilation": (1, 0)},
            "dilation must be a whole number of at least 1; got 0.",
        ),
        (
            np.ones((4, 6)),
            np.ones((5, 5)),
            {},
            "a window of 5 × 5 does not fit an image of 4 × 6; take a smaller",
        ),
        (
            np.ones((4, 6)),
            np.ones((9, 5)),
            {"padding": 1},
            "a window of 9 × 5 does not fit an image of 6 × 8 with its",
        ),
        (np.ones(4), np.ones(5), {}, "a window of 5 does not fit a signal of 4"),
        (
            np.ones((9, 9, 3)),
            np.ones((3, 3, 5)),
            {},
            "the kernel has 5 channels and the image 3; they must agree.",
        ),
        (
            np.ones((9, 9)),
            np.ones((2, 3, 3, 1)),
            {},
            "is `height width` or `filter height width`; got one of shape (2, 3",
        ),
        (np.ones((9, 9)), np.ones((3, 3)), {"padding": "smae"}, "no padding 'smae'; did you mean same?"),
        (np.ones((9, 9)), np.ones((3, 3)), {"padding": -1}, "at least 0, one or two an axis; got -1."),
        (
            np.ones((9, 9)),
            np.ones((3, 3)),
            {"padding": (1, 2, 3)},
            "padding needs 1 number or 2, one an axis; got 3.",
        ),
        (np.ones((9, 9)), np.ones((3, 3)), {"border": "mirror"}, "there is no border 'mirror'"),
        (np.ones((9, 9)), np.ones((3, 3)), {"indexing": "flipped"}, "there is no indexing 'flipped'"),
        (np.ones((9, 9)), np.ones((3, 3)), {"axes": 3}, "not axes=3; got an array of shape (9, 9)."),
        (
            np.ones(9),
            np.ones((3, 3)),
            {},
            "wants an image `height width` or `height width channel`; got an array of shape (9,)",
        ),
        (np.ones((9, 9)), [["a"]], {}, "the kernel must hold real numbers; got <U1."),
        (
            np.ones((0, 9)),
            np.ones((3, 3)),
            {},
            "the image must hold numbers along an axis; got shape (0, 9).",
        ),
    ],
)
def test_what_cannot_be_is_said_with_both_numbers(
    image: Any, kernel: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(words)) as caught:
        convolve(image, kernel, **options)
    assert str(caught.value).count("\n") == 0


def test_opencv_and_scipy_conventions_of_the_derivatives() -> None:
    image = np.random.default_rng(0).integers(0, 255, (20, 30)).astype(float)
    made = convolve(image, kernels.sobel_x, padding="same", border="reflect")
    assert np.array_equal(made, ndimage.sobel(image, axis=1, mode="mirror"))
    assert np.array_equal(
        convolve(image, kernels.laplacian, padding="same", border="circular"),
        ndimage.laplace(image, mode="wrap"),
    )

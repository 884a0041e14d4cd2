"""Pooling against its definition in loops, and its values and switches against torch's."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from striate.errors import UsageError
from striate.pixels.definitions import pool_by_loops
from striate.pixels.pooling import max_pool, pool, share_removed, unpool
from striate.pixels.sliding import slides


def random_case(seed: int) -> tuple[np.ndarray, int, int, int]:
    """An image or signal of one of many dtypes, its axes, a window and a stride that fit it; ties are common."""
    rng = np.random.default_rng(seed)
    axes, window, stride = (int(rng.integers(1, top)) for top in (3, 5, 4))
    shape = (*rng.integers(window, 10, axes), int(rng.integers(1, 4)))
    image = rng.integers(-5, 6, shape)
    dtype = ("int16", "float32", "float64", "int64", "uint8")[rng.integers(5)]
    return (np.abs(image) if dtype == "uint8" else image).astype(dtype), axes, window, stride


@pytest.mark.parametrize("part", range(4))
def test_values_and_switches_are_torchs(part: int) -> None:
    for seed in range(part, 1_200, 4):
        image, axes, window, stride = random_case(seed)
        planes = torch.tensor(np.moveaxis(image, -1, 0)[None].astype(np.float64))
        largest = F.max_pool1d if axes == 1 else F.max_pool2d
        mean = F.avg_pool1d if axes == 1 else F.avg_pool2d
        expected, places = (
            np.moveaxis(one[0].numpy(), 0, -1) for one in largest(planes, window, stride, return_indices=True)
        )
        values, switches = max_pool(image, window, stride=stride, axes=axes)
        assert values.dtype == image.dtype
        assert np.array_equal(values, expected), seed
        assert np.array_equal(switches, places), seed
        assert np.array_equal(pool(image, "max", window, stride=stride, axes=axes), expected), seed
        averages = pool(image, "average", window, stride=stride, axes=axes)
        assert averages.dtype == np.float64
        assert np.allclose(averages, np.moveaxis(mean(planes, window, stride)[0].numpy(), 0, -1)), seed


def test_loops_agree() -> None:
    for seed in range(60):
        image, axes, window, stride = random_case(seed)
        sliding = slides(image.shape[:axes], (window,) * axes, stride)
        for kind, summary in (("max", np.max), ("average", np.mean)):
            expected = np.stack(
                [pool_by_loops(image[..., c], sliding, summary) for c in range(image.shape[-1])], axis=-1
            )
            assert np.allclose(pool(image, kind, window, stride=stride, axes=axes), expected), seed


def test_unpooling_is_torchs() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(size=(8, 10, 3))
    values, switches = max_pool(image, 2)
    planes, places = (torch.tensor(np.moveaxis(one, -1, 0)[None]) for one in (values, switches))
    expected = F.max_unpool2d(planes, places, 2, output_size=(8, 10))[0].numpy()
    assert np.array_equal(unpool(values, switches, (8, 10)), np.moveaxis(expected, 0, -1))
    again, places_again = max_pool(unpool(np.abs(values), switches, (8, 10)), 2)
    assert np.array_equal(again, np.abs(values))
    assert np.array_equal(places_again, switches)


def test_the_numbers_of_the_courses() -> None:
    second = [[1, 3, 6, 8], [4, 2, 9, 7], [8, 7, 3, 2], [7, 9, 1, 1]]
    assert pool(second, "max").tolist() == [[4, 9], [9, 3]]
    assert pool(second, "average").tolist() == [[2.5, 7.5], [7.75, 1.75]]
    maps = np.dstack(
        [
            [[3, -1, -3, -1], [-3, 1, 0, -3], [-3, -3, 0, 1], [3, -2, -2, -1]],
            [[-1, -1, -1, -1], [-1, -1, -2, 1], [-1, -1, -2, 1], [-1, 0, -4, 3]],
        ]
    )
    pooled = pool(maps, "max", 2)
    assert pooled[:, :, 0].tolist() == [[3, 0], [3, 1]]
    assert pooled[:, :, 1].tolist() == [[-1, 1], [0, 3]]


def test_a_2_x_2_window_with_stride_2_removes_three_quarters() -> None:
    assert share_removed((28, 28)) == 0.75
    assert share_removed((5, 5), window=3, stride=1) == 1 - 9 / 25


def test_global_pooling_gives_one_number_a_channel() -> None:
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert pool(image, "global max").tolist() == [57, 58, 59]
    assert pool(image, "global average").tolist() == image.mean(axis=(0, 1)).tolist()
    assert pool([3, 9, 6], "global max").tolist() == 9


def test_values_that_are_not_finite_stay_where_they_are() -> None:
    image = np.arange(16.0).reshape(4, 4)
    image[0, 1] = np.nan
    values, switches = max_pool(image, 2)
    assert np.isnan(values).tolist() == [[True, False], [False, False]]
    assert switches[0, 0] == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pool(np.ones((4, 6)), "max", 5), "a window of 5 × 5 does not fit an image of 4 × 6"),
        (lambda: pool(np.ones((4, 6)), "maks"), "there is no pooling 'maks'; did you mean max?"),
        (lambda: pool(np.ones((4, 6)), "max", 0), "window must be a whole number of at least 1; got 0."),
        (
            lambda: pool(np.ones((4, 6)), "max", 2, stride=0),
            "stride must be a whole number of at least 1; got 0.",
        ),
        (
            lambda: pool(np.ones((4, 6)), "global max", stride=2),
            "has one window, the whole image; leave the stride out.",
        ),
        (lambda: pool(np.ones((2, 4, 6, 3))), "got shape (2, 4, 6, 3)."),
        (lambda: unpool([1, 2], [[0]], (4,)), "one shape; got (2,) and (1, 1)."),
        (lambda: unpool([1], [9], (4,)), "switches must number the 4 pixels of a map of (4,), from 0."),
    ],
)
def test_what_cannot_be_is_said(call: Any, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        call()

"""Augmentation of whole batches against one picture at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.data.augment import AUGMENTATION, ORDER, augment, draw, random_words, scaled


def one_by_one(batch, draws, translation, reflection, patch):
    """The same in four lines a picture, from the same draws."""
    height, width = batch.shape[1:3]
    rows, columns = patch or (height, width)
    tops, lefts = draws.offset(0, 2 * translation + 1, 2 * translation + 1)
    downs, rights = draws.offset(2, height - rows + 1, width - columns + 1)
    for image, top, left, down, right, flip in zip(
        batch, tops, lefts, downs, rights, draws.reflected(), strict=True
    ):
        lines = np.clip(np.arange(rows) + top + down - translation, 0, height - 1)
        across = np.clip(np.arange(columns) + left + right - translation, 0, width - 1)
        window = image[lines][:, across]
        yield window[:, ::-1] if flip and reflection else window


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 9),
    st.integers(2, 9),
    st.integers(2, 9),
    st.sampled_from([1, 3]),
    st.integers(0, 4),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["uint8", "uint16", "float32"]),
    st.integers(0, 1000),
)
def test_a_batch_is_its_pictures_one_by_one(count, height, width, channels, shift, mirror, cut, dtype, seed):
    batch = (np.random.default_rng(seed).random((count, height, width, channels)) * 250).astype(dtype)
    before = batch.copy()
    patch = (height - 1, width - 1) if cut else None
    draws = draw(seed, 2, count)
    result = augment(batch, draws, translation=shift, reflection=mirror, patch=patch)
    np.testing.assert_array_equal(result, np.stack(list(one_by_one(batch, draws, shift, mirror, patch))))
    np.testing.assert_array_equal(batch, before)
    assert result.dtype == dtype


def test_nothing_asked_is_nothing_done():
    batch = np.random.default_rng(0).integers(0, 256, (4, 6, 6, 3), dtype=np.uint8)
    np.testing.assert_array_equal(augment(batch, draw(0, 0, 4)), batch)


@pytest.mark.parametrize("stream", [ORDER, AUGMENTATION])
def test_a_sample_draws_the_same_whatever_follows_it(stream):
    np.testing.assert_array_equal(random_words(5, 9, stream, 7), random_words(5, 9, stream, 1000)[:7])


def test_seed_epoch_and_stream_all_count():
    keys = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 0, 0), (0, 0, 2)]
    assert len({random_words(*key, 3).tobytes() for key in keys}) == len(keys)


def test_offsets_are_even_and_independent():
    rows, columns = draw(0, 0, 90_000).offset(0, 9, 9)
    counts = np.bincount(rows * 9 + columns, minlength=81)
    assert abs(counts - 90_000 / 81).max() < 6 * (90_000 / 81) ** 0.5
    assert (rows.min(), rows.max()) == (0, 8)


def test_half_are_mirrored():
    assert abs(draw(0, 0, 10_000).reflected().mean() - 0.5) < 0.02


def test_alternating_shows_each_sample_both_ways_in_turn_and_leaves_the_other_draws():
    even, odd, later = (draw(3, epoch, 10_000, alternating=True) for epoch in (0, 1, 4))
    np.testing.assert_array_equal(even.reflected(), ~odd.reflected())
    np.testing.assert_array_equal(even.reflected(), later.reflected())
    np.testing.assert_array_equal(even.reflected(), draw(3, 0, 10_000).reflected())
    assert abs(odd.reflected().mean() - 0.5) < 0.02
    np.testing.assert_array_equal(later.offset(0, 9, 9), draw(3, 4, 10_000).offset(0, 9, 9))


def test_scaled_reaches_both_ends():
    ends = np.array([0, 2**64 - 1], dtype=np.uint64)
    assert scaled(ends, 5).tolist() == [0, 4]

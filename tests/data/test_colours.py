"""Principal colours against numpy on raw pixels, and AlexNet's colour jitter against the paper's formula by hand."""

from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

import striate.data.colours as colours_room
import striate.data.packing.stream as stream_room
from striate.data import open_source, pack_source
from striate.data.augment import COLOURS, colour_shifts, normal, random_words
from striate.data.batches import Batches, to_input
from striate.data.colours import principal_colours
from striate.pixels import Preparation

FULL = {"uint8": 255, "uint16": 65535}
ROWS = np.random.default_rng(1).permutation(60)[:50]
PREPARATION = Preparation(
    height=5, width=7, channels=3, depth="uint8", mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4)
)


def coloured(depth: str = "uint8", count: int = 60, channels: int = 3) -> np.ndarray:
    """Random pictures whose channels depend on each other."""
    generator = np.random.default_rng(0)
    mixing = np.array([[0.5, 0.1, 0.0], [0.3, 0.4, 0.1], [0.2, 0.2, 0.5]])[:, :channels]
    values = np.clip(generator.normal(0.5, 0.25, (count, 5, 7, 3)) @ mixing, 0, 1)
    if depth == "int16":
        return (values * 3000 - 1000).astype(np.int16)
    return (values * FULL.get(depth, 1)).astype(depth)


def batches(pixels: np.ndarray, steps: np.ndarray | None, **options) -> Batches:
    labels = np.arange(len(ROWS)) % 5
    settings = {"batch_size": 16, "seed": 3, **options}
    return Batches(pixels, ROWS, labels, PREPARATION, colour_steps=steps, **settings)


# principal colours


@pytest.mark.parametrize("depth", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
def test_axes_and_variances_are_those_of_numpy_on_raw_pixels(depth, channels):
    pixels = coloured(depth, channels=channels)
    found = principal_colours(pixels, ROWS)
    raw = pixels[ROWS].reshape(-1, channels).astype(np.float64)
    full = FULL.get(depth, float(raw.max() - raw.min()))
    covariance = np.atleast_2d(np.cov((raw / full).T, bias=True))
    assert found.full == full
    np.testing.assert_allclose(found.axes.T @ found.axes, np.eye(channels), atol=1e-12)
    np.testing.assert_allclose(found.axes * found.variances @ found.axes.T, covariance, rtol=1e-9, atol=1e-15)
    values = np.linalg.eig(covariance)[0]
    np.testing.assert_allclose(found.variances, np.sort(values)[::-1], rtol=1e-8)
    assert (found.axes[np.abs(found.axes).argmax(axis=0), np.arange(channels)] > 0).all()
    # (P Λ)(P Λ)ᵀ = P Λ² Pᵀ = C²: the eigenvalue itself, not its root, is what the paper multiplies by.
    np.testing.assert_allclose(
        found.steps @ found.steps.T, full**2 * covariance @ covariance, rtol=1e-8, atol=full**2 * 1e-14
    )


@pytest.mark.parametrize("depth", ["uint8", "uint16", "int16", "float32"])
def test_neither_the_order_of_rows_nor_the_size_of_a_block_changes_a_bit(depth, monkeypatch):
    pixels = coloured(depth)
    first = principal_colours(pixels, ROWS).steps
    monkeypatch.setattr(colours_room, "TOGETHER", 11)
    assert np.array_equal(first, principal_colours(pixels, ROWS[::-1]).steps)
    assert not np.array_equal(first, principal_colours(pixels, ROWS[:40]).steps)


def test_sums_of_the_greatest_values_are_exact():
    pixels = np.full((3, 300, 300, 3), 65535, np.uint16)
    pixels[2, 0, 0] = (65534, 65535, 65533)
    count = 270_000
    one = Fraction(1, count) - Fraction(
        1, count**2
    )  # variance of a single value that is 1 less than all others
    expected = [[float(one * factor) for factor in row] for row in ((1, 0, 2), (0, 0, 0), (2, 0, 4))]
    blocks = iter([pixels[:2], pixels[2:]])
    assert np.array_equal(colours_room._whole_covariance(blocks, 3), expected)


def test_grey_pictures_in_colour_change_in_brightness_alone():
    grey = coloured(channels=1)
    found = principal_colours(np.repeat(grey, 3, axis=3), ROWS)
    variance = (grey[ROWS] / 255).var()
    np.testing.assert_allclose(found.variances, [3 * variance, 0, 0], atol=1e-15)
    np.testing.assert_allclose(found.axes[:, 0], 3**-0.5)
    one = principal_colours(grey, ROWS)
    np.testing.assert_allclose(one.steps, [[255 * variance]])
    assert one.axes.tolist() == [[1.0]]


@pytest.mark.parametrize("depth", ["uint8", "int16", "float32"])
def test_pictures_of_one_value_are_never_changed(depth):
    pixels = np.full((60, 5, 7, 3), 0.75 if depth == "float32" else 93, depth)
    assert not principal_colours(pixels, ROWS).steps.any()


@pytest.mark.parametrize("depth", ["int16", "float32"])
def test_the_unit_of_measured_values_does_not_matter(depth):
    pixels = coloured(depth)
    ten = (pixels * 10).astype(depth)
    steps = principal_colours(pixels, ROWS).steps
    np.testing.assert_allclose(principal_colours(ten, ROWS).steps, 10 * steps, rtol=1e-4)
    assert np.abs(steps).max() < pixels.std()


def test_a_stream_gives_the_bits_of_the_pack(pictures, monkeypatch):
    monkeypatch.setattr(stream_room, "FEW", 0)
    source = open_source(pictures)
    _, pack = pack_source(source, size=(6, 5), channels=3)
    _, stream = pack_source(source, size=(6, 5), channels=3, stream=True, workers=2)
    steps = principal_colours(pack.pixels, ROWS).steps
    assert steps.any()
    assert np.array_equal(steps, principal_colours(stream.pixels, ROWS).steps)


# random numbers


def test_normal_numbers_are_those_of_another_inverse():
    words = random_words(7, 1, COLOURS, 500).ravel()
    expected = [NormalDist().inv_cdf((int(word >> np.uint64(12)) + 0.5) / 2**52) for word in words]
    np.testing.assert_allclose(normal(words), expected, rtol=1e-9, atol=1e-12)


def test_every_word_gives_a_finite_number_and_opposite_words_opposite_ones():
    ends = np.array([0, 1 << 12, 2**64 - 1, 2**64 - 1 - (1 << 12)], dtype=np.uint64)
    values = normal(ends)
    assert np.isfinite(values).all()
    np.testing.assert_allclose(values[:2], -values[2:], rtol=1e-12)


def test_shifts_are_normal_with_the_deviation_asked_for():
    shifts = colour_shifts(0, 0, 100_000, np.diag([0.1, 2.0, 30.0]))
    for column, deviation in zip(shifts.T, (0.1, 2.0, 30.0), strict=True):
        assert abs(column.mean()) < 4 * deviation / 100_000**0.5
        assert abs(column.std() / deviation - 1) < 4 * (2 * 100_000) ** -0.5
        assert kstest(column / deviation, "norm").pvalue > 0.001


def test_components_samples_and_epochs_are_independent():
    epochs = np.stack([colour_shifts(0, epoch, 20_000, np.eye(3)) for epoch in (0, 1, 2)])
    together = np.concatenate(epochs.transpose(0, 2, 1))
    bound = 5 / 20_000**0.5
    assert np.abs(np.corrcoef(together) - np.eye(9)).max() < bound
    for column in epochs[0].T:
        assert abs(np.corrcoef(column[1:], column[:-1])[0, 1]) < bound
    assert not np.array_equal(epochs[0], colour_shifts(1, 0, 20_000, np.eye(3)))


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**63 - 1), st.integers(0, 500), st.integers(1, 300), st.integers(0, 200), st.booleans()
)
def test_a_sample_is_shifted_the_same_however_many_follow_it(seed, epoch, count, more, grey):
    steps = np.array([[3.5]]) if grey else np.array([[1.0, 0.3, 0.1], [0.9, -0.4, 0.2], [1.1, 0.1, -0.3]])
    few, many = (colour_shifts(seed, epoch, number, steps) for number in (count, count + more))
    assert np.array_equal(few, many[:count])
    drawn = normal(random_words(seed, epoch, COLOURS, count))[:, : steps.shape[1]]
    np.testing.assert_allclose(few, drawn @ steps.T, rtol=1e-12, atol=1e-12)


def test_colours_have_a_stream_of_their_own_and_leave_the_others_their_words():
    for stream in range(4):
        key = np.array([5, 4 * 9 + stream], dtype=np.uint64)
        expected = np.random.Philox(key=key).random_raw(28).reshape(7, 4)
        assert np.array_equal(random_words(5, 9, stream, 7), expected)
    assert COLOURS == 3


# batches


def test_one_picture_by_hand():
    pixels = np.array([[[[10, 20, 30], [250, 0, 100]]]], np.uint8)
    two = Preparation(height=1, width=2, channels=3, depth="uint8", mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    axes = np.array([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0], [0.8, -0.6, 0.0]])
    eigenvalues = np.array([0.2, 0.05, 0.01])
    words = np.random.Philox(key=np.array([3, 4 * 6 + 3], dtype=np.uint64)).random_raw(3)
    alphas = [0.1 * NormalDist().inv_cdf(float(word) / 2**64) for word in words]
    added = sum(axes[:, i] * alphas[i] * eigenvalues[i] for i in range(3))
    expected = (pixels[0] / 255 + added - np.array(two.mean)) / np.array(two.std)
    steps = 0.1 * 255 * axes * eigenvalues
    source = Batches(pixels, np.array([0]), np.array([0]), two, batch_size=1, seed=3, colour_steps=steps)
    found = next(source.epoch(6)).inputs[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-6)
    assert np.abs(added).max() > 1e-3


def test_every_pixel_of_an_image_is_shifted_alike_and_every_image_otherwise():
    pixels = coloured()
    steps = 0.5 * principal_colours(pixels, ROWS).steps
    plain = list(batches(pixels, None, translation=1, reflection=True).epoch(2))
    jittered = list(batches(pixels, steps, translation=1, reflection=True).epoch(2))
    order, shifts = batches(pixels, None).order(2), colour_shifts(3, 2, len(ROWS), steps)
    at = 0
    for one, two in zip(plain, jittered, strict=True):
        assert np.array_equal(one.rows, two.rows)
        assert two.inputs.is_contiguous(memory_format=torch.channels_last)
        samples = order[at : at + len(one.rows)]
        expected = (shifts[samples] / 255 / np.array(PREPARATION.std))[:, :, None, None]
        np.testing.assert_allclose(
            (two.inputs - one.inputs).numpy(), np.broadcast_to(expected, two.inputs.shape), atol=2e-6
        )
        at += len(samples)
    assert len(np.unique(shifts[:, 0])) == len(ROWS)


def test_an_epoch_may_start_in_the_middle_and_is_never_another():
    pixels = coloured()
    steps = 0.5 * principal_colours(pixels, ROWS).steps
    whole = list(batches(pixels, steps).epoch(4))
    for one, two in zip(whole[2:], batches(pixels, steps).epoch(4, start=2), strict=True):
        assert torch.equal(one.inputs, two.inputs)
    assert not torch.equal(whole[0].inputs, next(batches(pixels, steps).epoch(5)).inputs)


def test_drawn_twice_is_not_coloured_alike():
    source = batches(np.full((60, 5, 7, 3), 128, np.uint8), np.eye(3), balance="sampling", batch_size=50)
    batch = next(source.epoch(0))
    assert len(set(batch.rows.tolist())) < 45
    assert len({image.numpy().tobytes() for image in batch.inputs}) == 50


def test_nothing_is_clipped():
    white = np.full((60, 5, 7, 3), 255, np.uint8)
    values = next(batches(white, 40 * np.eye(3)).epoch(0)).inputs
    back = values.permute(0, 2, 3, 1).numpy() * np.array(PREPARATION.std) + np.array(PREPARATION.mean)
    assert back.max() > 1.1
    assert back.min() < 0.9


def test_without_shifts_the_input_keeps_its_bits():
    pixels = coloured()
    scale, offset = PREPARATION.affine()
    expected = pixels.astype(np.float32) * scale + offset
    assert np.array_equal(to_input(pixels, PREPARATION).permute(0, 2, 3, 1).numpy(), expected)
    assert torch.equal(to_input(pixels, PREPARATION, shifts=np.zeros((60, 3))), to_input(pixels, PREPARATION))
    filled = to_input(
        pixels[:3], PREPARATION, batch_size=5, shifts=np.array([[1.0] * 3, [2.0] * 3, [30.0] * 3])
    )
    assert torch.equal(filled[3], filled[2])
    assert torch.equal(filled[4], filled[2])

"""Batches: pure functions of seed and epoch, and one normalisation."""

import numpy as np
import pytest
import torch

from striate.data.augment import augment, draw
from striate.data.batches import Batches, to_input
from striate.errors import UsageError
from striate.pixels import Preparation

PIXELS = np.random.default_rng(0).integers(0, 256, (300, 8, 9, 3), dtype=np.uint8)
ROWS = np.random.default_rng(1).permutation(300)[:250]
LABELS = np.arange(250) % 5
PREPARATION = Preparation(
    height=8, width=9, channels=3, depth="uint8", mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4)
)


def batches(rows=ROWS, labels=LABELS, preparation=PREPARATION, **options) -> Batches:
    return Batches(PIXELS, rows, labels, preparation, **{"batch_size": 64, "seed": 0, **options})


def test_every_image_comes_once_an_epoch_with_its_label():
    seen = [
        (row, label)
        for batch in batches().epoch(0)
        for row, label in zip(batch.rows, batch.labels, strict=True)
    ]
    assert sorted(int(row) for row, _ in seen) == sorted(ROWS)
    known = dict(zip(ROWS.tolist(), LABELS.tolist(), strict=True))
    assert all(known[int(row)] == int(label) for row, label in seen)


def test_no_small_batch_closes_the_epoch():
    sizes = [len(batch.rows) for batch in batches(rows=ROWS[:129], labels=LABELS[:129]).epoch(0)]
    assert sizes == [43, 43, 43]
    assert batches(rows=ROWS[:129], labels=LABELS[:129]).count == 3


def test_an_epoch_is_a_function_of_seed_and_epoch():
    options = {"translation": 2, "reflection": True}
    first = [batch.inputs for batch in batches(**options).epoch(3)]
    again = batches(**options)
    list(again.epoch(1))
    for one, two in zip(first, again.epoch(3), strict=True):
        assert torch.equal(one, two.inputs)
    assert not torch.equal(first[0], next(again.epoch(4)).inputs)
    assert not torch.equal(first[0], next(batches(seed=1, **options).epoch(3)).inputs)


def test_alternating_reflection_mirrors_each_image_in_every_second_epoch():
    seen = {}
    for epoch in (0, 1):
        for batch in batches(reflection="alternating").epoch(epoch):
            for row, picture in zip(batch.rows.tolist(), batch.inputs, strict=True):
                seen.setdefault(row, []).append(picture)
    assert len(seen) == len(ROWS)
    assert all(torch.equal(one, other.flip(2)) for one, other in seen.values())


def test_a_square_of_each_picture_is_cut_out_anywhere_and_the_rest_is_as_without():
    middles = np.zeros((8, 9), int)
    for epoch in range(8):
        pairs = zip(batches(cutout=3).epoch(epoch), batches().epoch(epoch), strict=True)
        for cut, whole in pairs:
            holes = (cut.inputs != whole.inputs).any(dim=1).numpy()
            assert torch.equal(cut.inputs, whole.inputs * ~torch.from_numpy(holes)[:, None])
            for hole in holes:
                down, right = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
                assert len(down) in (2, 3)
                assert len(right) in (2, 3)
                assert hole.sum() == len(down) * len(right)
                assert (np.ptp(down), np.ptp(right)) == (len(down) - 1, len(right) - 1)
                row = down[0] + 1 if down[0] or len(down) == 3 else 0
                column = right[0] + 1 if right[0] or len(right) == 3 else 0
                middles[row, column] += 1
    even = 8 * len(ROWS) / middles.size
    assert abs(middles - even).max() < 6 * even**0.5


def test_an_epoch_may_start_in_the_middle():
    whole = list(batches(translation=1).epoch(2))
    rest = list(batches(translation=1).epoch(2, start=2))
    assert [batch.index for batch in rest] == [2, 3]
    for one, two in zip(whole[2:], rest, strict=True):
        assert torch.equal(one.inputs, two.inputs)


def test_inputs_are_the_augmented_normalised_pictures():
    source = batches(translation=2, reflection=True)
    order, draws = source.order(1), draw(0, 1, 250)
    batch = next(source.epoch(1))
    samples = order[: len(batch.rows)]
    np.testing.assert_array_equal(batch.rows, ROWS[samples])
    images = augment(PIXELS[ROWS[samples]], draws.take(samples), translation=2, reflection=True)
    expected = (images / 255 - np.array(PREPARATION.mean)) / np.array(PREPARATION.std)
    np.testing.assert_allclose(batch.inputs.permute(0, 2, 3, 1).numpy(), expected, atol=2e-6)


def test_inputs_are_channels_last_float32_and_labels_int64():
    batch = next(batches().epoch(0))
    assert batch.inputs.shape == (63, 3, 8, 9)
    assert batch.inputs.dtype == torch.float32
    assert batch.inputs.is_contiguous(memory_format=torch.channels_last)
    assert batch.labels.dtype == torch.int64


def test_sampling_makes_classes_equal():
    labels = np.array([0] * 240 + [1] * 10)
    source = batches(labels=labels, balance="sampling")
    drawn = labels[np.concatenate([source.order(epoch) for epoch in range(40)])]
    assert abs(drawn.mean() - 0.5) < 0.02
    assert len(set(source.order(0)[labels[source.order(0)] == 0])) > 70


def test_sampled_twice_is_not_augmented_alike():
    source = batches(rows=ROWS[:2], labels=np.array([0, 1]), balance="sampling", translation=3, batch_size=2)
    pictures = [batch.inputs.numpy().tobytes() for epoch in range(20) for batch in source.epoch(epoch)]
    assert len(set(pictures)) > 15
    labels = np.array([0] * 249 + [1])
    many = batches(labels=labels, balance="sampling", translation=3, batch_size=250)
    batch = next(many.epoch(0))
    rare = batch.inputs[batch.labels == 1]
    assert len({image.numpy().tobytes() for image in rare}) > 20


def test_patches_are_random_in_training_and_central_in_prediction():
    cut = PREPARATION.model_copy(update={"patch": (4, 5)})
    trained = next(batches(preparation=cut).epoch(0))
    assert trained.inputs.shape[1:] == (3, 4, 5)
    whole = to_input(PIXELS[ROWS[:10]], PREPARATION)
    assert torch.equal(to_input(PIXELS[ROWS[:10]], cut), whole[:, :, 2:6, 2:7])
    assert torch.equal(to_input(PIXELS[:1, 2:6, 2:7], cut), to_input(PIXELS[:1], cut))


def test_a_short_batch_is_filled_up_with_its_last_image():
    full = to_input(PIXELS[ROWS[:58]], PREPARATION, batch_size=64)
    assert full.shape == (64, 3, 8, 9)
    assert torch.equal(full[:58], to_input(PIXELS[ROWS[:58]], PREPARATION))
    assert all(torch.equal(image, full[57]) for image in full[58:])


@pytest.mark.parametrize("depth", ["uint8", "uint16", "float32"])
def test_every_depth_is_normalised_alike(depth):
    full = {"uint8": 255, "uint16": 65535, "float32": 1}[depth]
    pixels = (np.random.default_rng(0).random((5, 4, 4, 1)) * full).astype(depth)
    grey = Preparation(height=4, width=4, channels=1, depth=depth, mean=(0.3,), std=(0.2,))
    expected = (pixels.astype(np.float64) / full - 0.3) / 0.2
    np.testing.assert_allclose(to_input(pixels, grey).permute(0, 2, 3, 1).numpy(), expected, atol=2e-6)


def test_one_picture_is_normalised_as_in_a_batch():
    whole = to_input(PIXELS, PREPARATION)
    for row in (0, 7, 299):
        assert torch.equal(to_input(PIXELS[row : row + 1], PREPARATION)[0], whole[row])


def test_impossible_sizes():
    with pytest.raises(UsageError, match="batch_size 0 must be above 0"):
        batches(batch_size=0)

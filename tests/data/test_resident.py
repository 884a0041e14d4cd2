"""Batches made on a device against those that the processor makes, bit for bit."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from striate.data.batches import Batches
from striate.data.resident import CarriedBatches, ResidentBatches, on_device
from striate.pixels import Preparation

ROWS = np.random.default_rng(1).permutation(60)[:50]
LABELS = np.arange(50) % 5
CPU, ELSEWHERE = torch.device("cpu"), torch.device("meta")
"""Meta tensors have no values: whoever reads one, or mixes it with one of the processor, gets an error."""
OPTIONS = {
    "nothing": {},
    "shift": {"translation": 3},
    "mirror": {"reflection": True},
    "alternating": {"reflection": "alternating", "translation": 1},
    "sampling": {"balance": "sampling", "translation": 2, "reflection": True},
    "all": {
        "balance": "sampling",
        "translation": 2,
        "reflection": "alternating",
        "colour": True,
        "patch": (5, 6),
    },
    "patch": {"patch": (4, 9), "translation": 1, "reflection": True},
}


def batches(depth: str = "uint8", channels: int = 3, patch=None, colour: bool = False, **options) -> Batches:
    generator = np.random.default_rng(0)
    full = {"uint8": 256, "uint16": 65536, "int16": 65536, "float32": 1}[depth]
    pixels = (generator.random((60, 8, 9, channels)) * full - (32768 if depth == "int16" else 0)).astype(
        depth
    )
    preparation = Preparation(
        height=8,
        width=9,
        channels=channels,
        depth=depth,
        patch=patch,
        mean=(0.5, 0.4, 0.3)[:channels],
        std=(0.2, 0.3, 0.4)[:channels],
    )
    steps = generator.standard_normal((channels, channels)) * full / 10 if colour else None
    return Batches(
        pixels, ROWS, LABELS, preparation, **{"batch_size": 16, "seed": 4, "colour_steps": steps, **options}
    )


def require_same(mine: Iterator, theirs: Iterator) -> None:
    for one, other in zip(mine, theirs, strict=True):
        assert one.index == other.index
        np.testing.assert_array_equal(one.rows, other.rows)
        assert torch.equal(one.inputs, other.inputs)
        assert torch.equal(one.labels, other.labels)
        assert one.inputs.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("depth", ["uint8", "uint16", "int16", "float32"])
def test_resident_batches_are_those_of_the_processor(depth: str, channels: int, options: dict) -> None:
    plain = batches(depth, channels, **options)
    resident = ResidentBatches(plain, CPU)
    assert (resident.count, resident.images) == (plain.count, plain.images) == (4, 50)
    for epoch in (0, 1, 6):
        require_same(resident.epoch(epoch), plain.epoch(epoch))


@pytest.mark.parametrize("kind", [ResidentBatches, CarriedBatches])
def test_an_epoch_may_start_in_the_middle(kind: type) -> None:
    plain = batches(translation=2, reflection=True)
    require_same(kind(plain, CPU).epoch(3, 2), plain.epoch(3, 2))
    assert not list(kind(plain, CPU).epoch(3, 4))


def test_carried_batches_are_those_of_the_processor() -> None:
    plain = batches(translation=2, reflection=True)
    carried = CarriedBatches(plain, CPU)
    assert (carried.count, carried.images) == (plain.count, plain.images)
    require_same(carried.epoch(0), plain.epoch(0))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("depth", ["uint8", "uint16", "float32"])
def test_nothing_that_lies_on_the_device_is_read_within_an_epoch(depth: str, options: dict) -> None:
    every = list(ResidentBatches(batches(depth, **options), ELSEWHERE).epoch(1))
    assert [batch.inputs.device for batch in every] == [ELSEWHERE] * 4
    assert [batch.labels.device for batch in every] == [ELSEWHERE] * 4
    assert every[0].inputs.shape == (13, 3, *(options.get("patch") or (8, 9)))


def test_images_stay_where_they_fit() -> None:
    plain = batches()
    size = 50 * 8 * 9 * 3
    assert on_device(plain, CPU) is plain
    assert isinstance(on_device(plain, ELSEWHERE, free=2 * size), ResidentBatches)
    carried = on_device(plain, ELSEWHERE, free=2 * size - 1)
    assert isinstance(carried, CarriedBatches)
    for one, other in zip(carried.epoch(0), plain.epoch(0), strict=True):
        assert one.inputs.device == one.labels.device == ELSEWHERE
        np.testing.assert_array_equal(one.rows, other.rows)


def test_a_device_that_tells_no_memory_holds_no_images() -> None:
    assert isinstance(on_device(batches(), ELSEWHERE), CarriedBatches)


def test_other_batches_than_images_are_carried() -> None:
    carried = on_device(CarriedBatches(batches(), CPU), ELSEWHERE, free=2**40)
    assert isinstance(carried, CarriedBatches)
    assert next(carried.epoch(0)).inputs.device == ELSEWHERE


def test_images_are_copied_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("striate.data.resident.PIECE", 7)
    plain = batches(translation=1)
    require_same(ResidentBatches(plain, CPU).epoch(0), plain.epoch(0))

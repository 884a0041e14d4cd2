"""Streams: the pack's pixels, batches and statistics to the bit, without keeping a pixel."""

import itertools
import os
import signal
import threading
import time
from collections import deque

import numpy as np
import pytest
import torch
from made_pictures import Killing, Sleeping, write_pictures
from PIL import Image

import striate.data.packing.ring as ring_room
import striate.data.packing.stream as stream_room
from striate.data import ArraySource, build_pack, channel_statistics, open_source, pack_source
from striate.data.batches import Batches
from striate.data.packing.moments import moments_of
from striate.data.packing.stream import StreamedPixels, gather
from striate.errors import ImageError


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Every request goes through workers."""
    monkeypatch.setattr(stream_room, "FEW", 0)


@pytest.fixture
def both(pictures, request):
    """The same pictures as a pack and as a stream of two workers."""
    source = open_source(pictures)
    preparation, pack = pack_source(source, size=(6, 5))
    same, stream = pack_source(source, size=(6, 5), stream=True, workers=2)
    assert same == preparation
    return preparation, pack, stream


def test_a_stream_is_the_pack(both, cache):
    _, pack, stream = both
    assert isinstance(stream.pixels, StreamedPixels)
    assert (stream.pixels.shape, stream.pixels.dtype) == (pack.pixels.shape, pack.pixels.dtype)
    assert len(stream.pixels) == 60
    np.testing.assert_array_equal(stream.digests, pack.digests)
    np.testing.assert_array_equal(stream.facts, pack.facts)
    assert (stream.failures, stream.channels, stream.depths) == (pack.failures, pack.channels, pack.depths)
    np.testing.assert_array_equal(np.stack(list(stream.pixels)), pack.pixels)
    assert not (stream.path / "pixels.npy").exists()
    assert stream.path != pack.path


@pytest.mark.parametrize(
    "key",
    [
        7,
        -1,
        np.int64(3),
        slice(None),
        slice(50, 3, -7),
        [5, 5, -60],
        np.arange(60) % 3 == 0,
        np.zeros(0, int),
        [],
    ],
)
def test_what_numpy_gives_the_stream_gives(both, key):
    _, pack, stream = both
    np.testing.assert_array_equal(stream.pixels[key], pack.pixels[key])
    assert stream.pixels[key].dtype == pack.pixels.dtype


@pytest.mark.parametrize("key", [60, [-61], np.zeros(59, bool), [[1]], [1.5], "cat"])
def test_what_is_no_row_is_refused(both, key):
    with pytest.raises((IndexError, TypeError)):
        both[2].pixels[key]


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("start", [0, 3])
def test_batches_are_the_packs_whatever_the_number_of_workers(pictures, workers, start):
    source = open_source(pictures)
    preparation, pack = pack_source(source)
    _, stream = pack_source(source, stream=True, workers=workers)
    rows = np.random.default_rng(0).permutation(60)[:50]
    made = [
        Batches(pixels, rows, rows % 3, preparation, batch_size=8, seed=1, translation=1, reflection=True)
        for pixels in (pack.pixels, stream.pixels)
    ]
    for epoch in (0, 1):
        expected, streamed = (list(batches.epoch(epoch, start)) for batches in made)
        assert [batch.index for batch in streamed] == list(range(start, 7))
        for one, two in zip(expected, streamed, strict=True):
            assert torch.equal(one.inputs, two.inputs)
            assert torch.equal(one.labels, two.labels)
            np.testing.assert_array_equal(one.rows, two.rows)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_statistics_are_the_packs_to_the_bit(tmp_path, dtype):
    source = open_source(write_pictures(tmp_path / "set", shape=(30, 20), dtype=dtype))
    rows = np.random.default_rng(0).permutation(60)[:41]
    _, pack = pack_source(source)
    _, stream = pack_source(source, stream=True)
    assert channel_statistics(stream.pixels, rows) == channel_statistics(pack.pixels, rows)


def test_statistics_of_floating_point_pictures_too(tmp_path):
    random = np.random.default_rng(0)
    for number in range(30):
        path = tmp_path / "ab"[number % 2] / f"{number}.tif"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(random.normal(3e4, 5, (9, 70)).astype("f4")).save(path)
    source = open_source(tmp_path)
    preparation, pack = pack_source(source, size=(9, 70))
    _, stream = pack_source(source, size=(9, 70), stream=True)
    assert preparation.depth == "float32"
    rows = random.permutation(30)[:17]
    assert channel_statistics(stream.pixels, rows) == channel_statistics(pack.pixels, rows)
    assert channel_statistics(pack.pixels, rows[::-1]) == channel_statistics(pack.pixels, rows)
    (mean,), (deviation,) = channel_statistics(pack.pixels, rows)
    values = pack.pixels[rows].astype(np.float64)
    np.testing.assert_allclose([mean, deviation], [values.mean(), values.std()], rtol=1e-12)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_moments_are_exact(dtype):
    full = np.iinfo(dtype)
    images = np.random.default_rng(0).integers(full.min, full.max, (3, 5, 7, 3), dtype, endpoint=True)
    wide = images.astype(object)
    np.testing.assert_array_equal(moments_of(images)[:, 0], wide.sum(axis=(1, 2)).astype(np.int64))
    np.testing.assert_array_equal(moments_of(images)[:, 1], (wide**2).sum(axis=(1, 2)).astype(np.int64))


def test_moments_of_the_largest_picture_do_not_overflow():
    image = np.full((1, 16384, 4, 1), 65535, np.uint16)
    assert moments_of(image).tolist() == [[[65535 * 65536], [65535**2 * 65536]]]


def test_blocks_are_decoded_ahead_and_no_further_than_the_ring(both, monkeypatch):
    monkeypatch.setattr(ring_room, "RING_ROWS", 16)
    _, pack, stream = both
    asked = []

    def lists():
        for start in range(0, 60, 4):
            asked.append(start)
            yield np.arange(start, start + 4)

    blocks = stream.pixels.blocks(lists())
    np.testing.assert_array_equal(next(blocks), pack.pixels[:4])
    assert 4 <= len(asked) <= 6  # the one taken, three or four on the ring, and one that waits for room
    assert sum(len(block) for block in blocks) == 56


def test_a_block_larger_than_the_ring(both, monkeypatch):
    monkeypatch.setattr(ring_room, "RING_ROWS", 8)
    _, pack, stream = both
    np.testing.assert_array_equal(stream.pixels[:], pack.pixels)


def test_large_pictures_make_the_ring_small(both, monkeypatch):
    monkeypatch.setattr(ring_room, "RING_BYTES", 1)
    _, pack, stream = both
    np.testing.assert_array_equal(stream.pixels[:], pack.pixels)
    assert len(stream.pixels._team.ring) == 4


def test_readers_may_stop_early_and_read_at_once(both, monkeypatch):
    monkeypatch.setattr(ring_room, "RING_ROWS", 8)
    _, pack, stream = both
    lists = [np.arange(start, start + 10) for start in range(0, 60, 10)]
    first, second = (gather(stream.pixels, lists) for _ in range(2))
    for rows, one, two in zip(lists, first, second, strict=True):
        np.testing.assert_array_equal(one, pack.pixels[rows])
        np.testing.assert_array_equal(two, pack.pixels[rows])
    for _ in range(20):
        early = gather(stream.pixels, lists)
        np.testing.assert_array_equal(next(early), pack.pixels[:10])
        early.close()
    np.testing.assert_array_equal(stream.pixels[:], pack.pixels)
    assert len(stream.pixels._team.free) == 8


def test_the_second_time_nothing_is_gone_through(pictures, monkeypatch):
    source = open_source(pictures)
    _, first = pack_source(source, stream=True)
    monkeypatch.setattr("striate.data.packing.pack.decode_source", None)
    _, second = pack_source(source, stream=True)
    np.testing.assert_array_equal(first.pixels[:], second.pixels[:])


@pytest.mark.parametrize("file", ["seals.npy", "moments.npy", "digests.npy", "index.json"])
def test_a_damaged_index_is_made_again(pictures, file):
    source = open_source(pictures)
    path = pack_source(source, stream=True)[1].path / file
    whole = path.read_bytes()
    path.write_bytes(whole[:-30] + bytes([whole[-30] ^ 1]) + whole[-29:])
    pack_source(source, stream=True)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("workers", [1, 2])
def test_a_picture_that_vanished_is_named(pictures, workers):
    _, stream = pack_source(open_source(pictures), stream=True, workers=workers)
    (pictures / "dog" / "4.png").unlink()
    with pytest.raises(
        ImageError, match=r"^dog/4.png was read when .* any more: there is no such file\. Restore"
    ):
        stream.pixels[:]
    assert stream.pixels[20].shape == (8, 8, 1)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_picture_that_changed_is_named(pictures, workers):
    _, stream = pack_source(open_source(pictures), stream=True, workers=workers)
    Image.new("L", (8, 8)).save(pictures / "dog" / "4.png")
    with pytest.raises(
        ImageError, match=r"^dog/4.png has other pixels than when .* Restore it, or begin again"
    ):
        stream.pixels[20:30]


def test_a_picture_that_could_not_be_read_has_no_pixels(pictures):
    (pictures / "cat" / "2.png").write_bytes(b"")
    _, stream = pack_source(open_source(pictures), stream=True)
    assert list(stream.failures) == [1]
    with pytest.raises(ImageError, match=r"^cat/2.png cannot be read: the file is empty"):
        stream.pixels[:4]


def test_a_worker_killed_from_outside_costs_nothing(both, monkeypatch):
    monkeypatch.setattr(ring_room, "RING_ROWS", 16)
    _, pack, stream = both
    lists = [np.arange(start, start + 10) for start in range(0, 60, 10)]
    for rows, block in zip(lists, stream.pixels.blocks(lists), strict=True):
        np.testing.assert_array_equal(block, pack.pixels[rows])
        for worker in stream.pixels._team.pool._workers:
            if worker._process is not None and rows[0] in (0, 30):
                os.kill(worker._process.pid, signal.SIGKILL)


def test_a_picture_that_kills_its_worker_is_named(pictures):
    source = open_source(pictures)
    preparation, _ = pack_source(source)
    source.__class__ = Killing
    source.home = os.getpid()
    stream = build_pack(source, preparation, stream=True, workers=2)
    with pytest.raises(ImageError, match=r"^cat/5.png was read .* ended abruptly on it \(exit status -9\)"):
        stream.pixels[:]
    assert stream.pixels[30:40].shape == (10, 8, 8, 1)


def test_ctrl_c_ends_the_reading_and_nothing_else(both):
    _, pack, stream = both
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a background job begins with it ignored
    blocks = stream.pixels.blocks(
        itertools.repeat(np.arange(60))
    )  # they never end: the signal meets a reading
    next(blocks)
    threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        deque(blocks, maxlen=0)
    signal.signal(signal.SIGINT, before)
    np.testing.assert_array_equal(stream.pixels[:], pack.pixels)


def test_workers_leave_with_their_stream(both):
    stream = both[2].pixels
    stream[:]
    processes = [worker._process for worker in stream._team.pool._workers]
    assert all(process.poll() is None for process in processes)
    stream._team = None
    assert all(process.poll() is not None for process in processes)


def test_a_worker_that_is_busy_is_not_waited_for(pictures):
    source = open_source(pictures)
    preparation, _ = pack_source(source)
    source.__class__ = Sleeping
    source.home = os.getpid()
    stream = build_pack(source, preparation, stream=True, workers=2).pixels
    blocks = stream.blocks([np.array([0, 1, 2, 3]), np.arange(60)])
    assert next(blocks).shape == (4, 8, 8, 1)
    started = time.monotonic()
    blocks.close()
    stream._team = None
    assert time.monotonic() - started < 5


def test_a_source_in_memory_is_packed_there():
    source = ArraySource(np.zeros((9, 4, 4), np.uint8))
    assert isinstance(pack_source(source, stream=True)[1].pixels, np.ndarray)

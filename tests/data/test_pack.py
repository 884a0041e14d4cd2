"""Packs: the same pixels by every road, whole or not at all, and widened when they must be."""

import json
import zipfile

import numpy as np
import pytest
from made_pictures import write_pictures
from PIL import Image

import striate.data.packing.workers as workers_room
from striate.data import (
    ArraySource,
    build_pack,
    channel_statistics,
    choose_preparation,
    open_source,
    pack_source,
)
from striate.data.packing.digest import pixel_digest
from striate.errors import SourceError


def test_a_pack_is_the_prepared_pictures_row_for_row(pictures):
    source = open_source(pictures)
    preparation, pack = pack_source(source, size=(6, 5))
    assert pack.pixels.shape == (60, 6, 5, 1)
    for row, name in enumerate(source.names):
        image = source.read(name)
        np.testing.assert_array_equal(pack.pixels[row], preparation.pixels(image))
        assert pack.digests[row] == pixel_digest(image).encode()
    assert not pack.pixels.flags.writeable


def test_the_second_time_it_is_opened_and_nothing_decoded(pictures, monkeypatch):
    source = open_source(pictures)
    _, first = pack_source(source)
    monkeypatch.setattr("striate.data.packing.pack.decode_source", None)
    _, second = pack_source(source)
    assert first.key == second.key
    np.testing.assert_array_equal(first.pixels, second.pixels)


def test_another_content_or_geometry_is_another_pack(pictures):
    source = open_source(pictures)
    keys = {build_pack(source, choose_preparation(source, size=size)).key for size in (8, 9)}
    Image.new("L", (8, 8)).save(pictures / "cat/1.png")
    changed = open_source(pictures)
    keys.add(build_pack(changed, choose_preparation(changed)).key)
    assert len(keys) == 3
    learned = choose_preparation(changed).with_statistics((0.1,), (0.2,))
    assert build_pack(changed, learned).key in keys


def test_unreadable_pictures_are_named_and_zero(pictures):
    (pictures / "cat" / "2.png").write_bytes(b"")
    (pictures / "dog" / "3.png").write_text("no picture")
    whole = (pictures / "owl" / "1.png").read_bytes()
    (pictures / "owl" / "1.png").write_bytes(whole[:-20])
    _, pack = pack_source(open_source(pictures))
    words = ("the file is empty", "it is not a picture", "cut short")
    assert len(pack.failures) == 3
    assert all(word in reason for word, reason in zip(words, pack.failures.values(), strict=True))
    for row in pack.failures:
        assert not pack.pixels[row].any()
        assert pack.digests[row] == b""


@pytest.mark.parametrize("file", ["pixels.npy", "digests.npy", "facts.npy", "index.json"])
def test_a_damaged_pack_is_built_again(pictures, file):
    source = open_source(pictures)
    _, pack = pack_source(source)
    expected = pack.pixels.copy()
    path = pack.path / file
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.write_bytes(bytes(data))
    _, again = pack_source(source)
    np.testing.assert_array_equal(again.pixels, expected)
    assert path.read_bytes() != bytes(data)


def test_a_colour_picture_among_grey_ones_widens_the_pack(tmp_path):
    root = write_pictures(tmp_path / "set", count=200, shape=(4, 4))
    colour = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    Image.fromarray(colour).save(root / "cat" / "101.png")
    source = open_source(root)
    row = source.names.index("cat/101.png")
    assert choose_preparation(source).channels == 1
    preparation, pack = pack_source(source)
    assert preparation.channels == 3
    np.testing.assert_array_equal(pack.pixels[row], colour)
    assert pack_source(source, channels=1)[0].channels == 1


def test_a_deep_picture_among_flat_ones_widens_the_pack(tmp_path):
    root = write_pictures(tmp_path / "set", count=200, shape=(4, 4))
    deep = np.arange(16, dtype=np.uint16).reshape(4, 4) * 4000
    Image.fromarray(deep).save(root / "cat" / "101.png")
    source = open_source(root)
    row = source.names.index("cat/101.png")
    preparation, pack = pack_source(source)
    assert preparation.depth == "uint16"
    np.testing.assert_array_equal(pack.pixels[row, ..., 0], deep)
    np.testing.assert_array_equal(pack.pixels[0], source.read(source.names[0]).astype(np.uint16) * 257)


def test_sizes_are_chosen_from_what_is_there(tmp_path):
    for shape, kept, small in (
        ((30, 20), (30, 20), (30, 20)),
        ((90, 70), (90, 70), (64, 64)),
        ((130, 99), (128, 128), (64, 64)),
    ):
        source = open_source(write_pictures(tmp_path / str(shape[0]), shape=shape))
        assert choose_preparation(source).input_shape() == (1, *kept)
        assert choose_preparation(source, small=True).input_shape() == (1, *small)
    mixed = write_pictures(tmp_path / "c", shape=(30, 20))
    Image.new("RGB", (9, 9)).save(mixed / "cat/1.png")
    chosen = choose_preparation(open_source(mixed), patch=(16, 16))
    assert (chosen.height, chosen.width, chosen.channels, chosen.input_shape()) == (30, 30, 3, (3, 16, 16))


def test_nothing_readable_at_all(pictures):
    for path in pictures.rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(
        SourceError, match=r"none of 60 pictures looked at .* the first, cat/1.png: the file is empty"
    ):
        pack_source(open_source(pictures))


def test_arrays_are_packed_in_memory(cache):
    X = np.random.default_rng(0).random((30, 5, 5)).astype(np.float32)
    preparation, pack = pack_source(ArraySource(X))
    np.testing.assert_array_equal(pack.pixels[..., 0], X)
    assert pack.path is None
    assert preparation.depth == "float32"
    assert not any(cache.iterdir())


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
def test_statistics_against_numpy(dtype, channels, monkeypatch):
    random = np.random.default_rng(0)
    pixels = (random.random((700, 40, 50, channels)) * 250).astype(dtype)
    rows = random.permutation(700)[:600]
    mean, std = channel_statistics(pixels, rows)
    scaled = pixels[rows] / {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    np.testing.assert_allclose(mean, scaled.mean(axis=(0, 1, 2), dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(std, scaled.std(axis=(0, 1, 2), dtype=np.float64), rtol=1e-6)


def test_a_constant_channel_deviates_by_one():
    assert channel_statistics(np.full((3, 2, 2, 1), 51, np.uint8), np.arange(3)) == ((0.2,), (1.0,))


def test_a_zip_is_packed_like_its_folder(pictures, tmp_path, monkeypatch):
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as file:
        for picture in pictures.rglob("*.png"):
            file.write(picture, picture.relative_to(tmp_path))
    _, folder = pack_source(open_source(pictures))
    monkeypatch.setattr(workers_room, "SMALL_SOURCE", 0)
    _, zipped = pack_source(open_source(path), workers=2)
    np.testing.assert_array_equal(folder.pixels, zipped.pixels)
    assert json.loads((zipped.path / "index.json").read_text())["failures"] == []


def test_real_pictures(real_data):
    source = open_source(real_data / "mnist.zip")
    assert len(source.names) == 70_000
    assert source.splits.count("test") == 10_000
    assert source.read(source.names[0]).shape == (28, 28, 1)

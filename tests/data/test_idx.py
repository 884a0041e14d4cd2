"""IDX files against bytes written by hand, and everything that can be wrong with them."""

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.data.sources.arrays import ArraySource
from striate.data.sources.idx import IdxSource, read_idx
from striate.errors import ImageError, SourceError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(array: np.ndarray) -> bytes:
    """The bytes of an IDX file, as LeCun's page describes them."""
    kind = f"{array.dtype.kind}{array.dtype.itemsize}"
    head = bytes([0, 0, CODES[kind], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(f">{kind}").tobytes()


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        "train-images-idx3-ubyte": random.integers(0, 256, (7, 4, 5), dtype=np.uint8),
        "train-labels-idx1-ubyte": np.array([3, 1, 4, 1, 5, 9, 2], np.uint8),
        "t10k-images-idx3-ubyte": random.integers(0, 256, (3, 4, 5), dtype=np.uint8),
        "t10k-labels-idx1-ubyte": np.array([6, 5, 3], np.uint8),
    }


def write(folder: Path, arrays: dict[str, np.ndarray], packed: bool = False) -> Path:
    folder.mkdir(exist_ok=True)
    for name, array in arrays.items():
        data = idx(array)
        (folder / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(data) if packed else data)
    return folder


def test_bytes_written_by_hand():
    data = bytes.fromhex("00000b02 00000002 00000003 0001 ffff 8000 7fff 0000 0100")
    np.testing.assert_array_equal(read_idx(io.BytesIO(data), "x"), [[1, -1, -32768], [32767, 0, 256]])


@given(
    kind=st.sampled_from(sorted(CODES)),
    shape=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    packed=st.booleans(),
)
def test_every_type_and_shape(kind, shape, packed):
    array = np.arange(int(np.prod(shape))).reshape(shape).astype(kind)
    data = idx(array)
    found = read_idx(io.BytesIO(gzip.compress(data) if packed else data), "x")
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype
    assert found.dtype.isnative


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_of_four_files(tmp_path, arrays, packed):
    folder = write(tmp_path / "mnist", arrays, packed)
    assert IdxSource.accepts(folder)
    source = IdxSource(folder)
    assert source.names[:4] == ["test/0001", "test/0002", "test/0003", "train/0001"]
    assert source.splits == ["test"] * 3 + ["train"] * 7
    assert source.labels == list("653" + "3141592")
    np.testing.assert_array_equal(source.read("test/0002")[..., 0], arrays["t10k-images-idx3-ubyte"][1])
    np.testing.assert_array_equal(source.read("train/0007")[..., 0], arrays["train-images-idx3-ubyte"][6])
    assert source.describe("train/0001").depth == "uint8"
    assert isinstance(source, ArraySource)


def test_names_with_dots_a_zip_and_one_file_give_the_same(tmp_path, arrays):
    plain = IdxSource(write(tmp_path / "plain", arrays))
    dotted = {name.replace("-idx", ".idx"): array for name, array in arrays.items()}
    others = [write(tmp_path / "dotted", dotted), tmp_path / "mnist.zip"]
    with zipfile.ZipFile(others[1], "w") as archive:
        for name, array in arrays.items():
            archive.writestr(f"mnist/{name}.gz", gzip.compress(idx(array)))
    for place in others:
        assert IdxSource.accepts(place)
        other = IdxSource(place)
        assert (other.names, other.labels, other.splits) == (plain.names, plain.labels, plain.splits)
        np.testing.assert_array_equal(other.stamps, plain.stamps)
    one = IdxSource(tmp_path / "plain" / "train-images-idx3-ubyte")
    assert (one.names[0], one.splits, one.labels) == ("train/0001", None, list("3141592"))


@pytest.mark.parametrize(("kind", "channels"), [("i2", 1), ("f4", 3), ("u1", 3)])
def test_measured_units_and_colour(tmp_path, kind, channels):
    images = (np.arange(2 * 3 * 4 * channels).reshape(2, 3, 4, channels) - 5).astype(kind)
    arrays = {"images-idx4-x": images, "labels-idx1-x": np.array([0, 1], np.uint8)}
    source = IdxSource(write(tmp_path, arrays))
    np.testing.assert_array_equal(source.read("image/0002"), images[1])
    assert source.read("image/0001").dtype == kind


def test_splits_come_in_natural_order_whatever_their_files_are_called(tmp_path, arrays):
    names = {"train-": "a-train-", "t10k-": "b-test-"}
    renamed = {
        name.replace(*pair): array
        for name, array in arrays.items()
        for pair in names.items()
        if pair[0] in name
    }
    source = IdxSource(write(tmp_path, renamed))
    assert source.names == IdxSource(write(tmp_path / "as they are", arrays)).names
    assert source.splits == ["test"] * 3 + ["train"] * 7


def test_a_bomb_is_refused_before_it_is_inflated(tmp_path):
    head = bytes([0, 0, 8, 3]) + struct.pack(">3I", 100, 1024, 1024)
    with gzip.open(tmp_path / "images-idx3-x.gz", "wb") as file:
        file.write(head)
        for _ in range(100):
            file.write(bytes(1 << 20))
    (tmp_path / "labels-idx1-x").write_bytes(idx(np.zeros(100, np.uint8)))
    with pytest.raises(
        SourceError, match=r"inflates to 104,857,600 bytes from .*STRIATE_MAX_INFLATION raises"
    ):
        IdxSource(tmp_path)


def damaged(arrays: dict[str, np.ndarray]) -> dict[str, tuple[dict[str, bytes], str]]:
    """Files to replace, and the words that must come of it."""
    images, labels = idx(arrays["train-images-idx3-ubyte"]), idx(arrays["train-labels-idx1-ubyte"])
    name = "train-images-idx3-ubyte"
    huge = bytes([0, 0, 8, 3]) + struct.pack(">3I", 60_000, 28_000, 28_000)
    return {
        "cut": ({name: images[:-1]}, r"promises 140 bytes of values, and 139 are there; it is cut short"),
        "longer": ({name: images + b"x"}, "promises 140 bytes of values, and more follow"),
        "header": ({name: images[:9]}, "cut short within its header"),
        "empty": ({name: b""}, "begins with nothing"),
        "png": ({name: b"\x89PNG" + images}, "is no IDX file: it begins with 89 50 4e 47"),
        "type": ({name: b"\0\0\x0a" + images[3:]}, "is no IDX file"),
        "huge": ({name: huge}, "holds 47,040,000,000,000 bytes .* STRIATE_MAX_ARRAY_BYTES raises it"),
        "gz cut": ({name: gzip.compress(images)[:-9]}, "cannot be read|cut short"),
        "gz bomb": ({name: gzip.compress(images + bytes(1 << 24))}, "more follow"),
        "gz zeroed": ({name: gzip.compress(images)[:10] + bytes(60)}, "cannot be read"),
        "flat": ({name: idx(np.zeros((7, 20), np.uint8))}, "has 2 axes; images have 3"),
        "counts": ({"train-labels-idx1-ubyte": idx(np.zeros(6, np.uint8))}, "7 images but .* 6 labels"),
        "label type": (
            {"train-labels-idx1-ubyte": idx(np.zeros(7, "f4"))},
            "labels are one axis of integers",
        ),
        "images as labels": ({"train-labels-idx1-ubyte": images}, "labels are one axis of integers"),
        "pixel type": ({name: idx(np.zeros((7, 4, 5), "i4"))}, "splits of different sizes or types"),
        "other size": ({"t10k-images-idx3-ubyte": idx(np.zeros((3, 5, 5), np.uint8))}, "different sizes"),
        "no labels": ({"train-labels-idx1-ubyte": None}, "has no labels beside it; train-labels-idx1"),
        "two sets": ({"a-train-images-idx3-x": images, "a-train-labels-idx1-x": labels}, "several sets"),
    }


@pytest.mark.parametrize(
    "case",
    sorted(
        damaged(
            {
                "train-images-idx3-ubyte": np.zeros((7, 4, 5), np.uint8),
                "train-labels-idx1-ubyte": np.zeros(7, np.uint8),
            }
        )
    ),
)
def test_damaged_files_are_refused_in_words(tmp_path, arrays, case):
    folder = write(tmp_path / "set", arrays)
    files, words = damaged(arrays)[case]
    for name, data in files.items():
        if data is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(data)
    with pytest.raises(SourceError, match=words) as caught:
        IdxSource(folder)
    assert str(folder) in str(caught.value)


def test_int32_images_are_refused(tmp_path):
    arrays = {"images-idx3-x": np.zeros((2, 3, 3), "i4"), "labels-idx1-x": np.zeros(2, "u1")}
    with pytest.raises(SourceError, match=r"dtype int32 are not taken; use uint8, uint16, int16 \(measured"):
        IdxSource(write(tmp_path, arrays))


def test_what_is_no_idx_is_not_accepted(tmp_path, arrays):
    folder = tmp_path / "other"
    folder.mkdir()
    assert not IdxSource.accepts(folder)
    (folder / "train-images-idx3-ubyte").write_bytes(b"<html>")
    assert not IdxSource.accepts(folder)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("cat/1.png", b"")
    for place in (tmp_path / "a.zip", folder / "train-images-idx3-ubyte", tmp_path / "missing", "/dev/null"):
        assert not IdxSource.accepts(place)
    with pytest.raises(SourceError, match="holds no IDX images"):
        IdxSource(tmp_path)


def test_an_unknown_name_costs_its_row_only(tmp_path, arrays):
    source = IdxSource(write(tmp_path / "set", arrays))
    with pytest.raises(ImageError, match=r"no image 'train/0008' among these 10"):
        source.read("train/0008")

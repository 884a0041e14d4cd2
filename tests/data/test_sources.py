"""Folders, arrays, embedded digits, and the door to all of them."""

import os
import pickle
import zipfile

import numpy as np
import pytest
from made_pictures import write_pictures
from sklearn.datasets import load_digits

from striate.data import ArraySource, DigitsSource, Source, list_pictures, open_source
from striate.errors import ImageError, SourceError


def test_a_folder_is_listed_in_natural_order(pictures):
    source = open_source(pictures)
    assert source.names[:3] == ["cat/1.png", "cat/2.png", "cat/3.png"]
    assert source.names[9] == "cat/10.png"
    assert (len(source.names), source.labels[-1], source.splits) == (60, "owl", None)
    assert source.location == str(pictures)
    assert isinstance(source, Source)


def test_a_folder_reads_and_describes(pictures):
    source = pickle.loads(pickle.dumps(open_source(pictures)))
    image = source.read("dog/7.png")
    assert image.shape == (8, 8, 1)
    assert source.describe("dog/7.png").height == 8
    with pytest.raises(ImageError, match="no such file"):
        source.read("dog/700.png")


def test_stamps_change_with_the_content(pictures):
    before = open_source(pictures).stamps
    path = pictures / "cat/1.png"
    path.write_bytes(path.read_bytes())
    after = open_source(pictures).stamps
    assert (before[0] != after[0]).any()
    assert (before[1:] == after[1:]).all()


def test_what_is_left_out_is_said(pictures, tmp_path):
    os.mkfifo(pictures / "cat" / "pipe.png")
    (pictures / "cat" / "loop").symlink_to(pictures)
    (pictures / "cat" / "out.png").symlink_to(tmp_path / "elsewhere.png")
    (pictures / "cat" / "gone.png").symlink_to(pictures / "nothing.png")
    (tmp_path / "elsewhere.png").write_bytes((pictures / "cat/1.png").read_bytes())
    (pictures / "cat" / "notes.txt").write_text("hello")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", ".hidden.png"):
        (pictures / "cat" / name).write_text("clutter")
    (pictures / "cat" / "same.png").symlink_to(pictures / "cat" / "1.png")
    source = open_source(pictures)
    assert len(source.names) == 61
    assert "cat/same.png" in source.names
    assert sorted(source.notes) == [
        "1 file left out, a pipe or a device: cat/pipe.png",
        "1 file left out, without a picture's ending: cat/notes.txt",
        "3 files left out, a link that leaves the folder or loops: cat/gone.png, …",
    ]


def test_a_name_that_is_no_text_is_left_out(pictures):
    path = os.path.join(os.fsencode(pictures), b"cat", b"\xff.png")
    with open(path, "wb") as file:
        file.write(b"")
    source = open_source(pictures)
    assert len(source.names) == 60
    assert "not valid UTF-8" in source.notes[0]


def test_digits_take_the_same_path():
    source = open_source("digits")
    assert isinstance(source, DigitsSource)
    raw = load_digits()
    for row in (0, 1796):
        expected = np.rint(raw.images[row] * 255 / 16)
        np.testing.assert_array_equal(source.read(source.names[row])[..., 0], expected)
        assert source.labels[row] == str(raw.target[row])


def test_a_folder_named_digits_comes_first(tmp_path, monkeypatch):
    write_pictures(tmp_path / "digits", count=1)
    monkeypatch.chdir(tmp_path)
    assert len(open_source("digits").names) == 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("digit", "did you mean digits"),
        ("/nowhere/at/all", "no path that exists and no embedded data"),
        (__file__, "neither a folder nor a zip archive"),
    ],
)
def test_unknown_locations(given, words):
    with pytest.raises(SourceError, match=words):
        open_source(given)


def test_empty_folder(tmp_path):
    with pytest.raises(SourceError, match="holds no pictures"):
        open_source(tmp_path)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(5, 4, 6), (5, 4, 6, 1), (5, 4, 6, 3)])
def test_arrays_of_every_kind(dtype, shape):
    X = (np.random.default_rng(0).random(shape) * 200).astype(dtype)
    source = ArraySource(X, list("abcab"))
    image = source.read(source.names[3])
    np.testing.assert_array_equal(image.squeeze(), X[3].astype(image.dtype).squeeze())
    assert str(image.dtype) == ("float32" if dtype == "float64" else dtype)
    assert source.labels == list("abcab")
    told = source.describe(source.names[3])
    assert (told.height, told.width, told.channels, told.depth) == (*image.shape, str(image.dtype))


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (np.zeros((3, 8, 8), np.int64), None, "dtype int64 are not taken"),
        (np.zeros((3, 64)), None, r"shape \(3, 64\) is no set of images"),
        (np.zeros((3, 8, 8, 2)), None, "with 1 or 3 channels"),
        (np.zeros((0, 8, 8)), None, "no set of images"),
        (np.full((3, 8, 8), np.nan), None, "3 of 3 images hold values that are not finite"),
        (np.zeros((3, 8, 8)), [1, 2], "3 images but 2 labels"),
    ],
)
def test_arrays_that_are_refused(X, y, words):
    with pytest.raises(SourceError, match=words):
        ArraySource(X, y)


def test_pictures_to_predict_come_from_anywhere(pictures, tmp_path):
    archive = tmp_path / "some.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(pictures / "cat/1.png", "deep/down/1.png")
        file.writestr("readme.txt", "no picture")
    single = str(pictures / "owl/3.png")
    paths = [single, pictures / "dog", archive, tmp_path / "missing.png"]
    listed = list(list_pictures(paths))
    assert [name for name, _ in listed[:3]] == [
        single,
        str(pictures / "dog/1.png"),
        str(pictures / "dog/2.png"),
    ]
    assert listed[21][0] == f"{archive}/deep/down/1.png"
    assert len(listed) == 23
    assert all(read().shape == (8, 8, 1) for _, read in listed[:-1])
    with pytest.raises(ImageError, match="no such file"):
        listed[-1][1]()


def test_an_empty_folder_to_predict_costs_its_own_row(tmp_path):
    (tmp_path / "empty").mkdir()
    ((name, read),) = list_pictures([tmp_path / "empty"])
    assert name == str(tmp_path / "empty")
    with pytest.raises(ImageError, match="holds no pictures"):
        read()


def test_listing_a_folder_is_lazy(pictures):
    listing = list_pictures([pictures])
    next(listing)
    (pictures / "owl" / "1.png").unlink()
    assert sum(1 for _ in listing) == 58

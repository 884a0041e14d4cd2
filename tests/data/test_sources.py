"""Folders, arrays, embedded digits, and the door to all of them."""

import os
import pickle
import tarfile
import zipfile

import made_archives as made
import numpy as np
import pytest
from made_pictures import write_pictures
from PIL import Image
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
        ("/nowhere/at/all", "no path that exists and no data set by name; Allowed: digits, mnist"),
        (__file__, "no source of images; give a folder of class folders, or a zip or tar of them"),
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
    assert all(read().pixels.shape == (8, 8, 1) for _, read in listed[:-1])
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


@pytest.fixture
def study(tmp_path):
    """Two classes: a scan of three pages and a picture without an ending; a name that is a UID; no picture at all."""
    for name in ("lung", "skull"):
        (tmp_path / "study" / name).mkdir(parents=True)
    (tmp_path / "study/lung/scan.tif").write_bytes(made.pages(3))
    (tmp_path / "study/lung/IM0001").write_bytes(made.png(1))
    (tmp_path / "study/skull/1.2.840.10008.7").write_bytes(made.pages(2))
    (tmp_path / "study/skull/LICENSE").write_text("no picture")
    (tmp_path / "study/DICOMDIR").write_bytes(bytes(128) + b"DICM")
    return tmp_path / "study"


PAGES = [
    "lung/IM0001",
    "lung/scan.tif#1",
    "lung/scan.tif#2",
    "lung/scan.tif#3",
    "skull/1.2.840.10008.7#1",
    "skull/1.2.840.10008.7#2",
]


def packed_study(study, tmp_path, form):
    path = tmp_path / f"study.{form}"
    if form == "zip":
        with zipfile.ZipFile(path, "w") as file:
            for entry in sorted(study.rglob("*")):
                if entry.is_file():
                    file.write(entry, entry.relative_to(study))
    elif form == "tar":
        with tarfile.open(path, "w") as file:
            file.add(study, ".")
    return path if form != "folder" else study


@pytest.mark.parametrize("form", ["folder", "zip", "tar"])
def test_pages_are_pictures_and_files_without_ending_are_looked_at(study, tmp_path, form):
    path = packed_study(study, tmp_path, form)
    source = pickle.loads(pickle.dumps(open_source(path)))
    assert source.names == PAGES
    assert source.labels == ["lung"] * 4 + ["skull"] * 2
    assert source.notes == ["1 file left out, without a picture's ending: skull/LICENSE"]
    assert [int(source.read(name).mean()) for name in PAGES[1:]] == [10, 20, 30, 10, 20]
    assert source.describe(PAGES[3]).images == 3
    assert len({tuple(stamp) for stamp in source.stamps.tolist()}) == len(PAGES)
    listed = dict(list_pictures([path]))
    assert sorted(listed) == sorted(f"{path}/{name}" for name in PAGES)
    assert int(listed[f"{path}/lung/scan.tif#2"]().pixels.mean()) == 20


def test_one_page_asked_for(study):
    scan = study / "lung/scan.tif"
    assert [name for name, _ in list_pictures([scan])] == [f"{scan}#{page}" for page in (1, 2, 3)]
    ((name, read),) = list_pictures([f"{scan}#2"])
    assert (name, int(read().pixels.mean())) == (f"{scan}#2", 20)


def test_a_file_of_many_pages_is_read_once_while_they_are_read_in_turn(study, monkeypatch):
    source = open_source(study)
    read = []
    whole = source.store.read
    monkeypatch.setattr(source.store, "read", lambda file: read.append(file) or whole(file))
    for name in PAGES:
        source.load(name)
    assert read == ["lung/IM0001", "lung/scan.tif", "skull/1.2.840.10008.7"]


def test_a_file_that_cannot_be_counted_is_listed_as_one(study):
    (study / "lung/scan.tif").write_bytes(made.pages(3)[:20])
    source = open_source(study)
    assert source.names[1] == "lung/scan.tif"
    with pytest.raises(ImageError):
        source.load("lung/scan.tif")


def test_a_draft_reaches_the_decoder(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        Image.new("L", (640, 480)).save(tmp_path / name / "1.jpg")
    source = open_source(tmp_path)
    assert source.load("cat/1.jpg").pixels.shape == (480, 640, 1)
    assert source.load("cat/1.jpg", (60, 80)).pixels.shape == (60, 80, 1)
    shapes = [read().pixels.shape for _, read in list_pictures([tmp_path], (100, 100))]
    assert shapes == [(120, 160, 1)] * 2


def test_arrays_have_no_columns_and_take_a_draft():
    source = open_source("digits")
    assert source.load(source.names[0], (1, 1)).pixels.shape == (8, 8, 1)
    assert not source.columns
    with pytest.raises(SourceError, match="digits has no table with columns"):
        source.column("age")


def test_a_source_without_a_table_has_no_columns(pictures):
    source = open_source(pictures)
    with pytest.raises(SourceError, match="has no table with columns, so none called 'age'"):
        source.column("age")

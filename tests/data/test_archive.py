"""The parser of zip directories against the standard library's, and members that no honest archive holds."""

import io
import os
import pickle
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from striate.data import list_pictures, open_source
from striate.data.sources.archive import Archive
from striate.errors import ImageError, SourceError


@pytest.fixture
def packed(pictures, tmp_path):
    """A zip of the pictures inside one wrapping folder, stored and deflated in turn."""
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number, picture in enumerate(sorted(pictures.rglob("*.png"))):
            method = zipfile.ZIP_DEFLATED if number % 2 else zipfile.ZIP_STORED
            file.write(picture, f"wrapped/{picture.relative_to(pictures)}", method)
    return path


def test_a_zip_and_its_folder_are_the_same(packed, pictures):
    zipped, folder = open_source(packed), open_source(pictures)
    assert zipped.names == folder.names
    assert zipped.labels == folder.labels
    for name in folder.names[::7]:
        np.testing.assert_array_equal(zipped.read(name), folder.read(name))
    assert zipped.describe("cat/1.png") == folder.describe("cat/1.png")


def test_the_zip_is_left_as_it_was(packed):
    before = packed.read_bytes(), sorted(os.listdir(packed.parent))
    source = open_source(packed)
    source.read(source.names[0])
    assert (packed.read_bytes(), sorted(os.listdir(packed.parent))) == before


def members_of(data: bytes, tmp_path) -> list[tuple]:
    path = tmp_path / "some.zip"
    path.write_bytes(data)
    return [tuple(member) for member in Archive(str(path)).members()]


def written(names, **options) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, b"x" * number, **options)
    return file.getvalue()


@pytest.mark.parametrize("comment", [b"", b"a comment"])
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\nself-extracting\n"])
def test_members_are_those_of_the_standard_library(tmp_path, comment, before):
    file = io.BytesIO(before)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = comment
        for number, name in enumerate(["a/1.png", "b/ünï.png", "c/"]):
            archive.writestr(name, b"" if name.endswith("/") else b"pixels" * number)
    path = tmp_path / "some.zip"
    path.write_bytes(file.getvalue())
    ours = Archive(str(path))
    with zipfile.ZipFile(path) as theirs:
        expected = [
            (i.filename, i.file_size, i.CRC, theirs.read(i)) for i in theirs.infolist() if not i.is_dir()
        ]
    assert [(m.name, m.size, m.crc, ours.read(m)) for m in ours.members()] == expected


def test_data_before_the_archive_shift_every_offset(tmp_path):
    path = tmp_path / "some.zip"
    path.write_bytes(b"#!/bin/sh\n" + written(["a.png", "b.png", "c.png"]))
    archive = Archive(str(path))
    assert [archive.read(member) for member in archive.members()] == [b"", b"x", b"xx"]


def test_sizes_of_64_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    data = written(["a.png", "b.png"] + [f"{number}.png" for number in range(30)])
    assert b"PK\6\6" in data
    path = tmp_path / "some.zip"
    path.write_bytes(data)
    archive = Archive(str(path))
    assert [archive.read(member) for member in archive.members()] == [b"x" * number for number in range(32)]


@pytest.mark.parametrize(
    "name",
    ["../evil.png", "a/../../evil.png", "/etc/evil.png", "C:/evil.png", "C:\\evil.png", "..\\evil.png"],
)
def test_names_that_lead_out_are_refused(tmp_path, name):
    data = written(["cat/1.png", name])
    with pytest.raises(SourceError, match="has a name that leads out of the archive") as caught:
        members_of(data, tmp_path)
    assert name.replace("\\", "/") in str(caught.value)


def test_links_are_refused(tmp_path):
    link = zipfile.ZipInfo("cat/link.png")
    link.create_system = 3
    link.external_attr = 0o120777 << 16
    with pytest.raises(SourceError, match=r"cat/link\.png' is a link"):
        members_of(written([link]), tmp_path)


def test_encrypted_members_are_refused(tmp_path):
    data = bytearray(written(["cat/1.png"]))
    data[data.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(SourceError, match="is encrypted"):
        members_of(bytes(data), tmp_path)


def test_a_hostile_member_stops_prediction_before_its_first_row(tmp_path):
    path = tmp_path / "some.zip"
    path.write_bytes(written(["cat/1.png", "../evil.png"]))
    with pytest.raises(SourceError, match="leads out"):
        next(list_pictures([path]))


def test_clutter_is_passed_over(tmp_path):
    names = ["a/1.png", "__MACOSX/a/._1.png", "a/.DS_Store", "a/Thumbs.db", ".git/2.png", "a/desktop.ini"]
    assert [member[0] for member in members_of(written(names), tmp_path)] == ["a/1.png"]


def test_a_bomb_is_not_inflated(tmp_path):
    data = written(["cat/1.png"], compress_type=zipfile.ZIP_DEFLATED)
    path = tmp_path / "some.zip"
    path.write_bytes(data)
    archive = Archive(str(path))
    (member,) = archive.members()
    with pytest.raises(
        ImageError,
        match=r"inflates to 1,073,741,824 bytes; the limit is 536,870,912 .STRIATE_MAX_DECODED_BYTES raises it",
    ):
        archive.read(member._replace(size=1 << 30))
    with pytest.raises(ImageError, match="no picture does that"):
        archive.read(member._replace(size=100 << 20))


def test_a_member_that_lies_about_its_size(tmp_path):
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("cat/1.png", bytes(50_000_000))
    archive = Archive(str(path))
    (member,) = archive.members()
    with pytest.raises(ImageError, match="length or checksum"):
        archive.read(member._replace(size=100))


def test_damage_is_found(packed, tmp_path):
    data = bytearray(packed.read_bytes())
    data[60] ^= 1
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(bytes(data))
    source = open_source(damaged)
    with pytest.raises(ImageError, match="length or checksum"):
        source.read("cat/1.png")
    source.read("cat/2.png")


@pytest.mark.parametrize("cut", [10, 100, 3000])
def test_an_archive_cut_short_is_said(packed, tmp_path, cut):
    short = tmp_path / "short.zip"
    short.write_bytes(packed.read_bytes()[:-cut])
    with pytest.raises(SourceError, match="zip archive"):
        open_source(short)


def test_a_directory_that_points_outside(tmp_path):
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 5000, 0, 0)
    with pytest.raises(SourceError, match="outside the file"):
        members_of(end, tmp_path)


def test_an_unknown_compression_is_named(tmp_path):
    path = tmp_path / "some.zip"
    path.write_bytes(written(["cat/1.png"], compress_type=zipfile.ZIP_LZMA))
    archive = Archive(str(path))
    with pytest.raises(ImageError, match="method 14"):
        archive.read(next(archive.members()))


def test_copies_and_threads_share_nothing(packed):
    source = pickle.loads(pickle.dumps(open_source(packed)))
    with ThreadPoolExecutor(8) as threads:
        images = list(threads.map(source.read, source.names * 5))
    for name, image in zip(source.names, images, strict=False):
        np.testing.assert_array_equal(image, source.read(name))

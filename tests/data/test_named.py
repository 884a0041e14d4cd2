"""Named data: the table, downloads from a local server, and what is verified, recorded and said."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from local_server import (
    ANSWERS,
    ASKED,
    CHARACTERS,
    CONTENT,
    fresh_home,
    left_in,
    png,
    published,
    serve,
    serving,
    tgz,
)

import striate
from striate.data.named import prepared, registry
from striate.data.named.downloads import (
    NAMES,
    download_data,
    is_downloaded,
    named_data,
    named_folder,
    named_source,
)
from striate.data.named.registry import NamedData, NamedFile
from striate.errors import SourceError


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    return fresh_home(tmp_path / "home", monkeypatch)


@pytest.fixture
def mnist(server, monkeypatch) -> NamedData:
    return serve(published("mnist", CONTENT, server), CONTENT, monkeypatch)


@pytest.fixture
def characters(server, monkeypatch) -> NamedData:
    content = {"EnglishHnd.tgz": CHARACTERS}
    return serve(published("chars74k", content, server, hashed=False, images=18), content, monkeypatch)


def test_the_table_is_whole():
    assert NAMES == (
        "mnist",
        "fashion-mnist",
        "cifar10",
        "cifar100",
        "chars74k",
        "malaria",
        "concrete-cracks",
    )
    assert set(prepared.PREPARATIONS) == set(NAMES)
    lengths = {"md5": 32, "sha256": 64}
    for entry in named_data():
        assert entry.licence
        assert entry.paper
        assert bool(entry.published) == all(file.hashes for file in entry.files)
        for file in entry.files:
            assert all(url.startswith(("https://", "http://")) for url in file.urls)
            assert bool(file.hashes) == (file.size is not None)
            for each in file.hashes:
                algorithm, _, value = each.partition(":")
                assert re.fullmatch(r"[0-9a-f]+", value)
                assert len(value) == lengths[algorithm]
            assert entry.opened in ("", file.name)


def test_a_download_is_verified_recorded_and_read(mnist, home):
    seen: list[tuple[str, int, int]] = []
    folder = download_data("mnist", progress=lambda *moved: seen.append(moved))
    assert folder == home / "mnist" == named_folder("mnist")
    assert left_in(folder) == sorted([*CONTENT, "sha256.txt"])
    for file, data in CONTENT.items():
        assert (folder / file).read_bytes() == data
        moves = [(done, total) for name, done, total in seen if name == file]
        assert moves[-1] == (len(data), len(data))
        assert moves == sorted(moves)
        line = f"{hashlib.sha256(data).hexdigest()}  {file}\n"
        assert line in (folder / "sha256.txt").read_text()
    assert is_downloaded("mnist")
    source = named_source("mnist")
    assert (source.location, len(source.names), source.notes) == ("mnist", 50, [])
    assert source.splits == ["test"] * 10 + ["train"] * 40
    assert source.labels[:10] == list("0123456789")
    np.testing.assert_array_equal(source.read("train/0002")[..., 0], np.arange(16, 32).reshape(4, 4))


def test_progress_counts_every_byte_of_a_larger_file(server, monkeypatch):
    data = b"PK\3\4" + os.urandom(300_000)
    monkeypatch.setitem(registry.REGISTRY, "malaria", published("malaria", {"cell_images.zip": data}, server))
    ANSWERS["/a/cell_images.zip"] = (200, {}, data)
    seen: list[int] = []
    download_data("malaria", progress=lambda name, done, total: seen.append(done) or None)
    assert seen == [*range(1 << 16, len(data), 1 << 16), len(data)]


def test_the_second_time_needs_no_network(mnist, server):
    download_data("mnist")
    ANSWERS.clear()
    ASKED.clear()
    download_data("mnist")
    assert ASKED == []


def test_another_folder_and_ones_own_mirror(mnist, server, tmp_path):
    ANSWERS.update({f"/mine/{file}": (200, {}, data) for file, data in CONTENT.items()})
    folder = download_data("mnist", tmp_path / "here", base_url=f"{server}/mine/")
    assert folder == tmp_path / "here"
    assert set(ASKED) == {f"/mine/{file}" for file in CONTENT}
    assert not is_downloaded("mnist")
    assert is_downloaded("mnist", folder)


def test_the_second_address_serves_when_the_first_does_not(mnist):
    file = "t10k-labels-idx1-ubyte.gz"
    ANSWERS[f"/b/{file}"] = ANSWERS.pop(f"/a/{file}")
    download_data("mnist")
    assert f"/a/{file}" in ASKED
    assert is_downloaded("mnist")


def test_a_wrong_hash_at_the_first_address_is_no_end(mnist):
    file = "t10k-labels-idx1-ubyte.gz"
    ANSWERS[f"/b/{file}"] = ANSWERS[f"/a/{file}"]
    ANSWERS[f"/a/{file}"] = (200, {}, b"\x1f\x8b" + CONTENT[file][2:-1] + b"x")
    folder = download_data("mnist")
    assert (folder / file).read_bytes() == CONTENT[file]


def test_a_wrong_hash_is_refused_with_both_and_nothing_is_kept(mnist, home):
    file = "train-images-idx3-ubyte.gz"
    wrong = CONTENT[file][:-1] + b"!"
    ANSWERS[f"/a/{file}"] = ANSWERS[f"/b/{file}"] = (200, {}, wrong)
    with pytest.raises(SourceError) as caught:
        download_data("mnist")
    right, found = (hashlib.sha256(data).hexdigest() for data in (CONTENT[file], wrong))
    assert str(caught.value) == (
        f"{file} is not the published file: its SHA256 is {found}, and {right} is expected; it was removed"
    )
    assert left_in(home / "mnist") == []


def test_the_md5_that_the_source_publishes_counts_too(mnist, server, monkeypatch):
    files = tuple(
        NamedFile(file.name, file.urls, (file.hashes[0], "md5:" + "0" * 32), file.size)
        for file in mnist.files
    )
    monkeypatch.setitem(registry.REGISTRY, "mnist", NamedData(**{**vars(mnist), "files": files}))
    with pytest.raises(SourceError, match=r"its MD5 is [0-9a-f]{32}, and 0{32} is expected"):
        download_data("mnist")


def test_what_nobody_published_is_recorded_once_and_held_to(characters, home):
    folder = download_data("chars74k")
    recorded = (folder / "sha256.txt").read_text()
    assert recorded == f"{hashlib.sha256(CHARACTERS).hexdigest()}  EnglishHnd.tgz\n"
    (folder / "EnglishHnd.tgz").unlink()
    other = tgz({"English/Hnd/Img/Sample001/img001-001.png": png(9)})
    ANSWERS["/a/EnglishHnd.tgz"] = ANSWERS["/b/EnglishHnd.tgz"] = (200, {}, other)
    with pytest.raises(SourceError, match=r"is not the recorded file: its SHA256 is .* it was removed"):
        download_data("chars74k")
    assert (folder / "sha256.txt").read_text() == recorded


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            b"<!DOCTYPE html>too many requests",
            r"is no \.tgz file but begins with b'<!DOCTYPE html>t', as a page",
        ),
        (CHARACTERS[:-40], "is cut short or damaged"),
    ],
)
def test_what_is_not_even_an_archive_is_not_recorded(characters, home, body, words):
    ANSWERS["/a/EnglishHnd.tgz"] = ANSWERS["/b/EnglishHnd.tgz"] = (200, {}, body)
    with pytest.raises(SourceError, match=words):
        download_data("chars74k")
    assert left_in(home / "chars74k") == []


def test_names_that_are_not_known():
    assert named_source("minst") is None
    with pytest.raises(SourceError, match="there are no data called 'minst'; did you mean mnist"):
        download_data("minst")


def test_known_data_that_are_not_there(home):
    with pytest.raises(SourceError) as caught:
        named_source("cifar100")
    assert str(caught.value) == (
        "cifar100 is not downloaded yet: `striate data download cifar100` fetches and verifies it "
        "(licence: none stated; the CIFAR page asks to cite the report, 169 MB)"
    )
    assert not home.exists()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"STRIATE_HOME": "/x/y"}, "/x/y/mnist"),
        ({"XDG_DATA_HOME": "/share"}, "/share/striate/mnist"),
        ({"HOME": "/home/ada"}, "/home/ada/.local/share/striate/mnist"),
    ],
)
def test_where_data_are_kept(monkeypatch, given, expected):
    for name in ("STRIATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert named_folder("mnist") == Path(expected)


def test_a_folder_that_cannot_be_written(mnist, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(
        striate.StriateError, match="cannot be written: a file stands where a folder is needed"
    ):
        download_data("mnist", tmp_path / "file" / "below")

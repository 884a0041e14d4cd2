"""Downloads that fail: nothing is left half, and what to do is said."""

import errno
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_server import (
    ANSWERS,
    ASKED,
    CONTENT,
    Handler,
    fresh_home,
    left_in,
    published,
    serve,
    serving,
)

import striate
from striate.data.named import fetching, registry
from striate.data.named.downloads import download_data, is_downloaded, named_source
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


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, {}, b""), r"127\.0\.0\.1:\d+ answered 404 for train-images"),
        ((503, {}, b"later"), "answered 503"),
        (
            (200, {"Content-Length": "9999"}, b"\x1f\x8b123"),
            r"transfer of train-images.* broke off after \d+ bytes",
        ),
    ],
)
def test_a_server_that_fails_leaves_nothing_half(mnist, home, answer, words):
    for place in ("a", "b"):
        ANSWERS[f"/{place}/train-images-idx3-ubyte.gz"] = answer
    with pytest.raises(SourceError, match=words):
        download_data("mnist")
    assert left_in(home / "mnist") == []
    ANSWERS.update({f"/a/{file}": (200, {}, data) for file, data in CONTENT.items()})
    download_data("mnist")
    assert is_downloaded("mnist")


def test_without_a_network_one_sentence_says_what_to_do(mnist, server, home, monkeypatch):
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as closed:
        gone = f"http://127.0.0.1:{closed.server_address[1]}"
    files = tuple(
        NamedFile(file.name, (f"{gone}/{file.name}",), file.hashes, file.size) for file in mnist.files
    )
    monkeypatch.setitem(registry.REGISTRY, "mnist", NamedData(**{**vars(mnist), "files": files}))
    folder = home / "mnist"
    folder.mkdir(parents=True)
    first, *others = files
    (folder / first.name).write_bytes(CONTENT[first.name])
    with pytest.raises(SourceError) as caught:
        download_data("mnist")
    listed = ", and ".join(f"{gone}/{file.name} as {folder / file.name}" for file in others)
    assert str(caught.value) == (
        f"mnist could not be downloaded (there is no connection to {gone[7:]}): fetch {listed} by other means, "
        "and `striate data download mnist` will verify what lies there"
    )
    for file in others:
        (folder / file.name).write_bytes(CONTENT[file.name])
    with pytest.raises(SourceError, match="not downloaded yet"):
        named_source("mnist")
    download_data("mnist")
    assert len(named_source("mnist").names) == 50


def test_a_file_put_there_by_hand_that_is_another_is_left_alone(mnist, home):
    place = home / "mnist" / "t10k-labels-idx1-ubyte.gz"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"\x1f\x8bsomething")
    with pytest.raises(SourceError, match=rf"expected; move {place} away and run the command again"):
        download_data("mnist")
    assert place.read_bytes() == b"\x1f\x8bsomething"


def test_more_bytes_than_published_are_not_taken(mnist, home):
    file = "train-labels-idx1-ubyte.gz"
    for place in ("a", "b"):
        ANSWERS[f"/{place}/{file}"] = (200, {}, b"\x1f\x8b" + bytes(1 << 20))
    with pytest.raises(
        SourceError, match=rf"{file} has \d+ bytes and the server sent more; nothing of it was kept"
    ):
        download_data("mnist")
    assert left_in(home / "mnist") == ["sha256.txt", "train-images-idx3-ubyte.gz"]


def test_what_a_killed_download_left_is_removed(mnist, home):
    left = home / "mnist" / f"{fetching.PARTS}x1"
    left.mkdir(parents=True)
    (left / "train-images-idx3-ubyte.gz").write_bytes(b"half")
    download_data("mnist")
    assert left_in(home / "mnist") == sorted([*CONTENT, "sha256.txt"])


def test_an_interrupt_leaves_nothing_half(mnist, home):
    def interrupt(name: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download_data("mnist", progress=interrupt)
    assert left_in(home / "mnist") == []


def test_a_full_disk_is_told_from_a_lost_connection(mnist, home):
    def full(name: str, done: int, total: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(
        striate.StriateError, match=r"No space left for .*train-images.*: \d\d\d bytes were needed"
    ):
        download_data("mnist", progress=full)
    assert left_in(home / "mnist") == []


def test_two_at_once_fetch_every_file_once(mnist):
    threads = [threading.Thread(target=download_data, args=("mnist",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ASKED) == sorted(f"/a/{file}" for file in CONTENT)


def test_a_packed_transfer_is_kept_as_it_was_sent(mnist):
    file = "train-labels-idx1-ubyte.gz"
    ANSWERS[f"/a/{file}"] = (200, {"Content-Encoding": "gzip"}, CONTENT[file])
    assert (download_data("mnist") / file).read_bytes() == CONTENT[file]

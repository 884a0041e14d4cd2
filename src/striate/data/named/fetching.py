"""One file fetched from the network, whole and as published, or not at all."""

import contextlib
import fcntl
import gzip
import hashlib
import logging
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from striate.data.named.registry import NamedFile
from striate.errors import SourceError
from striate.files import explain, sha256_of, sync, write_atomically

ByteProgress = Callable[[str, int, int], None]
"""Called with a file's name, the bytes received and the bytes expected, 0 where no one has said."""

RECORD, LOCK, PARTS = "sha256.txt", ".lock", ".download-"
CHUNK, TIMEOUT_SECONDS = 1 << 16, 30
STARTS = {".gz": b"\x1f\x8b", ".tgz": b"\x1f\x8b", ".zip": b"PK\3\4", ".rar": b"Rar!\x1a\x07"}


class NotFetchedError(Exception):
    """No address gave the file; the text says why, one reason an address."""


def fetch(file: NamedFile, urls: tuple[str, ...], folder: Path, progress: ByteProgress | None) -> None:
    """Puts a file into a folder, from the first address that gives it as published.

    It is received beside its place, verified, and renamed; whatever fails leaves nothing behind. Raises
    NotFetchedError when no address answers with the file, SourceError when the last one gave another file.
    """
    reasons = []
    with _receiving(folder) as part:
        for url in urls:
            try:
                received = _retrieve(file, url, part, progress)
                verify(file, received, folder, removed=True)
            except NotFetchedError as error:
                reasons.append(str(error))
                continue
            except SourceError as error:
                (part / file.name).unlink(missing_ok=True)
                if url == urls[-1]:
                    raise
                reasons.append(str(error))
                continue
            received.replace(folder / file.name)
            sync(folder)
            return
    raise NotFetchedError("; ".join(dict.fromkeys(reasons)))


def _retrieve(file: NamedFile, url: str, part: Path, progress: ByteProgress | None) -> Path:
    import pooch
    from requests.exceptions import HTTPError, RequestException
    from urllib3.exceptions import HTTPError as TransferError

    pooch.get_logger().setLevel(logging.WARNING)  # it would print a hash that nobody has published
    host = urlsplit(url).netloc
    transfer = _Transfer(file, progress)
    try:
        # pooch calls by place; its protocol has other names for the same.
        found = pooch.retrieve(url, None, fname=file.name, path=part, downloader=transfer)  # pyright: ignore[reportArgumentType]
        return Path(found)
    except HTTPError as error:
        status = error.response.status_code if error.response is not None else "with an error"
        raise NotFetchedError(f"{host} answered {status} for {file.name}") from error
    except (RequestException, TransferError) as error:
        broken = f"the transfer of {file.name} from {host} broke off after {transfer.done:,} bytes"
        raise NotFetchedError(broken if transfer.begun else f"there is no connection to {host}") from error
    except OSError as error:
        raise explain(error, part / file.name, file.size or 0) from error


class _Transfer:
    """Receives for pooch: the bytes as they are sent, counted, and no more of them than were published."""

    def __init__(self, file: NamedFile, progress: ByteProgress | None) -> None:
        self.begun = False
        self.done = 0
        self._file, self._progress = file, progress

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        """Receives one file, as pooch asks its downloaders to."""
        import requests

        # A server that packs a packed file again would change its hash, and so would unpacking what it sends.
        headers = {"Accept-Encoding": "identity", "User-Agent": "striate"}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
            response.raise_for_status()
            self.begun = True
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else self._file.size or 0
            with open(output_file, "wb") as output:
                for chunk in response.raw.stream(CHUNK, decode_content=False):
                    output.write(chunk)
                    self._count(len(chunk), total)

    def _count(self, received: int, total: int) -> None:
        self.done += received
        limit = self._file.size
        if limit is not None and self.done > limit:
            raise SourceError(
                f"{self._file.name} has {limit:,} bytes and the server sent more; nothing of it was kept"
            )
        if self._progress is not None:
            self._progress(self._file.name, self.done, total)


@contextlib.contextmanager
def _receiving(folder: Path) -> Iterator[Path]:
    """A folder for parts of files, gone afterwards; what killed processes left there is removed first."""
    for leftover in folder.glob(f"{PARTS}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=PARTS) as part:
        yield Path(part)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Held by the one process that downloads into a folder; a second one waits. Makes the folder if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / LOCK, "a")  # noqa: SIM115 (held by the block below)
    except OSError as error:
        raise explain(error, folder, 0) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def verify(file: NamedFile, path: Path, folder: Path, *, removed: bool) -> None:
    """SourceError unless a file is the published one, or the one recorded at the first download.

    The SHA-256 of a file that is accepted is recorded in the folder's `sha256.txt`, as `sha256sum` writes it. What
    was `removed` and what stays where it lies is said.
    """
    fate = "it was removed" if removed else f"move {path} away and run the command again"
    with path.open("rb") as stream:
        head = stream.read(16)
    expected = STARTS.get(path.suffix)
    if expected is not None and not head.startswith(expected):
        raise SourceError(
            f"{path.name} is no {path.suffix} file but begins with {head!r}, as a page that reports an error may; "
            f"{fate}"
        )
    if not file.hashes and expected == STARTS[".gz"]:
        _check_whole(path, fate)
    found = sha256_of(path)
    record = recorded(folder)
    known = file.hashes or ((f"sha256:{record[file.name]}",) if file.name in record else ())
    for each in known:
        algorithm, _, wanted = each.partition(":")
        given = found if algorithm == "sha256" else _digest(path, algorithm)
        if not given.startswith(wanted):
            whose = "the published" if file.hashes else "the recorded"
            raise SourceError(
                f"{path.name} is not {whose} file: its {algorithm.upper()} is {given}, and {wanted} is expected; {fate}"
            )
    if record.get(file.name) != found:
        lines = sorted({**record, file.name: found}.items())
        write_atomically(folder / RECORD, "".join(f"{value}  {name}\n" for name, value in lines).encode())


def recorded(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file that was accepted into a folder, by name."""
    try:
        lines = (folder / RECORD).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{folder / RECORD} cannot be read: {error}") from error
    return {name: value for value, _, name in (line.partition("  ") for line in lines)}


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def _check_whole(path: Path, fate: str) -> None:
    """SourceError for a gzipped file that ends before its end: nobody's hash would tell."""
    try:
        with gzip.open(path) as stream:
            while stream.read(1 << 20):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path.name} is cut short or damaged: {error}; {fate}") from error

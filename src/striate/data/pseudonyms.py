"""Names that tell nothing: a keyed digest in place of a patient's number or of a file's name.

A plain hash of a patient's number can be found again by hashing every number. The key is random, made once, and stays
on this machine; whoever has it can tell who is who only by trying, and whoever has it not cannot even do that.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from striate.data.home import home_folder
from striate.data.sources.door import Source
from striate.errors import SourceError, StriateError
from striate.pixels.picture import Description, ImageArray, Picture

KEY_BYTES = 32


def secret_key(folder: Path | None = None) -> bytes:
    """This machine's key, made at its first use in a file that only its owner can read.

    Raises StriateError where it can be neither read nor made, and for a file that is no key.
    """
    path = (folder or home_folder()) / "pseudonyms.key"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise StriateError(
            f"the key for pseudonyms {path} cannot be made or read ({error.strerror}); "
            "set STRIATE_HOME to a folder that can be written"
        ) from error
    if len(key) != KEY_BYTES:
        raise StriateError(
            f"{path} holds {len(key)} bytes and is no key of {KEY_BYTES}; restore it from a copy, or remove it to "
            "have a new one made, under which all pseudonyms change"
        )
    return key


def _make_key(path: Path) -> None:
    """Writes a new key beside `path` and links it there; of two processes one wins and both use its key."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():
            try:
                os.link(new, path)
            except FileExistsError:
                return
    finally:
        os.unlink(new)


def pseudonyms(texts: Iterable[str], *, kind: str, key: bytes | None = None) -> list[str]:
    """One pseudonym for each text, the same for the same text and kind; the empty text stays empty.

    >>> pseudonyms(["4711", "4712", "4711", ""], kind="group", key=bytes(32))
    ['group-04a985c7bce1', 'group-35d10787d6ff', 'group-04a985c7bce1', '']

    48 bits of BLAKE2b under the machine's key; `kind` stands before it and enters the digest.
    """
    key = secret_key() if key is None else key
    known: dict[str, str] = {"": ""}
    return [known.get(text) or known.setdefault(text, _pseudonym(text, kind, key)) for text in texts]


def _pseudonym(text: str, kind: str, key: bytes) -> str:
    if not text:
        return ""
    data = text.encode("utf-8", "surrogateescape")
    return f"{kind}-{hashlib.blake2b(data, digest_size=6, key=key, person=kind.encode()[:16]).hexdigest()}"


class PseudonymousSource:
    """A source whose pictures are called by pseudonyms; everything else is the source's own.

    Names of 48 bits: among a million pictures two share one with a chance of 1 in 560, which is refused here.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.location, self.notes, self.in_memory = source.location, [], source.in_memory
        self.labels, self.splits = source.labels, source.splits
        self.groups = None if source.groups is None else pseudonyms(source.groups, kind="group")
        self.stamps = source.stamps
        self.columns: tuple[str, ...] = ()
        self.names = pseudonyms(source.names, kind="image")
        if len(set(self.names)) < len(self.names):
            raise SourceError(
                f"two pictures of {source.location} have the same pseudonym; go on without --pseudonyms"
            )
        # What a source says of its listing may name files.
        if source.notes:
            self.notes = [
                f"{len(source.notes):,} notes on the listing name files and are left out under --pseudonyms"
            ]
        self._real: dict[str, str] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_real": None}

    def load(self, name: str, draft: tuple[int, int] | None = None) -> Picture:
        """The picture, decoded, with what its file says of it; ImageError gives the reason alone."""
        return self._source.load(self._name(name), draft)

    def read(self, name: str) -> ImageArray:
        """The pixels of the picture; ImageError gives the reason alone."""
        return self.load(name).pixels

    def describe(self, name: str) -> Description:
        """Size, channels and depth by the header alone; ImageError gives the reason alone."""
        return self._source.describe(self._name(name))

    def column(self, name: str) -> list[str]:
        """SourceError: what a table says of a picture may tell whose it is."""
        raise SourceError(f"--pseudonyms: the column {name!r} of {self.location} is not shown")

    def _name(self, pseudonym: str) -> str:
        if self._real is None:
            self._real = dict(zip(self.names, self._source.names, strict=True))
        return self._real[pseudonym]

"""Images decoded once and prepared, as one memory-mapped array that the next run opens at once."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from striate.data.packing import shelf
from striate.data.packing.cache import build_folder, build_lock, cache_root
from striate.data.packing.choice import choose_preparation, widened
from striate.data.packing.decoding import Decoded, Decoding
from striate.data.packing.stream import PackedPixels, StreamedPixels
from striate.data.packing.workers import Progress, decode_source
from striate.data.sources.door import Source
from striate.errors import StriateError
from striate.pixels.limits import limits
from striate.pixels.preparation import Preparation

FORMAT = 4
DECODERS = ("pillow", "imagecodecs", "pydicom")
KEPT = ("pixels", "digests", "facts")
STREAMED = ("digests", "facts", "seals", "moments")


@dataclass(frozen=True, eq=False)
class Pack:
    """All images of a source, prepared: row for row its listing.

    `pixels` is `image height width channel` in the preparation's depth, read-only, an array or a stream;
    `digests` and `facts` are those of the pictures as decoded, before preparation. A row in `failures` could
    not be read, for the reason given: its facts are zero and its pixels not to be used. `channels` and
    `depths` are what was met: the most channels, and every depth. `path` is None for a pack in memory.
    """

    pixels: PackedPixels
    digests: Shaped[np.ndarray, " image"]
    facts: Shaped[np.ndarray, " image"]
    failures: dict[int, str]
    key: str
    path: Path | None
    channels: int
    depths: frozenset[str]


_HELD: ContextVar[dict[str, tuple[Source, Pack]] | None] = ContextVar("packs held", default=None)


def pack_source(
    source: Source,
    *,
    size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    fit: str = "pad",
    patch: tuple[int, int] | None = None,
    window: str | None = None,
    draft: bool = False,
    small: bool = False,
    stream: bool = False,
    cache: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> tuple[Preparation, Pack]:
    """A preparation chosen for the source, and its pack.

    Decoding may meet a picture wider than those the choice was made on, colour among grey or 16 bits among 8;
    then the pack is made again, wide enough for all.
    """
    preparation = choose_preparation(
        source,
        size=size,
        channels=channels,
        fit=fit,
        patch=patch,
        window=window,
        draft=draft,
        small=small,
    )
    while True:
        pack = build_pack(source, preparation, stream=stream, cache=cache, progress=progress, workers=workers)
        wider = widened(preparation, channels or pack.channels, pack.depths)
        if wider == preparation:
            return preparation, pack
        preparation = wider


def build_pack(
    source: Source,
    preparation: Preparation,
    *,
    stream: bool = False,
    cache: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Pack:
    """The pack of a source under a preparation: opened when it exists and is whole, built otherwise.

    With `stream` no pixels are kept, for data larger than the disk: one pass notes what the pictures are, and
    `Pack.pixels` decodes them again whenever they are asked for. A source in memory is always packed there.
    `cache` defaults to `cache_root()`; `workers` to all cores. `progress` is called with the images done
    and their number. Raises StriateError when the disk is full or the cache cannot be written.
    """
    job, key = Decoding(source, preparation), pack_key(source, preparation, stream=stream)
    if source.in_memory:
        return _in_memory(job, key, progress)
    final = Path(cache or cache_root()) / "packs" / key
    pack = _opened(final, job, stream, workers)
    if pack is not None:
        return pack
    with build_lock(final):
        if _opened(final, job, stream, workers) is None:  # no other process built it while this one waited
            with build_folder(final) as building:
                _build(building, job, stream, progress, workers)
    pack = _opened(final, job, stream, workers)
    if pack is None:
        raise StriateError(f"the pack {final} was built and cannot be read back; the disk may be failing")
    return pack


@contextmanager
def packs_held() -> Iterator[None]:
    """While the block lasts, a source in memory is packed once for each geometry: its pack is found again."""
    before = _HELD.get()
    token = _HELD.set({} if before is None else before)
    try:
        yield
    finally:
        _HELD.reset(token)


def _in_memory(job: Decoding, key: str, progress: Progress | None) -> Pack:
    held = _HELD.get()
    known = None if held is None else held.get(key)
    if known is not None and known[0] is job.source:
        return known[1]
    pixels = np.zeros(_shape(job), dtype=job.preparation.depth)
    result = decode_source(job, pixels, progress=progress)
    pixels.flags.writeable = False
    kinds = result.channels, frozenset(result.depths)
    pack = Pack(pixels, result.digests, result.facts, result.failures, key, None, *kinds)
    if held is not None:
        held[key] = job.source, pack
    return pack


def pack_key(source: Source, preparation: Preparation, *, stream: bool = False) -> str:
    """SHA-256 of what decides the packed pixels: names, content stamps, geometry, decoders, limits, format."""
    about = [FORMAT, stream, _decoders(), asdict(limits()), preparation.geometry()]
    state = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    state.update("\0".join(source.names).encode())
    state.update(np.ascontiguousarray(source.stamps).data)
    return state.hexdigest()


def _decoders() -> dict[str, str]:
    found = {}
    for name in DECODERS:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _shape(job: Decoding) -> tuple[int, int, int, int]:
    preparation = job.preparation
    return (len(job.source.names), preparation.height, preparation.width, preparation.channels)


def _build(folder: Path, job: Decoding, stream: bool, progress: Progress | None, workers: int | None) -> None:
    size = int(np.prod(_shape(job))) * np.dtype(job.preparation.depth).itemsize
    with _full_disk_explained(folder, 0 if stream else size):
        if stream:
            result = decode_source(job, None, progress=progress, workers=workers)
        else:
            path = folder / "pixels.npy"
            pixels = np.lib.format.open_memmap(
                path, mode="w+", dtype=job.preparation.depth, shape=_shape(job)
            )
            with open(path, "r+b") as file:  # a hole in a mapped file on a full disk is a crash, not an error
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
            result = decode_source(replace(job, path=path), pixels, progress=progress, workers=workers)
            pixels.flush()
        names = STREAMED if stream else KEPT
        for name in names:
            if name != "pixels":
                np.save(folder / f"{name}.npy", getattr(result, name))
        shelf.put(folder, names, _about(result))


@contextmanager
def _full_disk_explained(folder: Path, needed: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        free = shutil.disk_usage(folder).free
        needs = f"the pack needs {needed:,} bytes and {folder.parent}" if needed else f"{folder.parent}"
        raise StriateError(
            f"the disk is full: {needs} has {free:,} free; "
            "make room, or set STRIATE_CACHE to a folder on another disk"
        ) from error


def _about(result: Decoded) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "failures": sorted(result.failures.items()),
        "channels": result.channels,
        "depths": sorted(result.depths),
    }


def _opened(folder: Path, job: Decoding, stream: bool, workers: int | None) -> Pack | None:
    """The pack in a folder, or None when there is none or its digests disagree with its index."""
    taken = shelf.take(folder, STREAMED if stream else KEPT)
    if taken is None:
        return None
    arrays, about = taken
    found = dict(zip(STREAMED if stream else KEPT, arrays, strict=True))
    failures = {int(row): str(reason) for row, reason in about["failures"]}
    pixels = found.get("pixels")
    if pixels is None:
        pixels = StreamedPixels(job, found["seals"], found["moments"], failures, workers=workers)
    channels, depths = about["channels"], frozenset(about["depths"])
    return Pack(pixels, found["digests"], found["facts"], failures, folder.name, folder, channels, depths)

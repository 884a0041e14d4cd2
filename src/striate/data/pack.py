"""Images decoded once and prepared, as one memory-mapped array that the next run opens at once."""

import errno
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int, Shaped

from striate.data.cache import build_folder, build_lock, cache_root
from striate.data.choice import choose_preparation, widened
from striate.data.decoding import Decoded, Job
from striate.data.sources import Source
from striate.data.workers import Progress, decode_source
from striate.errors import StriateError
from striate.pixels.preparation import FULL_SCALE, Preparation

FORMAT = 1


@dataclass(frozen=True, eq=False)
class Pack:
    """All images of a source, prepared: row for row its listing.

    `pixels` is `image height width channel` in the preparation's depth, read-only; `digests` are those of
    the pictures as decoded, before preparation. A row in `failures` could not be read, for the reason
    given: its pixels are zero and not to be used. `channels` and `depth` are the widest met. `path` is None
    for a pack in memory.
    """

    pixels: Shaped[np.ndarray, "image height width channel"]
    digests: Shaped[np.ndarray, " image"]
    failures: dict[int, str]
    key: str
    path: Path | None
    channels: int
    depth: str


def pack_source(
    source: Source,
    *,
    size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    fit: str = "pad",
    patch: tuple[int, int] | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> tuple[Preparation, Pack]:
    """A preparation chosen for the source, and its pack.

    Decoding may meet a picture wider than those the choice was made on, colour among grey or 16 bits among 8;
    then the pack is made again, wide enough for all.
    """
    preparation = choose_preparation(source, size=size, channels=channels, fit=fit, patch=patch)
    while True:
        pack = build_pack(source, preparation, cache=cache, progress=progress, workers=workers)
        wider = widened(preparation, channels or pack.channels, pack.depth)
        if wider == preparation:
            return preparation, pack
        preparation = wider


def build_pack(
    source: Source,
    preparation: Preparation,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Pack:
    """The pack of a source under a preparation: opened when it exists and is whole, built otherwise.

    `cache` defaults to `cache_root()`; `workers` to all cores. `progress` is called with the images done
    and their number. Raises StriateError when the disk is full or the cache cannot be written.
    """
    key = pack_key(source, preparation)
    shape = (len(source.names), preparation.height, preparation.width, preparation.channels)
    if source.in_memory:
        pixels = np.zeros(shape, dtype=preparation.depth)
        return _packed(
            pixels, decode_source(Job(source, preparation, None), pixels, progress=progress), key, None
        )
    final = Path(cache or cache_root()) / "packs" / key
    pack = _opened(final, key)
    if pack is not None:
        return pack
    with build_lock(final):
        if _opened(final, key) is None:  # no other process built it while this one waited
            with build_folder(final) as building:
                _build(building, shape, Job(source, preparation, building / "pixels.npy"), progress, workers)
    pack = _opened(final, key)
    if pack is None:
        raise StriateError(f"the pack {final} was built and cannot be read back; the disk may be failing")
    return pack


def pack_key(source: Source, preparation: Preparation) -> str:
    """SHA-256 of what decides the packed pixels: names, content stamps, geometry, decoder and format."""
    from PIL import __version__ as decoder

    state = hashlib.sha256(json.dumps([FORMAT, decoder, preparation.geometry()], sort_keys=True).encode())
    state.update("\0".join(source.names).encode())
    state.update(np.ascontiguousarray(source.stamps).data)
    return state.hexdigest()


def channel_statistics(
    pixels: Shaped[np.ndarray, "image height width channel"], rows: Int[np.ndarray, " row"]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel of the given rows, of values scaled to 0..1.

    >>> channel_statistics(np.array([0, 255], np.uint8).reshape(2, 1, 1, 1), np.array([0, 1]))
    ((0.5,), (0.5,))

    In float64, in two passes; the deviation of a constant channel is given as 1, so that it may divide.
    """
    full = FULL_SCALE[str(pixels.dtype)]
    _, height, width, channels = pixels.shape
    ordered = np.sort(rows)
    size = max(1, 2**20 // (height * width * channels))
    chunks = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    count = max(1, len(ordered) * height * width)

    def folded(row: Float64[np.ndarray, " row_value"]) -> Float64[np.ndarray, " channel"]:
        return row.reshape(width, channels).sum(axis=0) / count

    # Whole rows of an image at a time: channels alone would be an innermost loop of one or three.
    zeros = np.zeros(width * channels)
    mean = folded(sum((_lines(pixels[chunk]).sum(axis=0) for chunk in chunks), zeros))
    centre = np.tile(mean, width)
    variance = folded(sum((np.square(_lines(pixels[chunk]) - centre).sum(axis=0) for chunk in chunks), zeros))
    deviation = np.sqrt(variance)
    deviation[deviation == 0] = full
    return tuple((mean / full).tolist()), tuple((deviation / full).tolist())


def _lines(
    images: Shaped[np.ndarray, "image height width channel"],
) -> Float64[np.ndarray, "line row_value"]:
    return images.reshape(-1, images.shape[2] * images.shape[3]).astype(np.float64)


def _build(
    folder: Path, shape: tuple[int, ...], job: Job, progress: Progress | None, workers: int | None
) -> None:
    path = folder / "pixels.npy"
    needed = int(np.prod(shape)) * np.dtype(job.preparation.depth).itemsize
    try:
        pixels = np.lib.format.open_memmap(path, mode="w+", dtype=job.preparation.depth, shape=shape)
        with open(path, "r+b") as file:  # a hole in a mapped file on a full disk is a crash, not an error
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        result = decode_source(job, pixels, progress=progress, workers=workers)
        pixels.flush()
        np.save(folder / "digests.npy", np.array(result.digests, dtype="S32"))
        _write_index(folder, result)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        free = shutil.disk_usage(folder).free
        raise StriateError(
            f"the disk is full: the pack needs {needed:,} bytes and {folder.parent} has {free:,} free; "
            "make room, or set STRIATE_CACHE to a folder on another disk"
        ) from error


def _write_index(folder: Path, result: Decoded) -> None:
    files = {}
    for name in ("pixels.npy", "digests.npy"):
        with open(folder / name, "rb") as file:
            files[name] = hashlib.file_digest(file, "sha256").hexdigest()
    index = {
        "format": FORMAT,
        "failures": sorted(result.failures.items()),
        "channels": result.channels,
        "depth": result.depth,
        "files": files,
    }
    (folder / "index.json").write_text(json.dumps({**index, "sha256": _self_digest(index)}, indent=1))


def _self_digest(index: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(index, sort_keys=True).encode()).hexdigest()


def _opened(folder: Path, key: str) -> Pack | None:
    """The pack in a folder, or None when there is none or its digests disagree with its index."""
    try:
        index = json.loads((folder / "index.json").read_text())
        if index.pop("sha256") != _self_digest(index):
            return None
        for name, expected in index["files"].items():
            with open(folder / name, "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                    return None
        digests = np.load(folder / "digests.npy", allow_pickle=False)
        pixels = np.asarray(np.load(folder / "pixels.npy", mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None
    failures = {int(row): str(reason) for row, reason in index["failures"]}
    return Pack(pixels, digests, failures, key, folder, index["channels"], index["depth"])


def _packed(
    pixels: Shaped[np.ndarray, "image height width channel"], result: Decoded, key: str, path: Path | None
) -> Pack:
    pixels.flags.writeable = False
    digests = np.array(result.digests, dtype="S32")
    return Pack(pixels, digests, result.failures, key, path, result.channels, result.depth)

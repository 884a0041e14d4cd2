"""CIFAR batches of both versions, written by hand."""

import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np

RANDOM = np.random.default_rng(0)
NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def pictures(count: int) -> np.ndarray:
    """`image height width channel`."""
    return RANDOM.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def planes(images: np.ndarray) -> bytes:
    """Red, green and blue planes one after the other, image for image, written out value by value."""
    return b"".join(bytes(image[:, :, channel].ravel()) for image in images for channel in range(3))


def records(images: np.ndarray, *labels: list[int]) -> bytes:
    """A batch of the binary version."""
    data = planes(images)
    rows = [bytes(label) + data[3072 * row :][:3072] for row, label in enumerate(zip(*labels, strict=True))]
    return b"".join(rows)


def python2(entries: dict[str, object], images: np.ndarray) -> bytes:
    """A batch of the Python version as Python 2 pickled it: protocol 2, byte strings, an array by reconstruction."""

    def text(word: bytes) -> bytes:
        return (
            b"U" + bytes([len(word)]) + word
            if len(word) < 256
            else b"T" + struct.pack("<I", len(word)) + word
        )

    def value(of: object) -> bytes:
        if isinstance(of, list):
            return b"](" + b"".join(map(value, of)) + b"e"
        return text(of.encode()) if isinstance(of, str) else b"K" + bytes([of])

    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b\x87Rq\x03(K\x01M"
        + struct.pack("<H", len(images))
        + b"M\x00\x0c\x86cnumpy\ndtype\nq\x04U\x02u1K\x00K\x01\x87Rq\x05(K\x03U\x01|NNNJ\xff\xff\xff\xff"
        + b"J\xff\xff\xff\xffK\x00tb\x89"
        + text(planes(images))
        + b"tb"
    )
    items = b"".join(text(key.encode()) + value(of) for key, of in entries.items())
    return b"\x80\x02}q\x00(" + items + text(b"data") + array + b"u."


def ten_batches() -> dict[str, tuple[np.ndarray, list[int]]]:
    """Batches of CIFAR-10, three images each."""
    stems = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
    return {stem: (pictures(3), RANDOM.integers(0, 10, 3).tolist()) for stem in stems}


def binary(folder: Path, ten: dict[str, tuple[np.ndarray, list[int]]]) -> Path:
    folder.mkdir(exist_ok=True)
    for stem, (images, labels) in ten.items():
        (folder / f"{stem}.bin").write_bytes(records(images, labels))
    (folder / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")
    (folder / "readme.html").write_text("<html>")
    return folder


def pickled(folder: Path, ten: dict[str, tuple[np.ndarray, list[int]]]) -> Path:
    folder.mkdir(exist_ok=True)
    for stem, (images, labels) in ten.items():
        entries = {
            "batch_label": stem,
            "labels": labels,
            "filenames": [f"x_{stem}_{n}.png" for n in range(3)],
        }
        (folder / stem).write_bytes(python2(entries, images))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": NAMES, "num_vis": 3072}, protocol=2))
    return folder


def packed(folder: Path, path: Path, top: str) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, top)
    return path

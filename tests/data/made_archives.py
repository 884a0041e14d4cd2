"""The same pictures as a folder, a zip, a tar, a table and a parquet file; and tars written header by header."""

import csv
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

SPLITS = ("train", "validation", "test")
CLASSES = ("cat", "dog")


def png(value: int = 0, shape: tuple[int, ...] = (8, 8)) -> bytes:
    """A small grey picture; another value is another picture."""
    pixels = np.random.default_rng(value).integers(0, 256, shape, dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def pages(count: int = 3) -> bytes:
    """A TIFF of several pages, page n filled with 10 n."""
    file = io.BytesIO()
    first, *rest = [Image.fromarray(np.full((4, 6), 10 * page, np.uint8)) for page in range(1, count + 1)]
    first.save(file, "TIFF", save_all=True, append_images=rest)
    return file.getvalue()


def write_tree(root: Path, count: int) -> Path:
    """root/<split>/<class>/<number>.png, `count` pictures in all, as many of each kind."""
    kinds = [(split, name) for split in SPLITS for name in CLASSES]
    for number in range(count):
        split, name = kinds[number % len(kinds)]
        path = root / split / name / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(number, (8, 8, 3)))
    return root


def rows_of(root: Path) -> list[tuple[str, str, str]]:
    """Name, label and split of every picture of a tree, in no particular order."""
    paths = sorted(root.rglob("*.png"), key=lambda path: path.stat().st_ino)
    names = [path.relative_to(root).as_posix() for path in paths]
    return [(name, name.split("/")[1], name.split("/")[0]) for name in names]


def write_zip(path: Path, root: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, _, _ in rows_of(root):
            file.write(root / name, name)
    return path


def write_tar(path: Path, root: Path, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as file:
        for name, _, _ in rows_of(root):
            file.add(root / name, name)
    return path


def write_csv(path: Path, root: Path) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "label", "split"))
        writer.writerows(rows_of(root))
    return path


def write_parquet(path: Path, root: Path, group: int = 100) -> Path:
    """In the form of Hugging Face: image {bytes, path}, a label by number, class names in the schema."""
    rows = rows_of(root)
    table = pa.table(
        {
            "image": pa.array([{"bytes": (root / name).read_bytes(), "path": name} for name, _, _ in rows]),
            "label": pa.array([CLASSES.index(label) for _, label, _ in rows]),
            "split": [split for _, _, split in rows],
        }
    )
    features = {"info": {"features": {"label": {"names": list(CLASSES), "_type": "ClassLabel"}}}}
    table = table.replace_schema_metadata({"huggingface": json.dumps(features)})
    pq.write_table(table, path, row_group_size=group)
    return path


def write_npz(path: Path, root: Path) -> Path:
    rows = rows_of(root)
    np.savez(
        path,
        images=np.stack([np.asarray(Image.open(root / name)) for name, _, _ in rows]),
        labels=np.array([label for _, label, _ in rows]),
        splits=np.array([split for _, _, split in rows]),
        names=np.array([name for name, _, _ in rows]),
    )
    return path


def tar_of(members: list[tuple[tarfile.TarInfo, bytes]], kind: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of hand-made members, hostile ones included."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=kind) as archive:
        for info, data in members:
            info.size = len(data) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


PEAK = """
def peak():
    # The kernel's own mark of this program: the one that getrusage gives begins with the parent's.
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
"""
"""Python that measures the most memory a process has had, in KiB."""

MEASURED = (
    PEAK
    + """
import sys, time
from striate.data import open_source
started = time.process_time()
source = open_source(sys.argv[1])
print(len(source.names), peak(), round(time.process_time() - started, 1))
"""
)


def opens_in_bounded_memory(path: Path) -> None:
    """A million pictures open in under 1 GB, all of a fresh process counted; the seconds are printed."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, check=True
    )
    count, peak, seconds = done.stdout.split()
    print(f"{path.name}: {int(count):,} pictures, {int(peak) >> 10} MiB, {seconds} s")
    assert int(count) == 1_000_000
    assert int(peak) < 1 << 20

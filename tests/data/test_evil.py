"""Trees and tables that mean harm: each is refused or skipped with a line, none is followed or waited for."""

import json
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path

import made_archives as made
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from evil import good_tree

from striate.data import open_source
from striate.errors import ImageError

SECRET = b"root:x:0:0"


def outside(base: Path) -> Path:
    path = base / "outside.png"
    path.write_bytes(made.png(7))
    return path


def tree_with(plant: Callable[[Path, Path], None]) -> Callable[[Path], Path]:
    def make(base: Path) -> Path:
        root = good_tree(base / "set")
        plant(root, outside(base))
        return root

    return make


def listen(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(path))


TREES = {
    "a loop of links": (lambda root, _: (root / "cat" / "loop").symlink_to(root), "link that leaves"),
    "a link to itself": (lambda root, _: (root / "cat" / "a.png").symlink_to("a.png"), "link that leaves"),
    "a link to the parent": (
        lambda root, _: (root / "cat" / "up").symlink_to(root.parent),
        "link that leaves",
    ),
    "a link to passwd": (
        lambda root, _: (root / "cat" / "x.png").symlink_to("/etc/passwd"),
        "link that leaves",
    ),
    "a link outside": (lambda root, out: (root / "cat" / "x.png").symlink_to(out), "link that leaves"),
    "a dangling link": (lambda root, _: (root / "cat" / "x.png").symlink_to("gone.png"), "link that leaves"),
    "a pipe": (lambda root, _: os.mkfifo(root / "cat" / "x.png"), "a pipe or a device"),
    "a pipe without ending": (lambda root, _: os.mkfifo(root / "cat" / "x"), "a pipe or a device"),
    "a socket": (lambda root, _: listen(root / "cat" / "x.png"), "a pipe or a device"),
    "a link to a device": (
        lambda root, _: (root / "cat" / "x.png").symlink_to("/dev/zero"),
        "link that leaves",
    ),
    "a name that is no text": (
        lambda root, _: Path(os.fsdecode(os.fsencode(root / "cat") + b"/\xff.png")).write_bytes(made.png()),
        "not valid UTF-8",
    ),
}


@pytest.mark.parametrize("case", TREES)
def test_trees(tmp_path, case, asked):
    plant, words = TREES[case]
    answer = asked(tree_with(plant)(tmp_path))
    assert answer["names"] == ["cat/1.png", "dog/1.png"]
    assert not answer["failures"]
    assert len(answer["notes"]) == 1
    assert words in answer["notes"][0]
    assert len(answer["listed"]) == 2


TABLES = {
    "a way out": ("../outside.png", "line 4: '../outside.png' does not lie in"),
    "a way out in the middle": ("cat/../../outside.png", "line 4: 'cat/../../outside.png' does not lie in"),
    "an absolute path": ("/etc/passwd", "line 4: '/etc/passwd' does not lie in"),
    "a drive letter": ("C:\\evil.png", "line 4: 'C:\\\\evil.png' does not lie in"),
    "a NUL": ("cat/1.png\0exe", "line 4: 'cat/1.png\\x00exe' is no name of a file"),
}


def write_table(base: Path, file: str) -> Path:
    root = good_tree(base / "set")
    outside(base)
    path = root / "table.csv"
    path.write_text(f"file,label\ncat/1.png,cat\ndog/1.png,dog\n{file},cat\n")
    return path


@pytest.mark.parametrize("case", TABLES)
def test_tables_that_are_refused(tmp_path, case, asked):
    file, words = TABLES[case]
    answer = asked(write_table(tmp_path, file))
    assert words in answer["error"]
    assert not answer["names"]


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (os.mkfifo, "it is a pipe or a device"),
        (lambda path: path.symlink_to("/etc/passwd"), "it is a link that leaves the folder"),
        (lambda path: path.symlink_to(path), "there is no such file|link that leaves|cannot be read"),
        (lambda path: path.symlink_to("/dev/zero"), "it is a link that leaves the folder"),
        (lambda path: path.mkdir(), "it is a folder"),
        (lambda path: None, "there is no such file"),
    ],
    ids=["pipe", "link outside", "loop", "device", "folder", "missing"],
)
@pytest.mark.parametrize("name", ["cat/x.png", "cat/x.dcm", "cat/x"])
def test_rows_of_tables_that_are_unreadable(tmp_path, plant, words, name):
    table = write_table(tmp_path, name)
    plant(table.parent / name)
    reasons = asked_here(table)
    assert re.search(words, reasons[name])


def asked_here(table: Path) -> dict[str, str]:
    """Reasons, in this process: nothing here could hang that the cases above do not show."""
    source = open_source(table)
    assert len(source.names) == 3
    reasons = {}
    for name in source.names:
        try:
            source.load(name)
        except ImageError as error:
            reasons[name] = str(error)
    return reasons


def test_a_table_that_is_a_pipe(tmp_path, asked):
    path = tmp_path / "table.csv"
    os.mkfifo(path)
    answer = asked(path)
    assert "is a pipe or a device" in answer["error"]
    assert list(answer["listed"].values()) == ["it is a pipe or a device, not a picture"]


def test_a_table_that_is_one_endless_line(tmp_path, asked):
    path = tmp_path / "table.csv"
    with path.open("wb") as file:
        file.write(b"file,label\n")
        file.truncate(2 << 30)
    answer = asked(path)
    assert "line 2: it has more than 1,048,576 bytes" in answer["error"]


def test_a_parquet_file_of_one_huge_row_group(tmp_path, asked):
    path = tmp_path / "bomb.parquet"
    rows = [{"bytes": bytes(1 << 20), "path": None} for _ in range(40)]
    table = pa.table({"image": pa.array(rows), "label": [row % 2 for row in range(40)]})
    pq.write_table(table, path, compression="zstd", use_dictionary=False)
    answer = asked(path, STRIATE_MAX_FILE_BYTES=str(20 << 20))
    assert len(answer["failures"]) == 40
    assert "the limit is 20,971,520 (STRIATE_MAX_FILE_BYTES raises it)" in answer["failures"]["row-000001"]


def test_nothing_outside_was_read(tmp_path, asked):
    """The words of /etc/passwd appear nowhere in what is said about the trees above."""
    root = tree_with(lambda root, _: (root / "cat" / "x.png").symlink_to("/etc/passwd"))(tmp_path)
    assert SECRET not in json.dumps(asked(root)).encode()

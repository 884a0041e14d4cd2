"""Files that are the old ones or the new ones, whole, whatever happens in between."""

import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import striate.files
from striate.errors import StriateError
from striate.files import (
    PARTIAL,
    existing_parent,
    explain,
    remove_partials,
    replacing,
    sha256_of,
    write_atomically,
    write_json,
)


def test_content_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    for content in (b"one", b"two, which is longer", b""):
        write_atomically(path, content)
        assert path.read_bytes() == content
        assert sha256_of(path) == hashlib.sha256(content).hexdigest()
    assert list(path.parent.iterdir()) == [path]


def test_the_file_is_synced_before_its_name_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    sync, rename = os.fsync, Path.replace

    def synced(handle: int) -> None:
        heard.append(f"sync {Path(os.readlink(f'/proc/self/fd/{handle}')).suffix or 'folder'}")
        sync(handle)

    def renamed(path: Path, target: Path) -> Path:
        heard.append("rename")
        return rename(path, target)

    monkeypatch.setattr(striate.files.os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    (tmp_path / "plain").mkdir()
    write_atomically(tmp_path / "plain" / "file", b"content")
    assert heard == [f"sync {PARTIAL}", "rename", "sync folder"]


@pytest.mark.parametrize("where", ["fsync", "replace"])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), OSError(errno.EIO, "broken"), KeyboardInterrupt()]
)
def test_whatever_fails_leaves_the_old_file_and_no_partial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, error: BaseException
) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(striate.files.os if where == "fsync" else Path, where, fail)
        with pytest.raises(StriateError if isinstance(error, OSError) else KeyboardInterrupt):
            write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_fails_on_its_own_account_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def half() -> None:
        with replacing(path) as partial:
            partial.write_text("half")
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with replacing(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize(
    ("code", "needed", "words"),
    [
        (
            errno.ENOSPC,
            1234,
            r"No space left for .*run/file: 1,234 bytes were needed, [\d,]+ are free\. What was",
        ),
        (errno.EDQUOT, 0, r"No space left for .*run/file: [\d,]+ bytes are free\."),
        (errno.EACCES, 0, "No permission to write .*run/file. Choose a folder"),
        (errno.EROFS, 0, "No permission to write .*run/file. Choose a folder"),
        (errno.ENOTDIR, 0, "a file stands where a folder is needed"),
        (errno.EIO, 0, "run/file could not be written: Input/output error."),
    ],
)
def test_errors_of_the_system_in_words(tmp_path: Path, code: int, needed: int, words: str) -> None:
    error = explain(OSError(code, os.strerror(code)), tmp_path / "run" / "file", needed)
    with pytest.raises(StriateError, match=words):
        raise error


def test_json_is_indented_in_order_and_refuses_what_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"b": 1.5, "a": ["ü", None, "\udce9"]})
    assert (
        path.read_bytes().decode() == '{\n  "b": 1.5,\n  "a": [\n    "ü",\n    null,\n    "\\udce9"\n  ]\n}\n'
    )
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, float("nan"))
    assert path.stat().st_size


def test_partials_are_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in (f".model.json.123{PARTIAL}", f"mine{PARTIAL}", "model.json"):
        (tmp_path / name).write_text("x")
    remove_partials(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"mine{PARTIAL}", "model.json"]
    remove_partials(tmp_path / "none")


def test_existing_parent(tmp_path: Path) -> None:
    assert existing_parent(tmp_path / "a" / "b" / "c") == tmp_path


def test_killed_while_writing_it_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"0" * 3_000_000)
    code = (
        "import itertools, sys; from pathlib import Path; from striate.files import write_atomically\n"
        "for n in itertools.count():\n"
        "    write_atomically(Path(sys.argv[1]), b'%d' % (n % 10) * 3_000_000); print(n, flush=True)"
    )
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        process.communicate()
        content = path.read_bytes()
        assert len(content) == 3_000_000
        assert content == content[:1] * 3_000_000
    remove_partials(tmp_path)
    assert list(tmp_path.iterdir()) == [path]

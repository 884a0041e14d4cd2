"""`striate data download`: the list, what it says of licences and hashes, and what comes next."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest
import typer

import striate
from striate.cli import data_download
from striate.data.named import registry
from striate.data.named.downloads import NAMES, download_data, is_downloaded, named_data
from striate.data.named.registry import NamedData, NamedFile

CONTENT = gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 1, 7]), mtime=0)


def entry(name: str, hashes: tuple[str, ...]) -> NamedData:
    """A known set with one made-up file, which cannot be fetched."""
    known = vars(registry.REGISTRY[name])
    files = (NamedFile(f"{name}.gz", (f"http://127.0.0.1:9/{name}.gz",), hashes, len(CONTENT)),)
    return NamedData(**{**known, "files": files, "published": "SHA-256 by this test" if hashes else ""})


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """A data home with two files put there by hand; the root's names, whether it has taken them up yet or not."""
    monkeypatch.setenv("STRIATE_HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "*")
    digest = hashlib.sha256(CONTENT).hexdigest()
    for name, hashes in (("mnist", (f"sha256:{digest}",)), ("chars74k", ())):
        monkeypatch.setitem(registry.REGISTRY, name, entry(name, hashes))
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.gz").write_bytes(CONTENT)
    for public in (download_data, is_downloaded, named_data):
        monkeypatch.setattr(striate, public.__name__, public, raising=False)
    return tmp_path


def test_the_list_says_size_licence_and_what_is_here(capsys):
    data_download.download("mnist", quiet=True)
    data_download.download(None)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:5] == ["mnist", "70,000", "images", "0", "MB"]
    assert " here " in lines[0]
    assert (
        lines[1].strip()
        == "licence: CC BY-SA 3.0, as Keras' documentation states it; © Yann LeCun and Corinna Cortes"
    )
    assert any(line.startswith("malaria") and "353 MB" in line and " here " not in line for line in lines)


def test_the_list_as_json(capsys):
    data_download.download(None, as_json=True)
    listed = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in listed] == list(NAMES)
    assert not any(each["downloaded"] for each in listed)
    assert listed[6]["note"].startswith("the pictures were cut from 458 photographs")
    assert listed[2]["files"][0]["hashes"][1] == "md5:c32a1d4ab5d03f1284b67883e8d87530"


def test_licence_paper_and_what_comes_next(home, capsys):
    data_download.download("mnist")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("licence: CC BY-SA 3.0, as Keras")
    assert lines[2].startswith("paper: LeCun, Bottou")
    assert lines[-4:] == [
        f"1 file in {home / 'mnist'}",
        "verified: SHA-256 by this test",
        "prepared as: the training and test files are the splits",
        "next: striate train mnist",
    ]


def test_that_nobody_published_a_hash_is_said(home, capsys):
    data_download.download("chars74k")
    record = home / "chars74k" / "sha256.txt"
    assert (
        f"nobody has published a hash of it; that of the first download is kept in {record}"
        in capsys.readouterr().out
    )
    assert record.read_text() == f"{hashlib.sha256(CONTENT).hexdigest()}  chars74k.gz\n"


def test_json_and_quiet(home, capsys):
    data_download.download("chars74k", as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["next"], told["published"], told["folder"]) == (
        "striate train chars74k",
        None,
        str(home / "chars74k"),
    )
    data_download.download("chars74k", quiet=True)
    assert capsys.readouterr().out == ""


def test_a_folder_of_ones_own_is_trained_on_by_its_path(home, capsys):
    other = home / "my data"
    other.mkdir()
    (other / "mnist.gz").write_bytes(CONTENT)
    data_download.download("mnist", out=other)
    assert capsys.readouterr().out.splitlines()[-1] == f"next: striate train '{other}'"


@pytest.mark.parametrize(
    ("name", "words"),
    [("minst", "there are no data called 'minst'; did you mean mnist"), ("mnist", "fetch http://127")],
)
def test_failures_are_one_sentence(home, capsys, name, words):
    (home / "mnist" / "mnist.gz").unlink()
    with pytest.raises(typer.Exit) as caught:
        data_download.download(name)
    assert caught.value.exit_code == 1
    error = capsys.readouterr().err
    assert error.startswith("striate: ")
    assert words in error
    assert error.count("\n") == 1


def test_a_line_a_file_where_there_is_no_terminal(capsys):
    with data_download.shown_progress(wanted=True) as progress:
        assert progress is not None
        for done in (1, 5, 10):
            progress("a.gz", done, 10)
        progress("b.gz", 3, 0)
    assert capsys.readouterr().out == "received a.gz, 10 bytes\n"
    with data_download.shown_progress(wanted=False) as progress:
        assert progress is None


def test_a_bar_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with data_download.shown_progress(wanted=True) as progress:
        assert progress is not None
        progress("a.gz", 1, 0)
        progress("a.gz", 5, 10)
        progress("a.gz", 10, 10)

"""Pseudonyms: one key, made once, and tables that name no file."""

import os
import re
import stat
import subprocess
import sys

import numpy as np
import pytest

from striate.data import load_images
from striate.data.pseudonyms import PseudonymousSource, pseudonyms, secret_key
from striate.errors import StriateError


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_key_is_made_once_and_for_its_owner_alone(home):
    key = secret_key()
    assert len(key) == 32
    assert secret_key() == key
    file = home / "pseudonyms.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(home) == ["pseudonyms.key"]


def test_many_processes_agree_on_one_key(home):
    command = [
        sys.executable,
        "-c",
        "from striate.data.pseudonyms import secret_key; print(secret_key().hex())",
    ]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({process.communicate()[0] for process in started}) == 1


def test_a_damaged_key_is_refused_and_kept(home):
    home.mkdir()
    (home / "pseudonyms.key").write_bytes(b"short")
    with pytest.raises(StriateError, match="holds 5 bytes and is no key of 32"):
        secret_key()
    assert (home / "pseudonyms.key").read_bytes() == b"short"


def test_pseudonyms_depend_on_key_and_kind():
    one = pseudonyms(["ann"], kind="group", key=bytes(32))
    assert one == pseudonyms(["ann"], kind="group", key=bytes(32))
    assert one[0].split("-")[1] != pseudonyms(["ann"], kind="image", key=bytes(32))[0].split("-")[1]
    assert one != pseudonyms(["ann"], kind="group", key=bytes(31) + b"1")


@pytest.mark.usefixtures("home")
def test_a_pseudonymous_table_names_no_file(pictures):
    (pictures / "cat" / "note of ann.txt").write_text("")
    (pictures / "cat" / "broken ann.png").write_bytes(b"no picture")
    plain = load_images(pictures, group_from=r"(\d+|ann)\.png").with_splits(0)
    hidden = load_images(pictures, group_from=r"(\d+|ann)\.png", pseudonymous=True).with_splits(0)
    assert hidden.straddling_groups() == []
    assert hidden.digests.tolist() == plain.digests.tolist()
    text = hidden.splits_csv().decode() + "".join(hidden.notes) + repr(hidden.unreadable)
    assert "ann" not in text
    assert ".png" not in text
    assert all(re.fullmatch("image-[0-9a-f]{12}", name) for name in hidden.names)
    assert len(set(hidden.groups.tolist())) == len(set(plain.groups.tolist()))
    np.testing.assert_array_equal(hidden.source.read(hidden.names[3]), plain.source.read(plain.names[3]))
    assert hidden.source.describe(hidden.names[3]) == plain.source.describe(plain.names[3])


@pytest.mark.usefixtures("home")
def test_a_pseudonymous_source_travels_to_workers(pictures):
    import pickle

    source = PseudonymousSource(load_images(pictures).source)
    other = pickle.loads(pickle.dumps(source))
    np.testing.assert_array_equal(other.read(source.names[0]), source.read(source.names[0]))

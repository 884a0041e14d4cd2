"""Pickles read as data: what plain ones hold, and that nothing which others ask for is ever run."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from made_cifar import pickled, python2, ten_batches

from striate.data.sources.cifar import CifarSource
from striate.data.sources.pickled import read_pickle
from striate.errors import SourceError


@pytest.fixture
def ten() -> dict[str, tuple[np.ndarray, list[int]]]:
    return ten_batches()


def test_the_hand_written_pickle_is_what_python_reads(ten):
    images, labels = ten["test_batch"]
    held = pickle.loads(python2({"labels": labels}, images), encoding="latin1")
    assert held["labels"] == labels
    np.testing.assert_array_equal(held["data"].reshape(3, 3, 32, 32).transpose(0, 2, 3, 1), images)


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_pickles_of_today_are_read_too(protocol):
    array = np.arange(600, dtype=np.int32).reshape(20, 30)
    held = {
        b"data": array,
        "turned": np.asfortranarray(array.astype(">f8")),
        "labels": [0, 255, 256, -1, 70_000, -(2**40), True, None, 1.5],
        "words": [b"a" * 300, "é", ("x", "y"), (), b"\xff\0"],
    }
    found = read_pickle(pickle.dumps(held, protocol=protocol), "x")
    np.testing.assert_array_equal(found.pop("data"), array)
    np.testing.assert_array_equal(found.pop("turned"), array)
    assert found == {"labels": held["labels"], "words": held["words"]}


class Evil:
    """Runs a command when unpickled."""

    def __init__(self, *call: object) -> None:
        self.call = call

    def __reduce__(self):
        return self.call[0], tuple(self.call[1:])


class Stateful:
    """An object with a state, of a class that a pickle would import."""

    def __init__(self) -> None:
        self.x = 1


def hostile(marker: Path) -> dict[str, tuple[bytes, str]]:
    """Pickles that would run code or hold objects, and the words that must come of them."""
    command = f"touch {marker}"
    loop = [1]
    loop.append(loop)
    return {
        "system": (pickle.dumps({"data": Evil(os.system, command)}, protocol=2), "asks for posix.system"),
        "eval 4": (
            pickle.dumps({"data": Evil(eval, f"open('{marker}','w')")}, protocol=4),
            "asks for builtins.eval",
        ),
        "protocol 0": (
            pickle.dumps({"data": Evil(os.system, command)}, protocol=0),
            "it uses opcode|asks for",
        ),
        "instance": (b"(S'" + command.encode() + b"'\nios\nsystem\n.", "uses opcode 0x53"),
        "class": (
            pickle.dumps({"data": Stateful()}, protocol=2),
            "asks for copy_reg._reconstructor|uses opcode|asks",
        ),
        "extension": (b"\x80\x02\x82\x01.", "uses opcode 0x82"),
        "persistent": (b"\x80\x02Pid\n.", "uses opcode 0x50"),
        "buffer": (b"\x80\x05\x97.", "uses opcode 0x97"),
        "call text": (b"\x80\x02U\x01aU\x01b\x85R.", "calls what is no constructor"),
        "call ndarray": (b"\x80\x02cnumpy\nndarray\nK\x01\x85R.", "calls what is no constructor"),
        "encode": (
            pickle.dumps("x", 2)[:2] + b"c_codecs\nencode\nX\x01\0\0\0aX\x03\0\0\0hex\x86R.",
            "encodes text as 'hex'",
        ),
        "keep a name": (b"\x80\x02}U\x01acnumpy\nndarray\ns.", "keeps numpy.ndarray"),
        "state of text": (b"\x80\x02U\x01a}b.", "state of what is no array"),
        "objects": (pickle.dumps({"a": np.array([None, {}])}, protocol=2), "array of objects"),
        "steps": (b"\x80\x02" + b"N" * 4_000_001 + b".", "takes more than 4,000,000 steps"),
    }


@pytest.mark.parametrize("case", sorted(hostile(Path("x"))))
def test_nothing_is_run_and_what_was_asked_for_is_said(tmp_path, case):
    marker = tmp_path / "ran"
    data, words = hostile(marker)[case]
    with pytest.raises(SourceError, match=words) as caught:
        read_pickle(data, "data_batch_1")
    assert "data_batch_1 is refused" in str(caught.value)
    assert not marker.exists()


def test_a_malicious_batch_in_a_folder_is_refused(tmp_path, ten):
    folder = pickled(tmp_path / "py", ten)
    data, _ = hostile(tmp_path / "ran")["system"]
    (folder / "data_batch_3").write_bytes(data)
    with pytest.raises(
        SourceError, match=r"py/data_batch_3 is refused: it asks for posix\.system, which plain data"
    ):
        CifarSource(folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x02",
        b"\x80\x02.",
        b"\x80\x02e.",
        b"\x80\x02h\x05.",
        b"\x80\x02(K",
        b"\x80\x02T\xff\xff\xff\xffabc.",
        b"\x80\x02}K\x01u.",
        b"\x80\x02K\x01K\x02\x93.",
        b"\x80\x02cnumpy",
        b"\x80\x02]]]s.",
        b"\x80\x02cnumpy\ndtype\nK\x01\x85R.",
    ],
)
def test_damaged_pickles_are_refused(data):
    with pytest.raises(SourceError, match="is a damaged pickle"):
        read_pickle(data, "x")


def test_no_change_of_a_byte_gets_past(ten):
    images, labels = ten["test_batch"]
    whole = python2({"labels": labels}, images[:1])
    places = [*range(200), *range(len(whole) - 200, len(whole))]
    for place in places:
        for value in (0, 0xFF, whole[place] ^ 1):
            data = bytearray(whole)
            data[place] = value
            try:
                read_pickle(bytes(data), "x")
            except SourceError:
                continue

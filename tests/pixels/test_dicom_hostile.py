"""DICOM meant to do harm: bombs, false lengths, deep nesting, mutations."""

import json
import os
import struct
import subprocess
import sys
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from made_dicom import DEFLATED, dataset, deflated, dicom_bytes, written

from striate.errors import ImageError
from striate.pixels.dicom import decode_dicom, describe_dicom


def refused(data: bytes, words: str, *, seconds: float = 1.0, readers=(decode_dicom, describe_dicom)) -> None:
    """The file is refused with these words, within this time and 100 MB, by every reader."""
    for read in readers:
        tracemalloc.start()
        begun = time.perf_counter()
        try:
            with pytest.raises(ImageError, match=words):
                read(data)
            assert time.perf_counter() - begun < seconds
            assert tracemalloc.get_traced_memory()[1] < 100 << 20
        finally:
            tracemalloc.stop()


def bomb(rows: int, columns: int, frames: int, size: int) -> bytes:
    """A deflated file of a megabyte whose pixel data inflate to `size` bytes."""
    made = dataset(np.zeros((8, 8), np.uint8))
    header = written(made, DEFLATED)
    made.Rows, made.Columns, made.NumberOfFrames = rows, columns, frames
    made.PixelData = b"\1\2\3\4"
    plain = written(made)
    start = 132 + 12 + int.from_bytes(plain[140:144], "little")
    body = plain[start : plain.rindex(b"\4\0\0\0\1\2\3\4")] + struct.pack("<L", size)
    start = 132 + 12 + int.from_bytes(header[140:144], "little")
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = engine.compress(body) + engine.flush(zlib.Z_FULL_FLUSH)
    # A flushed block of zeros stands for itself wherever it is repeated.
    block = engine.compress(bytes(1 << 20)) + engine.flush(zlib.Z_FULL_FLUSH)
    return header[:start] + packed + block * (size >> 20) + engine.flush()


@pytest.mark.parametrize(
    ("rows", "columns", "frames", "words"),
    [
        (8192, 8192, 2, "inflates to more than the .* bytes that its own header accounts for"),
        (8, 8, 1, "inflates to more than the .* bytes that its own header accounts for"),
        (32768, 32768, 1, "STRIATE_MAX_PIXELS raises it"),
        (8192, 8192, 16, "STRIATE_MAX_DECODED_BYTES raises it"),
        (8192, 8192, 4, "STRIATE_MAX_INFLATION raises the limit"),
        (64, 64, 20_000, "STRIATE_MAX_FRAMES raises it"),
    ],
)
def test_deflated_bombs(rows, columns, frames, words):
    data = bomb(rows, columns, frames, 1 << 30)
    assert len(data) < 1_100_000
    if frames in (1, 2) and rows < 10_000:
        assert describe_dicom(data).height == rows
        refused(data, words, readers=(decode_dicom,))
    else:
        refused(data, words)


def test_a_bomb_before_the_pixels():
    header = dicom_bytes(np.zeros((8, 8), np.uint8), syntax=DEFLATED)
    comment = struct.pack("<HH2sHL", 0x0009, 0x0010, b"OB", 0, 200 << 20) + bytes(200 << 20)
    refused(deflated(header, comment), "inflates to more than 16,777,216 bytes before any pixel")


def test_deflated_data_that_are_cut_short():
    whole = dicom_bytes(np.arange(64, dtype=np.uint8).reshape(8, 8), syntax=DEFLATED)
    assert decode_dicom(whole).pixels.max() == 63
    with pytest.raises(ImageError, match=r"cut short|damaged|missing"):
        decode_dicom(whole[:-12])


def nested(depth: int, *, undefined: bool = True) -> bytes:
    """A file whose private sequence holds a sequence that holds a sequence, and so on."""
    plain = dicom_bytes(np.zeros((8, 8), np.uint8))
    start = plain.index(struct.pack("<HH", 0x0028, 0x0002))
    opening = (
        struct.pack("<HH2sHL", 0x0009, 0x1010, b"SQ", 0, 0xFFFFFFFF) + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    )
    return plain[:start] + opening * depth + plain[start:]


def test_sequences_nested_deep():
    refused(nested(20_000), r"nested too deeply|missing|damaged", seconds=2)


def test_a_claimed_length_of_gigabytes(tmp_path):
    plain = dicom_bytes(np.zeros((8, 8), np.uint8))
    start = plain.index(struct.pack("<HH", 0x0028, 0x0002))
    for tag in ((0x0009, 0x1010), (0x0028, 0x1201)):
        data = plain[:start] + struct.pack("<HH2sHL", *tag, b"OW", 0, 0xFFFFFFF0) + plain[start:]
        refused(data, "an element goes on beyond the file")
        path = tmp_path / "claimed.dcm"
        path.write_bytes(data)
        with pytest.raises(ImageError, match="an element goes on beyond the file"):
            describe_dicom(path)


def test_a_header_of_countless_elements():
    plain = dicom_bytes(np.zeros((8, 8), np.uint8))
    start = plain.index(struct.pack("<HH", 0x0028, 0x0002))
    data = plain[:start] + struct.pack("<HH2sH", 0x0009, 0x1010, b"LO", 0) * 300_000 + plain[start:]
    begun = time.perf_counter()
    with pytest.raises(ImageError, match="its DICOM header has more than 20,000 elements"):
        decode_dicom(data)
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"Rows": 65535, "Columns": 65535}, "STRIATE_MAX_PIXELS"),
        ({"NumberOfFrames": 2_000_000_000}, "STRIATE_MAX_FRAMES"),
        ({"Rows": 13000, "Columns": 13000, "BitsAllocated": 32}, "STRIATE_MAX_DECODED_BYTES"),
    ],
)
def test_limits_before_decoding(tags, words):
    refused(dicom_bytes(np.zeros((8, 8), np.uint8), **tags), words)


def test_no_file_and_no_regular_file(tmp_path):
    with pytest.raises(ImageError, match="there is no such file"):
        describe_dicom(tmp_path / "none.dcm")
    with pytest.raises(ImageError, match="no regular file"):
        describe_dicom(tmp_path)
    os.mkfifo(tmp_path / "pipe.dcm")
    with pytest.raises(ImageError, match="no regular file"):
        describe_dicom(tmp_path / "pipe.dcm")
    for data in (b"", b"DICM", bytes(128) + b"DICM", bytes(200)):
        with pytest.raises(ImageError):
            decode_dicom(data)


FUZZ = """
import json, random, resource, sys, time, warnings
warnings.simplefilter("error")
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
from pathlib import Path
from striate.errors import ImageError
from striate.pixels.dicom import decode_dicom, describe_dicom
files = [Path(name).read_bytes() for name in json.loads(sys.argv[1])]
rng, read, slowest = random.Random(int(sys.argv[2])), 0, 0.0
for turn in range(int(sys.argv[3])):
    data = bytearray(rng.choice(files))
    way = turn % 4
    if way == 0:
        del data[rng.randrange(len(data)):]
    elif way == 1:
        for _ in range(rng.randint(1, 20)):
            anywhere, header = rng.randrange(len(data)), rng.randrange(132, min(2500, len(data)))
            data[rng.choice((anywhere, header))] = rng.randrange(256)
    elif way == 2:
        start = rng.randrange(len(data)); data[start : start + 64] = bytes(min(64, len(data) - start))
    else:
        other = rng.choice(files); cut = rng.randrange(len(data)); data = data[:cut] + other[rng.randrange(len(other)):]
    begun = time.perf_counter()
    for door in (decode_dicom, describe_dicom):
        try:
            door(bytes(data)); read += 1
        except ImageError as error:
            pass
    slowest = max(slowest, time.perf_counter() - begun)
# Not ru_maxrss, which begins with what the parent process had.
peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
print(json.dumps({"read": read, "slowest": slowest,
                  "peak": peak}))
"""


def fuzz(seed: int, turns: int) -> None:
    if "STRIATE_DATA" not in os.environ:
        pytest.skip("STRIATE_DATA names no folder of real images")
    folder = Path(os.environ["STRIATE_DATA"]) / "dicom"
    small = sorted(str(path) for path in folder.rglob("*.dcm") if path.stat().st_size < 100_000)
    assert len(small) >= 15
    child = subprocess.run(
        [sys.executable, "-c", FUZZ, json.dumps(small), str(seed), str(turns)],
        capture_output=True,
        text=True,
        timeout=60 + turns,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    found = json.loads(child.stdout.splitlines()[-1])
    assert found["slowest"] < 5
    assert found["peak"] < 600 << 10
    assert found["read"] > turns // 50


def test_mutations_end_in_pixels_or_in_a_reason():
    fuzz(0, 400)


@pytest.mark.slow
def test_many_mutations_end_in_pixels_or_in_a_reason():
    fuzz(1, 3000)

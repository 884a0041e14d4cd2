"""The making of packs: many processes, kills, full disks, and a million rows."""

import errno
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from made_pictures import Killing, write_pictures

import striate.data.packing.workers as workers_room
from striate.data import (
    open_source,
    pack_source,
)
from striate.errors import StriateError


def test_worker_processes_give_the_same_pack(pictures, monkeypatch, cache):
    (pictures / "cat" / "2.png").write_bytes(b"no picture")
    source = open_source(pictures)
    _, inline = pack_source(source, workers=1)
    monkeypatch.setattr(workers_room, "SMALL_SOURCE", 0)
    seen = []
    _, pooled = pack_source(source, workers=2, cache=cache / "b", progress=lambda *step: seen.append(step))
    np.testing.assert_array_equal(inline.pixels, pooled.pixels)
    np.testing.assert_array_equal(inline.digests, pooled.digests)
    assert pooled.failures == inline.failures
    assert pooled.failures == {1: inline.failures[1]}
    assert seen[-1] == (60, 60)


def test_a_picture_that_kills_its_worker_costs_its_own_row(pictures, monkeypatch):
    monkeypatch.setattr(workers_room, "SMALL_SOURCE", 0)
    source = open_source(pictures)
    source.__class__ = Killing
    _, pack = pack_source(source, workers=2)
    assert pack.failures == {4: f"the decoder ended abruptly on it (exit status {-signal.SIGKILL})"}


def test_a_full_disk_says_what_is_needed_and_leaves_nothing(pictures, monkeypatch, cache):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StriateError, match=r"the disk is full: the pack needs 3,840 bytes and .* free"):
        pack_source(open_source(pictures))
    assert not [path for path in (cache / "packs").iterdir() if path.is_dir()]


def test_a_cache_that_cannot_be_written(pictures, cache):
    (cache / "packs").write_text("in the way")
    with pytest.raises(StriateError, match=r"cannot be written .* set STRIATE_CACHE"):
        pack_source(open_source(pictures))


@pytest.mark.parametrize("pool", [False, True])
def test_ctrl_c_leaves_nothing(pictures, monkeypatch, cache, pool):
    if pool:
        monkeypatch.setattr(workers_room, "SMALL_SOURCE", 0)

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack_source(open_source(pictures), progress=stop, workers=2)
    assert not [path for path in (cache / "packs").iterdir() if path.is_dir()]


def test_a_killed_build_is_cleaned_up_by_the_next(pictures, cache, tmp_path):
    script = (
        "import sys, time\n"
        "from striate.data import open_source, pack_source\n"
        "pack_source(open_source(sys.argv[1]), progress=lambda *_: "
        "(print('on', flush=True), time.sleep(60)))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, pictures], stdout=subprocess.PIPE)
    with process:
        assert process.stdout.readline() == b"on\n"
        process.kill()
    (leftover,) = (path for path in (cache / "packs").iterdir() if path.suffix == ".building")
    other = open_source(write_pictures(tmp_path / "other"))
    pack_source(other)
    assert not leftover.exists()


def test_two_processes_at_once_build_one_pack(pictures, cache):
    script = (
        "import sys\nfrom striate.data import open_source, pack_source\n"
        "print(pack_source(open_source(sys.argv[1]))[1].pixels.sum())\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script, pictures], stdout=subprocess.PIPE) for _ in range(3)
    ]
    answers = {process.communicate()[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(answers) == 1
    assert len([path for path in (cache / "packs").iterdir() if path.is_dir()]) == 1


def test_a_script_without_a_main_guard_may_pack(pictures, tmp_path, cache):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, torch\nimport striate.data.packing.workers as w\n"
        "from striate.data import open_source, pack_source\n"
        "w.SMALL_SOURCE = 0\nprint(len(pack_source(open_source(sys.argv[1]), workers=2)[1].pixels))\n"
    )
    done = subprocess.run([sys.executable, script, pictures], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("60\n", "")


def test_packing_needs_no_torch(pictures):
    script = (
        "import sys\nfrom striate.data import open_source, pack_source\n"
        "pack_source(open_source(sys.argv[1]))\n"
        "print('torch' in sys.modules, 'sklearn' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, pictures], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False False\n"


MILLION = """
import resource, sys
from pathlib import Path
import numpy as np
import striate.data.packing.pack as packing
from striate.data import ArraySource
from striate.data.packing.decoding import Decoded
from striate.pixels import Preparation

COUNT = 1_000_000
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
source = ArraySource(np.zeros((1, 1, 1), np.uint8))
source.in_memory = False
source.names = [f"class/{number:07d}.png" for number in range(COUNT)]
source.stamps = np.zeros((COUNT, 3), np.int64)

def decoded(job, pixels, *, progress, workers):
    total = Decoded.of(range(COUNT), job.preparation)
    for start in range(0, COUNT, 4000):
        part = Decoded.of(range(start, start + 4000), job.preparation)
        part.failures.update(dict.fromkeys(range(start, start + 4000, 10), "it is not a picture"))
        total.add(part)
    return total

packing.decode_source = decoded
preparation = Preparation(height=1, width=1, channels=1, depth="uint8")
for stream in (False, True):
    for _ in range(2):
        pack = packing.build_pack(source, preparation, stream=stream, cache=Path(sys.argv[1]))
        assert (len(pack.digests), len(pack.failures)) == (COUNT, COUNT // 10)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_a_million_rows_are_kept_in_less_than_a_gigabyte(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", MILLION, tmp_path], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 1000

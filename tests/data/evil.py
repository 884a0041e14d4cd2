"""A process that opens, reads and lists what means harm, and is watched while it does."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path

import made_archives as made

GROWTH = 100 << 10
"""KiB that opening and reading everything may add to the process."""
WAIT = 60

CHILD = (
    made.PEAK
    + """
import json, os, sys
import pyarrow.parquet, PIL.Image
from striate.data import list_pictures, open_source
from striate.errors import ImageError, StriateError
before = peak()

def told(path):
    answer = {"error": "", "names": [], "notes": [], "failures": {}, "listed": {}}
    try:
        source = open_source(path)
        answer |= {"names": source.names, "notes": source.notes}
        for name in source.names:
            try:
                source.load(name)
            except ImageError as error:
                answer["failures"][name] = str(error)
    except StriateError as error:
        answer["error"] = str(error)
    try:
        for name, read in list_pictures([path]):
            answer["listed"][name] = ""
            try:
                read()
            except ImageError as error:
                answer["listed"][name] = str(error)
    except StriateError as error:
        answer["listed"] = {"error": str(error)}
    answer["grown"] = peak() - before
    return answer

for line in sys.stdin:
    question = json.loads(line)
    os.environ.update(question["environment"])
    print(json.dumps(told(question["path"])), flush=True)
    for name in question["environment"]:
        del os.environ[name]
"""
)


class Child:
    """One process for many cases: what it grows by in the end is more than any one of them took."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def ask(self, path: Path, **environment: str) -> dict:
        """What it finds there; a hang, a crash, or too much memory fails the test."""
        process = self._process
        process.stdin.write(json.dumps({"path": str(path), "environment": environment}) + "\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], WAIT)
        assert ready, f"nothing was heard for {WAIT} seconds"
        answer = json.loads(process.stdout.readline())
        assert answer["grown"] < GROWTH, f"{answer['grown']:,} KiB more at the peak"
        return answer

    def end(self) -> None:
        """Ends the process, even one that hangs."""
        self._process.kill()
        self._process.communicate()


def good_tree(root: Path) -> Path:
    """Two classes of one picture each."""
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        (root / name / "1.png").write_bytes(made.png(len(name)))
    return root

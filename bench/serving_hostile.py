"""The service under 64 clients of which a tenth is hostile: answers, statuses, memory, times, and its end."""

import base64
import contextlib
import http.client
import io
import json
import random
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import striate
from bench.measure import scratch, spread
from bench.measure import striate as command

CLIENTS, HOSTILE, SECONDS, ROUNDS = 64, 6, 30.0, 3
STOPS = 20
SIDES = ((8, 8), (28, 28), (64, 48), (200, 300), (480, 640))


@dataclass
class Watch:
    """Memory of the service, and how long it takes to say that it lives, while a load goes on."""

    process: int
    port: int
    health: list[float] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)
    ends: bool = False

    def run(self) -> None:
        """Look every 50 ms."""
        while not self.ends:
            self.resident.append(resident(self.process))
            begun = time.perf_counter()
            asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            asked.request("GET", "/health/live")
            assert asked.getresponse().read() == b'{"status":"live"}'
            asked.close()
            self.health.append((time.perf_counter() - begun) * 1000)
            time.sleep(0.05)


def lines(_data: Path) -> Iterator[str]:
    """Friendly clients, then the same with hostile ones among them, in turns; then a signal under load, many times."""
    with scratch() as name:
        run = Path(name) / "run"
        command("train", "digits", "--epochs", "3", "--out", str(run), "--quiet")
        pictures = known_pictures(run)
        with serving(run) as (process, port):
            loads(process.pid, port, pictures, seconds=5.0, hostile=0)
            before = resident(process.pid)
            pairs = [
                [loads(process.pid, port, pictures, seconds=SECONDS, hostile=count) for count in (0, HOSTILE)]
                for _ in range(ROUNDS)
            ]
        yield from said(pairs, before)
        yield from said_stops([stopped(run, pictures, number) for number in range(STOPS)])


def known_pictures(run: Path) -> list[dict[str, Any]]:
    """Pictures of some sizes and kinds as a request carries them, with what `predict_one` says of each."""
    classifier = striate.Classifier.load(run)
    return [known(classifier, made(number)) for number in range(40)]


def made(number: int) -> bytes:
    """The bytes of a picture file: slopes and noise, grey or RGB, PNG or JPEG."""
    height, width = SIDES[number % len(SIDES)]
    draw = np.random.default_rng(number)
    shape = (height, width) if number % 2 else (height, width, 3)
    slope = np.linspace(0, 160, width)[None, :, None] if len(shape) == 3 else np.linspace(0, 160, width)[None]
    pixels = (slope + draw.integers(0, 90, shape)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG" if number % 3 else "JPEG")
    return buffer.getvalue()


def known(classifier: striate.Classifier, content: bytes) -> dict[str, Any]:
    """A picture and its answer, as JSON can hold them."""
    answer = classifier.predict_one(content).to_dict()
    return {
        "name": f"{len(content)} bytes",
        "content": base64.b64encode(content).decode(),
        "class": answer["class"],
        "probabilities": answer["probabilities"],
    }


@contextlib.contextmanager
def serving(run: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`striate serve` in a process of its own, on a free port."""
    words = [sys.executable, "-m", "striate", "serve", str(run), "--port", "0", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None, "it was asked for"
        port = int(json.loads(process.stdout.readline())["url"].rsplit(":", 1)[1])
        try:
            yield process, port
        finally:
            if process.poll() is None:
                process.terminate()


def client_process(port: int, pictures: list[dict[str, Any]], **told: Any) -> subprocess.Popen[str]:
    """The load in a process of its own, begun."""
    words = [sys.executable, "-m", "bench.serving_clients"]
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None, "it was asked for"
    json.dump({"port": port, "pictures": pictures, **told}, process.stdin)
    process.stdin.close()
    process.stdin = None
    return process


def loads(
    process: int,
    port: int,
    pictures: list[dict[str, Any]],
    *,
    seconds: float,
    hostile: int,
    clients: int = CLIENTS,
) -> dict[str, Any]:
    """What came of a load: the clients' tally, with the service's memory and the times of /health/live."""
    watch = Watch(process, port)
    thread = threading.Thread(target=watch.run)
    client = client_process(port, pictures, seconds=seconds, good=clients - hostile, hostile=hostile)
    thread.start()
    out, err = client.communicate()
    watch.ends = True
    thread.join()
    if client.returncode:
        raise SystemExit(err)
    return {**json.loads(out), "health": watch.health, "resident": watch.resident, "seconds": seconds}


def resident(process: int) -> float:
    """Memory of a process in MiB."""
    text = Path(f"/proc/{process}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def said(pairs: list[list[dict[str, Any]]], before: float) -> Iterator[str]:
    """The figures of some turns of friendly and hostile load."""
    middles = [[statistics.median(one["milliseconds"]) for one in pair] for pair in pairs]
    rates = [[len(one["milliseconds"]) / one["seconds"] for one in pair] for pair in pairs]
    for column, kind in enumerate(
        (f"{CLIENTS} friendly", f"{CLIENTS - HOSTILE} good beside {HOSTILE} hostile")
    ):
        yield (
            f"{kind}: p50 {spread([row[column] for row in middles], 1)} ms, "
            f"{spread([row[column] for row in rates], 0)} answers/s"
        )
    yield f"good p50 beside hostile ones / friendly p50: {spread([row[1] / row[0] for row in middles], 2)}"
    every = [one for pair in pairs for one in pair]
    answered = sum(one["statuses"].get("200", 0) for one in every)
    yield f"answers that are not predict_one's: {sum(len(one['wrong']) for one in every)} of {answered:,}"
    yield f"statuses of good requests: {counted([one['statuses'] for one in every])}"
    ends = [found for pair in pairs for found in pair[1]["attacks"].values()]
    refused = sum(count for found in ends for status, count in found.items() if status.startswith("4"))
    total = sum(sum(found.values()) for found in ends)
    yield f"hostile requests ended by a 4xx: {refused:,} of {total:,}"
    for name in pairs[0][1]["attacks"]:
        yield f"  {name}: {counted([pair[1]['attacks'].get(name, {}) for pair in pairs])}"
    grown = [max(pair[1]["resident"]) - before for pair in pairs]
    yield f"memory above that of friendly load: {spread(grown, 0)} MiB"
    health = sorted(figure for pair in pairs for figure in pair[1]["health"])
    yield (
        f"/health/live under hostile load: p50 {statistics.median(health):.1f} ms, "
        f"p99 {health[int(len(health) * 0.99)]:.1f} ms, n = {len(health):,}"
    )


def counted(found: list[dict[str, int]]) -> str:
    """Counts by status, added up: `200: 812, 503: 3`."""
    names = sorted({name for one in found for name in one})
    return ", ".join(f"{name}: {sum(one.get(name, 0) for one in found):,}" for name in names)


@dataclass
class Stop:
    """How a service ended that was told to under load."""

    code: int
    seconds: float
    closed: bool
    children: int
    statuses: dict[str, int]
    wrong: int

    @property
    def is_clean(self) -> bool:
        """Whether it ended in time, by itself, with nothing left and nobody cut off."""
        told = self.code == 0 and self.closed and not self.children and self.seconds < 10
        return told and not self.wrong and set(self.statuses) <= {"200", "503"}


def stopped(run: Path, pictures: list[dict[str, Any]], seed: int) -> Stop:
    """A service of its own, told to end at some moment of a load."""
    with serving(run) as (process, port):
        return stop_under_load(process, port, pictures, 1.0 + random.Random(seed).random())


def stop_under_load(
    process: subprocess.Popen[str],
    port: int,
    pictures: list[dict[str, Any]],
    after: float,
    clients: int = CLIENTS,
) -> Stop:
    """Send SIGTERM so many seconds into a load with hostile clients in it."""
    hostile = max(1, clients // 10)
    client = client_process(port, pictures, seconds=60.0, good=clients - hostile, hostile=hostile)
    time.sleep(after)
    children = children_of(process.pid)
    begun = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    code = process.wait(30)
    seconds = time.perf_counter() - begun
    out, err = client.communicate()
    if client.returncode:
        raise SystemExit(err)
    alive = sum(Path(f"/proc/{child}").exists() for child in children)
    tally = json.loads(out)
    return Stop(code, seconds, is_closed(port), alive, tally["statuses"], len(tally["wrong"]))


def children_of(process: int) -> list[int]:
    """Processes that a process started."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(child) for child in found]


def is_closed(port: int) -> bool:
    """Whether nobody listens at a port."""
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) != 0


def said_stops(stops: list[Stop]) -> Iterator[str]:
    """How a number of services ended."""
    right = sum(stop.is_clean for stop in stops)
    yield f"SIGTERM under load: drained, port closed, exit 0, no child left: {right} of {len(stops)}"
    yield f"seconds to the end: {spread([stop.seconds for stop in stops], 1)}"
    yield f"statuses of good requests around it: {counted([stop.statuses for stop in stops])}"

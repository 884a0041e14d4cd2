"""Hostile clients: each attack alone, files and classes called like markup, and all at once beside good ones."""

import asyncio
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from bare import ask, head, is_guarded, port_of
from PIL import Image
from serving_kit import live

import doors
import striate
from bench import serving_clients, serving_hostile
from bench.serving_attacks import attacks
from striate.serving.guarding import limits

MARKUP = ("<img src=x onerror=alert(1)>", '"><script>alert(2)<', "a'b&c;d\\e")
NAMES = (
    '"><img src=x onerror=alert(3)>.png',
    "..\\..\\windows\\win.ini",
    "../../etc/passwd",
    "a\x1b[31mred\x07.png",
    "\u202egnp.exe",
    "%0d%0aSet-Cookie: a=b",
    "x" * 1_000,
    "'; DROP TABLE pictures; --.png",
    "{{7*7}}${7*7}.png",
)


def write_markup(root: Path) -> Path:
    """Pictures in class folders that are called like markup."""
    for kind, name in enumerate(MARKUP):
        (root / name).mkdir(parents=True)
        for number in range(12):
            Image.fromarray(doors.picture(kind, number)).save(root / name / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, cache_of_the_session: Path) -> Path:
    """A run whose classes are called like markup."""
    folder = tmp_path_factory.mktemp("markup")
    doors.train(write_markup(folder / "data"), folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def port(run: Path) -> Iterator[int]:
    """The port of a service over that run, impatient with slow bodies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "GRACE", 0.5)
        with live(run, max_body=4 << 20) as url:
            yield port_of(url)


@pytest.mark.parametrize("name", attacks())
def test_every_attack_ends_as_a_4xx(name: str, port: int) -> None:
    assert re.fullmatch("4[0-9][0-9]", asyncio.run(serving_clients.one_attack(port, attacks()[name])))


def test_classes_called_like_markup_are_data(port: int, run: Path) -> None:
    content = io.BytesIO()
    Image.fromarray(doors.picture(0, 99)).save(content, "PNG")
    body = content.getvalue()
    answer = ask(port, head("POST /predict", {"Content-Length": str(len(body))}, port) + body)
    is_guarded(answer)
    assert answer.headers["content-type"] == "application/json"
    assert set(json.loads(answer.body)["answers"][0]["probabilities"]) == set(MARKUP)
    assert json.loads(ask(port, head("GET /model", {}, port)).body)["classes"] == list(
        striate.Classifier.load(run).class_names_
    )
    for path in ("/metrics", "/openapi.json", "/"):
        text = ask(port, head(f"GET {path}", {}, port)).body
        assert b"onerror" not in text
        assert b"<script>alert" not in text


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_files_called_like_markup_are_data(name: str, port: int) -> None:
    content = io.BytesIO()
    Image.fromarray(np.zeros((12, 12), np.uint8)).save(content, "PNG")
    quoted = name.replace("\\", "\\\\").replace('"', '\\"').encode()
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="',
        quoted,
        b'"\r\n\r\n',
        content.getvalue(),
    ]
    body = b"".join([*parts, b"\r\n--x--\r\n"])
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(len(body))}
    answer = ask(port, head("POST /predict", headers, port) + body)
    is_guarded(answer)
    assert answer.status == 200, answer
    assert "set-cookie" not in answer.headers
    source = json.loads(answer.body)["answers"][0]["source"]
    assert source.isprintable()
    assert len(source) <= 200
    assert "/" not in source


def test_a_line_break_in_a_files_name_ends_no_header(port: int) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a\r\nSet-Cookie: a=b\r\n"\r\n\r\nx\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(len(body))}
    answer = ask(port, head("POST /predict", headers, port) + body)
    is_guarded(answer)
    assert 400 <= answer.status < 500
    assert "set-cookie" not in answer.headers


@pytest.mark.slow
def test_good_clients_beside_a_hostile_one_and_the_end_of_it(digits_run: Path) -> None:
    """The bench in small: eight clients, three seconds, and SIGTERM while they go on asking."""
    pictures = serving_hostile.known_pictures(digits_run)[:10]
    with serving_hostile.serving(digits_run) as (process, port):
        before = serving_hostile.resident(process.pid)
        load = serving_hostile.loads(process.pid, port, pictures, seconds=3.0, hostile=1, clients=8)
        stop = serving_hostile.stop_under_load(process, port, pictures, 1.0, clients=8)
    assert load["wrong"] == []
    assert set(load["statuses"]) == {"200"}, load["statuses"]
    assert len(load["milliseconds"]) >= 10
    ends = {status for found in load["attacks"].values() for status in found}
    assert ends, "a hostile client asked something"
    assert all(status.startswith("4") for status in ends), load["attacks"]
    assert max(load["resident"]) - before < 512
    assert stop.is_clean, stop


@pytest.mark.slow
def test_the_bench_as_it_was_promised(tmp_path: Path) -> None:
    """64 clients of which 6 are hostile, three turns of 30 s, and SIGTERM twenty times."""
    told = list(serving_hostile.lines(tmp_path))
    assert any(re.search("predict_one's: 0 of", line) for line in told), told
    assert any(re.search(f"{serving_hostile.STOPS} of {serving_hostile.STOPS}$", line) for line in told), told

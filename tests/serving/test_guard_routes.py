"""Wrong input on every address that the service has: a new one without its case here fails."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from bare import Answer, is_refusal
from serving_kit import client
from starlette.testclient import TestClient

JSON = "application/json"
PREPARED = {"pixels": "AAAA", "dtype": "uint8", "shape": [1, 1, 1]}
WRONG: dict[str, list[tuple[str, object]]] = {
    "get /health/live": [("POST /health/live", b"")],
    "get /health/ready": [("POST /health/ready", b"")],
    "get /metrics": [("DELETE /metrics", None)],
    "get /model": [("POST /model", b"x")],
    "post /predict": [
        ("GET /predict", None),
        ("POST /predict", b""),
        ("POST /predict", b"no picture"),
        ("POST /predict?digests=perhaps", b"x"),
    ],
    "post /thumbnails": [("POST /thumbnails?side=-1", b"x"), ("POST /thumbnails?side=1e9", b"x")],
    "get /explain/methods": [("POST /explain/methods", b"")],
    "post /explain": [
        ("POST /explain", b"no picture"),
        ("POST /explain?method=magic", b"x"),
        ("POST /explain?stage=nowhere", b"x"),
        ("POST /explain?label=nobody", b"x"),
        ("POST /explain?set=a", b"x"),
    ],
    "get /inside/network": [("DELETE /inside/network", None)],
    "get /inside/picture": [
        ("GET /inside/picture?name=../../etc/passwd", None),
        ("GET /inside/picture", None),
    ],
    "post /inside/picture": [("POST /inside/picture", b"no picture")],
    "post /inside/overview": [
        ("POST /inside/overview", {}),
        ("POST /inside/overview", {"picture": PREPARED}),
    ],
    "post /inside/maps": [
        ("POST /inside/maps", []),
        ("POST /inside/maps", {"picture": PREPARED, "layer": "no"}),
    ],
    "post /inside/kernels": [("POST /inside/kernels", {"layer": 7}), ("POST /inside/kernels", b"{")],
    "post /inside/cell": [("POST /inside/cell", {"layer": "no", "row": -1}), ("POST /inside/cell", b"\xff")],
    "get /kernels": [("POST /kernels", b"")],
    "get /kernels/picture": [
        ("GET /kernels/picture?name=nobody", None),
        ("GET /kernels/picture?longest=a", None),
    ],
    "post /kernels/picture": [
        ("POST /kernels/picture", b"no picture"),
        ("POST /kernels/picture?longest=0", b"x"),
    ],
    "post /kernels/filter": [("POST /kernels/filter", {}), ("POST /kernels/filter", {"kernel": "1 2; 3"})],
    "post /kernels/step": [("POST /kernels/step", {"row": "a"}), ("POST /kernels/step", b"[1e999]")],
    "get /training": [("POST /training", b"")],
    "get /training/events": [("POST /training/events", b"")],
    "get /training/images": [
        ("GET /training/images", None),
        ("GET /training/images?truth=no&predicted=1", None),
    ],
    "get /v2": [("POST /v2", b"")],
    "get /v2/health/live": [("POST /v2/health/live", b"")],
    "get /v2/health/ready": [("POST /v2/health/ready", b"")],
    "get /v2/models/{name}": [("GET /v2/models/nobody", None)],
    "get /v2/models/{name}/ready": [("GET /v2/models/nobody/ready", None)],
    "get /v2/models/{name}/versions/{number}": [("GET /v2/models/nobody/versions/x", None)],
    "get /v2/models/{name}/versions/{number}/ready": [("GET /v2/models/nobody/versions/x/ready", None)],
    "post /v2/models/{name}/infer": [
        ("POST /v2/models/nobody/infer", {"inputs": []}),
        ("POST /v2/models/run/infer", {"inputs": []}),
        ("POST /v2/models/run/infer", b"{"),
    ],
    "post /v2/models/{name}/versions/{number}/infer": [
        ("POST /v2/models/run/versions/9/infer", {"inputs": [1]})
    ],
    "get /session": [("PUT /session", b"")],
    "post /session": [("POST /session", b"")],
    "delete /session": [("DELETE /session", None)],
}


@pytest.fixture(scope="module")
def one(digits_run: Path) -> Iterator[TestClient]:
    """A client of a service over a run."""
    with client(digits_run) as found:
        yield found


def asked(one: TestClient, line: str, body: object) -> Answer:
    """What comes of a request line with bytes, or with something as JSON."""
    method, _, target = line.partition(" ")
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    headers = {} if isinstance(body, bytes | None) else {"Content-Type": JSON}
    answer = one.request(method, target, content=content, headers=headers)
    return Answer(answer.status_code, dict(answer.headers), answer.content)


def test_every_address_has_its_case(one: TestClient) -> None:
    paths = one.get("/openapi.json").json()["paths"]
    assert {f"{method} {path}" for path, found in paths.items() for method in found} == set(WRONG)


@pytest.mark.parametrize("line", WRONG)
def test_wrong_input_is_said_in_words(line: str, one: TestClient) -> None:
    for request, body in WRONG[line]:
        answer = asked(one, request, body)
        is_refusal(answer)
        assert 400 <= answer.status < 500, (request, answer)


def test_no_body_of_a_gigabyte_reaches_any_address(one: TestClient) -> None:
    for line in WRONG:
        method, _, path = line.partition(" ")
        if method == "post":
            target = path.replace("{name}", "run").replace("{number}", "1")
            answer = one.post(target, content=b"", headers={"Content-Length": "1000000000"})
            assert answer.status_code == 413, line

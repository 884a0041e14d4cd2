"""The routes below /kernels: every wrong request is refused in words, and nothing large is made for one."""

from collections.abc import Iterator
from typing import Any

import pytest
from kernels_kit import PHOTO, sent
from serving_kit import client
from starlette.testclient import TestClient

import striate


@pytest.fixture(scope="module")
def service() -> Iterator[TestClient]:
    """A service without a run: kernels need none."""
    with client() as one:
        yield one


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"kernel": "sobel"}, 400, "there is no kernel 'sobel'"),
        ({"kernel": "1 2; 3"}, 400, "must be equally long"),
        ({"kernel": "0 x"}, 400, "'x' in a kernel is not a number"),
        ({"kernel": "1/0"}, 400, "not a number"),
        ({"kernel": "1 1e999"}, 400, "not a number"),
        ({"kernel": "0 nan"}, 400, "not a number"),
        ({"kernel": ""}, 400, "1 to 10,000 numbers"),
        ({"kernel": "2e9"}, 422, "weight of the kernel is too large"),
        ({"kernel": "0 " * 32}, 422, "too large for this page"),
        ({"kernel": "gaussian:1000"}, 422, "too large for this page"),
        ({"kernel": "gaussian:nan"}, 400, "sigma must be above 0"),
        ({"kernel": "1 " * 10_001}, 422, "text is too long"),
        ({"kernel": 3}, 422, "body.kernel"),
        ({"stride": 0}, 422, "stride is out of range"),
        ({"stride": 10**9}, 422, "stride is out of range"),
        ({"padding": "999999999"}, 422, "padding is out of range"),
        ({"padding": "-1"}, 422, "padding is out of range"),
        ({"padding": "sam"}, 400, "did you mean same"),
        ({"border": "mirror"}, 400, "there is no border 'mirror'"),
        ({"indexing": "flipped"}, 400, "there is no indexing 'flipped'"),
        ({"indexing": "centred", "kernel": "1 1"}, 400, "of odd sizes"),
        ({"dilation": 129}, 422, "dilation is out of range"),
        ({"dilation": 100, "kernel": "sobel_x"}, 400, "does not fit"),
        ({"operation": "min"}, 422, "body.operation"),
        ({"operation": "max", "window": 32}, 422, "cannot be pooled"),
        ({"operation": "max", "window": 30}, 400, "does not fit"),
        ({"operation": "max", "stride": 0}, 422, "stride is out of range"),
        ({"channels": "alpha"}, 422, "body.channels"),
        ({"unknown": 1}, 422, "body.unknown"),
        ({"picture": {"shape": [2, 2, 1], "base64": "AAAA"}}, 422, "do not agree"),
        ({"picture": {"shape": [2, 2, 4], "base64": ""}}, 422, "working copy of this shape"),
        ({"picture": {"shape": [0, 2, 1], "base64": ""}}, 422, "working copy of this shape"),
        ({"picture": {"shape": [100_000, 100_000, 3], "base64": ""}}, 422, "working copy of this shape"),
        ({"picture": {"shape": [1, 1, 1], "base64": "!!!!"}}, 422, "not base64"),
        ({"picture": {"shape": [1, 1, 1], "base64": "AA==", "dtype": "float32"}}, 422, "dtype"),
        ({"picture": {"shape": [1, 1, 1], "base64": "AA=="}, "channels": "red"}, 422, "no red channel"),
    ],
    ids=lambda one: str(one)[:40],
)
def test_wrong_filters_are_refused_in_words(
    service: TestClient, asked: dict[str, Any], status: int, words: str
) -> None:
    """Status and words; no path, no traceback."""
    for address, more in (("filter", {}), ("step", {"cell": [0, 0]})):
        answer = service.post(f"/kernels/{address}", json={"picture": sent(PHOTO), **asked, **more})
        assert answer.status_code == status, answer.text
        assert words in answer.json()["error"]["said"]
        assert "Traceback" not in answer.text
        assert "/striate/" not in answer.text


def test_a_large_gaussian_is_refused_before_it_is_made(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of sigma 1,000 would fill 288 MB."""

    def never(sigma: float) -> None:
        raise AssertionError(f"a Gaussian of {sigma} was made")

    monkeypatch.setattr(striate.kernels, "gaussian", never)
    for text in ("gaussian:1000", "gaussian: 5.4 ", "gaussian:999999999"):
        answer = service.post("/kernels/filter", json={"picture": sent(PHOTO), "kernel": text})
        assert answer.status_code == 422
        assert "too large for this page" in answer.json()["error"]["said"]


@pytest.mark.parametrize("cell", [[21, 0], [0, 29], [-1, 0], [0], "0,0", [0.5, 1], None])
def test_cells_that_are_not_there(service: TestClient, cell: Any) -> None:
    """Beyond the result, or no cell at all."""
    answer = service.post("/kernels/step", json={"picture": sent(PHOTO), "kernel": "sobel_x", "cell": cell})
    assert 400 <= answer.status_code < 500
    assert "cell" in answer.json()["error"]["said"]


@pytest.mark.parametrize(
    ("method", "address", "content", "status", "words"),
    [
        ("POST", "/kernels/picture", b"no picture", 422, "cannot be read"),
        ("POST", "/kernels/picture", b"", 422, "empty"),
        ("POST", "/kernels/picture?longest=4", b"P5 1 1 255 a", 422, "longest"),
        ("POST", "/kernels/picture?longest=9999", b"P5 1 1 255 a", 422, "longest"),
        ("GET", "/kernels/picture?name=owl", None, 404, "no such example"),
        ("POST", "/kernels/filter", b"not json", 422, "body"),
        ("GET", "/kernels/filter", None, 405, "method"),
    ],
)
def test_wrong_requests(
    service: TestClient, method: str, address: str, content: bytes | None, status: int, words: str
) -> None:
    """Each a refusal in words."""
    answer = service.request(method, address, content=content)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["error"]["said"]

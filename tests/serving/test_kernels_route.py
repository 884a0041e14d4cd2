"""The routes below /kernels: their numbers against numpy, scipy and the command line."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels_kit import PHOTO, array, sent
from PIL import Image
from scipy.signal import correlate2d
from serving_kit import client
from starlette.testclient import TestClient

import striate


@pytest.fixture(scope="module")
def service() -> Iterator[TestClient]:
    """A service without a run: kernels need none."""
    with client() as one:
        yield one


def filtered(service: TestClient, picture: np.ndarray = PHOTO, **asked: Any) -> dict[str, Any]:
    """The answer to a filter that must succeed."""
    answer = service.post("/kernels/filter", json={"picture": sent(picture), **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_catalogue_names_every_kernel_and_every_word(service: TestClient) -> None:
    """With its weights, its use and its source; the words are the package's own."""
    from striate.pixels.convolution import INDEXINGS
    from striate.pixels.sliding import BORDERS, PADDINGS

    told = service.get("/kernels").json()
    assert [one["name"] for one in told["named"]] == list(striate.kernels.NAMED)
    for one in told["named"]:
        assert np.array_equal(one["weights"], striate.kernels.NAMED[one["name"]].weights)
        assert one["summary"]
        assert one["source"]
    assert (told["paddings"], told["borders"], told["indexings"]) == (
        list(PADDINGS),
        list(BORDERS),
        list(INDEXINGS),
    )
    assert [one["name"] for one in told["pictures"]] == list(striate.EXAMPLE_PICTURES)


def test_an_uploaded_picture_becomes_its_working_copy(service: TestClient) -> None:
    """Of 16 bits and 600 pixels: 8 bits and 256, and that is said."""
    values = np.random.default_rng(0).integers(0, 40_000, (300, 600), dtype=np.uint16)
    file = io.BytesIO()
    Image.fromarray(values).save(file, format="PNG")
    told = service.post("/kernels/picture", files={"files": ("scan.png", file.getvalue())}).json()
    assert np.array_equal(array(told["picture"]), striate.working_copy(values[:, :, None]).pixels)
    assert told["name"] == "scan.png"
    assert told["said"].startswith("300 × 600 × 1, uint16; reduced to 128 × 256; in 8 bits: 0 is black")
    small = service.post("/kernels/picture?longest=64", content=file.getvalue()).json()
    assert small["picture"]["shape"] == [32, 64, 1]


@pytest.mark.parametrize("name", striate.EXAMPLE_PICTURES)
def test_the_examples_are_there(service: TestClient, name: str) -> None:
    """Each as its working copy."""
    told = service.get("/kernels/picture", params={"name": name}).json()
    assert np.array_equal(array(told["picture"]), striate.working_copy(striate.example_picture(name)).pixels)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_filter_is_what_scipy_makes(service: TestClient, data: st.DataObject) -> None:
    """Any whole kernel, stride and padding of zeros: exactly its numbers, range and size."""
    rows, columns = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 7))
    weights = np.array(
        data.draw(
            st.lists(
                st.lists(st.integers(-9, 9), min_size=columns, max_size=columns), min_size=rows, max_size=rows
            )
        )
    )
    stride, padding = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 5))
    text = "; ".join(" ".join(map(str, row)) for row in weights.tolist())
    told = filtered(service, kernel=text, stride=stride, padding=str(padding), channels="green")
    plane = np.pad(PHOTO[:, :, 1].astype(np.int64), padding)
    expected = correlate2d(plane, weights, mode="valid")[::stride, ::stride]
    assert told["dtype"] == "int32"
    assert np.array_equal(array(told)[:, :, 0], expected)
    assert (told["low"], told["high"]) == (expected.min(), expected.max())
    assert [axis["cells"] for axis in told["axes"]] == list(expected.shape)
    assert told["axes"][0]["formula"].endswith(f" + 1 = {expected.shape[0]}")


@pytest.mark.parametrize("border", ["zero", "edge", "reflect", "circular"])
@pytest.mark.parametrize("padding", ["valid", "same", "full", "2"])
@pytest.mark.parametrize("indexing", ["cross-correlation", "convolution", "centred"])
def test_every_word_reaches_convolve(service: TestClient, border: str, padding: str, indexing: str) -> None:
    """The answer is that of `striate.convolve` with the same words."""
    told = filtered(
        service,
        kernel="1 2 3; 0 1/3 0; -1 0 7",
        border=border,
        padding=padding,
        indexing=indexing,
        dilation=2,
    )
    expected = striate.convolve(
        PHOTO,
        striate.kernels.parse("1 2 3; 0 1/3 0; -1 0 7"),
        border=border,
        padding=int(padding) if padding == "2" else padding,
        indexing=indexing,
        dilation=2,
    )
    assert np.array_equal(array(told), expected.astype(np.float32))


@pytest.mark.parametrize(
    ("kind", "window", "stride"), [("max", 2, None), ("average", 3, None), ("max", 3, 2), ("average", 1, 4)]
)
def test_pooling(service: TestClient, kind: str, window: int, stride: int | None) -> None:
    """As `striate.pool`, the stride the window's unless given."""
    told = filtered(service, operation=kind, window=window, stride=stride)
    assert np.array_equal(
        array(told), striate.pool(PHOTO, kind, window, stride=stride).astype(array(told).dtype)
    )
    assert told["kernel"] is None
    assert not told["scale"]["signed"]


@pytest.mark.parametrize(
    ("channels", "seen"),
    [
        ("each", PHOTO),
        ("red", PHOTO[:, :, :1]),
        ("blue", PHOTO[:, :, 2:]),
        ("grey", np.rint(PHOTO @ np.array([0.299, 0.587, 0.114]))[:, :, None].astype(np.uint8)),
    ],
)
def test_channels(service: TestClient, channels: str, seen: np.ndarray) -> None:
    """What the window slides over is sent back, and is what was filtered."""
    told = filtered(service, kernel="sharpen", channels=channels)
    assert np.array_equal(array(told["input"]), seen)
    assert np.array_equal(array(told), striate.convolve(seen, striate.kernels.sharpen))


def test_a_step_adds_up(service: TestClient) -> None:
    """Window, weights, products and sum against numpy, with what lies beyond the border marked."""
    asked = {"kernel": "sobel_y", "padding": "same", "stride": 2, "channels": "red", "cell": [0, 3]}
    told = service.post("/kernels/step", json={"picture": sent(PHOTO), **asked}).json()
    window = np.pad(PHOTO[:, :, 0].astype(int), 1)[0:3, 6:9]
    weights = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    (part,) = told["parts"]
    assert np.array_equal(np.array(part["window"], int), window)
    assert part["weights"] == [["-1", "-2", "-1"], ["0", "0", "0"], ["1", "2", "1"]]
    assert np.array_equal(np.array(part["products"], int), window * weights)
    assert part["outside"] == [[True] * 3, [False] * 3, [False] * 3]
    assert told["values"] == [str((window * weights).sum())]
    assert part["sum"].endswith(f"= {(window * weights).sum()}")
    assert (told["rows"], told["columns"]) == ([-1, 0, 1], [5, 6, 7])


def test_every_step_of_a_result_is_its_value(service: TestClient) -> None:
    """Also where the kernel is flipped, dilated and not square, each channel alone."""
    asked = {
        "kernel": "1 2 -5; 3 4 1/7",
        "padding": "full",
        "border": "reflect",
        "indexing": "convolution",
        "dilation": 2,
    }
    values = array(filtered(service, **asked))
    for row, column in ((0, 0), (5, 7), (values.shape[0] - 1, values.shape[1] - 1)):
        told = service.post(
            "/kernels/step", json={"picture": sent(PHOTO), **asked, "cell": [row, column]}
        ).json()
        assert [float(value) for value in told["values"]] == pytest.approx(
            values[row, column].tolist(), rel=1e-5
        )
        assert told["flipped"]
        assert [part["channel"] for part in told["parts"]] == ["red", "green", "blue"]


@pytest.mark.parametrize("kind", ["max", "average"])
def test_a_pooling_step(service: TestClient, kind: str) -> None:
    """The window, the pixel that won, and the number."""
    asked = {"operation": kind, "window": 3, "stride": 2, "channels": "red", "cell": [4, 5]}
    told = service.post("/kernels/step", json={"picture": sent(PHOTO), **asked}).json()
    window = PHOTO[8:11, 10:13, 0]
    (part,) = told["parts"]
    assert np.array_equal(np.array(part["window"], int), window)
    assert float(told["values"][0]) == pytest.approx(
        window.max() if kind == "max" else window.mean(), rel=1e-5
    )
    marks = np.array(part["chosen"])
    assert marks.sum() == (kind == "max")
    assert kind == "average" or window[marks][0] == window.max()


def test_a_window_too_large_to_be_read_gives_its_sum(service: TestClient) -> None:
    """gaussian:3 has 19 × 19 weights."""
    told = service.post(
        "/kernels/step", json={"picture": sent(PHOTO), "kernel": "gaussian:3", "cell": [0, 0]}
    ).json()
    assert told["parts"][0]["window"] is None
    expected = (PHOTO[:19, :19, 0] * striate.kernels.gaussian(3.0)).sum()
    assert float(told["parts"][0]["value"]) == pytest.approx(expected, rel=1e-5)


def test_the_command_does_the_same(service: TestClient, tmp_path: Any) -> None:
    """What the page shows to be typed makes the same numbers."""
    import shlex

    from doors import striate_here

    asked = {"kernel": "0 -1 0; -1 5 -1; 0 -1 0", "stride": 2, "padding": "same", "border": "edge"}
    told = filtered(service, **asked)
    Image.fromarray(PHOTO).save(tmp_path / "photo.png")
    words = shlex.split(told["command"])[1:-1]
    words[words.index("PICTURE")] = str(tmp_path / "photo.png")
    assert striate_here(*words, tmp_path / "result.npy").code == 0
    assert np.array_equal(np.load(tmp_path / "result.npy"), array(told))
    assert filtered(service, kernel="blur", channels="grey")["command"] is None

"""The Open Inference Protocol through NVIDIA's own client, and what it refuses."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tritonclient.http as triton
from PIL import Image
from serving_kit import client, live
from tritonclient.utils import InferenceServerException

import striate
from doors import picture

NAME = "run"


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


PICTURES = np.stack([picture(number % 3, number) for number in range(7)])


@pytest.fixture(scope="module")
def server(pictures_run: Path) -> Iterator[triton.InferenceServerClient]:
    assert pictures_run.name == NAME
    with live(pictures_run) as address:
        one = triton.InferenceServerClient(address.removeprefix("http://"))
        yield one
        one.close()


@pytest.fixture(scope="module")
def known(pictures_run: Path) -> np.ndarray:
    classifier = striate.Classifier.load(pictures_run)
    answers = [classifier.predict_one(one) for one in PICTURES]
    return np.array([list((one.probabilities or {}).values()) for one in answers])


def inputs(kind: str, binary: bool) -> list[triton.InferInput]:
    """The pictures as a client gives them."""
    if kind == "BYTES":
        values = np.array([png(one) for one in PICTURES], object)
        one = triton.InferInput("image", list(values.shape), kind)
    else:
        values = PICTURES[..., None].astype({"UINT8": "uint8", "FP32": "float32"}[kind])
        one = triton.InferInput("pixels", list(values.shape), kind)
    one.set_data_from_numpy(values, binary_data=binary)
    if kind != "FP32":
        return [one]
    scale = triton.InferInput("full_scale", [1], "FP32")
    scale.set_data_from_numpy(np.array([255], np.float32), binary_data=binary)
    return [one, scale]


def test_the_server_says_what_it_is(server: triton.InferenceServerClient) -> None:
    assert server.is_server_live()
    assert server.is_server_ready()
    assert server.is_model_ready(NAME)
    assert server.is_model_ready(NAME, "1")
    assert server.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    told = server.get_model_metadata(NAME)
    assert [one["name"] for one in told["inputs"]] == ["image", "pixels", "full_scale"]
    assert told["outputs"][0] == {"name": "probabilities", "datatype": "FP64", "shape": [-1, 3]}


@pytest.mark.parametrize(
    ("kind", "sent"), [("UINT8", True), ("UINT8", False), ("FP32", True), ("FP32", False), ("BYTES", True)]
)
@pytest.mark.parametrize("answered", ["unasked", "binary", "json"])
def test_answers_are_those_of_python(
    server: triton.InferenceServerClient, known: np.ndarray, kind: str, sent: bool, answered: str
) -> None:
    names = ("probabilities", "class")
    asked = [triton.InferRequestedOutput(name, binary_data=answered == "binary") for name in names]
    found = server.infer(
        NAME, inputs(kind, sent), outputs=None if answered == "unasked" else asked, request_id="17"
    )
    assert np.abs(found.as_numpy("probabilities") - known).max() <= 1e-6
    said = [one.decode() if isinstance(one, bytes) else one for one in found.as_numpy("class")]
    assert said == [("bright", "dark", "striped")[best] for best in known.argmax(axis=1)]
    assert found.get_response()["id"] == "17"


def test_what_the_client_is_told_of_wrong_input(server: triton.InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="no such model"):
        server.infer("other", inputs("UINT8", True))
    with pytest.raises(InferenceServerException, match="no such output"):
        server.infer(NAME, inputs("UINT8", True), outputs=[triton.InferRequestedOutput("logits")])


def request(**changes: object) -> dict:
    values = PICTURES[:1, ..., None]
    one = {
        "name": "pixels",
        "shape": list(values.shape),
        "datatype": "UINT8",
        "data": values.ravel().tolist(),
    }
    return {"inputs": [{**one, **changes}]}


SCALE_OF_SEVEN = {"name": "full_scale", "shape": [1], "datatype": "FP32", "data": [7]}
WRONG: dict[str, tuple[object, str]] = {
    "no JSON": (b"{", "not JSON"),
    "nested too deeply": (b"[" * 100_000, "not JSON"),
    "a list": ([], "no list of inputs"),
    "no inputs": ({"inputs": []}, "others than the model has"),
    "an input that is a text": ({"inputs": ["pixels"]}, "no object"),
    "another name": (request(name="input_1"), "others than the model has"),
    "another type": (request(datatype="STRING"), "another data type"),
    "a type that is not taken": (request(datatype="FP64"), "another data type"),
    "no shape": (request(shape="all"), "no shape"),
    "a negative shape": (request(shape=[1, -12, -12, 1]), "no shape"),
    "a truth for a size": (request(shape=[True, 12, 12, 1]), "no shape"),
    "too few values": (request(shape=[1, 13, 12, 1]), "another number of values"),
    "a huge shape": (request(shape=[2**40, 2**40, 9, 9]), "another number of values"),
    "two axes": (request(shape=[12, 12]), "another shape"),
    "two channels": (request(shape=[1, 12, 6, 2]), "another shape"),
    "no pictures": (request(shape=[0, 12, 12, 1], data=[]), "another number of pictures"),
    "values beyond the type": (request(data=[256] * 144), "do not fit"),
    "fractions": (request(data=[0.5] * 144), "do not fit"),
    "texts": (request(data=["1"] * 144), "no numbers"),
    "ragged lists": (request(data=[[1, 2], [3]]), "no numbers"),
    "bytes that are not there": (request(data=None, parameters={"binary_data_size": 144}), "binary_data_size"),
    "given twice": ({"inputs": request()["inputs"] * 2}, "twice"),
    "no picture in the bytes": (
        {"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": ["x"]}]},
        "cannot be read",
    ),
    "another scale": (
        {"inputs": [*request(datatype="FP32")["inputs"], SCALE_OF_SEVEN]},
        "full_scale is another number",
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_wrong_requests_are_refused_in_words(shared: object, wrong: str) -> None:
    body, words = WRONG[wrong]
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = shared.post(f"/v2/models/{NAME}/infer", content=sent)  # pyright: ignore[reportAttributeAccessIssue]
    assert 400 <= answer.status_code < 500
    assert words in answer.json()["error"]
    assert set(answer.json()["details"]) == {"said", "given", "allowed", "try"}


@pytest.fixture(scope="module")
def shared(pictures_run: Path) -> Iterator[object]:
    with client(pictures_run) as one:
        yield one


@pytest.mark.parametrize(
    "headers", [{"Inference-Header-Content-Length": "x"}, {"Inference-Header-Content-Length": "99999999"}]
)
def test_a_length_that_is_none(shared: object, headers: dict[str, str]) -> None:
    answer = shared.post(  # pyright: ignore[reportAttributeAccessIssue]
        f"/v2/models/{NAME}/infer", content=json.dumps(request()).encode(), headers=headers
    )
    assert answer.status_code == 400
    assert "Inference-Header-Content-Length" in answer.json()["error"]

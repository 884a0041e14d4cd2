"""The routes below /inside: their numbers against torch on the same picture, and wrong requests refused in words."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from serving_kit import client
from starlette.testclient import TestClient

import striate

PHOTO = np.random.default_rng(3).integers(0, 256, (40, 30, 3), dtype=np.uint8)


def png(pixels: np.ndarray) -> bytes:
    """A PNG file."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


@pytest.fixture(scope="module")
def colour_classifier(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, striate.Classifier]:
    """A residual network on three channels, four classes, seeing the centre of each picture."""
    pixels = np.random.default_rng(1).integers(0, 256, (24, 24, 20, 3), dtype=np.uint8)
    recipe = striate.Recipe(model="compact", epochs=1, batch_size=8, seed=0, patch=16)
    classifier = striate.Classifier(recipe).fit(pixels, np.array(list("abcd") * 6))
    folder = tmp_path_factory.mktemp("inside") / "run"
    classifier.save(folder)
    return folder, classifier


@pytest.fixture(scope="module")
def service(colour_classifier: tuple[Path, striate.Classifier]) -> Iterator[TestClient]:
    """A service of that run."""
    with client(colour_classifier[0]) as one:
        yield one


@pytest.fixture(scope="module")
def picture(service: TestClient) -> dict[str, Any]:
    """The photograph as the server prepared it."""
    answer = service.post("/inside/picture", content=png(PHOTO))
    assert answer.status_code == 200, answer.text
    return answer.json()


def array(sent: dict[str, Any]) -> np.ndarray:
    """The numbers that were sent."""
    return np.frombuffer(base64.b64decode(sent["base64"]), sent["dtype"]).reshape(sent["shape"])


def told(service: TestClient, path: str, **asked: Any) -> dict[str, Any]:
    """The answer to a request that must succeed."""
    answer = service.post(f"/inside/{path}", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def outputs(
    classifier: striate.Classifier, pixels: np.ndarray
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The network's input worked out here, and what every layer puts out by torch's hooks."""
    preparation = classifier.preparation_
    values = pixels.astype(np.float64) / 255
    normal = (values - np.array(preparation.mean)) / np.array(preparation.std)
    inputs = torch.from_numpy(normal.transpose(2, 0, 1)[None].astype(np.float32))
    made: dict[str, torch.Tensor] = {}
    network = classifier.network_.eval()
    hooks = [
        layer.register_forward_hook(lambda _m, _i, out, path=path: made.__setitem__(path, out.clone()))
        for path, layer in network.named_modules()
    ]
    with torch.no_grad():
        network(inputs.clone())
    for hook in hooks:
        hook.remove()
    return inputs, {path.removeprefix("stages."): out for path, out in made.items()}


def test_the_network_as_a_table(service: TestClient) -> None:
    """Stages in order with the head last, layers with what they read, classes and examples."""
    found = service.get("/inside/network").json()
    assert [stage["name"] for stage in found["stages"]] == ["stem", "stage1", "stage2", "stage3", "head"]
    assert found["input_shape"] == [3, 16, 16]
    assert found["classes"] == list("abcd")
    layers = {layer["name"]: layer for stage in found["stages"] for layer in stage["layers"]}
    assert layers["stage1.block.sum"]["reads"] == ["stage1.relu", "stage1.block.branch.relu2"]
    assert layers["stem.conv"]["sees"] == [3, 3]
    assert layers["stem.conv"]["kernels"]
    assert not layers["stem.relu"]["kernels"]
    assert "roof" in [one["name"] for one in found["examples"]]


def test_a_picture_comes_back_prepared_and_answered(
    service: TestClient, picture: dict[str, Any], colour_classifier: tuple[Path, striate.Classifier]
) -> None:
    """The centre that the network sees, as a preview too, and the answer of the whole picture; an example likewise."""
    classifier = colour_classifier[1]
    whole = classifier.preparation_.pixels(PHOTO)
    pixels = array(picture["pixels"])
    np.testing.assert_array_equal(pixels, whole[4:20, 2:18])
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture["preview"]["png"]))))
    np.testing.assert_array_equal(shown, pixels)
    expected = classifier.predict_one(PHOTO)
    assert picture["answer"]["class"] == expected.label
    assert picture["answer"]["probabilities"] == pytest.approx(expected.probabilities, abs=1e-6)
    example = service.get("/inside/picture", params={"name": "roof"}).json()
    assert example["pixels"]["shape"] == [16, 16, 3]


def test_maps_are_the_networks_own(
    service: TestClient, picture: dict[str, Any], colour_classifier: tuple[Path, striate.Classifier]
) -> None:
    """Ranges, order, peaks and steps of layers and stages; pages and chosen channels; the picture as it is given."""
    inputs, made = outputs(colour_classifier[1], array(picture["pixels"]))
    for layer in ("stem.conv", "stage2", "head"):
        found = told(service, "maps", picture=picture["pixels"], layer=layer)
        expected = made[layer][0].reshape(found["shape"]).numpy()
        order = np.argsort(-np.abs(expected).max(axis=(1, 2)), kind="stable")
        assert found["order"] == order.tolist()
        assert found["signed"] == bool((expected < 0).any())
        for one in found["maps"]:
            values = expected[one["channel"]]
            assert (one["low"], one["high"]) == pytest.approx((values.min(), values.max()), abs=1e-5)
            assert np.abs(values[tuple(one["peak"])]) == pytest.approx(np.abs(values).max(), abs=1e-5)
            steps = array(one["codes"]).astype(float)
            shares = (steps - 128) / 127 if found["signed"] else steps / 255
            np.testing.assert_allclose(shares * one["limit"], values, atol=one["limit"] / 200 + 1e-6)
    page = told(service, "maps", picture=picture["pixels"], layer="stage1", first=10, most=4, order="channel")
    assert [one["channel"] for one in page["maps"]] == [10, 11, 12, 13]
    given = told(service, "maps", picture=picture["pixels"], layer="picture", channels=[2])["maps"]
    assert given[0]["high"] == pytest.approx(float(inputs[0, 2].max()), abs=1e-5)
    overview = told(service, "overview", picture=picture["pixels"], most=3)["stages"]
    assert [len(stage["maps"]) for stage in overview.values()] == [3, 3, 3, 3, 4]


def test_a_cell_is_worked_as_torch_works_it(
    service: TestClient, picture: dict[str, Any], colour_classifier: tuple[Path, striate.Classifier]
) -> None:
    """Window and products by `unfold`, batch normalisation, ReLU and the residual sum by torch."""
    classifier = colour_classifier[1]
    _, made = outputs(classifier, array(picture["pixels"]))
    layer = classifier.network_.stages["stage1"].block.branch.conv2
    entering = made["stage1.block.branch.relu1"]
    column = F.unfold(entering, 3, padding=1)[0].reshape(16, 3, 3, *entering.shape[2:])[..., 4, 0].double()
    products = (column * layer.weight[5].detach().double()).numpy()
    found = told(
        service, "cell", picture=picture["pixels"], layer="stage1", channel=5, row=4, column=0, most=5, read=9
    )
    assert [work["layer"].rpartition(".")[2] for work in found["works"]] == ["conv2", "norm2", "relu2", "sum"]
    own = found["works"][0]
    np.testing.assert_allclose(own["window"]["totals"], products.sum(axis=(1, 2)), atol=1e-5)
    assert own["result"] == pytest.approx(products.sum(), abs=1e-5)
    parts = own["window"]["parts"]
    assert len(parts) in (5, 6)
    assert 9 in [part["channel"] for part in parts]
    for part in parts:
        np.testing.assert_allclose(array(part["products"]), products[part["channel"]], atol=1e-5)
        np.testing.assert_allclose(array(part["values"]), column[part["channel"]], atol=1e-5)
    assert np.array(own["window"]["outside"]).tolist() == [[True, False, False]] * 3
    for work in found["works"][:3]:
        assert work["value"] == pytest.approx(float(made[work["layer"]][0, 5, 4, 0]), abs=1e-5)
    assert found["works"][3]["value"] == pytest.approx(float(made["stage1"][0, 5, 4, 0]), abs=1e-5)
    assert found["clipped"][1] == 0
    assert found["picture"] == [16, 16]


def test_kernels_are_the_weights(
    service: TestClient, colour_classifier: tuple[Path, striate.Classifier]
) -> None:
    """All of a channel, with the input channels they lie on."""
    found = told(service, "kernels", layer="stem", channel=3)
    weight = colour_classifier[1].network_.stages["stem"].conv.weight[3].detach().numpy()
    np.testing.assert_array_equal(array(found["weights"]), weight)
    assert (found["layer"], found["reads"], found["channels"]) == ("stem.conv", "picture", [0, 1, 2])
    assert found["bias"] is None


def pixels(text: str, dtype: str = "uint8", side: int = 16) -> dict[str, Any]:
    """A body with these pixels."""
    return {"picture": {"base64": text, "dtype": dtype, "shape": [side, side, 3]}}


WRONG: dict[str, tuple[str, dict[str, Any], int, str]] = {
    "no such stage": ("cell", {"layer": "stage9"}, 404, "stem, stage1, stage2, stage3, head"),
    "no such layer": ("cell", {"layer": "stem.con"}, 404, "stem.conv, stem.norm, stem.relu"),
    "markup as a layer": ("maps", {"layer": "<img src=x>"}, 404, "stem"),
    "a channel too many": ("cell", {"channel": 16}, 422, "channel 0 to 15, row 0 to 15, column 0 to 15"),
    "a row too many": ("cell", {"row": 16}, 422, "row 0 to 15"),
    "a negative column": ("cell", {"column": -1}, 422, "greater than or equal to 0"),
    "a channel that is no number": ("cell", {"channel": "x"}, 422, "channel"),
    "maps of a channel too many": ("maps", {"channels": [3, 99]}, 422, "channel 0 to 15"),
    "too many maps": ("maps", {"most": 65}, 422, "64"),
    "an unknown order": ("maps", {"order": "loudest"}, 422, "strongest"),
    "an unknown field": ("maps", {"colour": "red"}, 422, "colour"),
    "other pixels": ("cell", pixels("AAAA", "uint8", 1), 422, "16 × 16 × 3, uint8"),
    "another depth": ("cell", pixels("AAAA", "uint16"), 422, "16 × 16 × 3, uint8"),
    "too few pixels": ("cell", pixels("AAAA"), 422, "768 bytes"),
    "no base64": ("cell", pixels("%%%%"), 422, "base64"),
    "a shape of two axes": ("cell", {"picture": {"base64": "", "dtype": "uint8", "shape": [16, 16]}}, 422, "shape"),
    "kernels of a layer without": ("kernels", {"layer": "stem.relu"}, 422, "has no kernels"),
    "kernels of a channel too many": ("kernels", {"layer": "stem", "channel": 400}, 422, "channel 0 to 15"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_requests_are_refused_in_words(service: TestClient, picture: dict[str, Any], name: str) -> None:
    """Each says what is wrong and what was allowed; no traceback, no path."""
    path, changes, status, word = WRONG[name]
    asked = {"layer": "stem", "channel": 0, "picture": picture["pixels"]}
    keep = {"maps": ("layer", "picture"), "kernels": ("layer", "channel"), "cell": tuple(asked)}[path]
    answer = service.post(f"/inside/{path}", json={key: asked[key] for key in keep} | changes)
    assert answer.status_code == status, answer.text
    assert word in answer.text
    assert answer.json()["error"]["said"]
    assert "Traceback" not in answer.text
    assert "/src/" not in answer.text


def test_pictures_that_cannot_be_looked_at(service: TestClient) -> None:
    """No picture, and no such example."""
    assert service.post("/inside/picture", content=b"no picture").status_code == 422
    refused = service.get("/inside/picture", params={"name": "owl"})
    assert refused.status_code == 404
    assert "roof" in refused.json()["error"]["allowed"]


def test_without_a_run() -> None:
    """Every route says how to start with one."""
    with client() as none:
        for answer in (
            none.get("/inside/network"),
            none.post("/inside/kernels", json={"layer": "a", "channel": 0}),
        ):
            assert answer.status_code == 409
            assert "striate serve RUN" in answer.text

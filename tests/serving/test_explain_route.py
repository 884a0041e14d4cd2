"""`POST /explain`, `GET /explain/methods` and `POST /thumbnails`: the numbers are those of `Classifier.explain`."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from serving_kit import client
from shown import colour_run, coloured, decided_run, digit, png
from starlette.testclient import TestClient

import striate

ENOUGH = 400_000_000_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compact network on digits, with decisions."""
    return decided_run(tmp_path_factory.getbasetemp() / "decided")


@pytest.fixture(scope="module")
def asked(run: Path) -> Iterator[TestClient]:
    """The service over it."""
    with client(run) as one:
        yield one


@pytest.fixture(scope="module")
def classifier(run: Path) -> striate.Classifier:
    """The same run in Python."""
    return striate.Classifier.load(run)


def array(sent: dict[str, Any]) -> np.ndarray:
    """An array out of JSON."""
    return np.frombuffer(base64.b64decode(sent["base64"]), sent["dtype"]).reshape(sent["shape"])


def methods(asked: TestClient) -> dict[str, Any]:
    """What the service offers, by name."""
    return {one["name"]: one for one in asked.get("/explain/methods").json()["methods"]}


def test_every_method_says_what_the_classifier_says(
    asked: TestClient, classifier: striate.Classifier
) -> None:
    """The same map to the last bit, the same class and range, for each method that is offered."""
    content = png(digit(1797 - 3))
    offered = methods(asked)
    assert list(offered) == [one.name for one in striate.explanation_choices(classifier).methods]
    assert sum(not one["refused"] for one in offered.values()) >= 8
    for name, one in offered.items():
        if one["refused"]:
            continue
        assert (one["set"], one["note"]) == ([], None)
        told = asked.post("/explain", content=content, params={"method": name}).json()
        reason = classifier.explain(content, method=name)
        assert np.array_equal(array(told["values"]), reason.map), name
        assert told["map"] == reason.to_dict()["map"]
        assert (told["class"], told["stage"], told["digest"]) == (reason.label, reason.stage, reason.digest)
        assert told["scale"]["signed"] is one["signed"]
        assert told["scale"]["limit"] == pytest.approx(
            np.abs(reason.map).max() if one["signed"] else reason.map.max()
        )


def test_stage_class_and_options(asked: TestClient, classifier: striate.Classifier) -> None:
    """What was asked is what was explained, and the caption says it."""
    content = png(digit(7))
    told = asked.post("/explain", content=content, params={"stage": "stem", "label": "3"}).json()
    assert np.array_equal(array(told["values"]), classifier.explain(content, stage="stem", label="3").map)
    assert "Grad-CAM of stem for 3 · 8 × 8 cells, each sees 3 × 3 pixels" in told["caption"]
    assert any(sentence.startswith("Explained is 3; the most") for sentence in told["sentences"])
    options = {"method": "occlusion", "set": ["window=4,4", "stride=2,2"]}
    told = asked.post("/explain", content=content, params=options).json()
    expected = classifier.explain(content, method="occlusion", window=(4, 4), stride=(2, 2))
    assert np.array_equal(array(told["values"]), expected.map)
    assert told["options"] == {"window": [4, 4], "stride": [2, 2]}


def test_a_multipart_form_and_the_picture_as_the_network_gets_it(asked: TestClient) -> None:
    """The file's name comes back, and the picture is the prepared one."""
    large = png(np.kron(digit(5), np.ones((10, 10), np.uint8)))
    told = asked.post("/explain", files={"any": ("../a b<c>.png", large)}).json()
    assert told["source"] == "a b<c>.png"
    assert told["picture"]["shape"] == [8, 8, 1]
    assert told["file"]["shape"] == [80, 80, 1]
    shown = Image.open(io.BytesIO(base64.b64decode(told["picture"]["png"])))
    assert shown.size == (8, 8)
    assert any("made from 80 × 80 × 1 uint8 (PNG)" in sentence for sentence in told["sentences"])


def test_more_work_than_the_service_does_is_refused_and_a_lighter_form_offered(run: Path) -> None:
    """A method of many passes gets settings that fit; where none fit it is refused with what to try."""
    work = striate.explanation_choices(striate.Classifier.load(run)).multiply_adds
    with client(run, max_work=45 * work) as narrow:
        offered = methods(narrow)
        assert offered["gradcam"]["set"] == []
        assert offered["smooth_grad"]["set"] == ["samples=8"]
        assert (
            offered["smooth_grad"]["note"]
            == "With samples=8: more would take longer than the service allows."
        )
        assert offered["integrated_gradients"]["refused"] == (
            "it would take longer for this network than the service allows"
        )
        assert offered["occlusion"]["set"] == ["window=2,2", "stride=2,2"]
        answer = narrow.post("/explain", content=png(digit(0)), params={"method": "smooth_grad"})
        assert answer.status_code == 422
        error = answer.json()["error"]
        assert "smooth_grad would take" in error["said"]
        assert error["try"] == "Set samples=8."
        for name in ("smooth_grad", "occlusion"):
            fitting = {"method": name, "set": offered[name]["set"]}
            assert narrow.post("/explain", content=png(digit(0)), params=fitting).status_code == 200
        answer = narrow.post("/explain", content=png(digit(0)), params={"method": "integrated_gradients"})
        assert answer.json()["error"]["try"] == "Choose a method of fewer passes: gradcam, saliency."


@pytest.mark.parametrize(
    ("params", "status", "said"),
    [
        ({"method": "gradcm"}, 400, "did you mean gradcam?"),
        ({"stage": "stage9"}, 400, "No stage 'stage9' makes maps"),
        ({"label": "eight"}, 400, "The run has no class 'eight'"),
        ({"method": "smooth_grad", "set": "samples=many"}, 400, "samples=many: samples is a whole number."),
        ({"method": "gradcam", "set": "samples=8"}, 400, "Grad-CAM has no option 'samples'"),
        ({"method": "smooth_grad", "set": "samples=900000"}, 422, "smooth_grad would take"),
        ({"method": "saliency", "stage": "stem"}, 400, "knows no stages"),
    ],
)
def test_wrong_questions(asked: TestClient, params: dict[str, str], status: int, said: str) -> None:
    """Each is refused in a sentence, before and without the picture."""
    answer = asked.post("/explain", content=png(digit(0)), params=params)
    assert (answer.status_code, said in answer.json()["error"]["said"]) == (status, True), answer.json()


@pytest.mark.parametrize("content", [b"", b"no picture", png(digit(0))[:40]])
def test_wrong_pictures(asked: TestClient, content: bytes) -> None:
    """A picture that cannot be read is 422 with the reason, wherever it is sent."""
    for path in ("/explain", "/thumbnails"):
        answer = asked.post(path, files={"file": ("x.png", content)})
        told = answer.json()
        said = told["error"]["said"] if answer.status_code == 422 else told["thumbnails"][0]["error"]
        assert "empty" in said or "cannot be read" in said


def test_a_network_without_maps_refuses_the_methods_that_need_them(digits_run: Path) -> None:
    """An mlp: the methods of stages are refused with the reason, saliency works."""
    with client(digits_run) as one:
        offered = methods(one)
        assert offered["gradcam"]["refused"] == "it explains maps, and no stage of this network makes any"
        assert not offered["saliency"]["refused"]
        assert one.get("/explain/methods").json()["stage"] is None
        told = one.post("/explain", content=png(digit(3)), params={"method": "saliency"}).json()
        assert told["caption"].endswith("one value a pixel")
        assert one.post("/explain", content=png(digit(3))).status_code == 400


def test_another_network_in_colour(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Three channels, 64 × 64, three classes: the same numbers again."""
    run = colour_run(tmp_path_factory.getbasetemp() / "<i>run")
    with client(run) as one:
        told = one.post("/explain", content=png(coloured(4))).json()
        reason = striate.Classifier.load(run).explain(png(coloured(4)))
        assert np.array_equal(array(told["values"]), reason.map)
        assert told["picture"]["shape"] == [64, 64, 3]


def test_thumbnails_of_what_a_browser_cannot_show(asked: TestClient) -> None:
    """Sixteen bits in a TIFF are stretched, and it is said; a broken file keeps its place."""
    content = io.BytesIO()
    tifffile.imwrite(content, np.linspace(0, 4095, 300 * 200).reshape(300, 200).astype(np.uint16))
    files = [
        ("f", ("deep.tif", content.getvalue())),
        ("f", ("bad.png", b"nothing")),
        ("f", ("8.png", png(digit(8)))),
    ]
    deep, bad, small = asked.post("/thumbnails", files=files, params={"side": 60}).json()["thumbnails"]
    assert (deep["shape"], deep["depth"], deep["words"]) == (
        [300, 200, 1],
        "uint16",
        "0 is black, 4,095 white",
    )
    shown = Image.open(io.BytesIO(base64.b64decode(deep["png"])))
    assert shown.size == (40, 60)
    assert np.asarray(shown).max() > 250
    assert "cannot be read" in bad["error"]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(small["png"])))), digit(8))
    assert asked.post("/thumbnails", files=files, params={"side": 9000}).status_code == 422


def test_without_a_run() -> None:
    """409 with what to do, and thumbnails all the same."""
    with client() as one:
        for answer in (one.get("/explain/methods"), one.post("/explain", content=png(digit(0)))):
            assert answer.status_code == 409
            assert "striate serve RUN" in answer.json()["error"]["try"]
        assert one.post("/thumbnails", content=png(digit(0))).json()["thumbnails"][0]["depth"] == "uint8"


def test_what_stands_beside_answers(asked: TestClient) -> None:
    """`GET /model` says points, abstention and sets with rates on the judged images."""
    beside = asked.get("/model").json()["beside"]
    assert [point["class"] for point in beside["points"]] == ["8", "1"]
    assert beside["points"][0]["on"] == "images given to be judged"
    assert beside["accuracy"]["text"].endswith("n = 100)")
    assert beside["abstention"]["rates"][0][0] == "answered"
    assert beside["sets"]["promised"] == "80 %"

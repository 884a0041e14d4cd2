"""`POST /predict`, `GET /model`, readiness and metrics: what a client is told, of good pictures and bad ones."""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from serving_kit import client
from starlette.testclient import TestClient

import striate
from doors import picture
from striate.serving.answering import golden
from striate.serving.answering.forms import LONGEST_HEADERS, MOST_FIELDS


def png(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture(number % 3, number)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def decided_run(pictures_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with an operating point, a threshold for answering and prediction sets, and a verdict."""
    folder = tmp_path_factory.mktemp("decided") / "run"
    shutil.copytree(pictures_run, folder)
    classifier = striate.Classifier.load(folder)
    classifier.decide(operate=("dark: sensitivity>=0.5",), abstain="coverage>=0.8", sets=0.5)
    classifier.save_decision(folder)
    number = {"value": 0.75, "low": 0.5, "high": 0.9, "n": 12}
    evaluation = {"accuracy": number, "most_wrong": [{"source": "mueller.png"}], "source": "/home/mueller"}
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    return folder


@pytest.fixture(scope="module")
def service(decided_run: Path) -> Iterator[TestClient]:
    with client(decided_run, max_files=20, queue=25) as one:
        yield one


def test_one_file_as_the_body_or_in_a_form(service: TestClient, decided_run: Path) -> None:
    known = striate.Classifier.load(decided_run).predict_one(png(1)).to_dict()
    for named, answer in (
        ("body", service.post("/predict", content=png(1))),
        ("a.png", service.post("/predict", files={"anything": ("a.png", png(1))})),
    ):
        assert answer.status_code == 200
        assert answer.json() == {"answers": [{**known, "source": named}], "notes": []}
    assert set(known) == {"source", "class", "probability", "probabilities", "operating", "abstained", "set"}


def test_many_files_in_their_order_and_one_that_cannot_be_read(
    service: TestClient, decided_run: Path
) -> None:
    classifier = striate.Classifier.load(decided_run)
    files = [("file", (f"{number}.png", png(number))) for number in range(9)]
    files[4] = ("file", ("4.png", b"no picture"))
    answers = service.post("/predict", files=files).json()["answers"]
    assert [one["source"] for one in answers] == [f"{number}.png" for number in range(9)]
    assert "is not a picture" in answers.pop(4)["error"]
    for number, one in zip((0, 1, 2, 3, 5, 6, 7, 8), answers, strict=True):
        assert one["probabilities"] == classifier.predict_one(png(number)).probabilities


def test_names_are_data(service: TestClient) -> None:
    name = '../../<img src=x onerror="alert(1)">\x1b[31m.png'
    form = (
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="'
        + name.replace('"', '\\"').encode()
        + b'"\r\n\r\n'
        + png(0)
        + b"\r\n--x--\r\n"
    )
    answer = service.post(
        "/predict", content=form, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.json()["answers"][0]["source"] == '<img src=x onerror="alert(1)">[31m.png'
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def form_of(parts: int, filename: str = '; filename="a.png"', header: str = "") -> bytes:
    head = f'--x\r\nContent-Disposition: form-data; name="f"{filename}\r\n{header}\r\n'.encode()
    return (head + png(0) + b"\r\n") * parts + b"--x--\r\n"


FORM = {"Content-Type": "multipart/form-data; boundary=x"}
REFUSED = {
    "nothing": (b"", {}, 422, "0 bytes"),
    "no picture": (b"hello", {}, 422, "is not a picture"),
    "a form of fields": (b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "without files"),
    "no boundary": (form_of(1), {"Content-Type": "multipart/form-data"}, 400, "names no boundary"),
    "another boundary": (form_of(1).replace(b"--x", b"--y"), FORM, 400, "cannot be read"),
    "cut off": (form_of(2)[:-30], FORM, 400, "ends before its last part"),
    "no file in it": (form_of(1, filename=""), FORM, 422, "holds no file"),
    "too many files": (form_of(21), FORM, 413, "more than 20 files"),
    "too many fields": (form_of(MOST_FIELDS + 1, filename=""), FORM, 413, "fields that are no files"),
    "long headers": (form_of(1, header=f"X: {'y' * LONGEST_HEADERS}\r\n"), FORM, 413, "headers of a part"),
    "an empty file": (form_of(1).replace(png(0), b""), FORM, 422, "0 bytes"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_is_refused_and_how(service: TestClient, case: str) -> None:
    body, headers, status, words = REFUSED[case]
    answer = service.post("/predict", content=body, headers=headers)
    error = answer.json()["error"]
    assert answer.status_code == status
    assert set(error) == {"said", "given", "allowed", "try"}
    assert words in f"{error['said']} {error['given']}"


def test_the_model_says_what_the_run_says(service: TestClient, decided_run: Path) -> None:
    classifier = striate.Classifier.load(decided_run)
    told = service.get("/model").json()
    assert (told["run"], told["state"], told["engine"]) == ("run", "ready", "torch")
    assert told["classes"] == ["bright", "dark", "striped"]
    assert told["input"] == {"height": 12, "width": 12, "channels": 1, "depth": "uint8"}
    assert told["decision"]["operating"][0]["positive"] == "dark"
    assert told["evaluation"]["accuracy"]["n"] == 12
    assert "mueller" not in json.dumps(told)
    assert told["digests"]["model_sha256"] == classifier.facts_["model_sha256"]


def test_metrics_count_without_naming(service: TestClient) -> None:
    service.post("/predict", content=png(0))
    text = service.get("/metrics").text
    assert 'striate_pictures_total{outcome="answered"}' in text
    assert 'route="/predict"' in text
    assert ".png" not in text


def test_a_full_queue_is_503_and_says_when_to_come_back(decided_run: Path) -> None:
    with client(decided_run, max_files=8, queue=4) as narrow:
        files = [("file", (f"{number}.png", png(number))) for number in range(5)]
        answer = narrow.post("/predict", files=files)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert narrow.post("/predict", files=files[:4]).status_code == 200


def test_a_failing_golden_test_keeps_the_service_from_being_ready(
    decided_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golden, "TOLERANCE", -1.0)
    with client(decided_run) as one:
        answer = one.get("/health/ready")
        assert one.get("/health/live").status_code == 200
        assert answer.status_code == 503
        assert "golden test failed" in answer.json()["error"]["said"]
        assert one.post("/predict", content=png(0)).status_code == 503


def test_without_a_run(service: TestClient) -> None:
    with client() as one:
        assert one.get("/health/ready").status_code == 200
        answer = one.post("/predict", content=png(0))
        assert answer.status_code == 409
        assert "striate serve RUN" in answer.json()["error"]["try"]


@pytest.mark.parametrize("depth", ["uint8", "uint16", "int16", "float32"])
def test_golden_pictures_suit_every_depth(depth: str) -> None:
    pixels = np.arange(40 * 64, dtype=np.float32).reshape(40, 8, 8) / 2560
    given = (
        pixels
        if depth == "float32"
        else (pixels * 30_000 if depth != "uint8" else pixels * 255).astype(depth)
    )
    recipe = striate.Recipe(model="mlp", epochs=1, batch_size=16)
    classifier = striate.Classifier(recipe).fit(given, ["even", "odd"] * 20)
    golden.require_golden(classifier, classifier.responder("torch"))

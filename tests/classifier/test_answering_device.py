"""Where a network answers and in which numbers; what a run says of the device that trained it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from small_task import QUICK

from striate import Classifier
from striate.classifier.building import settle
from striate.classifier.prediction import Predictor
from striate.classifier.subject import moved
from striate.data.resident import CarriedBatches
from striate.training.events import Outcome
from striate.training.material import Material

ELSEWHERE = torch.device("meta")
"""Meta tensors have no values: whoever reads one, or mixes it with one of the processor, gets an error."""


@pytest.fixture(scope="module")
def fitted() -> Classifier:
    generator = np.random.default_rng(0)
    y = np.arange(120) % 3
    X = (generator.random((120, 12, 12)) * 80 + 60 * y[:, None, None]).astype(np.uint8)
    return Classifier(QUICK.changed(model="compact", epochs=1, device="cpu")).fit(X, y)


def predictor(fitted: Classifier, **more) -> Predictor:
    return Predictor(fitted.network_, fitted.preparation_, fitted.class_names_, **more)


PIXELS = np.random.default_rng(1).integers(0, 256, (5, 12, 12, 1), dtype=np.uint8)


def test_a_network_answers_on_the_device_and_stays_where_it_was(fitted: Classifier) -> None:
    elsewhere = predictor(fitted, device=ELSEWHERE)
    devices = []

    def part(network, inputs):
        devices.append(network(inputs).device)
        return torch.zeros(len(inputs), 3)

    assert [made.shape for made in elsewhere.outputs(PIXELS, part)] == [(5, 3)]
    assert devices == [ELSEWHERE]
    assert elsewhere.answering is elsewhere.answering
    assert {weight.device.type for weight in fitted.network_.parameters()} == {"cpu"}


def test_on_the_processor_the_network_itself_answers(fitted: Classifier) -> None:
    here, given = predictor(fitted), predictor(fitted, device=torch.device("cpu"))
    assert here.answering is given.answering is fitted.network_
    assert np.array_equal(here.logits(PIXELS), given.logits(PIXELS))


def test_batches_of_a_gpu_are_larger(fitted: Classifier) -> None:
    sizes = [predictor(fitted, device=torch.device(kind)).batch_size for kind in ("cpu", "cuda", "mps")]
    assert sizes == [128, 1024, 1024]


def test_a_run_says_what_trained_it(fitted: Classifier) -> None:
    assert fitted.recipe_.device == "cpu"
    assert fitted.about_["provenance"]["machine"]["device"] == "cpu"


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_what_was_left_open_is_settled_as_the_device_here(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: kind == "cuda")
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: kind == "mps")
    recipe = settle(QUICK, None)
    assert (recipe.device, recipe.precision) == (kind, {"cuda": "bfloat16", "mps": "float32"}[kind])
    assert settle(QUICK.changed(device="cpu"), None).device == "cpu"


def test_a_run_of_a_gpu_answers_where_there_is_none(fitted: Classifier, tmp_path: Path) -> None:
    run = Classifier(fitted.recipe)
    vars(run).update(vars(fitted))
    run.recipe_ = fitted.recipe_.changed(device="mps")
    run.save(tmp_path)
    loaded = Classifier.load(tmp_path)
    assert loaded.recipe_.device == "mps"
    assert np.array_equal(loaded.predict_proba(PIXELS[..., 0]), fitted.predict_proba(PIXELS[..., 0]))


def test_what_is_trained_on_is_moved_with_its_weights() -> None:
    def validate(_network: object) -> Outcome:
        raise NotImplementedError

    batches = CarriedBatches.__new__(CarriedBatches)
    batches.count, batches.images = 3, 40
    material = Material(batches, validate, lambda rows: [], torch.ones(3))
    assert moved(material, torch.device("cpu")).batches is batches
    found = moved(material, ELSEWHERE)
    assert found.class_weights is not None
    assert found.class_weights.device == ELSEWHERE
    assert (found.batches.count, found.batches.images) == (3, 40)

"""A run's probabilities are calibrated on one half of its validation, and every door gives the same."""

import json
from pathlib import Path

import numpy as np
import pytest

from striate import Classifier, Images, Recipe, RunError, load_images
from striate.classifier.decisions.calibrating import FEWEST, calibration_in
from striate.classifier.prediction import Predictor, softmax
from striate.errors import StriateError
from striate.evaluation.decisions.calibration import Temperature, fit_temperature, fit_vector

RECIPE = Recipe(model="mlp", epochs=3)


@pytest.fixture(scope="module")
def trained() -> Classifier:
    return Classifier(RECIPE).fit(load_images("digits"))


def uncalibrated_logits(classifier: Classifier, images: Images) -> np.ndarray:
    plain = Predictor(classifier.network_, classifier.preparation_, classifier.class_names_)
    _, _, pack = images.packed()
    return plain.logits(np.stack([pack.pixels[row] for row in images.rows.tolist()]))


def test_the_temperature_is_that_of_the_first_half_of_validation(trained: Classifier) -> None:
    half, rest = trained.images_.of_split("validation").halves(0)
    assert abs(len(half) - len(rest)) <= len(trained.class_names_)
    wanted = fit_temperature(half.labels.astype(np.int64), uncalibrated_logits(trained, half))
    saved = trained.about_["calibration"]
    assert saved == {
        "kind": "temperature",
        "value": pytest.approx(wanted.value, rel=1e-9),
        "images": len(half),
    }
    assert saved["value"] != 1.0


def test_probabilities_are_those_of_the_scaled_logits_and_the_best_class_stays(trained: Classifier) -> None:
    test = trained.images_.of_split("test")
    logits = uncalibrated_logits(trained, test)
    temperature = trained.about_["calibration"]["value"]
    found = trained.predict_proba(test)
    assert np.abs(found - softmax(logits / np.float32(1) / temperature)).max() < 1e-6
    assert (found.argmax(axis=1) == logits.argmax(axis=1)).all()
    verdict = trained.evaluate()
    assert verdict.uncalibrated is not None
    assert verdict.uncalibrated.changed == 0
    assert verdict.uncalibrated.calibration == {"kind": "temperature", "value": temperature}
    truth, plain = test.labels.astype(int), softmax(logits)
    losses = -np.log(plain[np.arange(len(truth)), truth])
    assert verdict.uncalibrated.log_loss.value == pytest.approx(losses.mean(), rel=1e-6)
    assert verdict.log_loss.value < verdict.uncalibrated.log_loss.value


@pytest.mark.slow
def test_vector_scaling_says_how_many_images_it_changed() -> None:
    classifier = Classifier(RECIPE.changed(calibrate="vector", epochs=1)).fit(load_images("digits"))
    half, _ = classifier.images_.of_split("validation").halves(0)
    wanted = fit_vector(half.labels.astype(np.int64), uncalibrated_logits(classifier, half))
    assert classifier.about_["calibration"]["factors"] == pytest.approx(wanted.factors.tolist(), rel=1e-6)
    verdict, test = classifier.evaluate(), classifier.images_.of_split("test")
    logits = uncalibrated_logits(classifier, test)
    assert verdict.uncalibrated is not None
    assert verdict.uncalibrated.changed == wanted.changed(logits) > 0


def test_none_and_too_few_are_said(trained: Classifier) -> None:
    asked = Classifier(RECIPE.changed(calibrate="none", epochs=1)).fit(load_images("digits"))
    assert asked.about_["calibration"] == {"kind": "none", "reason": "the recipe asks for none"}
    assert asked.evaluate().uncalibrated is None
    few = load_images("digits")
    small = few.select(np.arange(0, len(few), 4))
    found = Classifier(RECIPE.changed(epochs=1)).fit(small).about_["calibration"]
    assert found["kind"] == "none"
    assert str(FEWEST) in found["reason"]


@pytest.mark.parametrize("saved", [{"kind": "temperature"}, {"kind": "odd", "value": 1.0}, "hot"])
def test_what_is_no_calibration_is_refused(saved: object) -> None:
    with pytest.raises(StriateError):
        calibration_in({"calibration": saved})
    assert calibration_in({}) is None
    assert calibration_in({"calibration": {"kind": "temperature", "value": 2, "images": 9}}) == Temperature(
        2.0
    )


def test_a_run_with_a_calibration_of_another_kind_is_refused_by_name(
    trained: Classifier, tmp_path: Path
) -> None:
    from striate.files import sha256_of

    trained.save(tmp_path)
    about = json.loads((tmp_path / "model.json").read_text())
    about["calibration"] = {"kind": "isotonic", "steps": []}
    (tmp_path / "model.json").write_text(json.dumps(about))
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["model.json"] = sha256_of(tmp_path / "model.json")
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RunError, match="isotonic"):
        Classifier.load(tmp_path)

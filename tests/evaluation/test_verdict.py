"""The verdict: its keys, its sentence, and JSON without NaN."""

import json

import numpy as np
import pytest

from striate.errors import StriateError
from striate.evaluation import judge
from striate.evaluation.verdict import METHODS, RATES


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def test_the_keys_that_others_script_against() -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 6, 90)
    verdict = judge(truth, softmax(generator.normal(size=(90, 6))), [f"class {i}" for i in range(6)])
    said = json.loads(json.dumps(verdict.to_dict(), allow_nan=False))
    assert set(said) >= {"images", "classes", "split", "accuracy", "balanced_accuracy", "top5", "log_loss"}
    assert set(said["accuracy"]) == {"value", "low", "high", "n"}
    assert said["top5"]["n"] == said["images"] == 90
    first = said["per_class"][0]
    assert {"class", "support", *RATES, "intervals"} <= set(first)
    low, high = first["intervals"]["recall"]
    assert low <= first["recall"] <= high
    assert low < high
    assert np.array(said["confusion_matrix"]).sum() == 90
    assert said["confidence"] == 0.95
    assert said["methods"] == METHODS


def test_absent_classes_are_null_with_a_reason() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0]] * 3)
    said = json.loads(
        json.dumps(judge(np.array([0, 0, 0]), probabilities, ["a", "b", "c"]).to_dict(), allow_nan=False)
    )
    assert said["per_class"][1]["recall"] is None
    assert said["per_class"][1]["undefined"]["recall"] == "no image of this class"
    assert said["per_class"][0]["auc"] is None
    assert said["log_loss"]["low"] is None
    assert said["top5"] is None


@pytest.mark.parametrize(
    ("right", "images", "sentence"),
    [
        (264, 270, "97.8 % of 270 test images are classified correctly (95 % interval 95.2–99.0)."),
        (9912, 10000, "99.12 % of 10,000 test images are classified correctly (95 % interval 98.92–99.29)."),
        (1, 1, "100 % of 1 test image is classified correctly (95 % interval 21–100)."),
        (0, 0, "There is no test image to judge."),
    ],
)
def test_the_sentence(right: int, images: int, sentence: str) -> None:
    truth = np.zeros(images, int)
    probabilities = np.full((images, 2), 0.5)
    probabilities[:right, 0], probabilities[right:, 1] = 0.9, 0.9
    assert judge(truth, probabilities, ["a", "b"]).sentence() == sentence


def test_names_and_columns_must_agree() -> None:
    with pytest.raises(StriateError, match="3 class names for 2 columns of probabilities"):
        judge(np.array([0]), np.array([[0.5, 0.5]]), ["a", "b", "c"])

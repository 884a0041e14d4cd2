"""A run of a changed network holds the changed network."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_task import Arrays, same_weights

from doors import refused, striate_here, train, try_to_train
from striate import Classifier, Recipe, create_model

EVERYTHING = {"activation": "tanh", "batch_norm": True, "response_norm": True, "overlapping": True}


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("lesson", EVERYTHING),
        ("lesson", {**EVERYTHING, "head": "mlp"}),
        ("compact", {"activation": "sigmoid", "batch_norm": False, "overlapping": True}),
        ("lenet5_1998", {"activation": "relu", "batch_norm": True, "size": 28}),
    ],
)
def test_a_changed_network_comes_back_from_its_run(
    digits: Arrays, tmp_path: Path, model: str, fields: dict[str, Any]
) -> None:
    X, y = digits
    recipe = Recipe(model=model, epochs=1, **fields)
    classifier = Classifier(recipe).fit(X[:300], y[:300])
    classifier.save(tmp_path / "run")
    loaded = Classifier.load(tmp_path / "run")
    assert repr(loaded.network_) == repr(classifier.network_)
    size = loaded.preparation_.input_shape()[1:]
    assert repr(loaded.network_) != repr(create_model(model, classes=10, channels=1, size=size))
    assert same_weights(loaded, classifier)
    np.testing.assert_array_equal(loaded.predict_proba(X[300:]), classifier.predict_proba(X[300:]))
    written = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert {name: written[name] for name in fields} == fields


@pytest.mark.slow
def test_the_command_line_trains_and_shows_a_changed_network(tmp_path: Path) -> None:
    settings = ["--set", "model=lesson", "--set", "activation=tanh", "--set", "batch_norm=true"]
    train("digits", tmp_path / "run", *settings)
    assert striate_here("evaluate", tmp_path / "run").code == 0
    refused(
        try_to_train("digits", tmp_path / "other", "--set", "batch_norm=true"),
        2,
        "mlp cannot be changed so: it has no convolution whose maps could be normalised; leave batch_norm out.",
    )

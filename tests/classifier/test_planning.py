"""What is settled before the first step: first what changes no bit, then parts, and a run goes on as it began."""

from pathlib import Path

import numpy as np
import pytest
import torch
from small_task import QUICK, Arrays, same_weights

from striate import Classifier, Events, Interrupted, Recipe, TrainingError, create_model
from striate.classifier import planning
from striate.classifier.planning import Task, planned
from striate.training.available import available_memory
from striate.training.memory import GIB, step_memory
from striate.training.tuning import Tuned

MLP = Recipe(model="mlp", precision="float32", batch_size=64)
COMPACT = MLP.changed(model="compact")


class Heard(Events):
    def __init__(self) -> None:
        self.sentences = list[str]()

    def said(self, text: str) -> None:
        self.sentences.append(text)


def task(name: str) -> Task:
    dropout = 0.0 if name == "mlp" else None
    network = create_model(name, classes=3, channels=1, size=(32, 32), dropout=dropout)
    return Task(network, (1, 32, 32), 6400)


def needed(name: str, recipe: Recipe) -> int:
    """Bytes that the plan counts for a recipe."""
    network, inputs = task(name).trial(recipe, 4)
    return planning.peak(step_memory(network, inputs, recipe), recipe, recipe.batch_size)


def plan(
    monkeypatch: pytest.MonkeyPatch, name: str, recipe: Recipe, free: int | None, chosen: tuple[str, ...] = ()
) -> tuple[Recipe, list[str]]:
    monkeypatch.setattr(planning, "free_memory", lambda recipe: free)
    heard = Heard()
    return planned(task(name), recipe, set(chosen), None, False, heard), heard.sentences


def test_what_fits_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for free in (needed("compact", COMPACT), None):
        assert plan(monkeypatch, "compact", COMPACT, free) == (COMPACT, [])


def test_recomputation_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    again = COMPACT.changed(recompute=True)
    found, said = plan(monkeypatch, "compact", COMPACT, needed("compact", COMPACT) - 1)
    assert found == again
    assert len(said) == 1
    assert said[0].startswith("A step over 64 images would take ")
    assert ": taken with recompute=True and accumulate=1, it takes " in said[0]


def test_then_parts_and_batch_normalisation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    again = COMPACT.changed(recompute=True)
    found, said = plan(monkeypatch, "compact", COMPACT, needed("compact", again) - 1)
    assert (found.recompute, found.accumulate) == (True, 2)
    assert said[1] == (
        "Batches of 64 are taken in 2 parts. Batch normalisation then takes its statistics of a part, so the result "
        "is another one."
    )
    found, said = plan(monkeypatch, "mlp", MLP, needed("mlp", MLP.changed(recompute=True)) - 1)
    assert found.accumulate == 2
    assert said[1] == "Batches of 64 are taken in 2 parts. The result is the same up to rounding."


def test_what_the_user_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = plan(monkeypatch, "compact", COMPACT, needed("compact", COMPACT) - 1, ("recompute",))
    assert (found.recompute, found.accumulate) == (False, 2)
    parts = COMPACT.changed(accumulate=8)
    found, said = plan(monkeypatch, "compact", parts, None)
    assert found == parts
    found, said = plan(monkeypatch, "compact", parts, 10 * GIB)
    assert found == parts
    assert said[0].startswith("Batches of 64 are taken in 8 parts.")


def test_too_little_for_two_images_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError) as caught:
        plan(monkeypatch, "mlp", MLP.changed(max_memory=0.5), 2**20)
    words = str(caught.value)
    assert words.startswith("Training mlp needs ")
    assert (
        "for the smallest part of a batch, and 1 MiB max_memory=0.5 GiB leaves. Try smaller images" in words
    )


def test_a_limit_is_on_the_whole_process() -> None:
    free = planning.free_memory(Recipe(device="cpu", max_memory=4))
    assert free is not None
    assert 0 < free < 4 * GIB - 2**25  # this process has some already
    left = available_memory(torch.device("cpu"))
    assert left is not None
    assert planning.free_memory(Recipe(device="cpu")) == pytest.approx(0.9 * left, rel=0.2)


def test_a_run_goes_on_as_it_began(tmp_path: Path, digits: Arrays, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = digits
    recipe, out = QUICK.changed(precision="float32"), tmp_path / "run"
    began = planned_for(recipe)
    monkeypatch.setattr(planning, "free_memory", lambda recipe: began)
    whole = Classifier(recipe).fit(X, y)
    assert (whole.recipe_.recompute, whole.recipe_.accumulate) == (True, 2)
    asked = iter([False] * 5 + [True] * 100)
    with pytest.raises(Interrupted):
        Classifier(recipe).fit(X, y, out=out, stop=lambda: next(asked))
    monkeypatch.setattr(planning, "free_memory", lambda recipe: 100 * GIB)
    resumed = Classifier(recipe).fit(X, y, out=out, resume=True)
    assert resumed.recipe_ == whole.recipe_
    assert same_weights(resumed, whole)
    assert Classifier.load(out).recipe_.accumulate == 2


def planned_for(recipe: Recipe) -> int:
    """Bytes that are enough for batches of digits in two parts, and no less."""
    network = create_model("mlp", classes=10, channels=1, size=(8, 8))
    parts = recipe.changed(recompute=True, accumulate=2)
    return planning.peak(step_memory(network, torch.zeros(4, 1, 8, 8), parts), parts, recipe.batch_size)


def test_tuning_settles_what_the_user_left_open(digits: Arrays, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = digits
    asked = {}

    def made_up(trial, recipe: Recipe, chosen, images: int, free: int | None) -> Tuned:
        asked.update(chosen=set(chosen), images=images)
        return Tuned(recipe.changed(batch_size=50), (), 0.0)

    monkeypatch.setattr(planning, "tuned", made_up)
    heard = Heard()
    classifier = Classifier(Recipe(model="mlp", epochs=1)).fit(X, y, tune=True, events=[heard])
    assert classifier.recipe_.batch_size == 50
    assert asked["chosen"] == {"model", "epochs"}
    assert asked["images"] == sum(classifier.images_.counts()["train"].values())
    assert any(sentence.startswith("Tuned in 0 s; taken: ") for sentence in heard.sentences)


def test_extraction_is_planned_on_what_follows_the_frozen_stages() -> None:
    recipe = Recipe(model="compact", freeze="stage2", extract=True, precision="float32")
    whole = task("compact")
    whole.network.freeze("stage2")
    network, inputs = whole.trial(recipe, 4)
    assert network.stage_names == ("stage3",)
    assert tuple(inputs.shape) == (4, 32, 8, 8)
    np.testing.assert_array_equal(whole.trial(recipe, 2)[1], whole.trial(recipe, 2)[1])


def test_compiled_steps_recompute_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the user compiles is taken in parts; what `--tune` compiled is not compiled where memory is short."""
    compiled = COMPACT.changed(compile=True)
    free = needed("compact", COMPACT) - 1
    found, _ = plan(monkeypatch, "compact", compiled, free, ("compile",))
    assert (found.compile, found.recompute, found.accumulate) == (True, False, 2)
    found, said = plan(monkeypatch, "compact", compiled, free)
    assert (found.compile, found.recompute, found.accumulate) == (False, True, 1)
    assert "taken with recompute=True and accumulate=1 and compile=False, it takes" in said[0]

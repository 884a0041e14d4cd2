"""Fields of the recipe that would be silent if nothing took them: each is seen where training meets it."""

import numpy as np
import pytest
import torch

from striate import Classifier, Recipe
from striate.data.batches import Batches
from striate.models import Network
from striate.training.events import Events, Plan
from striate.training.precision import own_precision

X = np.random.default_rng(0).integers(0, 256, (60, 12, 12, 1), dtype=np.uint8)
Y = np.arange(60) % 3
RECIPE = Recipe(epochs=1, batch_size=20, translation=0, calibrate="none")


class First(Events):
    """Keeps the weights that training begins with."""

    def began(self, plan: Plan, network: Network) -> None:
        self.weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}


def first_weights(**fields: object) -> dict[str, torch.Tensor]:
    first = First()
    Classifier(RECIPE.changed(**fields)).fit(X, Y, events=[first])
    return first.weights


@pytest.mark.parametrize(
    ("field", "value", "option"),
    [("cutout", 3, "cutout"), ("reflection", "alternating", "reflection"), ("translation", 2, "translation")],
)
def test_random_changes_reach_the_batches(
    monkeypatch: pytest.MonkeyPatch, field: str, value: object, option: str
) -> None:
    seen = []
    plain = Batches.__init__

    def noted(self: Batches, *words: object, **options: object) -> None:
        seen.append(options[option])
        plain(self, *words, **options)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(Batches, "__init__", noted)
    Classifier(RECIPE.changed(**{field: value})).fit(X, Y)
    assert value in seen


def test_whitening_comes_before_the_first_step_and_only_where_it_is_asked_for() -> None:
    plain, whitened = first_weights(), first_weights(whiten=True)
    different = {name for name in plain if not torch.equal(plain[name], whitened[name])}
    assert different == {"stages.stem.conv.weight"}
    kernels = whitened["stages.stem.conv.weight"]
    assert torch.equal(kernels[:8], -kernels[8:])


def test_width_makes_the_network_wider() -> None:
    assert len(first_weights(width=2.0)["stages.stage3.conv.weight"]) == 2 * 96


def test_compact_begins_by_copying_maps_and_learns_by_muon_in_the_precision_of_the_machine() -> None:
    kernel = first_weights()["stages.stage1.conv.weight"]
    centres = kernel[:, :, 1, 1]
    assert torch.equal(centres, torch.eye(16))
    assert float(kernel.abs().sum()) == 16
    settled = Classifier(RECIPE).fit(X, Y).recipe_
    assert (settled.optimiser, settled.learning_rate) == ("muon", 0.1)
    assert settled.precision == own_precision(torch.device("cpu"))


def test_weights_that_have_learned_go_on_by_adamw(tmp_path) -> None:
    Classifier(RECIPE).fit(X, Y, out=tmp_path / "run")
    settled = Classifier(RECIPE.changed(weights=str(tmp_path / "run"), whiten=True)).fit(X, Y).recipe_
    assert (settled.optimiser, settled.learning_rate) == ("adamw", 0.01)


def test_precision_is_that_of_the_maps_and_never_of_the_weights() -> None:
    fitted = {
        name: Classifier(RECIPE.changed(precision=name, optimiser="adamw")).fit(X, Y).network_.state_dict()
        for name in ("float32", "bfloat16")
    }
    exact, rounded = (weights["stages.stage2.conv.weight"] for weights in fitted.values())
    assert exact.dtype == rounded.dtype == torch.float32
    assert not torch.equal(exact, rounded)
    statistics = "stages.stem.norm.running_mean"
    assert torch.allclose(*(weights[statistics] for weights in fitted.values()), atol=0.05)

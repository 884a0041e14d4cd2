"""Two phases, the head first, and a rate a stage: in the optimiser, in the history, and across a stop."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from random_task import NoiseBatches, noise_material, trained
from striate import Classifier
from striate.errors import Interrupted
from striate.models import Network
from striate.training import loop
from striate.training.checkpoint import CheckpointFolder
from striate.training.events import Events
from striate.training.history import Progress
from striate.training.loop import train
from striate.training.recipe import Recipe

SHAPE, CLASSES, STEPS = (1, 6, 6), 4, 3
TASK = {"images": 12, "size": 4, "classes": CLASSES}
TWO_PHASES = {"epochs": 5, "head_epochs": 2, "seed": 3}


def network(seed: int = 0, dropout: float = 0.3) -> Network:
    torch.manual_seed(seed)
    stages = {
        "low": nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU()),
        "middle": nn.Sequential(nn.Conv2d(4, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU()),
        "high": nn.Sequential(nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
    }
    head = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(8 * 9, CLASSES))
    return Network(stages, head)


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(mine, theirs) for mine, theirs in pairs)


class Rates(Events):
    """Notes the rate of every step, and what the optimiser has given each parameter."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch | None = None) -> None:
        self.rates: list[float] = []
        self.given: list[dict[int, float]] = []
        self.optimiser: torch.optim.Optimizer | None = None
        if monkeypatch:
            create = loop.create_optimiser

            def created(*words: object) -> torch.optim.Optimizer:
                self.optimiser = create(*words)  # pyright: ignore[reportArgumentType]
                return self.optimiser

            monkeypatch.setattr(loop, "create_optimiser", created)

    def step(self, progress: Progress, loss: float, rate: float) -> None:
        self.rates.append(rate)
        if self.optimiser:
            groups = self.optimiser.param_groups
            self.given.append({id(weight): group["lr"] for group in groups for weight in group["params"]})


def rates_of(recipe: Recipe, errors: list[float] | None = None) -> list[float]:
    heard = Rates()
    trained(network(), recipe, noise_material(SHAPE, **TASK, errors=errors), heard)
    return heard.rates


@pytest.mark.parametrize("optimiser", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("head_epochs", [0, 2])
def test_every_parameter_has_the_rate_of_the_formula_in_every_step(
    monkeypatch: pytest.MonkeyPatch, optimiser: str, head_epochs: int
) -> None:
    recipe = Recipe(
        epochs=5,
        head_epochs=head_epochs,
        optimiser=optimiser,
        learning_rate=0.02,
        schedule="cosine",
        base_rate=0.5,
        stage_decay=0.1,
    )
    model, heard = network(), Rates(monkeypatch)
    trained(model, recipe, noise_material(SHAPE, **TASK), heard)
    shares = {"low": 0.5 * 0.1 * 0.1, "middle": 0.5 * 0.1, "high": 0.5}
    counted = [*range(head_epochs * STEPS), *range((5 - head_epochs) * STEPS)]
    lengths = [head_epochs * STEPS] * head_epochs * STEPS + [(5 - head_epochs) * STEPS] * len(counted)
    for given, taken, length in zip(heard.given, counted, lengths, strict=False):
        rate = 0.02 * (1 + math.cos(math.pi * taken / length)) / 2
        for name, weight in model.named_parameters():
            share = shares[name.split(".")[1]] if name.startswith("stages.") else 1.0
            assert given[id(weight)] == pytest.approx(rate * share, rel=1e-12), name
    assert len(heard.given) == 5 * STEPS


@pytest.mark.parametrize("schedule", ["constant", "step", "plateau", "cosine", "onecycle", "triangular"])
def test_each_phase_runs_through_the_schedule_as_a_run_of_its_own(schedule: str) -> None:
    recipe = Recipe(epochs=7, head_epochs=3, schedule=schedule, step_epochs=2, plateau_epochs=1)
    errors = [0.5, 0.6, 0.7, 0.9, 0.8, 0.8, 0.8]
    first = rates_of(recipe.changed(epochs=3, head_epochs=0, freeze="all"), errors[:3])
    second = rates_of(recipe.changed(epochs=4, head_epochs=0), errors[3:])
    assert rates_of(recipe, errors) == [*first, *second]


def test_a_plateau_counts_the_errors_of_its_phase_only() -> None:
    recipe = Recipe(epochs=7, head_epochs=3, schedule="plateau", plateau_epochs=1, learning_rate=0.1)
    rates = rates_of(recipe, errors=[0.1, 0.2, 0.2, 0.9, 0.9, 0.9, 0.9])[::STEPS]
    assert rates == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.01])


def test_a_rate_that_is_one_for_all_is_that_of_one_group() -> None:
    plain, factored = network(), network()
    recipe = Recipe(epochs=2, optimiser="sgd")
    trained(plain, recipe, noise_material(SHAPE, **TASK))
    trained(factored, recipe.changed(base_rate=1.0, stage_decay=1.0), noise_material(SHAPE, **TASK))
    assert same(plain, factored)


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_two_phases_are_those_of_a_plain_torch_loop(optimiser: str, share: float) -> None:
    recipe = Recipe(
        **TWO_PHASES,
        freeze="low",
        optimiser=optimiser,
        learning_rate=0.01,
        weight_decay=0.1,
        schedule="constant",
        base_rate=share,
        keep="last",
    )
    ours, plain = network(dropout=0.0), network(dropout=0.0)
    material = noise_material(SHAPE, **TASK)
    trained(ours, recipe, material)
    assert isinstance(material.batches, NoiseBatches)
    plain_two_phases(plain, material.batches, optimiser, share)
    for (name, mine), theirs in zip(ours.state_dict().items(), plain.state_dict().values(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5, msg=name)


def plain_two_phases(plain: Network, batches: NoiseBatches, optimiser: str, share: float) -> None:
    """The recipe above, written down without the loop: one optimiser, the stages' gradients left away at first."""
    rates = {"low": 0.01 * share, "middle": 0.01 * share, "high": 0.01 * share, "head": 0.01}
    parts = {**dict(plain.stages.items()), "head": plain.head}
    groups = [
        {"params": [weight], "lr": rates[name], "weight_decay": 0.1 if weight.ndim > 1 else 0.0}
        for name, part in parts.items()
        for weight in part.parameters()
    ]
    create: Callable = torch.optim.SGD if optimiser == "sgd" else torch.optim.AdamW
    reference = create(groups, foreach=False, **({"momentum": 0.9} if optimiser == "sgd" else {}))
    for epoch in range(5):
        resting = ("low", "middle", "high") if epoch < 2 else ("low",)
        for name, part in parts.items():
            part.train(name not in resting)
        for batch in batches.epoch(epoch):
            reference.zero_grad()
            F.cross_entropy(plain(batch.inputs), batch.labels).backward()
            for name in resting:
                for weight in parts[name].parameters():
                    weight.grad = None
            reference.step()


@pytest.mark.parametrize("optimiser", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize(
    "steps", [1, STEPS, 2 * STEPS - 1, 2 * STEPS, 2 * STEPS + 1, 3 * STEPS, 4 * STEPS + 2]
)
def test_a_stop_in_either_phase_or_between_them_changes_no_bit(
    tmp_path: Path, optimiser: str, steps: int
) -> None:
    recipe = Recipe(**TWO_PHASES, freeze="low", optimiser=optimiser, base_rate=0.5, stage_decay=0.3)
    whole, parts, again = network(), network(), network(seed=99)
    expected = trained(whole, recipe, noise_material(SHAPE, **TASK))
    folder, asked = CheckpointFolder(tmp_path), iter([False] * (steps - 1) + [True] * 100)
    with pytest.raises(Interrupted):
        train(
            parts,
            recipe,
            noise_material(SHAPE, **TASK),
            folder=folder,
            events=Events(),
            stop=lambda: next(asked),
        )
    found = train(again, recipe, noise_material(SHAPE, **TASK), folder=folder, resume=True, events=Events())
    assert same(whole, again)
    timeless = [{**record, "seconds": 0, "train": record["train"]["loss"]} for record in found.history]
    assert timeless == [
        {**record, "seconds": 0, "train": record["train"]["loss"]} for record in expected.history
    ]


def test_the_history_says_which_stages_rest_and_what_share_of_the_rate_the_others_have() -> None:
    recipe = Recipe(**TWO_PHASES, freeze="low", base_rate=0.5, stage_decay=0.1)
    history = trained(network(), recipe, noise_material(SHAPE, **TASK)).history
    assert [record["frozen"] for record in history] == [["low", "middle", "high"]] * 2 + [["low"]] * 3
    assert ["rate_factors" in record for record in history] == [False, False, True, True, True]
    assert history[-1]["rate_factors"] == pytest.approx({"middle": 0.05, "high": 0.5})
    plain = trained(network(), Recipe(epochs=1), noise_material(SHAPE, **TASK)).history
    assert not {"frozen", "rate_factors"} & plain[0].keys()


@pytest.mark.parametrize(
    ("errors", "epochs"),
    [
        ([0.5, 0.6, 0.7, 0.4, 0.3, 0.2, 0.1], 7),  # phase one stalls, and is not cut short
        ([0.1, 0.2, 0.2, 0.6, 0.5, 0.4, 0.3], 7),  # phase two gains, though below what phase one had
        ([0.5, 0.4, 0.3, 0.2, 0.3, 0.3, 0.1], 6),  # phase two stalls
    ],
)
def test_early_stop_counts_the_epochs_of_phase_two(errors: list[float], epochs: int) -> None:
    recipe = Recipe(epochs=7, head_epochs=3, early_stop=2)
    progress = trained(network(), recipe, noise_material(SHAPE, **TASK, errors=errors))
    assert len(progress.history) == epochs


def test_the_best_epoch_may_come_from_either_phase() -> None:
    for errors, best in (([0.1, 0.5, 0.4], 1), ([0.5, 0.4, 0.1], 3)):
        model, recipe = network(), Recipe(epochs=3, head_epochs=1)
        progress = trained(model, recipe, noise_material(SHAPE, **TASK, errors=errors))
        assert progress.best is not None
        assert progress.best.epoch == best
        untouched = same(model.stages, network().stages)
        assert untouched == (best == 1)


def test_tensorboard_shows_rates_and_the_gradients_that_there_are(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    X, y = generator.integers(0, 256, (96, 8, 8), dtype=np.uint8), np.arange(96) % 3
    recipe = Recipe(model="compact", epochs=3, head_epochs=1, freeze="stem", batch_size=16, base_rate=0.5)
    history = Classifier(recipe).fit(X, y, out=tmp_path).history_
    board = EventAccumulator(str(tmp_path / "tensorboard"), size_guidance={"scalars": 0, "histograms": 0})
    board.Reload()
    shown = [event.value for event in board.Scalars("learning_rate")]
    assert shown == pytest.approx([record["learning_rate"] for record in history])
    counts = {
        tag.removeprefix("gradients/"): len(board.Histograms(tag))
        for tag in board.Tags()["histograms"]
        if tag.startswith("gradients/")
    }
    epochs = {"stages.stem": 0, "stages.stage1": 2, "head.output": 3}
    for part, expected in epochs.items():
        assert {count for name, count in counts.items() if name.startswith(part)} == ({expected} - {0})
    assert len(board.Histograms("weights/stages.stem.conv.weight")) == 3

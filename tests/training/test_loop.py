"""The loop: exact resume, refusal of what is not finite, and agreement with a plain torch loop."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from striate.errors import Interrupted, TrainingError
from striate.training.checkpoint import CheckpointFolder
from striate.training.events import EventList, Events, Outcome, Plan
from striate.training.history import Progress
from striate.training.loop import train
from striate.training.material import Material
from striate.training.recipe import Recipe

IMAGES, CLASSES, SIZE = 40, 3, 8


@dataclass(frozen=True)
class OneBatch:
    index: int
    rows: np.ndarray
    inputs: torch.Tensor
    labels: torch.Tensor


class MemoryBatches:
    """Twenty lines of data: noise with a class-dependent mean, reshuffled every epoch."""

    def __init__(self, size: int = 8, poison: int | None = None) -> None:
        generator = torch.Generator().manual_seed(5)
        self.labels = torch.arange(IMAGES) % CLASSES
        self.inputs = torch.randn(IMAGES, 1, SIZE, SIZE, generator=generator) + self.labels.view(-1, 1, 1, 1)
        if poison is not None:
            self.inputs[poison] = float("nan")
        self.size = size
        self.count = IMAGES // size
        self.images = IMAGES

    def epoch(self, epoch: int, start: int = 0) -> Iterator[OneBatch]:
        order = np.random.Generator(np.random.Philox(key=[0, epoch])).permutation(IMAGES)
        for index, rows in enumerate(np.array_split(order, self.count)):
            if index >= start:
                yield OneBatch(index, rows, self.inputs[rows], self.labels[rows])


def network(seed: int = 0, dropout: float = 0.3) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(4 * SIZE * SIZE, CLASSES),
    )


def material(
    batches: MemoryBatches | None = None, losses: list[float] | None = None, **more: object
) -> Material:
    batches = batches or MemoryBatches()
    scripted = iter(losses) if losses else None

    def validate(model: nn.Module) -> Outcome:
        model.eval()
        with torch.no_grad():
            logits = model(batches.inputs)
        loss = next(scripted) if scripted else F.cross_entropy(logits, batches.labels).item()
        right = (logits.argmax(1) == batches.labels).double().mean().item() if scripted is None else 0.5
        chances = logits.softmax(1).double().numpy()
        truth = batches.labels.numpy()
        return Outcome(np.arange(IMAGES), truth, chances, {"loss": loss, "accuracy": right})

    return Material(batches, validate, lambda rows: [f"image-{row}.png" for row in rows], **more)  # pyright: ignore


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(mine, theirs) for mine, theirs in pairs)


def stop_after(steps: int):
    asked = iter([False] * (steps - 1) + [True] * 1000)
    return lambda: next(asked)


@pytest.mark.parametrize("optimiser", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("steps", [1, 4, 5, 6, 10])
def test_a_stopped_run_resumes_bit_for_bit(tmp_path: Path, optimiser: str, steps: int) -> None:
    recipe = Recipe(epochs=3, optimiser=optimiser, seed=3)
    whole, parts = network(), network()
    expected = train(whole, recipe, material(), events=Events())
    folder = CheckpointFolder(tmp_path)
    with pytest.raises(Interrupted, match="the state is saved"):
        train(parts, recipe, material(), folder=folder, events=Events(), stop=stop_after(steps))
    again = network(seed=99)
    progress = train(again, recipe, material(), folder=folder, resume=True, events=Events())
    assert same(whole, again)
    assert [r["train"]["loss"] for r in progress.history] == [r["train"]["loss"] for r in expected.history]
    assert [r["validation"] for r in progress.history] == [r["validation"] for r in expected.history]
    assert [r["learning_rate"] for r in progress.history] == [r["learning_rate"] for r in expected.history]


def test_other_seed_other_weights() -> None:
    one, other = network(), network()
    train(one, Recipe(epochs=1, seed=0), material(), events=Events())
    train(other, Recipe(epochs=1, seed=1), material(), events=Events())
    assert not same(one, other)


def test_a_step_is_that_of_a_plain_torch_loop() -> None:
    recipe = Recipe(
        epochs=2,
        optimiser="sgd",
        learning_rate=0.1,
        schedule="constant",
        label_smoothing=0.1,
        weight_decay=0.01,
    )
    weights = torch.tensor([0.5, 1.0, 2.0])
    ours, plain = network(dropout=0.0), network(dropout=0.0)
    train(ours, recipe.changed(keep="last"), material(class_weights=weights), events=Events())
    decayed = [p for p in plain.parameters() if p.ndim > 1]
    others = [p for p in plain.parameters() if p.ndim <= 1]
    reference = torch.optim.SGD(
        [{"params": decayed, "weight_decay": 0.01}, {"params": others}], lr=0.1, momentum=0.9, foreach=False
    )
    loss_of = nn.CrossEntropyLoss(weight=weights, label_smoothing=0.1)
    for epoch in range(2):
        for batch in MemoryBatches().epoch(epoch):
            reference.zero_grad()
            loss_of(plain(batch.inputs), batch.labels).backward()
            reference.step()
    for mine, theirs in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


def test_a_loss_that_is_not_finite_stops_in_the_same_step_and_is_never_saved(tmp_path: Path) -> None:
    batches = MemoryBatches(poison=7)
    order = np.random.Generator(np.random.Philox(key=[0, 0])).permutation(IMAGES)
    step = int(np.flatnonzero(order == 7)[0]) // 8 + 1
    with pytest.raises(TrainingError) as caught:
        train(
            network(), Recipe(epochs=1), material(batches), folder=CheckpointFolder(tmp_path), events=Events()
        )
    assert f"The loss became nan at epoch 1, step {step};" in str(caught.value)
    assert "image-7.png" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_gradient_that_is_not_finite_stops_too(tmp_path: Path) -> None:
    class Root(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = network()
            self.scale = nn.Parameter(torch.zeros(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.body(x) + self.scale.abs().sqrt()  # finite at 0, its derivative is not

    with pytest.raises(TrainingError, match="gradient's norm became nan at epoch 1, step 1"):
        train(Root(), Recipe(epochs=1), material(), folder=CheckpointFolder(tmp_path), events=Events())
    assert not list(tmp_path.iterdir())


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    class Breaks(Events):
        def step(self, progress: Progress, loss: float, rate: float) -> None:
            with torch.no_grad():
                next(model.parameters()).fill_(float("inf"))

    model = network()
    with pytest.raises(TrainingError, match="no longer finite"):
        train(
            model,
            Recipe(epochs=1),
            material(),
            folder=CheckpointFolder(tmp_path),
            events=Breaks(),
            stop=stop_after(1),
        )
    assert not list(tmp_path.iterdir())


def test_best_or_last_is_kept() -> None:
    class Copies(Events):
        def __init__(self) -> None:
            self.weights: list[torch.Tensor] = []

        def epoch(self, record: dict, outcome: Outcome, network: nn.Module) -> None:
            self.weights.append(next(network.parameters()).detach().clone())

    losses = [0.5, 0.3, 0.4]
    for keep, epoch in (("best", 2), ("last", 3)):
        copies, model = Copies(), network()
        progress = train(model, Recipe(epochs=3, keep=keep), material(losses=losses), events=copies)
        assert progress.best is not None
        assert progress.best.epoch == 2
        assert torch.equal(next(model.parameters()), copies.weights[epoch - 1])


def test_early_stop_counts_epochs_without_gain() -> None:
    losses = [0.5, 0.3, 0.4, 0.35, 0.2, 0.1]
    progress = train(network(), Recipe(epochs=6, early_stop=2), material(losses=losses), events=Events())
    assert len(progress.history) == 4


def test_events_come_in_order_and_to_every_listener() -> None:
    class Log(Events):
        def __init__(self) -> None:
            self.heard: list[str] = []

        def began(self, plan: Plan, network: nn.Module) -> None:
            assert (plan.epochs, plan.steps, plan.images, plan.first_epoch) == (2, 5, IMAGES, 0)
            self.heard.append("began")

        def step(self, progress: Progress, loss: float, rate: float) -> None:
            self.heard.append("step")

        def epoch(self, record: dict, outcome: Outcome, network: nn.Module) -> None:
            self.heard.append("epoch")

        def saved(self, progress: Progress) -> None:
            self.heard.append("saved")

        def finished(self, progress: Progress) -> None:
            self.heard.append("finished")

    one, other = Log(), Log()
    train(network(), Recipe(epochs=2), material(), events=EventList([one, other]))
    assert one.heard == other.heard == ["began", *2 * [*5 * ["step"], "epoch"], "finished"]


def test_the_callers_random_state_is_left_alone() -> None:
    torch.manual_seed(11)
    before = torch.random.get_rng_state()
    model = network(seed=11)
    torch.manual_seed(11)
    train(model, Recipe(epochs=1), material(), events=Events())
    assert torch.equal(before, torch.random.get_rng_state())


class WithAuxiliary(nn.Module):
    """A network that also answers from its middle, while it is trained."""

    auxiliary_weight = 0.3

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, 16), nn.ReLU())
        self.head, self.side = nn.Linear(16, CLASSES), nn.Linear(16, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.stem(x))

    def all_logits(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        middle = self.stem(x)
        return self.head(middle), self.side(middle)


def test_auxiliary_heads_add_their_share_of_the_loss() -> None:
    recipe = Recipe(
        epochs=1, batch_size=8, optimiser="sgd", learning_rate=0.05, momentum=0.0, weight_decay=0.0
    )
    recipe = recipe.changed(schedule="constant", keep="last")
    ours, theirs = WithAuxiliary(), WithAuxiliary()
    batches = MemoryBatches()
    train(ours, recipe, material(), events=Events())
    for batch in batches.epoch(0):
        logits, side = theirs.all_logits(batch.inputs)
        loss = F.cross_entropy(logits, batch.labels) + 0.3 * F.cross_entropy(side, batch.labels)
        theirs.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter in theirs.parameters():
                parameter.sub_(0.05 * parameter.grad)
    for mine, expected in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, expected)

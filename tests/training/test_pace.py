"""Looking late: the same weights, the same records, and the step that failed named exactly."""

from pathlib import Path

import numpy as np
import pytest
import torch
from test_loop import IMAGES, MemoryBatches, material, network, same, stop_after
from torch import nn

from striate.errors import Interrupted, TrainingError
from striate.training.checkpoint import CheckpointFolder
from striate.training.events import Events
from striate.training.history import Progress
from striate.training.loop import train
from striate.training.pace import LOOK_EVERY, LOOK_SECONDS, Pace, Step, read
from striate.training.recipe import Recipe
from striate.training.step import Taken, take_step

ELSEWHERE = torch.device("meta")
"""Meta tensors have no values: whoever reads one, or mixes it with one of the processor, gets an error."""


class Late(Pace):
    """The pace of a GPU that is looked at after three steps."""

    def __init__(self, device: torch.device) -> None:
        super().__init__(device)
        self.every = 3


class Heard(Events):
    """Every step that was told of."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, float, float]] = []

    def step(self, progress: Progress, loss: float, rate: float) -> None:
        self.steps.append((progress.epoch, progress.step, loss, rate))


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("striate.training.loop.Pace", Late)


def timeless(progress: Progress) -> list[dict]:
    """A history without its times."""
    return [
        {**record, "seconds": 0, "train": {**record["train"], "images_per_s": 0}}
        for record in progress.history
    ]


def test_looking_late_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, mine, theirs = Recipe(epochs=2, seed=3), network(), network()
    at_once, later = Heard(), Heard()
    first = train(mine, recipe, material(), events=at_once)
    monkeypatch.setattr("striate.training.loop.Pace", Late)
    second = train(theirs, recipe, material(), events=later)
    assert same(mine, theirs)
    assert at_once.steps == later.steps
    assert [step[:2] for step in later.steps] == [(epoch, step) for epoch in (0, 1) for step in range(1, 6)]
    assert timeless(first) == timeless(second)


@pytest.mark.usefixtures("late")
def test_a_stop_between_two_looks_saves_the_step_that_the_weights_are_at(tmp_path: Path) -> None:
    recipe, whole, again = Recipe(epochs=2, seed=3), network(), network(seed=9)
    train(whole, recipe, material(), events=Events())
    folder = CheckpointFolder(tmp_path)
    with pytest.raises(Interrupted, match="epoch 1 after step 3; the state is saved"):
        train(network(), recipe, material(), folder=folder, events=Events(), stop=stop_after(1))
    train(again, recipe, material(), folder=folder, resume=True, events=Events())
    assert same(whole, again)


@pytest.mark.usefixtures("late")
def test_the_first_step_that_was_not_finite_is_named_and_nothing_is_saved(tmp_path: Path) -> None:
    batches = MemoryBatches(poison=7)
    order = np.random.Generator(np.random.Philox(key=[0, 0])).permutation(IMAGES)
    step = int(np.flatnonzero(order == 7)[0]) // 8
    seen = {0: 3, 1: 3, 2: 3, 3: 5, 4: 5}[step]
    heard, folder = Heard(), CheckpointFolder(tmp_path)
    with pytest.raises(TrainingError) as caught:
        train(network(), Recipe(epochs=1), material(batches), folder=folder, events=heard)
    words = (
        f"The loss became nan at epoch 1, step {step + 1}; seen after step {seen}; nothing since was saved"
    )
    assert words in str(caught.value)
    assert "image-7.png" in str(caught.value)
    assert not folder.generations()
    assert len(heard.steps) == seen - (3 if seen == 3 else 2)


def test_a_gpu_is_looked_at_after_steps_or_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("striate.training.pace.time.perf_counter", lambda: clock[0])
    pace = Pace(torch.device("cuda"))
    assert not pace.at_once
    number = torch.tensor(1.5)
    step = Step(0, np.arange(2), 0.1, Taken(number, number, torch.tensor(2)))
    pace.steps = [step] * (LOOK_EVERY - 1)
    assert not pace.due()
    pace.steps.append(step)
    assert pace.due()
    assert len(pace.look()) == LOOK_EVERY
    assert pace.look() == []
    clock[0] += LOOK_SECONDS
    assert pace.due()
    pace.go_on()
    assert not pace.due()


def test_numbers_are_read_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("striate.training.pace.time.perf_counter", lambda: 16.0)
    found = [
        Taken(torch.tensor(loss), torch.tensor(0.25), torch.tensor(n)) for n, loss in enumerate((0.1, 2.0))
    ]
    steps = [Step(n + 5, np.arange(n), 0.5, taken) for n, taken in enumerate(found)]
    one, other = read(steps, since=10.0)
    assert (one.index, one.loss, one.norm, one.correct, one.rate) == (
        5,
        torch.tensor(0.1).item(),
        0.25,
        0,
        0.5,
    )
    assert (other.index, other.loss, other.correct, other.seconds) == (6, 2.0, 1, 3.0)
    assert one.finite
    bad = Taken(torch.tensor(1.0), torch.tensor(torch.inf), torch.tensor(0))
    assert not read([Step(0, np.arange(1), 0.1, bad)], since=0.0)[0].finite


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_step_elsewhere_reads_nothing(accumulate: int, weighted: bool) -> None:
    model: nn.Module = network().to(ELSEWHERE)
    batch = next(iter(MemoryBatches().epoch(0)))
    moved = type(batch)(0, batch.rows, batch.inputs.to(ELSEWHERE), batch.labels.to(ELSEWHERE))
    weights = torch.ones(3, device=ELSEWHERE) if weighted else None
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, foreach=True)
    recipe = Recipe(precision="float32", accumulate=accumulate, label_smoothing=0.1)
    taken = take_step(model, optimiser, recipe, moved, weights, look=False)
    assert taken.loss.device == taken.norm.device == taken.correct.device == ELSEWHERE
    with pytest.raises(RuntimeError, match="meta"):
        take_step(model, optimiser, recipe, moved, weights)

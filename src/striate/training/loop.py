"""The training loop: one page, read top to bottom."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from striate.errors import Interrupted, TrainingError
from striate.training.allocator import keep_memory
from striate.training.checkpoint import CheckpointFolder, Tensors
from striate.training.compiling import SAID, stepped
from striate.training.device import chosen_device, device_of, own_seeds, reproducible
from striate.training.events import Events, Outcome, Plan
from striate.training.exhaustion import take_step_that_fits
from striate.training.finite import not_finite, require_finite, require_finite_steps
from striate.training.history import Best, Progress, Record, best_of
from striate.training.material import Material
from striate.training.optimiser import (
    Optimiser,
    create_optimiser,
    load_state_tensors,
    rate_factors,
    set_rate,
    state_tensors,
)
from striate.training.pace import Pace, Seen, Step
from striate.training.recipe import Recipe
from striate.training.schedule import learning_rate, phase_of
from striate.training.step import NotFiniteError

SAVE_EVERY = 120.0
"""Seconds between two checkpoints inside an epoch; when a state is saved does not change what it becomes."""


@dataclass
class Training:
    """A network, its optimiser and how far they have come."""

    network: nn.Module
    stepped: nn.Module
    """What steps run: the network, or its translation."""
    recipe: Recipe
    material: Material
    optimiser: Optimiser
    progress: Progress
    best: Tensors
    said: Callable[[str], None] = lambda text: None

    def tensors(self) -> Tensors:
        """Everything that a checkpoint must hold, by name."""
        return {
            **prefixed("network", self.network.state_dict()),
            **prefixed("optimiser", state_tensors(self.optimiser)),
            **prefixed("best", self.best),
        }


def train(
    network: nn.Module,
    recipe: Recipe,
    material: Material,
    *,
    folder: CheckpointFolder | None = None,
    resume: bool = False,
    events: Events,
    stop: Callable[[], bool] = lambda: False,
) -> Progress:
    """Train a network in place by a recipe, and leave it with the weights that the recipe keeps.

    It is trained on the recipe's device, where the material is, and left on the one that it came from.

    Raises:
        TrainingError: a loss or gradient is not finite; names the step and the images, and nothing is saved.
        Interrupted: `stop` said so; the step was finished and the state saved.
        RunError: every checkpoint to resume from is damaged.
    """
    if not recipe.recompute:  # who saves memory gives it back: kept blocks of changing sizes leave holes
        keep_memory()
    home, device = device_of(network), chosen_device(recipe)
    network.to(device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimiser = create_optimiser(network, recipe)
    training = Training(
        network, stepped(network, recipe), recipe, material, optimiser, Progress(), {}, events.said
    )
    if resume and folder:
        restore(training, folder, events)
    if recipe.compile:
        events.said(SAID)
    progress, batches = training.progress, material.batches
    last_save = time.monotonic()

    def save() -> None:
        nonlocal last_save
        if folder:
            require_finite(network)
            folder.save(progress, training.tensors())
            events.saved(progress)
        last_save = time.monotonic()

    with own_seeds(device), reproducible(device):
        events.began(
            Plan(recipe.epochs, batches.count, batches.images, progress.epoch, progress.step), network
        )
        while progress.epoch < recipe.epochs and not stalled(progress, recipe):
            for steps in run_epoch(training):
                tell(steps, progress, events)
                if stop():
                    save()
                    raise Interrupted(where_it_stopped(progress, saved=folder is not None))
                if time.monotonic() - last_save > SAVE_EVERY:
                    save()
            record, outcome = close_epoch(training)
            events.epoch(record, outcome, network)
            save()
    if recipe.keep == "best":
        network.load_state_dict(training.best)
    network.to(home)
    events.finished(progress)
    return progress


def run_epoch(training: Training) -> Iterator[list[Seen]]:
    """Take the steps of the epoch under way that are still to be taken; yields those looked at together."""
    network, recipe, progress = training.network, training.recipe, training.progress
    batches = training.material.batches
    freeze(network, phase_of(recipe, progress.epoch).freeze)
    network.train()
    pace = Pace(device_of(network))
    for batch in batches.epoch(progress.epoch, progress.step):
        rate = rate_of_step(training, batch.index)
        set_rate(training.optimiser, rate)
        try:
            taken, training.recipe = take_step_that_fits(
                training.stepped,
                training.optimiser,
                training.recipe,
                batch,
                training.material.class_weights,
                seed=step_seed(recipe.seed, progress.epoch, batch.index),
                look=pace.at_once,
                said=training.said,
            )
        except NotFiniteError as error:
            found = Seen(batch.index, batch.rows, rate, error.loss, error.norm, correct=0, seconds=0.0)
            left = "the weights were left as they were before it and nothing was saved"
            raise not_finite(training.material, progress.epoch, found, left) from None
        progress.accumulate = training.recipe.accumulate
        pace.steps.append(Step(batch.index, batch.rows, rate, taken))
        if pace.due() or batch.index + 1 == batches.count:
            yield require_finite_steps(training.material, progress.epoch, pace.look())
            pace.go_on()


def tell(steps: list[Seen], progress: Progress, events: Events) -> None:
    """Note steps down that were taken, and tell of each."""
    for step in steps:
        progress.running.add(step.loss, step.correct, len(step.rows), step.seconds)
        progress.step = step.index + 1
        events.step(progress, step.loss, step.rate)


def rate_of_step(training: Training, index: int) -> float:
    """The learning rate of a step of the epoch under way: a function of where it stands, whoever asks."""
    recipe, progress, count = training.recipe, training.progress, training.material.batches.count
    phase = phase_of(recipe, progress.epoch)
    epoch = progress.epoch - phase.first
    done = (epoch * count + index) / (phase.epochs * count)
    return learning_rate(recipe, epoch, done, progress.validation_errors()[phase.first :])


def freeze(network: nn.Module, upto: str) -> None:
    """Let the stages up to one keep their weights and statistics; the others learn.

    Raises TrainingError where nothing is left that could.
    """
    if upto != "none" or getattr(network, "frozen", ()):
        network.freeze(upto)  # pyright: ignore[reportCallIssue]
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise TrainingError(
            "No weight is left to train: what follows the frozen stages has none. "
            "Freeze fewer stages, or add head=linear."
        )


def close_epoch(training: Training) -> tuple[Record, Outcome]:
    """Validate, note the epoch down, remember the weights if they are the best, and move to the next epoch."""
    progress, network = training.progress, training.network
    outcome = training.material.validate(network)
    measures = outcome.measures
    if not np.isfinite(measures["loss"]):
        raise TrainingError(
            f"The validation loss became {measures['loss']} after epoch {progress.epoch + 1}; nothing of this epoch "
            "was saved. Try a lower rate, for example --set learning_rate=0.0005."
        )
    record: Record = {
        "epoch": progress.epoch + 1,
        "train": progress.running.measures(),
        "validation": measures,
        "learning_rate": rate_of_step(training, training.material.batches.count - 1),
        **adapting(training),
        "seconds": round(progress.running.seconds, 3),
    }
    if progress.best is None or progress.best.beaten_by(measures["accuracy"], measures["loss"]):
        progress.best = Best(progress.epoch + 1, measures["accuracy"], measures["loss"])
        if training.recipe.keep == "best":
            training.best = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    progress.history.append(record)
    progress.epoch, progress.step, progress.running = progress.epoch + 1, 0, type(progress.running)()
    return record, outcome


def adapting(training: Training) -> Record:
    """What the record of an epoch says of stages that do not learn, or learn at a rate of their own."""
    frozen = [*getattr(training.network, "extracted", ()), *getattr(training.network, "frozen", ())]
    factors = rate_factors(training.network, training.recipe)
    rates = {name: factor for name, factor in factors.items() if name not in frozen}
    return {
        **({"frozen": frozen} if frozen else {}),
        **({"rate_factors": rates} if set(rates.values()) - {1.0} else {}),
    }


def restore(training: Training, folder: CheckpointFolder, events: Events) -> None:
    """Bring a training to the state of its newest undamaged checkpoint, if there is one."""
    checkpoint = folder.load()
    if checkpoint is None:
        return
    if checkpoint.note:
        events.said(checkpoint.note)
    training.network.load_state_dict(checkpoint.part("network"))
    load_state_tensors(training.optimiser, checkpoint.part("optimiser"))
    training.best = checkpoint.part("best")
    training.progress = checkpoint.progress
    if parts := training.progress.accumulate:
        training.recipe = training.recipe.changed(accumulate=parts)


def stalled(progress: Progress, recipe: Recipe) -> bool:
    """Whether the best epoch of the last phase lies at least `early_stop` epochs back.

    Earlier phases are never cut short, and their best is no measure for this one: a rate that rises anew costs
    accuracy before it gains any.
    """
    best = best_of(progress.history[recipe.head_epochs :])
    return (
        recipe.early_stop is not None
        and best is not None
        and progress.epoch - best.epoch >= recipe.early_stop
    )


def step_seed(seed: int, epoch: int, step: int) -> int:
    """The seed of one step's dropout: a function of seed, epoch and step, so that nothing has to be saved."""
    return int(np.random.Philox(key=[seed, epoch], counter=step).random_raw())


def where_it_stopped(progress: Progress, *, saved: bool) -> str:
    """What is said after a stop that was asked for."""
    where = f"Stopped in epoch {progress.epoch + 1} after step {progress.step}"
    return (
        f"{where}; the state is saved."
        if saved
        else f"{where}; nothing was saved, since no folder was given."
    )


def prefixed(prefix: str, tensors: Tensors) -> Tensors:
    """Tensors under longer names."""
    return {f"{prefix}/{name}": tensor.detach() for name, tensor in tensors.items()}

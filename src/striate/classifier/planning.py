"""What is settled before the first step: how a batch fits into memory, and what is fastest where that was asked."""

from collections.abc import Iterator, Set
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from striate.classifier.material import Decoded
from striate.classifier.workplace import Workplace
from striate.errors import TrainingError
from striate.models import Network
from striate.training.available import available_memory, resident_memory
from striate.training.device import chosen_device
from striate.training.events import Events
from striate.training.exhaustion import consequence
from striate.training.memory import COUNTED, GIB, StepMemory, step_memory
from striate.training.recipe import Recipe
from striate.training.step import fewest_images
from striate.training.tuning import tuned

SETTLED = ("precision", "accumulate", "recompute", "compile")
"""Fields that are filled in from the machine: a resumed run keeps those that it began with."""
SPARE = 0.9
"""Of the memory that is free, the share that a run takes for itself."""
SLACK = 1.4
"""What a step takes in the end of what can be counted before: kernels lay things out anew, and blocks leave holes."""

LATER = 100 * 2**20
"""Bytes of what a process loads only when training begins: TensorBoard, above all."""


@dataclass(frozen=True)
class Task:
    """What is trained: a network, on so many images of a shape."""

    network: Network
    shape: tuple[int, ...]
    images: int

    def trial(self, recipe: Recipe, count: int) -> tuple[nn.Module, Float[Tensor, "images ..."]]:
        """What steps train, and inputs of noise for it: the network's tail where its frozen stages are run once."""
        generator = torch.Generator().manual_seed(recipe.seed)
        inputs = torch.randn(count, *self.shape, generator=generator).to(memory_format=torch.channels_last)
        if not recipe.extract:
            return self.network, inputs
        with torch.no_grad():
            for name in self.network.frozen:
                inputs = self.network.stages[name](inputs)
        return self.network.tail(), inputs

    def batch(self, recipe: Recipe) -> int:
        """Images of the largest batch: an epoch is split evenly."""
        return -(-self.images // -(-self.images // recipe.batch_size))


def task_of(decoded: Decoded, network: Network) -> Task:
    """The task of training a network on decoded images."""
    return Task(network, decoded.preparation.input_shape(), len(decoded.images.of_split("train")))


def planned(
    task: Task, recipe: Recipe, chosen: Set[str], workplace: Workplace | None, tune: bool, events: Events
) -> Recipe:
    """The recipe with everything filled in that depends on the machine; `chosen` are the fields that the user set.

    A run that is resumed goes on as it began, also where there is less memory now. Raises TrainingError where not
    even the smallest part of a batch fits.
    """
    begun = workplace.begun() if workplace and workplace.resume else None
    if begun is not None:
        names = (*SETTLED, "batch_size") if tune else SETTLED
        return recipe.changed(**{name: getattr(begun, name) for name in names if name not in chosen})
    free = free_memory(recipe)
    if tune:
        found = tuned(task.trial, recipe, chosen, task.images, free)
        events.said(found.sentence)
        recipe = found.recipe
    if free is None:
        return recipe
    module, inputs = task.trial(recipe, COUNTED[-1])
    memory, batch = step_memory(module, inputs, recipe), task.batch(recipe)
    fitting = fitted(memory, ladder(module, recipe, batch, chosen), batch, free)
    if fitting is None:
        raise too_large(int(SLACK * memory.peak(fewest_images(module), recompute=True)), free, recipe)
    for sentence in sentences(module, memory, recipe, fitting, batch, free):
        events.said(sentence)
    return fitting


def free_memory(recipe: Recipe) -> int | None:
    """Bytes that steps may take: what the recipe allows the whole process, or a share of what is free."""
    device = chosen_device(recipe)
    if recipe.max_memory is None:
        free = available_memory(device)
        return None if free is None else int(SPARE * free)
    return int(recipe.max_memory * GIB) - (resident_memory() + LATER if device.type == "cpu" else 0)


def ladder(network: nn.Module, recipe: Recipe, batch: int, chosen: Set[str]) -> Iterator[Recipe]:
    """The recipe, then recipes that take less and less memory: the first gives the same bits, the others do not."""
    yield recipe
    translated = recipe.compile and "compile" in chosen
    if "recompute" not in chosen and not recipe.recompute and not translated:
        recipe = recipe.changed(recompute=True, compile=False)
        yield recipe
    while 2 * recipe.accumulate <= batch // fewest_images(network):
        recipe = recipe.changed(accumulate=2 * recipe.accumulate)
        yield recipe


def fitted(memory: StepMemory, recipes: Iterator[Recipe], batch: int, free: int) -> Recipe | None:
    """The first recipe that fits."""
    return next((recipe for recipe in recipes if peak(memory, recipe, batch) <= free), None)


def peak(memory: StepMemory, recipe: Recipe, batch: int) -> int:
    """Bytes that a step over a batch takes."""
    return int(SLACK * memory.peak(batch, accumulate=recipe.accumulate, recompute=recipe.recompute))


def sentences(
    network: nn.Module, memory: StepMemory, asked: Recipe, fitting: Recipe, batch: int, free: int
) -> Iterator[str]:
    """What is said of a recipe that was made to fit, and of batches that are taken in parts."""
    if fitting is not asked:
        changed = ("compile",) if fitting.compile != asked.compile else ()
        taken = [f"{name}={getattr(fitting, name)}" for name in ("recompute", "accumulate", *changed)]
        yield (
            f"A step over {batch} images would take {amount(peak(memory, asked, batch))} and there is room for "
            f"{amount(free)}: taken with {' and '.join(taken)}, it takes {amount(peak(memory, fitting, batch))}."
        )
    if fitting.accumulate > 1:
        yield f"Batches of {batch} are taken in {fitting.accumulate} parts. {consequence(network)}"


def too_large(needed: int, free: int, recipe: Recipe) -> TrainingError:
    """The error for a network that does not fit with a single image."""
    limit = "is free" if recipe.max_memory is None else f"max_memory={recipe.max_memory:g} GiB leaves"
    return TrainingError(
        f"Training {recipe.model} needs {amount(needed)} for the smallest part of a batch, and {amount(max(0, free))} "
        f"{limit}. Try smaller images with --set size=…, a smaller model, --set optimiser=sgd, or more memory."
    )


def amount(size: int) -> str:
    """Bytes as people read them.

    >>> amount(3 * 2**30), amount(300 * 2**20)
    ('3.0 GiB', '300 MiB')
    """
    return f"{size / GIB:,.1f} GiB" if size >= GIB else f"{size / 2**20:,.0f} MiB"

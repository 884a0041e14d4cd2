"""What is fastest on this machine: real steps timed by precision, threads and batch size, and with them compiled."""

import copy
import math
import os
import statistics
import time
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

from striate.errors import TrainingError
from striate.training.compiling import first_line, stepped
from striate.training.device import chosen_device
from striate.training.memory import COUNTED, step_memory
from striate.training.optimiser import create_optimiser
from striate.training.recipe import Recipe
from striate.training.step import take_step

BATCHES = (32, 64, 128, 256, 512, 1024)
STEPS, SECONDS = 3, 0.5
"""Of each candidate at least so many steps are timed, and for so long."""
PATIENCE = 3.0
"""A candidate whose warming step takes so many seconds is timed once more, not thrice."""
NEAR = 0.95
"""Of the highest rate, what the smallest batch size must reach to be taken."""
RECORDED = 3
"""Compiled steps until the usual ones begin: one to translate, and on a GPU one to warm and one to record a graph."""
ENOUGH = 100
"""Steps of a run that a larger batch than the recipe's own must leave; with fewer, accuracy is what it costs."""
WORTH = 300.0
"""A run of fewer seconds is not tried compiled, which takes 18 to 32 a size of batch (`python -m bench compiled`)."""
Trial = Callable[[Recipe, int], tuple[nn.Module, Float[Tensor, "images ..."]]]


@dataclass(frozen=True)
class Timed:
    """A candidate and its rate in images a second."""

    precision: str
    threads: int
    batch_size: int
    rate: float
    compiling: float | None = None
    """Seconds that torch's compiler took for one size of batch, where it was tried."""
    failed: str = ""
    """Why it could not."""

    @property
    def line(self) -> str:
        """Its line in the table that is shown."""
        setting = f"  {self.precision:<9} {self.threads:>7} {self.batch_size:>10}"
        if self.failed:
            return f"{setting} not compiled: {self.failed}"
        compiled = "" if self.compiling is None else f"  compiled in {self.compiling:.0f} s"
        return f"{setting} {self.rate:>12,.0f}{compiled}"


@dataclass(frozen=True)
class Tuned:
    """The recipe with what was chosen, and every candidate."""

    recipe: Recipe
    timed: tuple[Timed, ...]
    seconds: float

    @property
    def sentence(self) -> str:
        """The short table that is shown."""
        head = f"  {'precision':<9} {'threads':>7} {'batch_size':>10} {'images/s':>12}"
        taken = (
            f"{self.recipe.precision}, threads {torch.get_num_threads()}, batch_size={self.recipe.batch_size}"
            f"{', compile=true' if self.recipe.compile else ''}"
        )
        rows = [one.line for one in self.timed]
        return "\n".join([f"Tuned in {self.seconds:.0f} s; taken: {taken}.", head, *rows])


@dataclass(frozen=True, eq=False)
class Noise:
    """A batch of noise."""

    inputs: Float[Tensor, "images ..."]
    labels: Int64[Tensor, " images"]
    rows: Int[np.ndarray, " images"]
    index: int = 0


def tuned(trial: Trial, recipe: Recipe, chosen: Set[str], images: int, free: int | None) -> Tuned:
    """Time steps, and choose precision, threads, the smallest batch size within 5 % of the fastest, and `compile`.

    Steps are compiled where the run then ends earlier, the compiler's own time counted. `trial` gives a network and
    inputs; the network itself learns nothing. Threads are set for this process. Fields in `chosen` stay as they are;
    batches are no larger than `images`, and than `free` bytes have room for.
    """
    began = time.perf_counter()
    clock = Clock(trial, recipe)
    timed = [clock.time(*one, min(recipe.batch_size, images)) for one in settings(recipe, chosen)]
    best = max(timed, key=lambda one: one.rate)
    torch.set_num_threads(best.threads)
    recipe = recipe.changed(precision=best.precision)
    if "batch_size" not in chosen:
        largest = largest_batch(trial, recipe, images, free)
        by_size = [best]
        for size in (size for size in BATCHES if size != best.batch_size and size <= largest):
            by_size.append(clock.time(best.precision, best.threads, size))
        recipe = recipe.changed(batch_size=smallest_near_best(by_size))
        best = next(one for one in by_size if one.batch_size == recipe.batch_size)
        timed += by_size[1:]
    if "compile" not in chosen and not recipe.recompute and run_seconds(best, recipe, images) >= WORTH:
        compiled = clock.time_compiled(best)
        timed.append(compiled)
        sooner = run_seconds(compiled, recipe, images) < run_seconds(best, recipe, images)
        recipe = recipe.changed(compile=sooner)
    return Tuned(recipe, tuple(timed), time.perf_counter() - began)


def settings(recipe: Recipe, chosen: Set[str]) -> Iterator[tuple[str, int]]:
    """Precisions and numbers of threads to try: on a processor those up to its cores, doubled each time."""
    precisions = (recipe.precision,) if "precision" in chosen else ("float32", "bfloat16")
    for precision in precisions:
        for threads in thread_counts() if chosen_device(recipe).type == "cpu" else (torch.get_num_threads(),):
            yield precision, threads


def thread_counts() -> list[int]:
    """1, 2, 4, … and the number of cores that this process may use.

    >>> thread_counts()[0]
    1
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return sorted({cores, *(2**power for power in range(cores.bit_length()) if 2**power <= cores)})


def largest_batch(trial: Trial, recipe: Recipe, images: int, free: int | None) -> int:
    """The largest batch of `BATCHES` that there are images and memory for, and that leaves the run enough steps."""
    memory = step_memory(*trial(recipe, COUNTED[-1]), recipe)
    allowed = min(images, max(recipe.batch_size, recipe.epochs * images // ENOUGH))
    fits = [size for size in BATCHES if size <= allowed and (free is None or memory.peak(size) <= free)]
    return max(fits, default=0)


def run_seconds(timed: Timed, recipe: Recipe, images: int) -> float:
    """How long all steps of a run take at a rate, the compiler's time included.

    >>> run_seconds(Timed("float32", 2, 128, 1000.0), Recipe(epochs=2), 50_000)
    100.0
    >>> run_seconds(Timed("float32", 2, 128, 2000.0, compiling=20.0), Recipe(epochs=2), 50_000)
    90.0

    An epoch is split evenly: there are batches of two sizes where their number does not divide the images.
    """
    batches = -(-images // timed.batch_size)
    sizes = 1 if images % batches == 0 else 2
    return recipe.epochs * images / timed.rate + sizes * (timed.compiling or 0.0)


def smallest_near_best(timed: list[Timed]) -> int:
    """The smallest batch size whose rate is near the highest.

    >>> rates = {32: 800.0, 64: 960.0, 128: 1000.0, 256: 990.0}
    >>> smallest_near_best([Timed("float32", 2, size, rate) for size, rate in rates.items()])
    64
    """
    best = max(one.rate for one in timed)
    return min(one.batch_size for one in timed if one.rate >= NEAR * best)


class Clock:
    """Times steps of a copy of a network: forward, backward, optimiser."""

    def __init__(self, trial: Trial, recipe: Recipe) -> None:
        self.trial, self.recipe, self.device = trial, recipe, chosen_device(recipe)
        module, _ = trial(recipe, 1)
        self.network = copy.deepcopy(module).train().to(self.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.optimiser = create_optimiser(self.network, recipe)

    def time(self, precision: str, threads: int, size: int) -> Timed:
        """The rate of one candidate: the median of its steps after one that warms it up."""
        torch.set_num_threads(threads)
        recipe, batch = self.recipe.changed(precision=precision, compile=False), self.batch(size)
        warming = self.step(self.network, recipe, batch)
        return Timed(precision, threads, size, size / self.usual(self.network, recipe, batch, warming))

    def time_compiled(self, plain: Timed) -> Timed:
        """A candidate again, its steps compiled first, and how long that takes."""
        recipe = self.recipe.changed(precision=plain.precision, compile=True)
        network, batch = stepped(self.network, recipe), self.batch(plain.batch_size)
        try:
            first, *warming = (self.step(network, recipe, batch) for _ in range(RECORDED))
        except TrainingError as error:
            return replace(plain, rate=math.nan, failed=first_line(error.__cause__ or error))
        usual = self.usual(network, recipe, batch, min(warming))
        return replace(plain, rate=plain.batch_size / usual, compiling=max(0.0, first - usual))

    def usual(self, network: nn.Module, recipe: Recipe, batch: Noise, warming: float) -> float:
        """The median of the seconds of a few steps, after one that warmed them up."""
        taken = [self.step(network, recipe, batch)]
        while warming < PATIENCE and (len(taken) < STEPS or sum(taken) < SECONDS):
            taken.append(self.step(network, recipe, batch))
        return statistics.median(taken)

    def step(self, network: nn.Module, recipe: Recipe, batch: Noise) -> float:
        """Seconds of one step, the device waited for."""
        with torch.random.fork_rng(devices=[]):
            start = time.perf_counter()
            take_step(network, self.optimiser, recipe, batch, look=False).norm.item()
            return time.perf_counter() - start

    def batch(self, size: int) -> Noise:
        """Inputs of noise, all of one class: what a label is costs nothing."""
        _, inputs = self.trial(self.recipe, size)
        labels = torch.zeros(size, dtype=torch.int64, device=self.device)
        return Noise(inputs.to(self.device), labels, np.arange(size))

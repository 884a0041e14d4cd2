"""When memory runs out, the step is taken again in parts, under the same seed."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from batches_of_noise import batch_of
from test_loop import material, same, stop_after
from torch import nn

from striate.errors import Interrupted, TrainingError
from striate.training.checkpoint import CheckpointFolder
from striate.training.events import Events
from striate.training.exhaustion import ran_out, take_step_that_fits
from striate.training.loop import train
from striate.training.optimiser import create_optimiser
from striate.training.recipe import Recipe

SHAPE = (1, 8, 8)
CUDA = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
PROCESSOR = RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory")


class Small(nn.Module):
    """A network that has no room for more than some images, and finds that out in its middle."""

    def __init__(self, room: int, error: BaseException = CUDA, *, norm: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4) if norm else nn.Tanh())
        self.last = nn.Sequential(nn.Flatten(), nn.Dropout(0.0), nn.Linear(4 * 36, 3))
        self.room, self.error, self.seen = room, error, list[int]()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        middle = self.first(x)
        if self.training:
            self.seen.append(len(x))
            if len(x) > self.room:
                raise self.error
        return self.last(middle)


def taken(network: nn.Module, recipe: Recipe, said: list[str]):
    optimiser = create_optimiser(network.train(), recipe)
    return take_step_that_fits(network, optimiser, recipe, batch_of(16, SHAPE), seed=3, said=said.append)


@pytest.mark.parametrize("error", [CUDA, PROCESSOR, MemoryError()], ids=["cuda", "processor", "python"])
def test_the_step_is_taken_again_in_parts(error: BaseException) -> None:
    recipe, said = Recipe(precision="float32", optimiser="sgd"), list[str]()
    network, whole = Small(5, error), Small(99)
    found, changed = taken(network, recipe, said)
    expected, same = taken(whole, recipe, [])
    assert network.seen == [16, 8, 4, 4, 4, 4]
    assert (changed.accumulate, same.accumulate) == (4, 1)
    assert said == [
        f"Memory ran out: from here on a batch is taken in {parts} parts. The result is the same up to rounding."
        for parts in (2, 4)
    ]
    torch.testing.assert_close(found.loss, expected.loss)
    for mine, theirs in zip(network.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_statistics_are_those_of_the_attempt_that_succeeded() -> None:
    said = list[str]()
    network, inputs = Small(8, norm=True), batch_of(16, SHAPE).inputs
    taken(network, Recipe(precision="float32"), said)
    plain = Small(99, norm=True).train()
    plain(inputs[:8]), plain(inputs[8:])
    assert torch.equal(network.first[1].running_mean, plain.first[1].running_mean)
    assert int(network.first[1].num_batches_tracked) == 2
    assert said[0].endswith(
        "Batch normalisation then takes its statistics of a part, so the result is another one."
    )


def test_too_little_for_the_smallest_part_is_said() -> None:
    for norm, parts, calls in ((False, 16, [2, 1]), (True, 8, [2])):
        network, recipe = Small(0, norm=norm), Recipe(precision="float32", accumulate=8)
        with pytest.raises(TrainingError) as caught:
            taken(network, recipe, [])
        assert network.seen == calls
        assert str(caught.value) == (
            f"Memory ran out in a step of 16 images taken in {parts} parts, and smaller parts there are not. Try "
            "smaller images with --set size=…, a smaller network, --set recompute=true, or a machine with more memory."
        )


def test_a_resumed_run_keeps_the_parts(tmp_path: Path) -> None:
    recipe, folder = Recipe(epochs=2, precision="float32", optimiser="sgd"), CheckpointFolder(tmp_path)
    whole, parts, again = Small(5), Small(5), Small(5)
    train(whole, recipe, material(), events=Events())
    with pytest.raises(Interrupted):
        train(parts, recipe, material(), folder=folder, events=Events(), stop=stop_after(3))
    train(again, recipe, material(), folder=folder, resume=True, events=Events())
    assert max(whole.seen) == max(parts.seen) == 8
    assert max(again.seen) == 4
    assert same(whole, again)


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="shapes differ"):
        taken(Small(0, RuntimeError("shapes differ")), Recipe(precision="float32"), [])
    assert not ran_out(ValueError("memory"))


LIMITED = """
import resource, sys
import numpy as np, torch
from types import SimpleNamespace
from torch import nn
from striate.training.exhaustion import take_step_that_fits
from striate.training.recipe import Recipe
torch.set_num_threads(1)
torch.manual_seed(0)
layers = [layer for _ in range(6) for layer in (nn.Conv2d(8, 8, 1), nn.Tanh())]
network = nn.Sequential(nn.Conv2d(1, 8, 1), *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))
inputs, labels = torch.randn(64, 1, 128, 128), torch.arange(64) % 2
batch = SimpleNamespace(index=0, rows=np.arange(64), inputs=inputs, labels=labels)
optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
recipe = Recipe(precision="float32", optimiser="sgd")
little = SimpleNamespace(index=0, rows=np.arange(2), inputs=inputs[:2], labels=labels[:2])
take_step_that_fits(network, optimiser, recipe, little, seed=0)  # what is loaded once, is
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 170 * 2**20, resource.RLIM_INFINITY))
said = []
taken, changed = take_step_that_fits(network, optimiser, recipe, batch, seed=0, said=said.append)
assert torch.isfinite(taken.loss), taken
print(changed.accumulate, len(said))
"""


@pytest.mark.slow
def test_a_processor_that_has_no_memory_left_goes_on_in_parts() -> None:
    """Under a real limit: the whole batch takes 0.45 GB, 0.18 are allowed."""
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    accumulate, said = map(int, done.stdout.split())
    assert accumulate in (4, 8, 16)
    assert 2**said == accumulate

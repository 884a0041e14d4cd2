"""Activation checkpointing: a stage keeps what enters it, and what lies inside is computed again on the way back.

Chen, Xu, Zhang & Guestrin 2016, Training deep nets with sublinear memory cost, section 4.1.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from striate.training.small_maps import as_now


def run_recomputed(stage: nn.Module, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
    """What a stage makes of its input, and the gradients that it would have had, with nothing kept in between.

    >>> stage = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.ReLU())
    >>> tuple(run_recomputed(stage, torch.zeros(2, 1, 8, 8)).shape)
    (2, 4, 6, 6)

    The second pass draws the same random numbers and begins with the same buffers as the first, and leaves both as
    it found them: running statistics move once, and every bit is that of a step without recomputation.
    """
    return checkpoint(stage, x, use_reentrant=False, context_fn=lambda: both_passes(stage))


def both_passes(stage: nn.Module) -> tuple[AbstractContextManager[object], AbstractContextManager[object]]:
    """What the two passes of a stage run in; called before the first."""
    buffers = list(stage.buffers())
    return nullcontext(), second_pass(as_now(), holding(buffers, copies(buffers)))


@contextmanager
def second_pass(*contexts: AbstractContextManager[object]) -> Iterator[None]:
    """All of some contexts at once."""
    with ExitStack() as entered:
        for context in contexts:
            entered.enter_context(context)
        yield


@contextmanager
def holding(buffers: Sequence[Tensor], values: Sequence[Tensor]) -> Iterator[None]:
    """Buffers have some values within the block, and afterwards those that they had before it."""
    before = copies(buffers)
    put(buffers, values)
    try:
        yield
    finally:
        put(buffers, before)


def copies(buffers: Sequence[Tensor]) -> list[Tensor]:
    """The values of buffers, such as running statistics, for `put`."""
    return [buffer.clone() for buffer in buffers]


def put(buffers: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    """Give buffers the values that `copies` kept."""
    with torch.no_grad():
        for buffer, value in zip(buffers, values, strict=True):
            buffer.copy_(value)

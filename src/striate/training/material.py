"""What a network is trained on, as the loop sees it: no matter where the images come from."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor, nn

from striate.training.events import Outcome


@runtime_checkable
class Batch(Protocol):
    """Images, or what frozen stages made of them, ready for the network, and what they show."""

    @property
    def index(self) -> int: ...
    @property
    def rows(self) -> Int[np.ndarray, " images"]: ...
    @property
    def inputs(self) -> Float[Tensor, "images ..."]: ...
    @property
    def labels(self) -> Int[Tensor, " images"]: ...


@runtime_checkable
class Batches(Protocol):
    """Training images in an order that is a function of seed, epoch and sample."""

    @property
    def count(self) -> int: ...
    @property
    def images(self) -> int: ...
    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]: ...


@dataclass(frozen=True)
class Material:
    """What a network is trained on: batches, the validation it is measured by, and the names of its images."""

    batches: Batches
    validate: Callable[[nn.Module], Outcome]
    names: Callable[[Sequence[int]], list[str]]
    class_weights: Float[Tensor, " classes"] | None = None

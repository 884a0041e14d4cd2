"""What a method of explanation is: a function of one signature, what its answer means, when it cannot be right."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from striate.models import Network

Function = Callable[..., Float[Tensor, "batch channel rows columns"]]
"""`function(network, inputs, targets, *, stage=None, **options)`.

`inputs` are the network's, `batch channel height width`, normalised; `targets` the class to be explained of each
image, int64; the network is in evaluation mode and its parameters, buffers and gradients are left as they were.
At the seam "input" the answer has the shape of the inputs; at "stage" one channel with the rows and columns of
that stage's maps; a function given `stage=None` there takes `default_stage`.
"""
Obstacle = Callable[[Network, tuple[int, int, int], str | None], str | None]
"""Why a method cannot be right for a network, an input shape `channel height width` and a stage; None where it can."""


def no_obstacle(network: Network, input_shape: tuple[int, int, int], stage: str | None) -> str | None:
    """A method that is right for every network."""
    del network, input_shape, stage


@dataclass(frozen=True)
class Method:
    """One method as the table lists it.

    `signed` says whether values below zero mean evidence against the class. `reduce` makes one map of several
    channels: the largest magnitude (Simonyan et al. 2014, section 3.1) or the sum.
    """

    name: str
    title: str
    paper: str
    function: Function
    seam: Literal["input", "stage"]
    signed: bool
    reduce: Literal["magnitude", "sum"] = "sum"
    obstacle: Obstacle = no_obstacle

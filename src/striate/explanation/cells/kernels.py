"""The weights behind one channel of a layer: a kernel for every input channel that it reads."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int

from striate.errors import ModelError
from striate.explanation.cells.cell import Weights
from striate.explanation.cells.working import work_cell
from striate.explanation.layers_of import NetworkTable, network_table
from striate.models import Network


@dataclass(frozen=True, eq=False)
class ChannelKernels:
    """The kernels of one channel, in the order of the input channels `channels` of `reads`, which they lie on.

    `layer` is the one that has them: of a stage, the last layer with a window that the channel comes from, whose own
    channel is `channel`. None is flipped. `bias` is None where there is none.
    """

    layer: str
    kind: str
    channel: int
    reads: str
    channels: Int[np.ndarray, " read"]
    weights: Weights
    bias: float | None

    @property
    def norms(self) -> Float64[np.ndarray, " read"]:
        """The L2 norm of each kernel."""
        return np.sqrt((self.weights**2).sum(axis=(1, 2)))

    def strongest(self) -> list[int]:
        """The places of the kernels, the one with the largest norm first."""
        return np.argsort(-self.norms, kind="stable").tolist()


def channel_kernels(
    network: Network,
    input_shape: tuple[int, int, int],
    layer: str,
    channel: int,
    *,
    table: NetworkTable | None = None,
) -> ChannelKernels:
    """The kernels of one channel of a convolution or fully connected layer, or of the one that a stage ends in.

    >>> from striate.models import create_model
    >>> found = channel_kernels(create_model("lenet5", classes=10), (1, 28, 28), "c3", 4)
    >>> found.layer, found.reads, found.weights.shape
    ('c3.conv', 's2', (6, 5, 5))

    A fully connected layer that reads flattened maps has a kernel as large as they are for each. `table` is the
    network's, where it is known already. Raises ModelError for a layer that there is not or that has no kernels, and
    for a channel that it has not.
    """
    table = table or network_table(network, input_shape)
    like = next(network.parameters(), torch.zeros(0))  # the device and precision of the weights
    blank = torch.zeros((1, *input_shape), device=like.device, dtype=like.dtype)
    own = work_cell(network, blank, layer, channel, table=table).own
    if own.window is None or own.window.weights is None:
        raise ModelError(
            f"{own.layer} is {own.kind} and has no kernels; its cells read {_read(own.operation)}."
        )
    window, weights = own.window, own.window.weights
    return ChannelKernels(
        own.layer, own.kind, own.place[0], window.reads, window.channels, weights, own.numbers.get("bias")
    )


def _read(operation: str) -> str:
    return "a window without weights" if operation in ("largest", "mean") else "single cells"

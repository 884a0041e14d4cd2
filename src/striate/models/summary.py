"""What a network is made of, layer by layer, found without an image and without touching the weights."""

import copy
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from striate.drawing.network import Column, draw_network
from striate.errors import ModelError
from striate.models.geometry import for_shapes
from striate.models.network import Network
from striate.models.picture import stage_columns
from striate.models.products import Products
from striate.models.walk import Row, Walk

KIB = 1024
UNKNOWN = "?"
"""For what a cell sees after a layer of somebody else's making."""


@dataclass(frozen=True)
class Summary:
    """The layers of a network in the order in which an image meets them, and the totals.

    `auxiliary` are the parameters of heads that only training uses, `auxiliary_stages` the stages they read; no
    other total has them.
    """

    input_shape: tuple[int, int, int]
    rows: tuple[Row, ...]
    parameters: int
    trainable: int
    auxiliary: int = 0
    auxiliary_stages: tuple[str, ...] = ()

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of all layers for one image."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def activation_bytes(self) -> int:
        """Memory of what all layers put out for one image in float32: about what training keeps of each image."""
        return sum(row.activation_bytes for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain lists, numbers and strings, ready for JSON."""
        return {
            "input_shape": list(self.input_shape),
            "parameters": self.parameters,
            "trainable": self.trainable,
            "auxiliary": self.auxiliary,
            "multiply_adds": self.multiply_adds,
            "activation_bytes": self.activation_bytes,
            "rows": [{word: _plain(value) for word, value in asdict(row).items()} for row in self.rows],
        }

    def to_text(self) -> str:
        """An aligned table, one layer a line, with a line of totals under it."""
        head = ("stage", "layer", "kind", "output", "parameters", "multiply-adds", "sees", "every", "memory")
        lines = [
            (
                row.stage,
                row.layer,
                row.kind,
                _times(row.output_shape),
                f"{row.parameters:,}",
                f"{row.multiply_adds:,}",
                _times(row.receptive_field) if row.receptive_field else UNKNOWN,
                _times(row.receptive_stride) if row.receptive_stride else UNKNOWN,
                _memory(row.activation_bytes),
            )
            for row in self.rows
        ]
        total = ("total", "", "", "", f"{self.parameters:,}", f"{self.multiply_adds:,}", "", "")
        table = _aligned([head, *lines, (*total, _memory(self.activation_bytes))], numbers={4, 5, 8})
        trainable = (
            "all of them trainable" if self.trainable == self.parameters else f"{self.trainable:,} trainable"
        )
        caption = f"input {_times(self.input_shape)} · {self.parameters:,} parameters, {trainable}"
        if self.auxiliary:
            caption += f"; {self.auxiliary:,} more in auxiliary heads, used in training only"
        return "\n".join([caption, "", *table])

    def to_svg(self, title: str) -> str:
        """A drawing, as the text of an SVG file: a box a stage, with its shape, layers, parameters and field."""
        caption = f"{self.parameters:,} parameters · {self.multiply_adds:,} multiply-adds an image"
        if self.auxiliary:
            caption += f" · {self.auxiliary:,} parameters more in auxiliary heads while training"
        picture = Column("picture", self.input_shape, kind="picture")
        return draw_network(title, caption, [picture, *stage_columns(self.rows, self.auxiliary_stages)])


def summarize(network: Network, input_shape: tuple[int, int, int]) -> Summary:
    """Every layer's output shape, parameters, multiply-adds and receptive field.

    >>> from striate.models.lenet5 import lenet5
    >>> summary = summarize(lenet5(classes=10, channels=1, size=(28, 28)), (1, 28, 28))
    >>> summary.parameters, summary.multiply_adds
    (61706, 416520)
    >>> row = summary.rows[3]
    >>> row.stage, row.kind, row.output_shape, row.receptive_field
    ('c3', 'convolution', (16, 10, 10), (14, 14))

    A multiply-add is one product added to a sum. Those of convolutions, fully connected layers and radial
    basis functions are counted, for one image, padding included; biases, pooling, normalisation, activations
    and the sums of residual blocks are not. A layer that is used twice has its parameters in its first row
    only.

    A fully connected layer sees what a window over all its cells would see; a sum sees what its wider branch
    sees; after a layer or operation that striate does not know, what a cell sees is None. Products of such layers
    are counted by torch. Runs on shapes alone: the weights are neither read nor copied, but where a network of
    somebody else's making cannot run so. Raises ModelError when an image of this shape does not fit the network.
    """
    try:
        walk = _walked(*for_shapes(network, input_shape))
    except Exception as error:  # a stranger's forward may raise anything
        try:
            if any(weight.is_meta for weight in network.parameters()):
                raise
            walk = _walked(copy.deepcopy(network).eval().cpu(), torch.zeros((1, *input_shape)))
        except Exception:
            raise ModelError(f"The network cannot take an image of {_times(input_shape)}: {error}") from error
    parameters = [*network.stages.parameters(), *network.head.parameters()]
    return Summary(
        input_shape=input_shape,
        rows=tuple(walk.rows),
        parameters=sum(weight.numel() for weight in parameters),
        trainable=sum(weight.numel() for weight in parameters if weight.requires_grad),
        auxiliary=sum(weight.numel() for weight in network.auxiliaries.parameters()),
        auxiliary_stages=tuple(network.auxiliaries),
    )


def _walked(network: Network, image: Tensor) -> Walk:
    counter = Products()
    walk = Walk(network, image, counter)
    with counter, walk, torch.no_grad():
        network(image)
    return walk


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _times(sizes: tuple[int, ...]) -> str:
    return " × ".join(map(str, sizes))


def _memory(size: int) -> str:
    return f"{size / KIB:,.1f} KiB" if size >= KIB else f"{size:,} B"


def _aligned(lines: list[tuple[str, ...]], numbers: set[int]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]

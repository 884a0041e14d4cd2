"""The filters a network has learned: kernels as pictures, their norms, and those that do nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int
from torch import Tensor, nn

from striate.drawing.tile_sheet import Panel, Tile, TileSheet, brief, range_of, value_tile
from striate.errors import ModelError, suggestion
from striate.explanation.inside import constant_channels, tapped
from striate.explanation.raw_form import is_activation
from striate.models import Network
from striate.models.changes.flow import flow_of, following
from striate.models.lenet5_1998 import C3_INPUTS, TableConvolution

DEAD = 1e-3
"""A filter is dead whose norm is below this share of the largest."""
NOTHING = -1
"""What `reads` says where a filter has no kernel: the connection table of LeNet-5 leaves some out."""
MOST_FIRST, MOST_OUT, MOST_IN = 128, 8, 8
THROUGH = (nn.BatchNorm2d, nn.MaxPool2d, nn.AvgPool2d, nn.Dropout, nn.Dropout2d, nn.LocalResponseNorm)
"""What may stand between a convolution and its activation."""


@dataclass(frozen=True, eq=False)
class Filters:
    """The kernels of one layer, `filter read rows columns`, each as it lies on what it reads: none is flipped.

    `reads` are the input channels by number, one row a filter, -1 where there is no kernel (a table of connections);
    `first` says that the layer reads the picture itself. `norms` are L2 over all kernels of a filter, `dead` the
    filters whose norm is below a thousandth of the largest. `silent` are those that never came through their
    activation for the images given, None without images or without an activation of their own.
    """

    layer: str
    first: bool
    weights: Float32[np.ndarray, "filter read rows columns"]
    reads: Int[np.ndarray, "filter read"]
    norms: Float32[np.ndarray, " filter"]
    dead: tuple[int, ...]
    silent: tuple[int, ...] | None = None
    images: int = 0

    def strongest(self) -> list[int]:
        """The filters, the one with the largest norm first."""
        return np.argsort(-self.norms, kind="stable").tolist()

    def rows(self) -> list[dict[str, Any]]:
        """The table of norms, a filter a row: channel, norm, share of the largest, range, dead, silent; for JSON."""
        largest = float(self.norms.max())
        return [
            {
                "channel": number,
                "norm": float(norm),
                "share": float(norm) / largest if largest else 0.0,
                "low": float(self.weights[number].min()),
                "high": float(self.weights[number].max()),
                "dead": number in self.dead,
                "silent": None if self.silent is None else number in self.silent,
            }
            for number, norm in enumerate(self.norms)
        ]

    def sentence(self) -> str:
        """How many there are, of what size, their norms, and how many do nothing."""
        count, read, rows, columns = self.weights.shape
        each = f"{read} × {rows} × {columns}"
        spread = f"norms {brief(float(self.norms.min()))} to {brief(float(self.norms.max()))}"
        parts = [f"{count} filters of {each}", spread, f"{len(self.dead)} dead"]
        if self.silent is not None:
            parts.append(f"{len(self.silent)} silent on {self.images:,} images")
        return " · ".join(parts)

    def sheet(self, *, together: bool = False, most: int | None = None) -> TileSheet:
        """The filters as tiles, each with its channel and its range.

        Of the layer that reads the picture: one tile a filter, in colour for three channels. Of a deeper one: a row
        of tiles for each of the filters with the largest norm, one for each of the input channels that those read
        most. `together` gives all one scale, else every tile has its own.
        """
        if self.first and self.weights.shape[1] in (1, 3):
            return self._first_sheet(together, most or MOST_FIRST)
        return self._deeper_sheet(together, most or MOST_OUT)

    def _first_sheet(self, together: bool, most: int) -> TileSheet:
        shown = self.strongest()[:most]
        limit = float(np.abs(self.weights).max()) if together else None
        tiles = [_tile(self.weights[number], self._name(number), limit) for number in shown]
        zero = "grey" if self.weights.shape[1] == 3 else "white"
        count = "all" if len(shown) == len(self.norms) else f"the {len(shown)} with the largest norm"
        lines = (self.sentence(), f"{count}, the largest norm first; 0 is {zero}; {_scale(together)}")
        return TileSheet(f"Filters of {self.layer}", lines, [Panel(tiles)])

    def _deeper_sheet(self, together: bool, most: int) -> TileSheet:
        shown = self.strongest()[:most]
        together = together or self.weights[0, 0].size == 1
        limit = float(np.abs(self.weights[shown]).max()) if together else None
        panels = [self._row(number, limit, self._places(shown, number)) for number in shown]
        lines = (
            self.sentence(),
            f"the {len(shown)} filters with the largest norm, for each the kernels of the input channels that they"
            f" read most; blue below 0, red above, white 0; {_scale(together)}",
        )
        return TileSheet(f"Filters of {self.layer}", lines, panels)

    def _row(self, number: int, limit: float | None, places: Sequence[int]) -> Panel:
        tiles = [
            value_tile(
                f"from {self.reads[number, place]}", self.weights[number, place], signed=True, limit=limit
            )
            for place in places
        ]
        return Panel(tiles, f"filter {self._name(number)} · norm {brief(float(self.norms[number]))}", side=64)

    def _places(self, shown: list[int], number: int) -> list[int]:
        """The columns of the grid: where all filters read the same channels, the same for all."""
        sizes = np.sqrt((self.weights.astype(np.float64) ** 2).sum(axis=(2, 3)))
        alike = bool((self.reads == self.reads[0]).all())
        weight = sizes[shown].sum(axis=0) if alike else sizes[number]
        weight = np.where(self.reads[number] == NOTHING, -1.0, weight)
        strongest = np.argsort(-weight, kind="stable")[:MOST_IN]
        return sorted(int(place) for place in strongest if weight[place] >= 0)

    def _name(self, number: int) -> str:
        marks = ["dead"] if number in self.dead else []
        marks += ["silent"] if self.silent and number in self.silent else []
        return " · ".join([str(number), *marks])


def filters(
    network: Network,
    layer: str | None = None,
    *,
    inputs: Float[Tensor, "batch channel height width"] | None = None,
    input_shape: tuple[int, int, int] | None = None,
) -> Filters:
    """The kernels of a convolution, the first one unless `layer` names another.

    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32))
    >>> found = filters(network)
    >>> found.layer, found.weights.shape, len(found.norms), found.dead
    ('stem.conv', (16, 3, 3, 3), 16, ())

    A layer is named as in a summary, stage first. With `inputs`, images normalised as for prediction, the filters
    are found that never come through their activation. A network without convolution whose first layer reads all
    pixels is shown by that one, where `input_shape`, `channel height width`, or `inputs` say what it reads. Raises
    ModelError for a layer that there is not, and for a network that has no filters.
    """
    if inputs is not None:
        input_shape = (inputs.shape[1], inputs.shape[2], inputs.shape[3])
    layers = layers_with_filters(network, input_shape)
    if not layers:
        raise ModelError(
            "The network has no convolution and its first layer reads no picture, so it has no filters to show."
        )
    if layer is not None and layer not in layers:
        raise ModelError(f"There is no convolution {layer!r}; {suggestion(layer, layers)}")
    name = layer or next(iter(layers))
    weights, reads = _kernels(layers[name], input_shape)
    norms = np.sqrt((weights.astype(np.float64) ** 2).sum(axis=(1, 2, 3))).astype(np.float32)
    return Filters(
        layer=name,
        first=name == next(iter(layers)),
        weights=weights,
        reads=reads,
        norms=norms,
        dead=tuple(np.flatnonzero(norms <= DEAD * norms.max()).tolist()),
        silent=None if inputs is None else _silent(network, inputs, name, layers[name]),
        images=0 if inputs is None else len(inputs),
    )


def layers_with_filters(
    network: Network, input_shape: tuple[int, int, int] | None = None
) -> dict[str, nn.Module]:
    """The convolutions of the stages by name, in order; without any, the layer that reads all pixels.

    >>> from striate.models import create_model
    >>> list(layers_with_filters(create_model("lenet5", classes=10)))
    ['c1.conv', 'c3.conv', 'c5.conv']
    """
    layers = dict(network.stages.named_modules())
    found: dict[str, nn.Module] = {
        name: layer for name, layer in layers.items() if isinstance(layer, nn.Conv2d | TableConvolution)
    }
    if found or input_shape is None:
        return found
    pixels = input_shape[0] * input_shape[1] * input_shape[2]
    linear = [(name, layer) for name, layer in layers.items() if isinstance(layer, nn.Linear)]
    return {name: layer for name, layer in linear[:1] if layer.in_features == pixels}


def _kernels(
    layer: nn.Module, input_shape: tuple[int, int, int] | None
) -> tuple[Float32[np.ndarray, "filter read rows columns"], Int[np.ndarray, "filter read"]]:
    weight = layer.get_parameter("weight").detach().float().cpu().numpy()
    if isinstance(layer, TableConvolution):
        return _from_table(weight)
    if isinstance(layer, nn.Linear):
        weight = weight.reshape(len(weight), *(input_shape or ()))
    groups = layer.groups if isinstance(layer, nn.Conv2d) else 1
    count, read = weight.shape[:2]
    group = np.arange(count) // (count // groups)
    return weight.copy(), group[:, None] * read + np.arange(read)


def _from_table(
    weight: Float32[np.ndarray, "connection rows columns"],
) -> tuple[Float32[np.ndarray, "filter read rows columns"], Int[np.ndarray, "filter read"]]:
    """The kernels of LeCun et al. 1998, table I, a filter a row, from one for each connection."""
    most = max(map(len, C3_INPUTS))
    kernels = np.zeros((len(C3_INPUTS), most, *weight.shape[1:]), np.float32)
    reads = np.full((len(C3_INPUTS), most), NOTHING)
    connection = 0
    for number, sources in enumerate(C3_INPUTS):
        kernels[number, : len(sources)] = weight[connection : connection + len(sources)]
        reads[number, : len(sources)] = sources
        connection += len(sources)
    return kernels, reads


def _silent(network: Network, inputs: Tensor, name: str, layer: nn.Module) -> tuple[int, ...] | None:
    """The channels whose values behind the layer's own activation are one value in all images."""
    shape = (inputs.shape[1], inputs.shape[2], inputs.shape[3])
    steps = flow_of(network, shape)
    step = next((one for one in steps if one.layer is layer), None)
    while step is not None and not is_activation(step.layer):
        after = [
            one
            for one in following(steps, step)
            if is_activation(one.layer) or isinstance(one.layer, THROUGH)
        ]
        step = after[0] if after else None
    if step is None:
        return None
    left = tapped(network, inputs, {name: step.layer})[name].left
    assert left is not None, "the layer was met"
    return constant_channels(left)


def _tile(kernel: Float32[np.ndarray, "read rows columns"], name: str, limit: float | None) -> Tile:
    """One channel by the signed scale; three as red, green and blue around mid grey."""
    if len(kernel) == 1:
        return value_tile(name, kernel[0], signed=True, limit=limit)
    reach = limit or float(np.abs(kernel).max()) or 1.0
    colours = np.rint(127.5 + 127.5 * kernel.transpose(1, 2, 0) / reach).astype(np.uint8)
    return Tile(colours, name, range_of(kernel))


def _scale(together: bool) -> str:
    return "one scale for all tiles" if together else "each tile by its own largest magnitude"

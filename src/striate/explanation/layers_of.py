"""A network as a table for drawing: its stages in order, and in each its layers with what they read and see."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from torch import nn

from striate.errors import ModelError, nearest
from striate.explanation.recording import HEAD, Visit, record_shapes
from striate.models import Network, Row, summarize
from striate.models.lenet5_1998 import RadialBasis, Subsampling, TableConvolution

WITH_KERNELS = (nn.Conv2d, nn.Linear, TableConvolution, Subsampling, RadialBasis)
"""Layers whose cells are weighted; the exact types, since a subclass may do something else."""


@dataclass(frozen=True)
class LayerOf:
    """One layer, or one join of branches: its kind, what leaves it, its weights, what it reads and sees.

    `name` is the path as in a summary, stage first. `shape` is `(channel, height, width)` or `(feature,)`. `sees`,
    `stride` and `start` are a cell's receptive field, how far those of neighbours lie apart, and where that of the
    first cell begins, (height, width) in pixels; None where that is not known. `reads` are layers or the picture.
    `kernels` says whether its cells are weighted sums that can be shown.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    sees: tuple[int, int] | None
    stride: tuple[int, int] | None
    start: tuple[int, int] | None
    reads: tuple[str, ...]
    kernels: bool

    @property
    def cells(self) -> tuple[int, int, int] | None:
        """Channels, rows and columns; a vector is channels of one cell, and what is neither has none."""
        if len(self.shape) == 3:
            return self.shape[0], self.shape[1], self.shape[2]
        return (self.shape[0], 1, 1) if len(self.shape) == 1 else None


@dataclass(frozen=True)
class StageOf:
    """One stage, or the head: its layers in the order in which an image meets them."""

    name: str
    layers: tuple[LayerOf, ...]

    @property
    def last(self) -> LayerOf:
        """The layer whose numbers leave the stage."""
        return self.layers[-1]

    @property
    def parameters(self) -> int:
        """The weights of all its layers, each counted once."""
        return sum(layer.parameters for layer in self.layers)

    def to_dict(self) -> dict[str, Any]:
        """As plain lists, numbers and strings for JSON."""
        last = self.last
        return {
            "name": self.name,
            "shape": list(last.shape),
            "parameters": self.parameters,
            "sees": last.sees,
            "stride": last.stride,
            "layers": [{**asdict(layer), "cells": layer.cells} for layer in self.layers],
        }


@dataclass(frozen=True)
class NetworkTable:
    """The stages of a network with their layers, the head last, for images of `input_shape`, channels first."""

    input_shape: tuple[int, int, int]
    stages: tuple[StageOf, ...]

    @cached_property
    def layers(self) -> dict[str, LayerOf]:
        """Every layer by name; a stage's name is that of its last layer, unless a layer is called so."""
        named = {stage.name: stage.last for stage in self.stages}
        return named | {layer.name: layer for stage in self.stages for layer in stage.layers}

    def layer(self, name: str) -> LayerOf:
        """A layer, or what leaves a stage; ModelError for a name that is neither."""
        if name in self.layers:
            return self.layers[name]
        near = nearest(name, self.layers)
        raise ModelError(
            f"There is no layer {name!r}; {f'did you mean {near}? ' if near else ''}"
            f"Stages: {', '.join(stage.name for stage in self.stages)}."
        )

    def cells(self, name: str) -> tuple[int, int, int]:
        """Channels, rows and columns of a layer; ModelError where it makes neither maps nor a vector."""
        layer = self.layer(name)
        if layer.cells is None:
            size = " × ".join(map(str, layer.shape))
            raise ModelError(f"{name} puts out {size} numbers an image, which are neither maps nor a vector.")
        return layer.cells

    def to_dict(self) -> dict[str, Any]:
        """As plain lists, numbers and strings for JSON."""
        return {
            "input_shape": list(self.input_shape),
            "parameters": sum(stage.parameters for stage in self.stages),
            "stages": [stage.to_dict() for stage in self.stages],
        }


def network_table(network: Network, input_shape: tuple[int, int, int]) -> NetworkTable:
    """The stages and layers of a network for images of a shape, in the order in which an image meets them.

    >>> from striate.models import create_model
    >>> table = network_table(create_model("compact", classes=10, channels=3, size=(32, 32)), (3, 32, 32))
    >>> [stage.name for stage in table.stages], table.layer("stage1.block.sum").reads
    (['stem', 'stage1', 'stage2', 'stage3', 'head'], ('stage1.relu', 'stage1.block.branch.relu2'))

    Shapes, weights and receptive fields are those of `summarize`; operations between layers, such as the sum of a
    residual block, are layers too. Raises ModelError for images that the network does not take.
    """
    visits = record_shapes(network, input_shape)
    rows = _rows_of(visits, summarize(network, input_shape).rows)
    names = [name for name in (*network.stage_names, HEAD) if any(visit.stage == name for visit in visits)]
    return NetworkTable(
        input_shape, tuple(StageOf(name, tuple(_layers(visits, rows, name))) for name in names)
    )


def _layers(visits: list[Visit], rows: dict[str, Row], stage: str) -> Iterator[LayerOf]:
    for visit in visits:
        if visit.stage == stage:
            row = rows.get(visit.name)
            yield LayerOf(
                name=visit.name,
                kind=row.kind if row else visit.kind,
                shape=tuple(visit.leaving.shape[1:]),
                parameters=row.parameters if row else 0,
                multiply_adds=row.multiply_adds if row else 0,
                sees=row.receptive_field if row else None,
                stride=row.receptive_stride if row else None,
                start=row.receptive_start if row else None,
                reads=visit.reads,
                kernels=type(visit.module) in WITH_KERNELS,
            )


def _rows_of(visits: list[Visit], rows: tuple[Row, ...]) -> dict[str, Row]:
    """The row of a summary for each visit that has one, by the visit's name."""
    waiting: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        waiting.setdefault((row.stage, row.layer), []).append(row)
    known: dict[str, Row] = {}
    for visit in visits:
        path = visit.name.partition("#")[0]
        if mine := waiting.get((visit.stage, path.partition(".")[2] or visit.stage)):
            known[visit.name] = mine.pop(0)
    return known

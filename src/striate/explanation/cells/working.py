"""One cell of one layer, or of a stage: its window and sums, then what follows it up to where branches part."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from striate.errors import ModelError
from striate.explanation.cells.cell import Box, Cell, Place, Work
from striate.explanation.cells.pointwise import (
    FUNCTIONS,
    work_activation,
    work_batch_norm,
    work_border,
    work_concatenation,
    work_flatten,
    work_function,
    work_passing,
    work_response_norm,
    work_sum,
    work_unknown,
)
from striate.explanation.cells.pooled import work_grid_max, work_grid_mean, work_max, work_mean
from striate.explanation.cells.reading import Reading
from striate.explanation.cells.weighted import (
    work_convolution,
    work_dense,
    work_distance,
    work_subsampling,
    work_table,
)
from striate.explanation.layers_of import LayerOf, NetworkTable, network_table
from striate.explanation.raw_form import is_activation
from striate.explanation.recording import HEAD, PICTURE, Visit, readers, record
from striate.models import Network
from striate.models.lenet5_1998 import RadialBasis, Subsampling, TableConvolution

Rule = Callable[[Reading, Place], Work]
WINDOWED: dict[type[nn.Module], Rule] = {
    nn.Conv2d: work_convolution,
    TableConvolution: work_table,
    nn.Linear: work_dense,
    Subsampling: work_subsampling,
    RadialBasis: work_distance,
    nn.MaxPool2d: work_max,
    nn.AvgPool2d: work_mean,
    nn.AdaptiveMaxPool2d: work_grid_max,
    nn.AdaptiveAvgPool2d: work_grid_mean,
}
"""Layers whose cells read a window. A subclass may do something else, so these are the exact types."""
CELL_ON_CELL: dict[type[nn.Module], Rule] = {
    nn.BatchNorm1d: work_batch_norm,
    nn.BatchNorm2d: work_batch_norm,
    nn.LocalResponseNorm: work_response_norm,
    nn.Dropout: work_passing,
    nn.Dropout2d: work_passing,
    nn.Identity: work_passing,
}
MOVING: dict[type[nn.Module], Rule] = {nn.Flatten: work_flatten, nn.ReplicationPad2d: work_border}
OPERATIONS: dict[str, Rule] = {
    "sum": work_sum,
    "concatenation": work_concatenation,
    "flatten": work_flatten,
    "dropout": work_passing,
    "clone": work_passing,
    "contiguous": work_passing,
    **dict.fromkeys(FUNCTIONS, work_function),
}
"""Operations of a forward between its layers."""


def work_cell(
    network: Network,
    inputs: Float[Tensor, "1 channel height width"],
    layer: str,
    channel: int,
    row: int = 0,
    column: int = 0,
    *,
    table: NetworkTable | None = None,
) -> Cell:
    """The arithmetic of one cell of a layer, and of what follows it: window, kernel, products, sum, bias and on.

    >>> import torch
    >>> network = Network({"conv": nn.Conv2d(1, 1, 2, bias=False), "relu": nn.ReLU()}, head=nn.Flatten())
    >>> with torch.no_grad():
    ...     _ = network.stages["conv"].weight.copy_(torch.tensor([[[[1.0, 0.0], [2.0, -1.0]]]]))
    >>> cell = work_cell(network, torch.arange(9.0).reshape(1, 1, 3, 3), "conv", 0, 1, 0)
    >>> cell.own.formula, cell.own.result, cell.sees
    ('3 + 0 + 12 − 7 = 8', 8.0, (1, 0, 2, 2))

    `inputs` are normalised as for prediction; a layer is named as in a summary, stage first. Of a stage, or of the
    head, it is the cell of what leaves it, worked from the last layer with a window that it comes from. Sums are in
    double precision, of the single-precision numbers that the network gave that layer, so that they agree with the
    network's own value within its rounding. `table` is the network's, where it is known already.

    Raises ModelError for a layer that there is not or that makes neither maps nor a vector, and for a cell that it has
    not.
    """
    shape = (inputs.shape[1], inputs.shape[2], inputs.shape[3])
    table, place = table or network_table(network, shape), (channel, row, column)
    about = table.layer(layer)
    _check_place(layer, table.cells(layer), place)
    visits = {visit.name: visit for visit in record(network, inputs, layer.partition(".")[0])}
    visit = visits[about.name]
    if layer not in visits:
        visit, place = _origin(visits, table, visit, place)
    with torch.no_grad():
        works, end = _chain(visits, visit, place)
    return Cell(layer, works, end, _sees(table.layer(visit.name), works[0].place), shape[1:])


def _check_place(layer: str, sizes: tuple[int, int, int], place: Place) -> None:
    if any(not 0 <= at < size for at, size in zip(place, sizes, strict=True)):
        channel, row, column = place
        raise ModelError(
            f"{layer} has no cell at channel {channel}, row {row}, column {column}; it has"
            f" {sizes[0]} channels of {sizes[1]} × {sizes[2]} cells, counted from 0."
        )


def _chain(visits: dict[str, Visit], visit: Visit, place: Place) -> tuple[tuple[Work, ...], str]:
    """The works of a cell and of what reads it alone, cell on cell, and why nothing more follows."""
    works = [_rule(visit)(Reading(visits, visit), place)]
    while True:
        after = readers(visits.values(), visit.name)
        if len(after) != 1 or (moved := _moved(after[0], visit, place)) is None:
            return tuple(works), _end(visits, visit, after)
        visit, place = after[0], moved
        works.append(_rule(visit)(Reading(visits, visit), place))


def _moved(after: Visit, visit: Visit, place: Place) -> Place | None:
    """Where a cell stands in what a layer makes of it; None where it is one of many that the layer reads."""
    if after.kind == "concatenation":
        before = after.reads.index(visit.name)
        return (place[0] + sum(given.shape[1] for given in after.entering[:before]), *place[1:])
    alike = after.leaving.shape == visit.leaving.shape
    return place if alike and (_is_cell_on_cell(after) or after.kind == "sum") else None


def _is_cell_on_cell(visit: Visit) -> bool:
    if visit.module is None:
        return visit.kind in FUNCTIONS or visit.kind in ("dropout", "clone", "contiguous")
    return type(visit.module) in CELL_ON_CELL or is_activation(visit.module)


def _rule(visit: Visit) -> Rule:
    if visit.module is None:
        return OPERATIONS.get(visit.kind, work_unknown)
    for table in (WINDOWED, CELL_ON_CELL, MOVING):
        if type(visit.module) in table:
            return table[type(visit.module)]
    return work_activation if is_activation(visit.module) else work_unknown


def _origin(visits: dict[str, Visit], table: NetworkTable, visit: Visit, place: Place) -> tuple[Visit, Place]:
    """The layer of the same stage with a window that a cell comes from; of a sum, by the branch that sees most."""
    while type(visit.module) not in WINDOWED:
        before = _before(table, visit, place)
        if before is None or before[0] not in visits or visits[before[0]].stage != visit.stage:
            break
        visit, place = visits[before[0]], before[1]
    return visit, place


def _before(table: NetworkTable, visit: Visit, place: Place) -> tuple[str, Place] | None:
    """The layer and cell that a cell is made of, cell on cell; None where it is made of many."""
    if visit.kind == "sum" and len({one.shape for one in visit.entering}) == 1:
        return max(visit.reads, key=lambda name: _area(table, name)), place
    if visit.kind == "concatenation":
        channel = place[0]
        for name, given in zip(visit.reads, visit.entering, strict=True):
            if channel < given.shape[1]:
                return name, (channel, *place[1:])
            channel -= given.shape[1]
    return (visit.reads[0], place) if visit.reads and _is_cell_on_cell(visit) else None


def _area(table: NetworkTable, name: str) -> int:
    sees = table.layer(name).sees if name != PICTURE else None
    return sees[0] * sees[1] if sees else 0


def _end(visits: dict[str, Visit], visit: Visit, after: list[Visit]) -> str:
    where = "the head" if visit.stage == HEAD else f"stage {visit.stage}"
    if not after:
        last = [*visits.values()][-1]
        return f"It leaves {where}." if visit is last else f"Nothing in {where} reads it."
    return f"It is read by {' and by '.join(f'{one.name} ({one.kind})' for one in after)}."


def _sees(layer: LayerOf, place: Place) -> Box | None:
    if layer.sees is None or layer.start is None or layer.stride is None:
        return None
    at = place[1:] if len(layer.shape) == 3 else (0, 0)
    top, left = (
        start + cell * stride for start, cell, stride in zip(layer.start, at, layer.stride, strict=True)
    )
    return (top, left, *layer.sees)

"""Cells that read one cell of each of their inputs: normalisation, activations, joins, and what only passes on."""

import math

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from striate.explanation.cells.cell import Place, Term, Work, added, written
from striate.explanation.cells.reading import Reading, value_at
from striate.explanation.inside import sharing

FUNCTIONS = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}
"""Activations that forwards call without a layer."""


def work_batch_norm(reading: Reading, place: Place) -> Work:
    """Minus the mean, over the deviation, times the scale, plus the shift; Ioffe & Szegedy 2015, algorithm 1."""
    layer, channel, given = reading.layer(_BatchNorm), place[0], value_at(reading.given[0], place)
    mean, variance = _moments(layer, reading.given[0], channel)
    scale = 1.0 if layer.weight is None else float(layer.weight[channel])
    shift = 0.0 if layer.bias is None else float(layer.bias[channel])
    result = (given - mean) / math.sqrt(variance + layer.eps) * scale + shift
    numbers = {
        "mean": mean,
        "variance": variance,
        "scale": scale,
        "shift": shift,
        "epsilon": float(layer.eps),
        "given": given,
    }
    formula = (
        f"({added([given, -mean])}) / √({written(variance)} + {written(layer.eps)}) · {_bracketed(scale)}"
        f" {_signed(shift)} = {written(result)}"
    )
    return reading.work(
        place, "normalisation", result, formula, terms=(term(reading, 0, place),), numbers=numbers
    )


def work_response_norm(reading: Reading, place: Place) -> Work:
    """Over a power of the squares of the neighbouring channels; Krizhevsky et al. 2012, section 3.3."""
    layer, maps = reading.layer(nn.LocalResponseNorm), reading.given[0]
    channel, row, column = place
    first = channel - layer.size // 2
    near = [number for number in range(first, first + layer.size) if 0 <= number < maps.shape[1]]
    terms = tuple(term(reading, 0, (number, row, column)) for number in near)
    given, squares = value_at(maps, place), math.fsum(one.value**2 for one in terms)
    below = (layer.k + layer.alpha * squares / layer.size) ** layer.beta
    numbers = {
        "given": given,
        "squares": squares,
        "size": float(layer.size),
        "k": float(layer.k),
        "alpha": float(layer.alpha),
        "beta": float(layer.beta),
    }
    formula = (
        f"{written(given)} / ({written(layer.k)} + {written(layer.alpha)} · {written(squares)} / {layer.size})"
        f"^{written(layer.beta)} = {written(given / below)}"
    )
    return reading.work(place, "neighbours", given / below, formula, terms=terms, numbers=numbers)


def work_activation(reading: Reading, place: Place) -> Work:
    """A function of one number, asked of the layer itself in double precision."""
    module = reading.layer(nn.Module)
    given, result = value_at(reading.given[0], place), _answer(module, reading.given[0], place)
    name = (
        f"max(0, {written(given)})"
        if isinstance(module, nn.ReLU)
        else f"{reading.visit.kind}({written(given)})"
    )
    return reading.work(
        place,
        "function",
        result,
        f"{name} = {written(result)}",
        terms=(term(reading, 0, place),),
        numbers={"given": given},
    )


def work_function(reading: Reading, place: Place) -> Work:
    """An activation that a forward calls itself, without a layer."""
    given = value_at(reading.given[0], place)
    result = float(FUNCTIONS[reading.visit.kind](torch.tensor(given, dtype=torch.float64)))
    return reading.work(
        place,
        "function",
        result,
        f"{reading.visit.kind}({written(given)}) = {written(result)}",
        terms=(term(reading, 0, place),),
        numbers={"given": given},
    )


def work_passing(reading: Reading, place: Place) -> Work:
    """The same number as before: dropout and identity while predicting."""
    one = term(reading, 0, place)
    return reading.work(place, "passed on", one.value, f"{written(one.value)}, as it came", terms=(one,))


def work_flatten(reading: Reading, place: Place) -> Work:
    """The same number as before, under another index."""
    maps = reading.given[0]
    at = place if maps.dim() == 2 else _unravelled(place[0], tuple(maps.shape[1:]))
    one = term(reading, 0, at)
    formula = f"{written(one.value)}, from channel {at[0]}, row {at[1]}, column {at[2]}"
    return reading.work(place, "passed on", one.value, formula, terms=(one,))


def work_border(reading: Reading, place: Place) -> Work:
    """The same number as before; outside the maps, that of the nearest cell."""
    left, _, top, _ = reading.layer(nn.ReplicationPad2d).padding
    rows, columns = reading.given[0].shape[2:]
    at = (place[0], min(max(place[1] - top, 0), rows - 1), min(max(place[2] - left, 0), columns - 1))
    one = term(reading, 0, at)
    formula = f"{written(one.value)}, from row {at[1]}, column {at[2]}"
    return reading.work(place, "passed on", one.value, formula, terms=(one,))


def work_sum(reading: Reading, place: Place) -> Work:
    """Two branches or more, cell on cell."""
    terms = tuple(term(reading, number, place) for number in range(len(reading.given)))
    values = [one.value for one in terms]
    result, found = math.fsum(values), value_at(reading.visit.leaving, place)
    if not math.isclose(result, found, rel_tol=1e-4, abs_tol=1e-4 * max(map(abs, values))):
        return work_unknown(reading, place)  # branches that were weighted, as by torch.add(…, alpha=…)
    named = " + ".join(one.layer for one in terms)
    return reading.work(place, "sum", result, f"{named}: {added(values)} = {written(result)}", terms=terms)


def work_concatenation(reading: Reading, place: Place) -> Work:
    """The branch that has this channel."""
    channel = place[0]
    for number, given in enumerate(reading.given):
        if channel < given.shape[1]:
            one = term(reading, number, (channel, *place[1:]))
            formula = f"{written(one.value)}, channel {channel} of {one.layer}"
            return reading.work(place, "concatenation", one.value, formula, terms=(one,))
        channel -= given.shape[1]
    return work_unknown(reading, place)


def work_unknown(reading: Reading, place: Place) -> Work:
    """What the network put out, without the arithmetic behind it."""
    value = value_at(reading.visit.leaving, place)
    formula = f"{written(value)}, by {reading.visit.kind}, which is not worked out here"
    return reading.work(place, "unknown", value, formula)


def term(reading: Reading, number: int, place: Place) -> Term:
    """One number of one of the inputs."""
    given = reading.given[number]
    at = place if given.dim() == 4 else (place[0], 0, 0)
    return Term(reading.visit.reads[number], at, value_at(given, at))


def _moments(layer: _BatchNorm, maps: Tensor, channel: int) -> tuple[float, float]:
    """The mean and variance that were learned, or those of these maps where the layer keeps none."""
    if layer.running_mean is not None and layer.running_var is not None:
        return float(layer.running_mean[channel]), float(layer.running_var[channel])
    values = maps[:, channel].double()
    return float(values.mean()), float(values.var(correction=0))


def _answer(module: nn.Module, given: Tensor, place: Place) -> float:
    """What an activation says of one number, in double precision; one with weights reads its own channel."""
    twin = sharing(module)
    with torch.no_grad():
        if next(twin.parameters(), None) is None:
            return float(twin(torch.tensor([value_at(given, place)], dtype=torch.float64))[0])
        return value_at(twin(given), place)


def _unravelled(number: int, shape: tuple[int, ...]) -> Place:
    rows, columns = shape[1:]
    return number // (rows * columns), number // columns % rows, number % columns


def _signed(value: float) -> str:
    return f"− {written(-value)}" if value < 0 else f"+ {written(value)}"


def _bracketed(value: float) -> str:
    return f"({written(value)})" if value < 0 else written(value)

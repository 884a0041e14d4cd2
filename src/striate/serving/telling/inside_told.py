"""What the Inside view is told: maps in 256 steps, kernels, and the arithmetic of a cell, as JSON."""

import base64
import math
from typing import Any

import numpy as np
from jaxtyping import Shaped

import striate
from striate.serving.refusals import Refusal
from striate.serving.telling.inside_asked import AskedCell, AskedKernels, AskedMaps, AskedOverview, pixels_of

MOST_NUMBERS = 156
"""Numbers of a vector that an overview shows."""


def prepared(name: str, seen: Shaped[np.ndarray, "height width channel"]) -> dict[str, Any]:
    """A prepared picture as the page keeps it and sends it back, and a PNG of it."""
    shown = striate.preview(seen)
    return {
        "name": name,
        "pixels": array(seen),
        "preview": {"png": base64.b64encode(shown.png).decode(), "words": shown.words},
    }


def maps(classifier: striate.Classifier, table: striate.NetworkTable, asked: AskedMaps) -> dict[str, Any]:
    """Some maps of a layer, each in 256 steps of its own scale, and the order of all."""
    predictor = classifier.predictor_
    inputs = striate.to_input(pixels_of(asked.picture, predictor.preparation)[None], predictor.preparation)
    found = striate.layer_maps(predictor.network, inputs, asked.layer, table=table)
    order = found.strongest() if asked.order == "strongest" else list(range(len(found.maps)))
    shown = order[asked.first : asked.first + asked.most] if asked.channels is None else asked.channels
    return {
        "layer": asked.layer,
        "shape": list(found.maps.shape),
        "signed": found.signed,
        "sees": found.sees,
        "sentence": found.sentence(),
        "dead": list(found.dead),
        "order": order,
        "first": asked.first,
        "maps": [_map(found, channel) for channel in shown],
    }


def overview(classifier: striate.Classifier, asked: AskedOverview) -> dict[str, Any]:
    """The strongest maps of every stage, and of the head."""
    predictor = classifier.predictor_
    inputs = striate.to_input(pixels_of(asked.picture, predictor.preparation)[None], predictor.preparation)
    stages = striate.stage_maps(predictor.network, inputs)
    return {"stages": {found.layer: _glance(found, asked.most) for found in stages}}


def _glance(found: Any, most: int) -> dict[str, Any]:
    """Some maps of a stage, the strongest; of a vector all numbers in order, where they are few."""
    count = len(found.maps)
    if not found.one_cell:
        shown = found.strongest()[:most]
    else:
        shown = list(range(count)) if count <= MOST_NUMBERS else found.strongest()[:MOST_NUMBERS]
    return {"signed": found.signed, "maps": [_map(found, channel) for channel in shown]}


def kernels(
    classifier: striate.Classifier, table: striate.NetworkTable, asked: AskedKernels
) -> dict[str, Any]:
    """The kernels of a channel, one an input channel, the largest norm first; Refusal 422 where there are none."""
    shape = table.input_shape
    try:
        found = striate.channel_kernels(
            classifier.predictor_.network, shape, asked.layer, asked.channel, table=table
        )
    except striate.ModelError as error:
        given = f"{asked.layer}, channel {asked.channel}"
        raise Refusal(
            422, str(error), given=given, allowed="a convolution or a fully connected layer"
        ) from error
    return {
        "layer": found.layer,
        "kind": found.kind,
        "channel": found.channel,
        "reads": found.reads,
        "channels": found.channels.tolist(),
        "norms": found.norms.tolist(),
        "order": found.strongest(),
        "low": float(found.weights.min()),
        "high": float(found.weights.max()),
        "weights": array(found.weights.astype(np.float32)),
        "bias": found.bias,
    }


def cell(classifier: striate.Classifier, table: striate.NetworkTable, asked: AskedCell) -> dict[str, Any]:
    """The arithmetic of a cell and of what follows it."""
    predictor = classifier.predictor_
    inputs = striate.to_input(pixels_of(asked.picture, predictor.preparation)[None], predictor.preparation)
    place = asked.channel, asked.row, asked.column
    found = striate.work_cell(predictor.network, inputs, asked.layer, *place, table=table)
    told = found.to_dict()
    window = found.own.window
    if window is not None:
        order = window.strongest()
        wanted = [at for at in order[asked.most :] if asked.read == window.channels[at]]
        chosen = [*wanted, *order[: asked.most]]
        told["works"][0]["window"] |= {
            "outside": window.outside.tolist(),
            "parts": [_part(window, at) for at in chosen],
        }
    return finite(told)


def array(values: Shaped[np.ndarray, "..."]) -> dict[str, Any]:
    """An array as the page reads it: base64 of little-endian values, the last axis fastest."""
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return {
        "base64": base64.b64encode(little.tobytes()).decode(),
        "dtype": values.dtype.name,
        "shape": list(values.shape),
    }


def finite(value: Any) -> Any:
    """The same without infinities and not-a-numbers, which JSON has not: null in their place.

    >>> finite({"value": [1.5, float("inf")]})
    {'value': [1.5, None]}
    """
    if isinstance(value, dict):
        return {name: finite(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _map(found: Any, channel: int) -> dict[str, Any]:
    values = found.maps[channel]
    peak = np.unravel_index(int(np.abs(values).argmax()), values.shape)
    return finite(
        {
            "channel": channel,
            "low": float(values.min()),
            "high": float(values.max()),
            "limit": found.limit(channel),
            "peak": [int(at) for at in peak],
            "dead": channel in found.dead,
            "codes": array(found.coded(channel)),
        }
    )


def _part(window: Any, place: int) -> dict[str, Any]:
    """The window, kernel and products of one input channel."""
    parts = {"values": window.values, "weights": window.weights, "products": window.products}
    return {
        "channel": int(window.channels[place]),
        "total": float(window.totals[place]),
        **{
            name: None if values is None else array(values[place].astype(np.float32))
            for name, values in parts.items()
        },
    }

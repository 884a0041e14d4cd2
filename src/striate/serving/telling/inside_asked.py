"""What the Inside view sends: a picture as the server prepared it, a layer, a channel, a cell; and whether it fits."""

import base64
import binascii
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

import striate
from striate.serving.refusals import Refusal

MOST_MAPS, MOST_PARTS = 64, 64
PICTURE = "picture"
Index = Annotated[int, Field(ge=0, le=1 << 24)]
LayerName = Annotated[str, Field(max_length=200, description="A layer or a stage of GET /inside/network.")]


class Asking(BaseModel):
    """A body with these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class Prepared(Asking):
    """Pixels as POST /inside/picture gave them back: base64 of little-endian values, row by row."""

    base64: Annotated[str, Field(max_length=1 << 26)]
    dtype: Literal["uint8", "uint16", "int16", "float32"]
    shape: Annotated[list[Annotated[int, Field(ge=1, le=16384)]], Field(min_length=3, max_length=3)]


class AskedMaps(Asking):
    """The maps of a layer for a picture: a page of them in order, or some by number."""

    picture: Prepared
    layer: LayerName
    order: Literal["strongest", "channel"] = "strongest"
    first: Index = 0
    most: Annotated[int, Field(ge=1, le=MOST_MAPS)] = MOST_MAPS
    channels: Annotated[list[Index], Field(max_length=MOST_MAPS)] | None = None


class AskedOverview(Asking):
    """The strongest maps of every stage for a picture."""

    picture: Prepared
    most: Annotated[int, Field(ge=1, le=MOST_MAPS)] = 12


class AskedKernels(Asking):
    """The kernels of one channel."""

    layer: LayerName
    channel: Index


class AskedCell(Asking):
    """One cell of one channel for a picture; `most` windows, of the input channels that give most, and of `read`."""

    picture: Prepared
    layer: LayerName
    channel: Index
    row: Index = 0
    column: Index = 0
    most: Annotated[int, Field(ge=1, le=MOST_PARTS)] = 12
    read: Index | None = None


def pixels_of(sent: Prepared, preparation: striate.Preparation) -> np.ndarray:
    """The pixels that were sent, `height width channel`; Refusal 422 where they are not this run's prepared ones."""
    channels, height, width = preparation.input_shape()
    wanted = f"{height} × {width} × {channels}, {preparation.depth}"
    given = f"{' × '.join(map(str, sent.shape))}, {sent.dtype}"
    advice = "Send back what POST /inside/picture gave."
    if tuple(sent.shape) != (height, width, channels) or sent.dtype != preparation.depth:
        raise Refusal(
            422, "The pixels are not prepared for this run.", given=given, allowed=wanted, advice=advice
        )
    try:
        data = base64.b64decode(sent.base64, validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(422, "The pixels are no base64.", allowed=wanted, advice=advice) from None
    kind = np.dtype(sent.dtype).newbyteorder("<")
    size = height * width * channels * kind.itemsize
    if len(data) != size:
        raise Refusal(
            422,
            "There are not as many pixels as the shape says.",
            given=f"{len(data):,} bytes",
            allowed=f"{size:,} bytes",
            advice=advice,
        )
    pixels = np.frombuffer(data, kind).astype(sent.dtype).reshape(height, width, channels)
    if not np.isfinite(pixels).all():
        raise Refusal(422, "The pixels hold values that are not finite.", advice=advice)
    return pixels


def known_layer(table: striate.NetworkTable, layer: str, *, picture: bool = False) -> tuple[int, int, int]:
    """Channels, rows and columns of a layer, or of the picture; Refusal 404 where there is no such layer."""
    if picture and layer == PICTURE:
        return table.input_shape
    if layer not in table.layers:
        part = next((stage for stage in table.stages if stage.name == layer.partition(".")[0]), None)
        allowed = [one.name for one in part.layers] if part else [stage.name for stage in table.stages]
        raise Refusal(
            404,
            f"The network has no such {'layer' if part else 'stage'}.",
            given=layer,
            allowed=", ".join(allowed),
            advice="GET /inside/network lists all layers.",
        )
    cells = table.layers[layer].cells
    if cells is None:
        shape = " × ".join(map(str, table.layers[layer].shape))
        raise Refusal(
            422, "What this layer puts out are neither maps nor a vector.", given=f"{layer}: {shape}"
        )
    return cells


def require_cell(
    layer: str, cells: tuple[int, int, int], channel: int, row: int = 0, column: int = 0
) -> None:
    """Refusal 422 for a channel or cell that a layer has not."""
    given = {"channel": channel, "row": row, "column": column}
    if all(at < size for at, size in zip(given.values(), cells, strict=True)):
        return
    raise Refusal(
        422,
        f"{layer} has no such cell.",
        given=", ".join(f"{word} {at}" for word, at in given.items()),
        allowed=", ".join(f"{word} 0 to {size - 1}" for word, size in zip(given, cells, strict=True)),
    )

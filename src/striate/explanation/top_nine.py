"""What excites the channels of some stages, as pictures: Zeiler & Fergus 2014, figure 2."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32, Shaped, UInt8
from torch import Tensor

from striate.drawing.deconvnet_figure import Band, Channel, NineFigure, Patch
from striate.drawing.scales import diverging
from striate.drawing.tiles import to_uint8
from striate.errors import UsageError
from striate.explanation.deconvnet import project
from striate.explanation.stages import map_shapes
from striate.explanation.strongest import Excitation, Fields
from striate.explanation.transposing import switched
from striate.models import Network

LEGEND = (
    "Each channel: on the left its strongest activation in each of up to nine pictures, followed back to the pixels"
    " ({switches}), on the right the patch of the picture that the cell saw, in the same order, the strongest first."
    " {colours}, and each projection has its own scale; paper is beyond the picture's border."
)


def top_nine_figure(
    network: Network,
    found: Mapping[str, Mapping[int, Sequence[Excitation]]],
    inputs: Mapping[int, Float[Tensor, "channel height width"]],
    pictures: Mapping[int, Shaped[np.ndarray, "height width _planes"]],
    *,
    title: str = "What excites the channels most",
) -> NineFigure:
    """For each channel of some stages the projections of its strongest activations beside the patches it saw.

    >>> from striate.explanation.strongest import strongest
    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32))
    >>> images = torch.rand(20, 3, 32, 32)
    >>> found = {"stage1": strongest(network, [(torch.arange(20), images)], "stage1", [3, 8])}
    >>> figure = top_nine_figure(network, found, dict(enumerate(images)),
    ...                          {row: image.permute(1, 2, 0).numpy() for row, image in enumerate(images)})
    >>> figure.bands[0].name, len(figure.bands[0].channels[0].patches)
    ('stage1', 9)

    `found` is what `strongest` says of each stage; `inputs` and `pictures` need the rows that it names: the
    network's input, and the same pixels for the eye, of any depth. `figure.png()` and `figure.svg()` write it.
    Raises UsageError for a row without an input or a picture, ModelError where the deconvnet cannot be right.
    """
    if not any(found.values()):
        raise UsageError("There are no channels to draw; give what strongest() found for at least one.")
    _require_rows(found, inputs, pictures)
    if not inputs:
        empty = [
            Band(stage, "", [_channel(one, (), (), ()) for one in nine]) for stage, nine in found.items()
        ]
        return NineFigure(title, "No picture excites any of these channels.", empty)
    some = next(iter(inputs.values()))
    shape = (some.shape[0], some.shape[1], some.shape[2])
    bands = [_band(network, shape, stage, nine, inputs, pictures) for stage, nine in found.items()]
    switches = "by the switches of max pooling"
    if not any(switched(network, shape, stage) for stage in found):
        switches = "without switches, since there is no max pooling on the way"
    colours = "Grey is 0" if shape[0] == 3 else "White is 0, red above, blue below"
    return NineFigure(title, LEGEND.format(switches=switches, colours=colours), bands)


def _band(
    network: Network,
    shape: tuple[int, int, int],
    stage: str,
    found: Mapping[int, Sequence[Excitation]],
    inputs: Mapping[int, Float[Tensor, "channel height width"]],
    pictures: Mapping[int, Shaped[np.ndarray, "height width _planes"]],
) -> Band:
    fields = Fields.of(network, shape, stage)
    projections = _projections(network, stage, found, inputs)
    channels = [
        _channel(
            number,
            nine,
            [_patch(_signed(next(projections)), one, fields) for one in nine],
            [_patch(_seen(pictures[one.row]), one, fields) for one in nine],
        )
        for number, nine in found.items()
    ]
    return Band(stage, _about(map_shapes(network, shape)[stage], fields), channels)


def _channel(
    number: int, nine: Sequence[Excitation], projections: Sequence[Patch], patches: Sequence[Patch]
) -> Channel:
    return Channel(f"channel {number}", _excited(nine), projections, patches)


def _projections(
    network: Network,
    stage: str,
    found: Mapping[int, Sequence[Excitation]],
    inputs: Mapping[int, Float[Tensor, "channel height width"]],
) -> Iterator[Float32[np.ndarray, "channel height width"]]:
    """Channel by channel, in the order of the excitations."""
    numbers = [number for number, nine in found.items() for _ in nine]
    rows = [one.row for nine in found.values() for one in nine]
    if rows:
        images = torch.stack([inputs[row] for row in rows])
        projected = project(network, images, stage, torch.tensor(numbers, device=images.device))
        yield from projected.float().cpu().numpy()


def _signed(projection: Float32[np.ndarray, "channel height width"]) -> UInt8[np.ndarray, "height width 3"]:
    """Three planes as colours around grey, any other number as the diverging scale of their sum."""
    limit = float(np.abs(projection).max())
    if len(projection) != 3:
        return diverging(projection.sum(axis=0))
    planes = np.moveaxis(projection, 0, 2)
    return to_uint8(planes, -limit, limit) if limit > 0 else np.full(planes.shape, 128, np.uint8)


def _seen(picture: Shaped[np.ndarray, "height width _planes"]) -> UInt8[np.ndarray, "height width 3"]:
    shown = to_uint8(picture)
    if shown.shape[2] == 3:
        return shown
    grey = np.rint(shown.mean(axis=2, keepdims=True)).astype(np.uint8)
    return np.repeat(grey, 3, axis=2)


def _patch(colours: UInt8[np.ndarray, "height width 3"], one: Excitation, fields: Fields) -> Patch:
    """What the cell sees of a picture, in a frame of the field's size."""
    box = one.box
    return Patch(colours[box.top : box.bottom, box.left : box.right], fields.place(one.cell), fields.size)


def _excited(excitations: Sequence[Excitation]) -> str:
    if not excitations:
        return "no picture excites it"
    high, low = excitations[0].activation, excitations[-1].activation
    count = "1 picture" if len(excitations) == 1 else f"{len(excitations)} pictures"
    return f"{count} · activation {high:.3g}" + (f" to {low:.3g}" if len(excitations) > 1 else "")


def _about(shape: tuple[int, int, int], fields: Fields) -> str:
    maps = " × ".join(map(str, shape))
    if fields.along is None:
        return f"{maps} · what a cell sees is not known; the whole picture is shown"
    sees = " × ".join(str(field.size) for field in fields.along)
    return f"{maps} · each cell sees {sees} pixels, and its neighbour {fields.along[0].stride} further"


def _require_rows(
    found: Mapping[str, Mapping[int, Sequence[Excitation]]],
    inputs: Mapping[int, Tensor],
    pictures: Mapping[int, np.ndarray],
) -> None:
    rows = {one.row for channels in found.values() for nine in channels.values() for one in nine}
    for word, given in (("an input", inputs), ("a picture", pictures)):
        if missing := sorted(rows - set(given)):
            raise UsageError(
                f"Row {missing[0]} is among the strongest and has not {word}; give one for every row."
            )
    for row in sorted(rows):
        (_, *size), (*shown, _) = inputs[row].shape, pictures[row].shape
        if size != shown:
            raise UsageError(
                f"The input of row {row} is {size[0]} × {size[1]} and its picture {shown[0]} × {shown[1]}; give the"
                " same pixels for both."
            )

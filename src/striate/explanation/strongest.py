"""The images that excite a channel most: Zeiler & Fergus 2014, section 4.1 and figure 2."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor

from striate.errors import ModelError, UsageError, suggestion
from striate.explanation.methods import in_evaluation
from striate.explanation.stages import map_shapes
from striate.models import Network, summarize
from striate.shapes import ReceptiveField

NINE = 9


class Box(NamedTuple):
    """Pixels of a picture, from `top` and `left` up to `bottom` and `right`, which it has no more."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Excitation:
    """A channel's strongest activation in one image.

    `row` is the image's, as it was given, `cell` the (row, column) of the map, `box` the pixels of the input that
    this cell sees, as far as they lie in the picture.
    """

    row: int
    activation: float
    cell: tuple[int, int]
    box: Box


def strongest(
    network: Network,
    batches: Iterable[tuple[Int[Tensor, " batch"], Float[Tensor, "batch channel height width"]]],
    stage: str,
    channels: int | Sequence[int],
    count: int = NINE,
) -> dict[int, tuple[Excitation, ...]]:
    """For each channel of a stage the images that excite it most, the strongest first.

    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32))
    >>> images = torch.randn(64, 3, 32, 32)
    >>> found = strongest(network, zip(torch.arange(64).split(16), images.split(16)), "stage1", [3, 8], count=4)
    >>> list(found), len(found[3]), found[3][0].activation >= found[3][1].activation
    ([3, 8], 4, True)

    `batches` are pairs of row numbers and inputs, of which one is held at a time. An image counts once for each
    channel; one that does not excite it, whose activations are none above 0, counts not at all. Equal ones stay in
    the order in which they came. Raises ModelError for a stage without maps or a channel that it has not, UsageError
    for no images, images of two sizes, or a count below 1.
    """
    wanted = [channels] if isinstance(channels, int) else list(channels)
    if count < 1:
        raise UsageError(
            f"count={count}: the strongest must be at least one image; ZFNet's figure 2 has nine."
        )
    best: _Best | None = None
    shape: tuple[int, int, int] | None = None
    with in_evaluation(network):
        for rows, inputs in batches:
            size = (inputs.shape[1], inputs.shape[2], inputs.shape[3])
            if best is None or shape is None:
                _require_channels(network, size, stage, wanted)
                best, shape = _Best(len(wanted), count), size
            elif size != shape:
                raise UsageError(
                    f"Images of {_times(shape)} and of {_times(size)} cannot be looked through at once."
                )
            if len(rows) != len(inputs):
                raise UsageError(
                    f"There are {len(rows):,} row numbers for {len(inputs):,} images; give one an image."
                )
            with torch.no_grad():
                maps = network.run_to(inputs.clone(), stage)  # a first layer may work in place
            best.meet(rows, maps[:, wanted])
    if best is None or shape is None:
        raise UsageError("There are no images to look through; give at least one.")
    fields = Fields.of(network, shape, stage)
    return {channel: best.excitations(place, fields) for place, channel in enumerate(wanted)}


@dataclass(frozen=True)
class Fields:
    """What the cells of a stage see of a picture; the whole of it where a layer's field is not known."""

    picture: tuple[int, int]
    along: tuple[ReceptiveField, ReceptiveField] | None

    @classmethod
    def of(cls, network: Network, shape: tuple[int, int, int], stage: str) -> "Fields":
        """Those of the stage's last layer.

        >>> from striate.models import create_model
        >>> fields = Fields.of(create_model("lenet5", classes=10), (1, 28, 28), "c3")
        >>> fields.size, fields.box((0, 9))
        ((14, 14), Box(top=0, left=16, bottom=12, right=28))
        """
        last = [row for row in summarize(network, shape).rows if row.stage == stage][-1:]
        known = [row for row in last if row.output_shape == map_shapes(network, shape)[stage]]
        for row in known:
            if row.receptive_field and row.receptive_stride and row.receptive_start:
                high, wide = zip(row.receptive_field, row.receptive_stride, row.receptive_start, strict=True)
                return cls((shape[1], shape[2]), (ReceptiveField(*high), ReceptiveField(*wide)))
        return cls((shape[1], shape[2]), None)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of what one cell sees, of the picture at most."""
        if self.along is None:
            return self.picture
        return min(self.along[0].size, self.picture[0]), min(self.along[1].size, self.picture[1])

    def box(self, cell: tuple[int, int]) -> Box:
        """The pixels that a cell sees, without the padding."""
        (top, bottom), (left, right) = self._spans(cell)
        return Box(max(top, 0), max(left, 0), min(bottom, self.picture[0]), min(right, self.picture[1]))

    def place(self, cell: tuple[int, int]) -> tuple[int, int]:
        """Where the box begins in a frame of `size`: behind the padding, or where it lies in the picture."""
        starts = [start for start, _ in self._spans(cell)]
        if self.along is None:
            return 0, 0
        places = [
            max(start, 0) if field.size > side else max(-start, 0)
            for start, field, side in zip(starts, self.along, self.picture, strict=True)
        ]
        return places[0], places[1]

    def _spans(self, cell: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
        if self.along is None:
            return (0, self.picture[0]), (0, self.picture[1])
        return self.along[0].span(cell[0]), self.along[1].span(cell[1])


class _Best:
    """The strongest so far of each channel: activation, row and cell, in tensors that do not grow."""

    def __init__(self, channels: int, count: int) -> None:
        self.activations = torch.full((channels, count), 0.0, dtype=torch.float64)
        self.rows = torch.zeros((channels, count), dtype=torch.int64)
        self.cells = torch.zeros((channels, count), dtype=torch.int64)
        self.columns = 1

    def meet(self, rows: Int[Tensor, " batch"], maps: Float[Tensor, "batch maps rows columns"]) -> None:
        """Takes in what a batch has."""
        if not len(rows):
            return
        self.columns = maps.shape[3]
        peaks, cells = maps.flatten(2).double().max(dim=2)
        peaks = torch.where(peaks.isfinite(), peaks, 0.0)
        met = (peaks.T.cpu(), rows.to("cpu", torch.int64).expand(maps.shape[1], -1), cells.T.cpu())
        joined = [torch.cat(pair, dim=1) for pair in zip(self._kept(), met, strict=True)]
        # stable: of equal ones the first that came stays
        order = joined[0].sort(dim=1, descending=True, stable=True).indices[:, : self.rows.shape[1]]
        self.activations, self.rows, self.cells = (values.gather(1, order) for values in joined)

    def excitations(self, place: int, fields: Fields) -> tuple[Excitation, ...]:
        found = zip(*(values[place].tolist() for values in self._kept()), strict=True)
        return tuple(
            Excitation(row, activation, cell, fields.box(cell))
            for activation, row, flat in found
            if activation > 0
            for cell in (divmod(flat, self.columns),)
        )

    def _kept(
        self,
    ) -> tuple[Float[Tensor, "maps kept"], Int64[Tensor, "maps kept"], Int64[Tensor, "maps kept"]]:
        return self.activations, self.rows, self.cells


def _require_channels(
    network: Network, shape: tuple[int, int, int], stage: str, channels: Sequence[int]
) -> None:
    shapes = map_shapes(network, shape)
    if stage not in shapes:
        raise ModelError(f"No stage {stage!r} makes maps; {suggestion(stage, shapes)}")
    last = shapes[stage][0] - 1
    for channel in channels:
        if not 0 <= channel <= last:
            raise ModelError(f"Stage {stage!r} has the channels 0 to {last}; got {channel}.")


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))

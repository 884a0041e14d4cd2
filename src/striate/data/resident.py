"""Training images on a GPU: copied there once where they fit, and shifted, mirrored, cut and normalised there.

Order, shifts, mirrors and colours are those of `data.batches`, drawn by the processor for a whole epoch; the inputs
are the same to the bit, but for how a device rounds a product and a sum.
"""

from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64, Num, Shaped
from torch import Tensor

from striate.data.ahead import ahead
from striate.data.augment import corners
from striate.data.batches import Batch, Batches, Chances, cut_out
from striate.data.packing.stream import PackedPixels, gather
from striate.pixels.preparation import Preparation

SHARE = 0.5
"""Of a device's free memory that the images may take; the rest is for the network and its maps."""
PIECE = 4096
"""Images copied at once."""


@runtime_checkable
class Epochs(Protocol):
    """What gives batches epoch by epoch, each with `inputs` and `labels`."""

    @property
    def count(self) -> int: ...
    @property
    def images(self) -> int: ...
    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]: ...


def on_device(batches: Epochs, device: torch.device, *, free: int | None = None) -> Epochs:
    """The same batches on a device: made there where the images fit into a share of its memory, else carried there.

    `free` are the bytes to take a share of; None asks the device. On the processor batches stay as they are.
    """
    if device.type == "cpu":
        return batches
    if isinstance(batches, Batches):
        needed = len(batches.rows) * batches.pixels.dtype.itemsize * int(np.prod(batches.pixels.shape[1:]))
        if needed <= SHARE * (free_memory(device) if free is None else free):
            return ResidentBatches(batches, device)
    return CarriedBatches(batches, device)


def free_memory(device: torch.device) -> int:
    """Bytes of a device that nobody has taken."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return 0


class ResidentBatches:
    """Batches whose images lie on a device; `epoch` gives what `batches` would give, made there.

    >>> grey = Preparation(height=8, width=8, channels=1, depth="uint8")
    >>> batches = Batches(np.zeros((100, 8, 8, 1), np.uint8), np.arange(100), np.arange(100) % 10, grey,
    ...                   batch_size=32, seed=0, translation=1)
    >>> batch = next(ResidentBatches(batches, torch.device("cpu")).epoch(0))
    >>> tuple(batch.inputs.shape), batch.inputs.dtype
    ((25, 1, 8, 8), torch.float32)
    """

    def __init__(self, batches: Batches, device: torch.device) -> None:
        self.count, self.images = batches.count, batches.images
        self._batches, self._device = batches, device
        self._pixels = copied(batches.pixels, batches.rows, device)
        self._labels = torch.from_numpy(batches.labels).to(device)
        self._scale, self._offset = batches.preparation.affine()

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from batch number `start` on; what is random about it is copied once."""
        batches = self._batches
        chances = batches.chances(epoch)
        order = torch.from_numpy(chances.order).to(self._device)
        tops, lefts, mirrored = self._places(chances)
        above, beside = (torch.from_numpy(first).to(self._device) for first in chances.holes)
        scale, offsets = torch.from_numpy(self._scale).to(self._device), self._offsets(chances)
        for index, part in enumerate(batches.parts(start), start):
            some = slice(int(part[0]), int(part[-1]) + 1)
            pixels = self._windows(order[some], tops[some], lefts[some], mirrored[some])
            values = levels(pixels, batches.preparation) * scale
            values += offsets if chances.shifts is None else offsets[some, None, None]
            inputs = values.permute(0, 3, 1, 2)
            if batches.cutout:
                cut_out(inputs, above[some], beside[some], batches.cutout)
            yield Batch(index, batches.rows[chances.order[part]], inputs, self._labels[order[some]])

    def _places(
        self, chances: Chances
    ) -> tuple[Int64[Tensor, " sample"], Int64[Tensor, " sample"], Bool[Tensor, " sample"]]:
        """The first row and column of each sample's window, below 0 where the border is repeated; whether mirrored."""
        batches = self._batches
        size, shift = (self._pixels.shape[1], self._pixels.shape[2]), batches.translation
        tops, lefts = corners(chances.draws, size, translation=shift, patch=batches.preparation.patch)
        mirrored = chances.draws.reflected() & bool(batches.reflection)
        words = (tops - shift, lefts - shift, mirrored)
        tops, lefts, mirrored = (torch.from_numpy(word).to(self._device) for word in words)
        return tops, lefts, mirrored

    def _offsets(self, chances: Chances) -> Float32[Tensor, "..."]:
        """What is added to scaled pixels: a row for each sample where colours are random, else one for all."""
        offset = self._offset
        if chances.shifts is not None:
            offset = (offset + self._scale * chances.shifts).astype(np.float32)
        return torch.from_numpy(offset).to(self._device)

    def _windows(
        self,
        samples: Int64[Tensor, " batch"],
        tops: Int64[Tensor, " batch"],
        lefts: Int64[Tensor, " batch"],
        mirrored: Bool[Tensor, " batch"],
    ) -> Num[Tensor, "batch rows columns channel"]:
        """Each sample's window, gathered in one pass: which row and column of its picture every pixel is."""
        _, height, width, _ = self._pixels.shape
        _, rows, columns = self._batches.preparation.input_shape()
        down = tops[:, None] + torch.arange(rows, device=self._device)
        across = torch.arange(columns, device=self._device)
        across = lefts[:, None] + torch.where(mirrored[:, None], columns - 1 - across, across)
        down, across = down.clamp(0, height - 1), across.clamp(0, width - 1)
        return self._pixels[samples[:, None, None], down[:, :, None], across[:, None, :]]


def copied(
    pixels: PackedPixels, rows: Shaped[np.ndarray, " row"], device: torch.device
) -> Num[Tensor, "row height width channel"]:
    """Rows of a pack on a device, some at a time; 16 bits without a sign lie there as if they had one.

    Few devices compute with uint16: `levels` gives the values back.
    """
    kind = np.dtype(np.int16) if pixels.dtype == np.uint16 else pixels.dtype
    held = torch.empty(
        (len(rows), *pixels.shape[1:]), dtype=torch.from_numpy(np.empty(0, kind)).dtype, device=device
    )
    starts = range(0, len(rows), PIECE)
    for start, block in zip(starts, gather(pixels, (rows[at : at + PIECE] for at in starts)), strict=True):
        held[start : start + len(block)] = torch.from_numpy(np.ascontiguousarray(block).view(kind))
    return held


def levels(
    pixels: Num[Tensor, "batch rows columns channel"], preparation: Preparation
) -> Float32[Tensor, "batch rows columns channel"]:
    """Pixels that `copied` holds as the numbers that they are."""
    if preparation.depth == "uint16":
        pixels = pixels.to(torch.int32) & 0xFFFF
    return pixels.to(torch.float32)


class CarriedBatches:
    """Batches made by the processor one ahead, in a thread, and carried to a device without waiting for it."""

    def __init__(self, batches: Epochs, device: torch.device) -> None:
        self.count, self.images = batches.count, batches.images
        self._batches, self._device = batches, device

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """The batches of an epoch, from batch number `start` on."""
        for batch in ahead(self._at_hand(epoch, start)):
            inputs, labels = (
                tensor.to(self._device, non_blocking=True) for tensor in (batch.inputs, batch.labels)
            )
            yield replace(batch, inputs=inputs, labels=labels)

    def _at_hand(self, epoch: int, start: int) -> Generator[Any]:
        """Batches in memory that a GPU can fetch by itself: pinned, where it is one that can."""
        for batch in self._batches.epoch(epoch, start):
            if self._device.type != "cuda":
                yield batch
            else:
                yield replace(batch, inputs=batch.inputs.pin_memory(), labels=batch.labels.pin_memory())

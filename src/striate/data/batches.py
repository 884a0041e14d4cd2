"""Batches as tensors: gathered from the pack, augmented whole, normalised, channels-last."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int, Int64, Shaped

from striate.data.augment import (
    ORDER,
    SAMPLING,
    Draws,
    augment,
    colour_shifts,
    draw,
    holes,
    random_words,
    scaled,
    windows,
)
from striate.data.packing.stream import PackedPixels, gather
from striate.data.views import centre_of
from striate.errors import UsageError
from striate.pixels.preparation import Preparation

Balance = Literal["none", "sampling"]
Reflection = bool | Literal["alternating"]


@dataclass(frozen=True, eq=False)
class Batch:
    """One batch: its number in the epoch, the pack's rows in it, the network's input and the labels.

    `inputs` is float32, normalised, in channels-last memory.
    """

    index: int
    rows: Int[np.ndarray, " row"]
    inputs: Float32[torch.Tensor, "batch channel height width"]
    labels: Int64[torch.Tensor, " row"]


@dataclass(frozen=True, eq=False)
class Chances:
    """All that is random about an epoch, a row for each image in the order in which they are shown.

    `order` are indices into the training rows; `shifts` are added to whole images, in pixel values; `holes` are the
    first row and column of what is cut out of each input.
    """

    order: Int[np.ndarray, " sample"]
    draws: Draws
    shifts: Float64[np.ndarray, "sample channel"] | None
    holes: tuple[Int[np.ndarray, " sample"], Int[np.ndarray, " sample"]]


class Batches:
    """The training batches of every epoch, each epoch a pure function of (seed, epoch).

    >>> grey = Preparation(height=8, width=8, channels=1, depth="uint8")
    >>> batches = Batches(np.zeros((100, 8, 8, 1), np.uint8), np.arange(100), np.arange(100) % 10, grey,
    ...                   batch_size=32, seed=0, translation=1)
    >>> [tuple(batch.inputs.shape) for batch in batches.epoch(0)]
    [(25, 1, 8, 8), (25, 1, 8, 8), (25, 1, 8, 8), (25, 1, 8, 8)]

    `pixels` is a pack's, an array or a stream, which give the same batches; `rows` are those to train on, `labels`
    theirs. An epoch is split evenly, so that no small batch closes it. `balance` "none" takes every image once;
    "sampling" draws as many with replacement, each class with equal chance. `translation` in pixels; `reflection`
    mirrors at random, or "alternating" each image in every second epoch; `cutout` is the side of a square that is
    set to the mean; a patch in the preparation is cut at random. `colour_steps` is the deviation of random colours
    added to whole images, along an axis a column, in the pixels' own values; nothing is clipped.
    """

    def __init__(
        self,
        pixels: PackedPixels,
        rows: Int[np.ndarray, " row"],
        labels: Int[np.ndarray, " row"],
        preparation: Preparation,
        *,
        batch_size: int,
        seed: int,
        translation: int = 0,
        reflection: Reflection = False,
        cutout: int = 0,
        balance: Balance = "none",
        colour_steps: Float64[np.ndarray, "channel component"] | None = None,
    ) -> None:
        if batch_size < 1 or min(translation, cutout) < 0:
            raise UsageError(
                f"batch_size {batch_size} must be above 0, translation {translation} and cutout {cutout} not below"
            )
        self.pixels, self.rows, self.preparation = pixels, rows, preparation
        self.labels = labels.astype(np.int64)
        self.translation, self.reflection, self.cutout = translation, reflection, cutout
        self._batch_size, self._seed, self._balance = batch_size, seed, balance
        self._colour_steps = colour_steps

    @property
    def count(self) -> int:
        """How many batches an epoch has."""
        return -(-len(self.rows) // self._batch_size)

    @property
    def images(self) -> int:
        """How many images an epoch has."""
        return len(self.rows)

    def order(self, epoch: int) -> Int[np.ndarray, " row"]:
        """The samples of an epoch in their order, as indices into `rows`."""
        count = len(self.rows)
        if self._balance == "none":
            return np.argsort(random_words(self._seed, epoch, ORDER, count)[:, 0], kind="stable")
        words = random_words(self._seed, epoch, SAMPLING, count)
        by_class = np.argsort(self.labels, kind="stable")
        _, starts, sizes = np.unique(self.labels[by_class], return_index=True, return_counts=True)
        chosen = scaled(words[:, 0], len(sizes))
        return by_class[starts[chosen] + scaled(words[:, 1], sizes[chosen])]

    def parts(self, start: int = 0) -> list[Int[np.ndarray, " row"]]:
        """Which positions of an epoch's order each batch takes, from batch number `start` on: an even split."""
        return np.array_split(np.arange(len(self.rows)), max(1, self.count))[start:]

    def chances(self, epoch: int) -> Chances:
        """All that is random about an epoch."""
        order, count = self.order(epoch), len(self.rows)
        draws = draw(self._seed, epoch, count, alternating=self.reflection == "alternating")
        steps = self._colour_steps
        shifts = None if steps is None else colour_shifts(self._seed, epoch, count, steps)
        # Sampled with replacement, an image that comes twice shall not come twice the same.
        drawn = order if self._balance == "none" else np.arange(count)
        draws = draws.take(drawn)
        _, height, width = self.preparation.input_shape()
        cut = holes(draws, (height, width), self.cutout)
        return Chances(order, draws, None if shifts is None else shifts[drawn], cut)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from batch number `start` on."""
        chances, parts = self.chances(epoch), self.parts(start)
        pictures = gather(self.pixels, (self.rows[chances.order[part]] for part in parts))
        for index, (part, images) in enumerate(zip(parts, pictures, strict=True), start):
            samples = chances.order[part]
            pixels = augment(
                images,
                chances.draws.take(part),
                translation=self.translation,
                reflection=bool(self.reflection),
                patch=self.preparation.patch,
            )
            shifts = None if chances.shifts is None else chances.shifts[part]
            inputs = to_input(pixels, self.preparation, shifts=shifts)
            if self.cutout:
                tops, lefts = (torch.from_numpy(first[part]) for first in chances.holes)
                cut_out(inputs, tops, lefts, self.cutout)
            yield Batch(index, self.rows[samples], inputs, torch.from_numpy(self.labels[samples]))


def cut_out(
    inputs: Float32[torch.Tensor, "batch channel height width"],
    tops: Int64[torch.Tensor, " batch"],
    lefts: Int64[torch.Tensor, " batch"],
    side: int,
) -> None:
    """Set a square of each input to 0, the mean of normalised images, in place; what is beyond the border is not cut.

    >>> inputs = torch.ones(1, 1, 3, 4)
    >>> cut_out(inputs, torch.tensor([-1]), torch.tensor([1]), 2)
    >>> inputs[0, 0].tolist()
    [[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]
    """
    below = torch.arange(inputs.shape[2], device=inputs.device) - tops[:, None]
    right = torch.arange(inputs.shape[3], device=inputs.device) - lefts[:, None]
    rows, columns = (below >= 0) & (below < side), (right >= 0) & (right < side)
    inputs.masked_fill_((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)


def to_input(
    pixels: Shaped[np.ndarray, "image height width channel"],
    preparation: Preparation,
    *,
    batch_size: int | None = None,
    shifts: Float64[np.ndarray, "image channel"] | None = None,
) -> Float32[torch.Tensor, "batch channel input_height input_width"]:
    """Prepared pixels as the network's input: the only normalisation there is, in training and in prediction.

    >>> grey = Preparation(height=1, width=2, channels=1, depth="uint8", mean=(0.5,), std=(0.25,))
    >>> to_input(np.array([[[[0], [255]]]], np.uint8), grey)
    tensor([[[[-2.,  2.]]]])

    Pixels of the packed size lose all but the centre when the preparation has a patch; those of the patch's
    size are taken as they are. With `batch_size` the batch is filled up to it by copies of the last image.
    `shifts`, in pixel values, are added to whole images, and may lead out of what the depth can hold.
    """
    pixels = _centre_patch(pixels, preparation)
    count, height, width, channels = pixels.shape
    scale, offset = preparation.affine()
    if shifts is not None:
        offset = (offset + scale * shifts).astype(np.float32)
    values = torch.empty((max(count, batch_size or 0), height, width * channels))
    # One long row at a time: an innermost loop over three channels alone would be several times slower. By torch, whose
    # threads share the work; first the product, then the sum, each rounded, so that the bits are the same everywhere.
    own = pixels if pixels.flags.writeable else pixels.copy()
    filled = values[:count].copy_(torch.from_numpy(own.reshape(count, height, -1)))
    filled.mul_(torch.from_numpy(np.tile(scale, width)))
    filled.add_(torch.from_numpy(np.tile(np.atleast_2d(offset), width)[:, None]))
    values[count:] = values[count - 1]
    return values.view(-1, height, width, channels).permute(0, 3, 1, 2)


def _centre_patch(
    pixels: Shaped[np.ndarray, "image height width channel"], preparation: Preparation
) -> Shaped[np.ndarray, "image patch_height patch_width channel"]:
    if preparation.patch is None or pixels.shape[1:3] == preparation.patch:
        return pixels
    rows, columns = preparation.patch
    (top, left, _), count = centre_of(preparation), len(pixels)
    return windows(pixels, np.full(count, top), np.full(count, left), rows, columns)

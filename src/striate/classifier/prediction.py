"""From pictures to probabilities: the one forward pass behind fit, predict, evaluate, report and the command line."""

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int, Shaped
from torch import Tensor

from striate.data.batches import to_input
from striate.data.packing.stream import PackedPixels, gather
from striate.data.views import Views, seen, views_of
from striate.models import Network, summarize
from striate.pixels import Preparation

LARGEST_BATCH = 128
WORK = 4e9
"""Multiply-adds that one prediction batch may cost, so that one picture alone need not wait for many."""


@dataclass(frozen=True)
class Answer:
    """What the network says of one picture, or why it cannot say anything."""

    source: str
    label: str | None = None
    probability: float | None = None
    probabilities: dict[str, float] | None = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """`{source, class, probability, probabilities}` or `{source, error}`, ready for JSON."""
        if self.error is not None:
            return {"source": self.source, "error": self.error}
        return {
            "source": self.source,
            "class": self.label,
            "probability": self.probability,
            "probabilities": self.probabilities,
        }


class Predictor:
    """A network and its preparation, answering in batches of one fixed shape.

    How a matrix product is summed may depend on the size of the batch. Every batch here has the same number of
    rows, the last one filled up, so a picture gets the same bits alone, among a thousand, or in `evaluate`.

    With `views` "flip" or "ten" a picture's probabilities are the mean of those of its views (`striate.data.views`),
    as Krizhevsky et al. 2012, section 4.1, average what the softmax layer says. Raises UsageError for ten views
    without a patch smaller than the pictures.
    """

    def __init__(
        self, network: Network, preparation: Preparation, classes: tuple[str, ...], *, views: Views = "one"
    ) -> None:
        self.network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.preparation = preparation
        self.classes = classes
        self.views = views_of(preparation, views)

    @functools.cached_property
    def batch_size(self) -> int:
        """Rows of a batch: a power of two that keeps one batch within `WORK` multiply-adds."""
        work = summarize(self.network, self.preparation.input_shape()).multiply_adds
        affordable = max(1.0, WORK / max(work, 1))
        return min(LARGEST_BATCH, 2 ** int(np.log2(affordable)))

    def logits(
        self, pixels: Shaped[np.ndarray, "images height width channels"]
    ) -> Float32[np.ndarray, "images classes"]:
        """What the network says of prepared pictures, one view each, before softmax: the centre patch, or as cut."""
        parts = self.outputs(pixels, self.network)
        return np.concatenate(parts) if parts else np.zeros((0, len(self.classes)), np.float32)

    def outputs(
        self, pixels: Shaped[np.ndarray, "images height width channels"], part: Callable[[Tensor], Tensor]
    ) -> list[Float32[np.ndarray, "batch ..."]]:
        """What a part of the network makes of prepared pictures, a batch at a time."""
        was_training = self.network.training
        self.network.eval()
        made = []
        with torch.inference_mode():
            for start in range(0, len(pixels), self.batch_size):
                some = pixels[start : start + self.batch_size]
                inputs = to_input(some, self.preparation, batch_size=self.batch_size)
                made.append(part(inputs)[: len(some)].numpy())
        self.network.train(was_training)
        return made

    def probabilities(
        self, pixels: Shaped[np.ndarray, "images height width channels"]
    ) -> Float64[np.ndarray, "images classes"]:
        """Probability of every class for prepared pictures, the mean over their views."""
        if len(self.views) == 1:
            return softmax(self.logits(pixels))
        starts = range(0, len(pixels), self.batch_size)
        blocks = (self.viewed(pixels[at : at + self.batch_size]) for at in starts)
        parts = [self.over_views(softmax(self.logits(block))) for block in blocks]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.classes)))

    def viewed(
        self, pixels: Shaped[np.ndarray, "images height width channels"]
    ) -> Shaped[np.ndarray, "views rows columns channels"]:
        """Every view of every picture, those of a picture side by side."""
        if len(self.views) == 1:
            return pixels
        _, rows, columns = self.preparation.input_shape()
        patches = seen(pixels, self.views, rows, columns)
        return patches.reshape(-1, *patches.shape[2:])

    def over_views(
        self, every: Float64[np.ndarray, "views classes"]
    ) -> Float64[np.ndarray, "images classes"]:
        """The mean over the views of each picture, as `viewed` orders them."""
        by_view = every.reshape(-1, len(self.views), every.shape[1]).swapaxes(0, 1)
        return functools.reduce(np.add, by_view) / len(self.views)  # in one order, however many pictures

    def of_rows(
        self, packed: PackedPixels, rows: Int[np.ndarray, " images"]
    ) -> Float64[np.ndarray, "images classes"]:
        """Probabilities of some rows of a pack, read a batch at a time."""
        starts = range(0, len(rows), self.batch_size)
        blocks = gather(packed, [rows[at : at + self.batch_size] for at in starts])
        parts = [self.probabilities(block) for block in blocks]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.classes)))

    def answers(self, pictures: Iterable[tuple[str, np.ndarray | str]]) -> Iterator[Answer]:
        """Answers in the order of the pictures; a picture that is a sentence is one that could not be read.

        At most one batch of pictures is held at a time.
        """
        waiting: list[tuple[str, np.ndarray | str]] = []
        for picture in pictures:
            waiting.append(picture)
            if len(waiting) == self.batch_size:
                yield from self._answer(waiting)
                waiting = []
        yield from self._answer(waiting)

    def _answer(self, pictures: list[tuple[str, np.ndarray | str]]) -> Iterator[Answer]:
        readable = [pixels for _, pixels in pictures if not isinstance(pixels, str)]
        rows = iter(self.probabilities(np.stack(readable)) if readable else ())
        for source, pixels in pictures:
            if isinstance(pixels, str):
                yield Answer(source, error=pixels)
            else:
                yield self._named(source, next(rows))

    def _named(self, source: str, row: Float64[np.ndarray, " classes"]) -> Answer:
        best = int(row.argmax())
        named = dict(zip(self.classes, map(float, row), strict=True))
        return Answer(source, self.classes[best], float(row[best]), named)


def softmax(logits: Float32[np.ndarray, "images classes"]) -> Float64[np.ndarray, "images classes"]:
    """Logits as probabilities, in double precision.

    >>> softmax(np.array([[0.0, 0.0], [1.0, -1.0]], np.float32)).round(4).tolist()
    [[0.5, 0.5], [0.8808, 0.1192]]
    """
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    return powers / powers.sum(axis=1, keepdims=True)

"""From pictures to probabilities: the one forward pass behind fit, predict, evaluate, report and the command line."""

import copy
import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int, Shaped
from torch import Tensor

from striate.classifier.answer import Answer, answer_of
from striate.classifier.decisions.sureness import Gate
from striate.data.batches import to_input
from striate.data.packing.stream import PackedPixels, gather
from striate.data.views import Views, seen, views_of
from striate.evaluation.decisions.abstention import energy_sureness
from striate.evaluation.decisions.calibration import Calibration, logits_of
from striate.evaluation.decisions.decision import Decision
from striate.models import Network, summarize
from striate.pixels import Preparation
from striate.training.device import device_of, reproducible

LARGEST_BATCH, LARGEST_ON_GPU = 128, 1024
WORK, WORK_ON_GPU = 4e9, 1e12
"""Multiply-adds that one prediction batch may cost, so that one picture alone need not wait for many."""


@dataclass(frozen=True, eq=False)
class Said:
    """What the network says of pictures, before and after calibration.

    `logits` are those of the network, or with several views the logarithms of the views' mean probabilities; `plain`
    their softmax; `energy` the logarithm of the logits' summed exponentials (minus the energy), the mean over views.
    """

    logits: Float[np.ndarray, "images classes"]
    plain: Float64[np.ndarray, "images classes"]
    probabilities: Float64[np.ndarray, "images classes"]
    energy: Float64[np.ndarray, " images"]

    @classmethod
    def joined(cls, parts: Sequence["Said"]) -> "Said":
        """What was said of the pictures of several batches, in order; at least one batch, which may be empty."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))


class Predictor:
    """A network and its preparation, answering in batches of one fixed shape.

    How a matrix product is summed may depend on the size of the batch. Every batch here has the same number of
    rows, the last one filled up, so a picture gets the same bits alone, among a thousand, or in `evaluate`.

    `calibration` mends the probabilities; `decision` is what answers go by beyond the highest probability, with the
    `gate` that says how sure a picture is where that takes the training images.

    With `views` "flip" or "ten" a picture's probabilities are the mean of those of its views (`striate.data.views`),
    as Krizhevsky et al. 2012, section 4.1, average what the softmax layer says. Raises UsageError for ten views
    without a patch smaller than the pictures.

    `device` is what the network answers on; None is where it is. On another device than the network's a copy
    answers, so that explanations find the network where it was. Whatever it was trained in, it answers in float32.
    """

    def __init__(
        self,
        network: Network,
        preparation: Preparation,
        classes: tuple[str, ...],
        *,
        views: Views = "one",
        calibration: Calibration | None = None,
        decision: Decision | None = None,
        gate: Gate | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.preparation = preparation
        self.classes = classes
        self.views = views_of(preparation, views)
        self.calibration, self.decision, self.gate = calibration, decision, gate
        self._device = device

    @property
    def device(self) -> torch.device:
        """What the network answers on."""
        return self._device or device_of(self.network)

    @functools.cached_property
    def answering(self) -> Network:
        """The network on the device that it answers on: itself, or a copy that is made once."""
        here = self.device == device_of(self.network)
        return self.network if here else copy.deepcopy(self.network).to(self.device)

    @functools.cached_property
    def batch_size(self) -> int:
        """Rows of a batch: a power of two that keeps one batch within `WORK` multiply-adds."""
        on_gpu = self.device.type in ("cuda", "mps")
        most, largest = (WORK_ON_GPU, LARGEST_ON_GPU) if on_gpu else (WORK, LARGEST_BATCH)
        work = summarize(self.network, self.preparation.input_shape()).multiply_adds
        affordable = max(1.0, most / max(work, 1))
        return min(largest, 2 ** int(np.log2(affordable)))

    def logits(
        self, pixels: Shaped[np.ndarray, "images height width channels"]
    ) -> Float32[np.ndarray, "images classes"]:
        """What the network says of prepared pictures, one view each, before softmax: the centre patch, or as cut."""
        parts = self.outputs(pixels, lambda network, inputs: network(inputs))
        return np.concatenate(parts) if parts else np.zeros((0, len(self.classes)), np.float32)

    def outputs(
        self,
        pixels: Shaped[np.ndarray, "images height width channels"],
        part: Callable[[Network, Tensor], Tensor],
    ) -> list[Float32[np.ndarray, "batch ..."]]:
        """What a part of the network makes of prepared pictures, a batch at a time."""
        network, device = self.answering, self.device
        was_training = network.training
        network.eval()
        made = []
        with torch.inference_mode(), reproducible(device):
            for start in range(0, len(pixels), self.batch_size):
                some = pixels[start : start + self.batch_size]
                inputs = to_input(some, self.preparation, batch_size=self.batch_size).to(device)
                made.append(part(network, inputs)[: len(some)].float().cpu().numpy())
        network.train(was_training)
        return made

    def probabilities(
        self, pixels: Shaped[np.ndarray, "images height width channels"]
    ) -> Float64[np.ndarray, "images classes"]:
        """Calibrated probability of every class for prepared pictures, the mean over their views."""
        return self.says(pixels).probabilities

    def says(self, pixels: Shaped[np.ndarray, "images height width channels"]) -> Said:
        """What the network says of prepared pictures."""
        if len(self.views) == 1:
            logits = self.logits(pixels)
            plain, energy = softmax(logits), energy_sureness(logits)
        else:
            starts = range(0, len(pixels), self.batch_size)
            blocks = [self.logits(self.viewed(pixels[at : at + self.batch_size])) for at in starts]
            none = np.zeros((0, len(self.classes)), np.float32)
            parts = [self.over_views(softmax(block)) for block in blocks or [none]]
            energies = [self.over_views(energy_sureness(block)[:, None]) for block in blocks or [none]]
            plain, energy = np.concatenate(parts), np.concatenate(energies)[:, 0]
            logits = logits_of(plain)
        calibrated = plain if self.calibration is None else self.calibration.apply(logits)
        return Said(logits, plain, calibrated, energy)

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
        """Calibrated probabilities of some rows of a pack."""
        return self.says_of_rows(packed, rows).probabilities

    def says_of_rows(self, packed: PackedPixels, rows: Int[np.ndarray, " images"]) -> Said:
        """What the network says of some rows of a pack, read a batch at a time."""
        starts = range(0, len(rows), self.batch_size)
        blocks = gather(packed, [rows[at : at + self.batch_size] for at in starts])
        parts = [self.says(block) for block in blocks]
        return Said.joined([self.nothing(), *parts])

    def nothing(self) -> Said:
        """What is said of no picture."""
        none = np.zeros((0, len(self.classes)))
        return Said(none, none, none, none[:, 0])

    def answers(
        self, pictures: Iterable[tuple[str, np.ndarray | str]], *, digests: bool = False
    ) -> Iterator[Answer]:
        """Answers in the order of the pictures; a picture that is a sentence is one that could not be read.

        At most one batch of pictures is held at a time.
        """
        waiting: list[tuple[str, np.ndarray | str]] = []
        for picture in pictures:
            waiting.append(picture)
            if len(waiting) == self.batch_size:
                yield from self._answer(waiting, digests)
                waiting = []
        yield from self._answer(waiting, digests)

    def _answer(self, pictures: list[tuple[str, np.ndarray | str]], digests: bool) -> Iterator[Answer]:
        readable = [pixels for _, pixels in pictures if not isinstance(pixels, str)]
        rows = self._rows(np.stack(readable)) if readable else iter(())
        for source, pixels in pictures:
            if isinstance(pixels, str):
                yield Answer(source, error=pixels)
            else:
                answer = answer_of(source, self.classes, *next(rows), self.decision)
                yield replace(answer, digest=self.digest(pixels)) if digests else answer

    def digest(self, pixels: Shaped[np.ndarray, "height width channels"]) -> str:
        """SHA-256 of what the network is given of a prepared picture: float32, channel by channel, row by row."""
        values = np.ascontiguousarray(to_input(pixels[None], self.preparation)[0].numpy())
        return hashlib.sha256(values.astype("<f4").tobytes()).hexdigest()

    def _rows(
        self, pixels: Shaped[np.ndarray, "images height width channels"]
    ) -> Iterator[tuple[Float64[np.ndarray, " classes"], float | None]]:
        """The probabilities of each picture, and how sure it is where the decision asks for that."""
        said = self.says(pixels)
        sureness: list[float | None] = [None] * len(pixels)
        if self.decision and self.decision.by == "image" and self.decision.abstention:
            sureness = self.sureness(self.decision.abstention.score, pixels, said).tolist()
        return zip(said.probabilities, sureness, strict=True)

    def sureness(
        self, score: str, pixels: Shaped[np.ndarray, "images height width channels"], said: Said
    ) -> Float64[np.ndarray, " images"]:
        """How sure pictures are by one of `SCORES`: the larger, the surer."""
        if score == "probability":
            return said.probabilities.max(axis=1)
        if score == "energy":
            return said.energy
        assert self.gate is not None, "a decision by distances comes with its gate"
        return self.gate.sureness(self, pixels)


def softmax(logits: Float32[np.ndarray, "images classes"]) -> Float64[np.ndarray, "images classes"]:
    """Logits as probabilities, in double precision.

    >>> softmax(np.array([[0.0, 0.0], [1.0, -1.0]], np.float32)).round(4).tolist()
    [[0.5, 0.5], [0.8808, 0.1192]]
    """
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    return powers / powers.sum(axis=1, keepdims=True)

"""Feature extraction: frozen stages are run once over the images, and the rest is trained on what they make of them.

The features lie in a file that has no name: it takes room on the disk, not in memory, and vanishes with the process
however that ends.
"""

import errno
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int, Int64, Shaped
from torch import Tensor, nn

from striate.classifier.material import Decoded, outcome_of
from striate.classifier.prediction import Predictor, softmax
from striate.data import Images
from striate.data.batches import Batches
from striate.data.packing.cache import cache_root
from striate.data.packing.stream import gather
from striate.errors import StriateError
from striate.files import explain
from striate.models import Network
from striate.training.device import chosen_device, device_of
from striate.training.events import Events, Outcome
from striate.training.material import Material
from striate.training.recipe import Recipe

Features = Float32[np.ndarray, "views ..."]
"""What the frozen stages made of images, one a row; maps are `row height width channel`."""
MAPS = 4
"""Axes of a batch of maps."""


@dataclass(frozen=True, eq=False)
class FeatureBatch:
    """One batch: its number in the epoch, the pack's rows in it, what the frozen stages made of them, the labels."""

    index: int
    rows: Int[np.ndarray, " row"]
    inputs: Float32[Tensor, "row ..."]
    labels: Int64[Tensor, " row"]


class FeatureBatches:
    """The batches that `batches` would give, with the features of each image in place of its pixels."""

    def __init__(self, batches: Batches, images: Images, features: Features) -> None:
        self._batches, self._rows, self._features = batches, images.rows, features
        self._labels = torch.from_numpy(images.labels.astype(np.int64))
        self.count, self.images = batches.count, batches.images

    def epoch(self, epoch: int, start: int = 0) -> Iterator[FeatureBatch]:
        """The batches of an epoch, from batch number `start` on."""
        order = self._batches.order(epoch)
        for index, part in enumerate(self._batches.parts(start), start):
            samples = order[part]
            inputs = as_input(self._features[samples])
            yield FeatureBatch(index, self._rows[samples], inputs, self._labels[samples])


def extracted(
    decoded: Decoded, network: Network, recipe: Recipe, whole: Material, events: Events
) -> tuple[Material, tuple[int, ...]]:
    """What to train the tail of a network on, and the shape of one input of it.

    `whole` is what the network itself would be trained on: the order of images, class weights and names are its.
    Raises StriateError where the disk has no room.
    """
    assert isinstance(whole.batches, Batches)
    images = decoded.images
    training, held = images.of_split("train"), images.of_split("validation")
    device = chosen_device(recipe)
    predictor = Predictor(network, decoded.preparation, images.classes, views=recipe.views, device=device)
    total = len(training) + len(held) * len(predictor.views)
    with Store(cache_root(), total) as store:
        for pixels in pictures(decoded, predictor, training, held):
            for part in predictor.outputs(pixels, lambda net, inputs: net.run_to(inputs, net.frozen[-1])):
                store.add(part)
                events.packing(store.filled, total)
        features = store.features()
    events.said(sentence(network.frozen, len(training), len(held), store.size))
    batches = FeatureBatches(whole.batches, training, features[: len(training)])
    validate = validator(predictor, held, features[len(training) :])
    return Material(batches, validate, whole.names, whole.class_weights), store.shape


def pictures(
    decoded: Decoded, predictor: Predictor, training: Images, held: Images
) -> Iterator[Shaped[np.ndarray, "views height width channel"]]:
    """The training images, then every view of the validation images, in blocks."""
    size = predictor.batch_size
    for images in (training, held):
        rows = [images.rows[at : at + size] for at in range(0, len(images), size)]
        found = gather(decoded.pack.pixels, rows)
        yield from found if images is training else map(predictor.viewed, found)


class Store:
    """A file without a name that takes features, some images after another, and gives them all as an array.

    >>> with Store(Path(tempfile.gettempdir()), count=3) as store:
    ...     store.add(np.zeros((2, 16, 4, 4), np.float32))
    ...     store.add(np.ones((1, 16, 4, 4), np.float32))
    ...     features = store.features()
    >>> features.shape, store.shape, store.size
    ((3, 4, 4, 16), (16, 4, 4), 3072)

    The array outlives the block; the disk's room is free again when it is gone.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count
        self.shape: tuple[int, ...] = ()
        """Of one image's features as the network gives them."""
        self.filled = 0
        self._resources = ExitStack()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self.count * math.prod(self.shape) * np.dtype(np.float32).itemsize

    def add(self, part: Float32[np.ndarray, "row ..."]) -> None:
        """Append the features of the next images; the first ones decide how much room is taken.

        Raises StriateError where there is none.
        """
        rows = np.ascontiguousarray(np.moveaxis(part, 1, -1) if part.ndim == MAPS else part)
        if not self.filled:
            self.shape = part.shape[1:]
        try:
            if not self.filled:
                self.folder.mkdir(parents=True, exist_ok=True)
                opened = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115 (closed on exit)
                self._file = self._resources.enter_context(opened)
                os.posix_fallocate(self._file.fileno(), 0, self.size)
            self._file.write(rows.data)
        except OSError as error:
            raise no_room(error, self.folder, self.size) from error
        self.filled += len(rows)

    def features(self) -> Features:
        """What was added, mapped into memory and read-only; maps with their channels last."""
        channels, *cells = self.shape
        shape = (*cells, channels) if len(self.shape) == MAPS - 1 else self.shape
        self._file.flush()
        return np.asarray(np.memmap(self._file, np.float32, "r", shape=(self.count, *shape)))


def as_input(features: Features) -> Float32[Tensor, "row ..."]:
    """Features as a network takes them, maps in channels-last memory.

    >>> tuple(as_input(np.zeros((2, 4, 4, 16), np.float32)).shape)
    (2, 16, 4, 4)
    """
    values = torch.from_numpy(features)
    return values.movedim(-1, 1) if values.ndim == MAPS else values


def validator(predictor: Predictor, images: Images, features: Features) -> Callable[[nn.Module], Outcome]:
    """A function that measures a network's tail on what the frozen stages made of the validation images.

    Batches are those of the predictor: the tail says what the whole network would say, bit for bit.
    """
    size = predictor.batch_size

    def validate(tail: nn.Module) -> Outcome:
        tail.eval()
        parts = []
        with torch.inference_mode():
            for start in range(0, len(features), size):
                part = features[start : start + size]
                # a last batch is filled up, as the predictor fills it
                rows = np.minimum(np.arange(size), len(part) - 1)
                inputs = as_input(part[rows]).to(device_of(tail))
                parts.append(tail(inputs)[: len(part)].float().cpu().numpy())
        return outcome_of(images, predictor.over_views(softmax(np.concatenate(parts))))

    return validate


def sentence(frozen: tuple[str, ...], training: int, held: int, size: int) -> str:
    """What is said of an extraction."""
    stages = frozen[0] if len(frozen) == 1 else f"{frozen[0]} to {frozen[-1]}"
    return (
        f"{stages}: run once over {training:,} training and {held:,} validation images; "
        f"the features take {size / 1e6:,.1f} MB of disk until training ends."
    )


def no_room(error: OSError, folder: Path, needed: int) -> StriateError:
    """Why features cannot be kept, in words for the person whose disk it is."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return explain(error, folder, needed)
    free = shutil.disk_usage(folder).free
    return StriateError(
        f"the disk is full: the features need {needed:,} bytes and {folder} has {free:,} free; make room, "
        "set STRIATE_CACHE to a folder on another disk, freeze further stages, or leave extract out"
    )

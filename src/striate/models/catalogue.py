"""The networks that striate knows by name."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from striate.errors import ModelError, suggestion
from striate.models import compact, lenet5, lenet5_1998, lesson, mlp
from striate.models.network import Network

_LARGEST_TRIED = 512
_LECUN = "LeCun, Bottou, Bengio & Haffner 1998, Gradient-based learning applied to document recognition"


@dataclass(frozen=True)
class Entry:
    """One network of the catalogue: how it is built, where it comes from, what it departs from.

    `default_input` is `(channels, height, width)`. `dropout` is the network's own probability of dropping a
    unit, None for a network that has no dropout. `learning_rate` is the peak rate for Adam and AdamW that suits
    it: batch normalisation bears a higher one. `departures` says, a sentence each, where the network is not
    the paper's.
    """

    name: str
    build: Callable[..., Network]
    summary: str
    paper: str
    default_input: tuple[int, int, int]
    default_classes: int = 10
    dropout: float | None = None
    learning_rate: float = 0.002
    departures: tuple[str, ...] = ()

    @cached_property
    def smallest(self) -> int:
        """The side of the smallest square image that the network takes, found by trying.

        >>> model_entry("compact").smallest
        8
        """
        sides = range(1, _LARGEST_TRIED + 1)
        return sides[bisect_left(sides, True, key=self._takes)]

    def arguments(self, dropout: float | None = None) -> dict[str, Any]:
        """The dropout for `build`, if the network has any: the one given, or the network's own."""
        if self.dropout is None:
            return {}
        return {"dropout": self.dropout if dropout is None else dropout}

    def _takes(self, side: int) -> bool:
        try:
            with torch.device("meta"):
                self.build(
                    classes=self.default_classes,
                    channels=self.default_input[0],
                    size=(side, side),
                    **self.arguments(),
                )
        except ModelError:
            return False
        return True


_ENTRIES = (
    Entry(
        name="compact",
        build=compact.compact,
        summary="striate's own small residual network, the default for images up to 64×64",
        paper="after He, Zhang, Ren & Sun 2016, Deep residual learning for image recognition",
        default_input=(1, 28, 28),
        dropout=0.0,
        learning_rate=0.01,
    ),
    Entry(
        name="lesson",
        build=lesson.lesson,
        summary="the closing project of many courses: four 3×3 convolutions, hidden layers of 512 and 128",
        paper="after Simonyan & Zisserman 2015, Very deep convolutional networks for large-scale recognition",
        default_input=(3, 32, 32),
        dropout=0.5,
    ),
    Entry(
        name="lenet5",
        build=lenet5.lenet5,
        summary="LeNet-5 as it is taught: average pooling, tanh, a linear output",
        paper=f"after {_LECUN}",
        default_input=(1, 28, 28),
        learning_rate=0.004,
        departures=lenet5.DEPARTURES,
    ),
    Entry(
        name="lenet5_1998",
        build=lenet5_1998.lenet5_1998,
        summary="LeNet-5 as published: connection table, trainable subsampling, radial basis output",
        paper=_LECUN,
        default_input=(1, 28, 28),
        departures=lenet5_1998.DEPARTURES,
    ),
    Entry(
        name="mlp",
        build=mlp.mlp,
        summary="the plain network that courses start from: two hidden layers of 512 on flattened pixels",
        paper="after Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors",
        default_input=(1, 28, 28),
        dropout=0.2,
    ),
)
_CATALOGUE = {entry.name: entry for entry in _ENTRIES}


def model_names() -> tuple[str, ...]:
    """Every name that `create_model` takes, the default first.

    >>> model_names()
    ('compact', 'lesson', 'lenet5', 'lenet5_1998', 'mlp')
    """
    return tuple(_CATALOGUE)


def model_entry(name: str) -> Entry:
    """What the catalogue knows of a network.

    >>> model_entry("lenet5").default_input
    (1, 28, 28)

    Raises ModelError for an unknown name, with the nearest known one.
    """
    if name not in _CATALOGUE:
        raise ModelError(f"There is no model {name!r}; {suggestion(name, _CATALOGUE)}")
    return _CATALOGUE[name]


def create_model(
    name: str,
    *,
    classes: int,
    channels: int | None = None,
    size: tuple[int, int] | None = None,
    dropout: float | None = None,
) -> Network:
    """Build a network of the catalogue with fresh weights.

    >>> network = create_model("lenet5", classes=62, size=(32, 32))
    >>> tuple(network(torch.zeros(2, 1, 32, 32)).shape)
    (2, 62)

    `channels` and `size`, which is (height, width) in pixels, default to the entry's `default_input`;
    `dropout` is a probability in [0, 1) and defaults to the network's own. First weights come from torch's
    default generator: seed it for the same ones. Raises ModelError for an unknown name, for a dropout that
    the network has no place for, and for images too small for it.
    """
    entry = model_entry(name)
    channels = entry.default_input[0] if channels is None else channels
    size = entry.default_input[1:] if size is None else size
    _check(entry, classes, channels, size, dropout)
    try:
        return entry.build(classes=classes, channels=channels, size=size, **entry.arguments(dropout))
    except ModelError as error:
        raise ModelError(
            f"{name} cannot be built for images of {size[0]} × {size[1]} pixels: {error};"
            f" the smallest square image it takes is {entry.smallest} × {entry.smallest}"
            f" (in training, --set size={entry.smallest} scales images to it)."
        ) from error


def _check(entry: Entry, classes: int, channels: int, size: tuple[int, int], dropout: float | None) -> None:
    if classes < 2:
        raise ModelError(f"A classifier needs at least 2 classes; got {classes}.")
    if channels < 1 or min(size) < 1:
        raise ModelError(
            f"Images need at least 1 channel and 1 × 1 pixels; got {channels} and {size[0]} × {size[1]}."
        )
    if dropout is None:
        return
    if entry.dropout is None:
        having = ", ".join(other.name for other in _ENTRIES if other.dropout is not None)
        raise ModelError(f"{entry.name} has no dropout; leave it out, or take a model that has: {having}.")
    if not 0 <= dropout < 1:
        raise ModelError(f"Dropout is a probability from 0 up to, not including, 1; got {dropout}.")

"""What the catalogue knows of one network."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from striate.errors import ModelError
from striate.models.network import Network

_LARGEST_TRIED = 512


@dataclass(frozen=True)
class Entry:
    """One network of the catalogue: how it is built, where it comes from, what it departs from.

    `default_input` is `(channels, height, width)`. `dropout` is the network's own probability of dropping a
    unit, None for a network that has no dropout; `width` likewise the multiple of its maps that it is built with,
    None for a network of one width. `learning_rate` is the peak rate for Adam and AdamW that suits it: batch
    normalisation bears a higher one; `optimiser` is what suits it where the recipe leaves that open.
    `departures` says, a sentence each, where the network is not the paper's; `disagreements`, where
    the paper disagrees with itself or with practice, and what is computed here.
    """

    name: str
    build: Callable[..., Network]
    summary: str
    paper: str
    default_input: tuple[int, int, int]
    default_classes: int = 10
    dropout: float | None = None
    width: float | None = None
    learning_rate: float = 0.002
    optimiser: str = "adamw"
    departures: tuple[str, ...] = ()
    disagreements: tuple[str, ...] = ()

    @cached_property
    def smallest(self) -> int:
        """The side of the smallest square image that the network takes, found by trying.

        >>> from striate.models.catalogue import model_entry
        >>> model_entry("compact").smallest
        8
        """
        sides = range(1, _LARGEST_TRIED + 1)
        return sides[bisect_left(sides, True, key=self._takes)]

    def arguments(self, dropout: float | None = None, width: float | None = None) -> dict[str, Any]:
        """Dropout and width for `build`, if the network has them: those given, or the network's own."""
        own = {"dropout": (dropout, self.dropout), "width": (width, self.width)}
        return {
            name: default if given is None else given
            for name, (given, default) in own.items()
            if default is not None
        }

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

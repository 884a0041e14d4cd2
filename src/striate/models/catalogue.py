"""The networks that striate knows by name."""

from contextlib import AbstractContextManager, nullcontext

import torch

from striate.errors import ModelError, suggestion
from striate.models.changes import Changes, change
from striate.models.entries import ENTRIES
from striate.models.entry import Entry
from striate.models.network import Network
from striate.models.own import OWN, OWN_ENTRY
from striate.models.zoo import ZOO, zoo_entry

AS_IT_IS = Changes()
WIDEST = 32
_CATALOGUE = {entry.name: entry for entry in ENTRIES}


def model_names() -> tuple[str, ...]:
    """Every name that `create_model` takes, the default first.

    >>> model_names()[:5]
    ('compact', 'lesson', 'lenet5', 'lenet5_1998', 'mlp')
    """
    return tuple(_CATALOGUE)


def model_entry(name: str) -> Entry:
    """What the catalogue knows of a network.

    >>> model_entry("lenet5").default_input
    (1, 28, 28)

    `timm:NAME` is a network of timm. Raises ModelError for an unknown name, with the nearest known one; StriateError
    for timm's where timm is not installed.
    """
    if name.startswith(ZOO):
        return zoo_entry(name)
    if name == OWN:
        return OWN_ENTRY
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
    changes: Changes = AS_IT_IS,
    weights: bool = True,
) -> Network:
    """Build a network of the catalogue with fresh weights.

    >>> network = create_model("lenet5", classes=62, size=(32, 32))
    >>> tuple(network(torch.zeros(2, 1, 32, 32)).shape)
    (2, 62)

    `channels` and `size`, which is (height, width) in pixels, default to the entry's `default_input`;
    `dropout` is a probability in [0, 1) and defaults to the network's own; `changes` are what is to differ from
    the network as its file has it, such as its head. Without `weights` the network has
    shapes but no memory: enough to be summarised, or filled by `load_state_dict(…, assign=True)`. First weights
    come from torch's default generator: seed it for the same ones. Raises ModelError for an unknown name, for a
    dropout that the network has no place for, and for images too small for it.
    """
    entry = model_entry(name)
    channels = entry.default_input[0] if channels is None else channels
    size = entry.default_input[1:] if size is None else size
    _check(entry, classes, channels, size, dropout if changes.head == "own" else None)
    _check_width(entry, changes.width)
    try:
        with _memory(weights):
            arguments = entry.arguments(dropout, changes.width)
            network = entry.build(classes=classes, channels=channels, size=size, **arguments)
    except ModelError as error:
        if name not in _CATALOGUE:  # what others have built says itself what it takes
            raise
        raise ModelError(
            f"{name} cannot be built for images of {size[0]} × {size[1]} pixels: {error};"
            f" the smallest square image it takes is {entry.smallest} × {entry.smallest}"
            f" (in training, --set size={entry.smallest} scales images to it)."
        ) from error
    try:
        with _memory(weights):
            return change(network, changes, classes=classes, input_shape=(channels, *size), dropout=dropout)
    except ModelError as error:
        raise ModelError(f"{name} cannot be changed so: {error}") from error


def _memory(weights: bool) -> AbstractContextManager[object]:
    return nullcontext() if weights else torch.device("meta")


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
        having = ", ".join(other.name for other in ENTRIES if other.dropout is not None)
        raise ModelError(f"{entry.name} has no dropout; leave it out, or take a model that has: {having}.")
    if not 0 <= dropout < 1:
        raise ModelError(f"Dropout is a probability from 0 up to, not including, 1; got {dropout}.")


def _check_width(entry: Entry, width: float | None) -> None:
    if width is None:
        return
    if entry.width is None:
        having = ", ".join(other.name for other in ENTRIES if other.width is not None)
        raise ModelError(
            f"{entry.name} has one width; leave width out, or take a model that has more: {having}."
        )
    if not 0 < width <= WIDEST:
        raise ModelError(f"Width is a multiple above 0 and up to {WIDEST}; got {width}.")

"""How pictures were prepared for the weights that a training begins with, and what of that is kept."""

from striate.pixels import Preparation

Statistics = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and deviation, a channel each."""
_KINDS = {
    "uint8": "grey levels",
    "uint16": "grey levels",
    "int16": "measured units",
    "float32": "floating-point values",
}
"""What the numbers of each depth are: mean and deviation mean something among the same kind only."""


def kept_statistics(known: Preparation | None, preparation: Preparation) -> Statistics | None:
    """Mean and deviation of the weights' own preparation, for these channels; None where they mean nothing here.

    >>> colour = Preparation(height=8, width=8, channels=3, depth="uint8", mean=(0.2, 0.3, 0.4), std=(0.1, 0.2, 0.3))
    >>> grey = Preparation(height=8, width=8, channels=1, depth="uint16")
    >>> [round(values[0], 3) for values in kept_statistics(colour, grey)]
    [0.3, 0.2]

    Grey pictures get the average over the colours, colour pictures the grey values three times.
    """
    if known is None or not known.mean or _KINDS[known.depth] != _KINDS[preparation.depth]:
        return None
    return _spread(known.mean, preparation.channels), _spread(known.std, preparation.channels)


def on_preparation(known: Preparation | None, preparation: Preparation, source: str) -> str:
    """Which size, mean and deviation pictures get, and whether they are those of the weights."""
    if known is None:
        return (
            f"{source} does not say how its pictures were prepared: mean and deviation are those of the training"
            " images."
        )
    size, was = (" × ".join(map(str, each.input_shape()[1:])) for each in (preparation, known))
    pictures = f"Pictures have {size} pixels, as those of {source} had"
    if size != was:
        pictures = f"Pictures have {size} pixels, those of {source} had {was}"
    return f"{pictures}; {_on_statistics(known, preparation)}."


def _on_statistics(known: Preparation, preparation: Preparation) -> str:
    if kept_statistics(known, preparation) is None:
        return (
            f"mean and deviation are those of the training images, which are {_KINDS[preparation.depth]}"
            f" and not {_KINDS[known.depth]}"
        )
    if known.channels == preparation.channels:
        return "its mean and deviation are kept"
    if preparation.channels == 1:
        return "its mean and deviation are averaged over the colours for grey pictures"
    return "its grey mean and deviation are used for every colour"


def _spread(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    return values if len(values) == channels else (sum(values) / len(values),) * channels

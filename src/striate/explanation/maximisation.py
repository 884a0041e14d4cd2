"""Activation maximisation: the picture that a channel or a class would like best.

Erhan et al. 2009, Visualizing higher-layer features of a deep network; Simonyan et al. 2014, section 2; the
regularisers are those of `striate.explanation.ascent`.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from striate.errors import ModelError, UsageError
from striate.explanation.ascent import (
    Objective,
    PixelScale,
    Regularisers,
    descend,
    like_network,
    standard_pixels,
)
from striate.explanation.feature_maps import stage_of_maps
from striate.explanation.inside import sharing
from striate.explanation.raw_form import raw_form
from striate.explanation.stages import map_shapes
from striate.models import Network


@dataclass(frozen=True, eq=False)
class Maximised:
    """A picture in the units of its pixels, and what it does to the unit it was made for.

    `history` is the unit's value before the first step and after each: for a channel the mean of its map, before its
    rectifier where it has one, for a class its logit; regularisers are not in it. While there is jitter, every
    value but the last is that of the picture as it was shifted.
    """

    unit: str
    picture: Float32[np.ndarray, "height width channel"]
    history: tuple[float, ...]
    regularisers: Regularisers
    seed: int

    @property
    def start(self) -> float:
        """The unit's value for the noise."""
        return self.history[0]

    @property
    def reached(self) -> float:
        """The unit's value for the picture."""
        return self.history[-1]


def maximise(
    network: Network,
    input_shape: tuple[int, int, int],
    *,
    stage: str | None = None,
    channel: int | None = None,
    label: int | None = None,
    pixels: PixelScale | None = None,
    regularisers: Regularisers | None = None,
    steps: int = 256,
    rate: float = 0.02,
    seed: int = 0,
) -> Maximised:
    """Gradient ascent on the pixels, from seeded noise, for a channel of a stage or for a class.

    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=1, size=(28, 28)).eval()
    >>> made = maximise(network, (1, 28, 28), stage="stage1", channel=3, steps=20)
    >>> made.picture.shape, made.reached > made.start, len(made.history)
    ((28, 28, 1), True, 21)

    Give `channel`, with `stage` or the default one, or `label`: a class, whose logit and not probability is raised,
    so that no other class need be lowered instead (Simonyan et al.). Values before the rectifier have a gradient
    where the channel is still silent. `rate` is Adam's, in shares of the pixels' range. The same seed gives the same
    picture on one machine. Raises UsageError unless one of `channel` and `label` is given, ModelError for a stage
    without maps and for a channel or class that there is not.
    """
    if (channel is None) == (label is None) or (label is not None and stage is not None):
        raise UsageError(
            f"stage={stage!r}, channel={channel}, label={label}: give a channel, of a stage or of the default one,"
            " or the label of a class, not both."
        )
    if label is not None:
        unit, objective = f"class {label}", _class_objective(network, label)
    else:
        unit, objective = _channel_objective(network, input_shape, stage, channel or 0)
    shown, chosen = pixels or standard_pixels(input_shape[0]), regularisers or Regularisers()
    like = like_network(network)
    shares, history = descend(
        objective, input_shape, shown, chosen, like=like, steps=steps, rate=rate, seed=seed, levelled=True
    )
    return Maximised(unit, shown.to_picture(shares), tuple(-value for value in history), chosen, seed)


def _class_objective(network: Network, label: int) -> Objective:
    twin = sharing(network)

    def objective(inputs: Tensor) -> Tensor:
        logits = twin(inputs)
        if not 0 <= label < logits.shape[1]:
            raise ModelError(f"The network has no class {label}; its classes are 0 to {logits.shape[1] - 1}.")
        return -logits[:, label].sum()

    return objective


def _channel_objective(
    network: Network, input_shape: tuple[int, int, int], stage: str | None, channel: int
) -> tuple[str, Objective]:
    name = stage_of_maps(network, input_shape, stage)
    channels = map_shapes(network, input_shape)[name][0]
    if not 0 <= channel < channels:
        raise ModelError(f"Stage {name} has no channel {channel}; its channels are 0 to {channels - 1}.")
    raw = raw_form(network, input_shape, name)
    twin = sharing(network) if raw is None else raw.network

    def objective(inputs: Tensor) -> Tensor:
        return -twin.run_to(inputs, name)[:, channel].mean()

    return f"{name}:{channel}", objective

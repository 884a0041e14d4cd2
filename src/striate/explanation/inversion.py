"""Feature inversion: a picture whose features at a stage are those of another, so what the stage has kept of it.

Mahendran & Vedaldi 2015, Understanding deep image representations by inverting them, equations 1 and 4; the
regularisers are those of `striate.explanation.ascent`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from striate.errors import ModelError, UsageError
from striate.explanation.ascent import PixelScale, Regularisers, descend, like_network, standard_pixels
from striate.explanation.inside import sharing
from striate.models import Network

KEPT = Regularisers(total_variation=0.1, l2=0.0, jitter=0, blur=0.0)
"""Inversion shifts nothing: the features say where things were."""


@dataclass(frozen=True, eq=False)
class Inverted:
    """A picture in the units of its pixels, and how near its features are to those it was made for.

    `history` is the squared distance between the two features, divided by the squared norm of those wanted, before
    the first step and after each; regularisers are not in it.
    """

    stage: str
    picture: Float32[np.ndarray, "height width channel"]
    history: tuple[float, ...]
    regularisers: Regularisers
    seed: int

    @property
    def distance(self) -> float:
        """What is left of the distance: 0 for the same features, 1 for none at all."""
        return self.history[-1]


def invert(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    stage: str,
    *,
    pixels: PixelScale | None = None,
    regularisers: Regularisers = KEPT,
    steps: int = 256,
    rate: float = 0.05,
    seed: int = 0,
) -> Inverted:
    """A picture, found from seeded noise, whose features at a stage match those of the one given.

    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=1, size=(28, 28)).eval()
    >>> made = invert(network, torch.rand(1, 1, 28, 28), "stem", steps=20)
    >>> made.picture.shape, made.distance < made.history[0]
    ((28, 28, 1), True)

    Any stage will do, also one whose features are no maps. `inputs` are normalised by `pixels`. Raises ModelError for
    a stage that the network has not and for features that are all zero, UsageError for more than one picture.
    """
    if len(inputs) != 1:
        raise UsageError(f"{len(inputs)} pictures were given; features are inverted one picture at a time.")
    twin, shape = sharing(network), (inputs.shape[1], inputs.shape[2], inputs.shape[3])
    with torch.no_grad():
        wanted = twin.run_to(inputs.clone(), stage)
    norm = wanted.square().sum()
    if not norm > 0:
        raise ModelError(
            f"Every feature of this picture at {stage} is 0, so nothing can be found again from them."
        )

    def objective(seen: Tensor) -> Tensor:
        return (twin.run_to(seen, stage) - wanted).square().sum() / norm

    shown = pixels or standard_pixels(shape[0])
    like = like_network(network)
    shares, history = descend(
        objective, shape, shown, regularisers, like=like, steps=steps, rate=rate, seed=seed, levelled=False
    )
    return Inverted(stage, shown.to_picture(shares), tuple(history), regularisers, seed)

"""How sure a picture is, by what lies before the network's last layer: its distance from the training images."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Float64, Int, Shaped

from striate.data.batches import to_input
from striate.data.packing.stream import PackedPixels, gather
from striate.evaluation.decisions.unknown import Gaussians
from striate.explanation import class_map

if TYPE_CHECKING:
    from striate.classifier.prediction import Predictor

SCORES = ("probability", "energy", "mahalanobis")
"""What a threshold for abstaining can be chosen on."""


@dataclass(frozen=True, eq=False)
class Gate:
    """Distances from the training images of each class, as a Gaussian of what the last layer is given."""

    gaussians: Gaussians

    def sureness(
        self, predictor: "Predictor", pixels: Shaped[np.ndarray, "images height width channels"]
    ) -> Float64[np.ndarray, " images"]:
        """Minus the least squared Mahalanobis distance to a class, of prepared pictures; see `Gaussians`."""
        return self.gaussians.sureness(features_of(predictor, pixels))


def features_of(
    predictor: "Predictor", pixels: Shaped[np.ndarray, "images height width channels"]
) -> Float32[np.ndarray, "images features"]:
    """What the last layer is given of prepared pictures (the centre patch where there are patches).

    Batches have one fixed size, so that the numbers of a picture do not depend on how many others there are. Raises
    ModelError for a network whose head has no layer with weights.
    """
    size = predictor.batch_size
    blocks = (pixels[at : at + size] for at in range(0, len(pixels), size))
    inputs = (to_input(block, predictor.preparation, batch_size=size) for block in blocks)
    return class_map.penultimate(predictor.network, inputs)[: len(pixels)]


def features_of_rows(
    predictor: "Predictor", packed: PackedPixels, rows: Int[np.ndarray, " images"]
) -> Float32[np.ndarray, "images features"]:
    """The same of some rows of a pack, read a batch at a time."""
    starts = range(0, len(rows), predictor.batch_size)
    blocks = gather(packed, [rows[at : at + predictor.batch_size] for at in starts])
    return np.concatenate([features_of(predictor, block) for block in blocks])

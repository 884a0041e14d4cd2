"""inside.html of a run: the first layer's filters, and every stage's maps of one image that was judged."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from striate.classifier.explaining.figures import seen_part
from striate.classifier.explaining.files import surely
from striate.classifier.judging import Judged
from striate.classifier.prediction import Predictor
from striate.data.batches import to_input
from striate.drawing.tile_sheet import TileSheet
from striate.drawing.tiles import to_uint8
from striate.errors import ModelError
from striate.evaluation.reporting.inside import Inside, render_inside
from striate.explanation import map_shapes
from striate.explanation.feature_maps import feature_maps
from striate.explanation.filters import filters
from striate.files import write_atomically

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier

NAME = "inside.html"
FILTERS, CHANNELS, STAGES = 64, 12, 16
"""Filters of the first layer, channels of a stage, and stages that are shown at most."""


def write_inside(folder: Path, classifier: "Classifier", judged: Judged, command: str, created: str) -> None:
    """Write the page of filters and feature maps for the image that the network is surest and right of."""
    predictor, place = classifier.predictor_, surest(judged)
    pixels = judged.pack.pixels[judged.images.rows[place]]
    chance = float(judged.probabilities[place].max())
    given, truth = (
        predictor.classes[number] for number in (judged.probabilities[place].argmax(), judged.truth[place])
    )
    inside = Inside(
        title=Path(judged.images.source.location).stem,
        filters=first_filters(predictor),
        picture=to_uint8(seen_part(predictor, pixels)),
        picture_words=(
            f"Image {place + 1:,} of predictions.csv: truth {truth}, given {given} at {surely(chance)}. "
            f"Of each stage the {CHANNELS} channels that it excites most."
        ),
        maps=maps_of(predictor, to_input(pixels[None], predictor.preparation)),
        command=command,
        created=created,
    )
    write_atomically(folder / NAME, render_inside(inside).encode("utf8", errors="replace"))


def surest(judged: Judged) -> int:
    """The image that the network is surest of among those it has right, or among all where none is right."""
    right = judged.probabilities.argmax(axis=1) == judged.truth
    return int(np.argmax(judged.probabilities.max(axis=1) - (~right)))


def first_filters(predictor: Predictor) -> TileSheet | str:
    """The filters of the layer that reads the picture, or why there are none."""
    try:
        found = filters(predictor.network, input_shape=predictor.preparation.input_shape())
    except ModelError as error:
        return str(error)
    return found.sheet(most=FILTERS)


def maps_of(
    predictor: Predictor, inputs: Float32[Tensor, "1 channel height width"]
) -> tuple[TileSheet, ...] | str:
    """A sheet a stage, from the picture on; or why there is none."""
    try:
        stages = list(map_shapes(predictor.network, predictor.preparation.input_shape()))
        if not stages:
            return "No stage of this network makes maps."
        places = np.linspace(0, len(stages) - 1, min(STAGES, len(stages))).astype(int)
        chosen = [feature_maps(predictor.network, inputs, stages[place]) for place in places]
    except ModelError as error:
        return str(error)
    return tuple(found.sheet(most=CHANNELS) for found in chosen)

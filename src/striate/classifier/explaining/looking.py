"""The heat maps of the report: of the images that a network got most wrong, and of those it was least sure of."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float32, Int

from striate.classifier.explaining.question import Question
from striate.classifier.explaining.reason import placed, seen_box
from striate.classifier.judging import Judged
from striate.classifier.prediction import Predictor
from striate.data.batches import to_input
from striate.drawing.overlay import overlay
from striate.drawing.tiles import to_uint8
from striate.errors import ModelError
from striate.evaluation.reporting.reasons import UNCERTAIN, WRONG, Reasoned, Reasons
from striate.explanation import DEFAULT, attribute, map_shapes
from striate.explanation.checks import explainer, randomisation
from striate.explanation.methods import known_stage
from striate.pixels.picture import ImageArray

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier

EACH = 12
"""Images of each kind."""
PASSES, CHECKED_WORK = 3, 2e11
"""A pass on and one back count as three on; the multiply-adds that a check may cost, some seconds of a processor."""
Chosen = Int[np.ndarray, " chosen"]
Map = Float32[np.ndarray, "rows columns"]


def reasons_of(classifier: "Classifier", judged: Judged) -> Reasons:
    """Heat maps by the default method; or the sentence that says why the network has none."""
    predictor, question = classifier.predictor_, Question()
    try:
        method = question.require(predictor)
    except ModelError as error:
        return Reasons(refused=str(error))
    shape = predictor.preparation.input_shape()
    stage = known_stage(predictor.network, shape, None)
    rows, columns = map_shapes(predictor.network, shape)[stage][1:]
    wrong, order = most_wrong(judged)[:EACH], least_certain(judged)
    kinds = {WRONG: wrong, UNCERTAIN: order[~np.isin(order, wrong)][:EACH]}
    images = [one for kind, chosen in kinds.items() for one in _reasoned(predictor, judged, kind, chosen)]
    return Reasons(
        images=images,
        method=f"{method.title} of {stage}",
        cells=(rows, columns),
        checked=_checked(classifier, judged, np.concatenate([*kinds.values()]), stage),
    )


def most_wrong(judged: Judged) -> Int[np.ndarray, " mistakes"]:
    """Images that the network got wrong, those it gave the truth the least probability first."""
    wrong = np.flatnonzero(judged.probabilities.argmax(axis=1) != judged.truth)
    return wrong[np.argsort(judged.probabilities[wrong, judged.truth[wrong]], kind="stable")]


def least_certain(judged: Judged) -> Int[np.ndarray, " images"]:
    """Images in the order of how far the two most probable classes lie apart, the nearest first."""
    two = np.sort(judged.probabilities, axis=1)[:, -2:]
    return np.argsort(two[:, -1] - two[:, 0], kind="stable")


def _reasoned(predictor: Predictor, judged: Judged, kind: str, chosen: Chosen) -> Iterator[Reasoned]:
    box, names = seen_box(predictor), judged.images.select(chosen).names
    maps = _maps(predictor, judged, chosen)
    for place, name, (pixels, values, cells) in zip(chosen.tolist(), names, maps, strict=True):
        chances = judged.probabilities[place]
        best = np.argsort(-chances, kind="stable")[:2]
        whole = placed(values, pixels.shape[:2], box)
        strongest = np.unravel_index(int(cells.argmax()), cells.shape)
        yield Reasoned(
            source=name,
            kind=kind,
            truth=predictor.classes[judged.truth[place]],
            best=tuple((predictor.classes[index], float(chances[index])) for index in best),
            pixels=to_uint8(pixels),
            overlay=overlay(pixels, whole, signed=False, box=box),
            silent=not cells.any(),
            at_edge=any(at in (0, side - 1) for at, side in zip(strongest, cells.shape, strict=True)),
        )


def _checked(classifier: "Classifier", judged: Judged, chosen: Chosen, stage: str) -> str:
    """Whether the maps depend on what the network has learned; for a large network, how to ask that."""
    predictor = classifier.predictor_
    passes = PASSES * len(chosen) * (len(predictor.network.stages) + 1)
    if classifier.about_["multiply_adds"] * passes > CHECKED_WORK:
        return (
            "The network is too large to be checked here: `striate explain RUN PHOTO --check` tells whether a map"
            " depends on what was learned."
        )
    pixels = np.stack([judged.pack.pixels[judged.images.rows[place]] for place in chosen])
    targets = torch.from_numpy(judged.probabilities[chosen].argmax(axis=1))
    inputs = to_input(pixels, predictor.preparation)
    return randomisation(predictor.network, inputs, targets, explainer(DEFAULT, stage=stage)).sentence()


def _maps(
    predictor: Predictor, judged: Judged, chosen: Chosen
) -> Iterator[tuple[ImageArray, Map, Float32[np.ndarray, "cell_rows cell_columns"]]]:
    """Pixels, map and its cells of each image, for the class that the network chose, a batch at a time."""
    for start in range(0, len(chosen), predictor.batch_size):
        some = chosen[start : start + predictor.batch_size]
        pixels = np.stack([judged.pack.pixels[judged.images.rows[place]] for place in some])
        targets = torch.from_numpy(judged.probabilities[some].argmax(axis=1))
        found = attribute(predictor.network, to_input(pixels, predictor.preparation), targets)
        yield from zip(pixels, found.maps.numpy(), found.raw[:, 0].numpy(), strict=True)

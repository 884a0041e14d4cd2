"""`Reason`: where the network looked to give one picture its class, and what of that can be checked and kept."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from striate.classifier.answer import Answer
from striate.classifier.explaining.question import Question, class_number
from striate.classifier.judging import read_one
from striate.classifier.prediction import Predictor
from striate.data.batches import to_input
from striate.data.packing.digest import pixel_digest
from striate.data.views import centre_of
from striate.drawing.overlay import ALPHA, Box, overlay
from striate.explanation import attribute
from striate.explanation.checks import Checks, RemovalPlan, check, explainer
from striate.explanation.method import Method
from striate.files import sha256_of
from striate.pixels.picture import ImageArray, Picture


@dataclass(frozen=True, eq=False, kw_only=True)
class Reason:
    """Where the network looked, by one method, for one class of one picture.

    `label` is the class explained and `probability` its own; `answer` is what the network says of the picture,
    as `predict_one` gives it. `map` has one value a pixel of the prepared `picture`, not scaled: 0 where the network
    did not see it, outside `box` (top, left, height, width). `raw` is as the method makes it. `digest` is that of
    the picture's decoded pixels, as splits.csv has it; `sha256` that of its file, where it is one.
    """

    answer: Answer
    label: str
    target: int
    about: Method
    stage: str | None
    options: dict[str, Any]
    map: Float32[np.ndarray, "height width"]
    raw: Float32[np.ndarray, "channel rows columns"]
    picture: ImageArray
    box: Box
    digest: str
    sha256: str | None
    predictor: Predictor

    @property
    def source(self) -> str:
        """The picture, as it was called when it was given."""
        return self.answer.source

    @property
    def method(self) -> str:
        """The name of the method."""
        return self.about.name

    @property
    def probability(self) -> float:
        """That of the class explained, 0 to 1."""
        assert self.answer.probabilities is not None
        return self.answer.probabilities[self.label]

    @property
    def inputs(self) -> Float32[torch.Tensor, "1 channel rows columns"]:
        """The picture as the network gets it."""
        return to_input(self.picture[None], self.predictor.preparation)

    def overlay(self, alpha: float = ALPHA) -> UInt8[np.ndarray, "height width 3"]:
        """The prepared picture in grey under the map's colours, which count for `alpha`, 0 to 1."""
        return overlay(self.picture, self.map, signed=self.about.signed, alpha=alpha, box=self.box)

    def check(self, seed: int = 0) -> Checks:
        """Whether the map matters to the network and depends on what it has learned.

        Deletion and insertion against random orders, and fresh weights from the head down, as
        `striate.explanation.checks` says; `seed` is that of the orders and of the weights. Takes some hundred
        forward passes.
        """
        explain = explainer(self.method, stage=self.stage, **self.options)
        target = torch.tensor([self.target])
        return check(self.predictor.network, self.inputs, target, explain, plan=RemovalPlan(seed=seed))

    def to_dict(self) -> dict[str, Any]:
        """What explanation.json begins with: the answer, the method, and the map in a few numbers."""
        from striate.classifier.explaining.files import told

        return told(self)

    def save(
        self, folder: str | os.PathLike, *, checks: Checks | None = None, command: str | None = None
    ) -> None:
        """Write overlay.png, explanation.png, picture.png, map.npy, map.png, raw.npy and explanation.json.

        With `checks`, what `check` found is in the last one too.
        """
        from striate.classifier.explaining.files import write_reason

        write_reason(Path(folder), self, checks=checks, command=command)


def explain_one(predictor: Predictor, image: Any, question: Question) -> Reason:
    """The reason for one picture: a file, its bytes, or an array `height width [channel]`."""
    question.require(predictor)
    source, picture = read_one(predictor, image)
    return explain_picture(predictor, source, picture, question, sha256=file_digest(image))


def file_digest(image: Any) -> str | None:
    """The SHA-256 of a file or of its bytes; None for an array and for a part of a file."""
    if isinstance(image, bytes):
        return hashlib.sha256(image).hexdigest()
    is_file = isinstance(image, str | os.PathLike) and os.path.isfile(image)
    return sha256_of(Path(os.fspath(image))) if is_file else None


def explain_picture(
    predictor: Predictor, source: str, picture: Picture, question: Question, *, sha256: str | None = None
) -> Reason:
    """The reason for one picture that has been read; ImageError where it cannot be prepared."""
    pixels = predictor.preparation.pixels(picture.pixels, window=picture.description.window)
    answer = next(predictor.answers([(source, pixels)]))
    assert answer.label is not None
    label = answer.label if question.label is None else str(question.label)
    target = class_number(predictor.classes, label)
    found = attribute(
        predictor.network,
        to_input(pixels[None], predictor.preparation),
        torch.tensor([target]),
        method=question.method,
        stage=question.stage,
        **question.options,
    )
    box = seen_box(predictor)
    return Reason(
        answer=answer,
        label=label,
        target=target,
        about=found.method,
        stage=found.stage,
        options=dict(question.options),
        map=placed(found.maps[0].numpy(), pixels.shape[:2], box),
        raw=found.raw[0].numpy(),
        picture=pixels,
        box=box,
        digest=pixel_digest(picture.pixels),
        sha256=sha256,
        predictor=predictor,
    )


def seen_box(predictor: Predictor) -> Box:
    """Top, left, height and width of what the network sees of a prepared picture: its centre patch, or all of it."""
    _, rows, columns = predictor.preparation.input_shape()
    view = centre_of(predictor.preparation)
    return view.top, view.left, rows, columns


def placed(
    values: Float32[np.ndarray, "rows columns"], size: tuple[int, ...], box: Box
) -> Float32[np.ndarray, "height width"]:
    """A map of what the network saw, in the picture where it belongs; 0 around it, where nothing counts.

    >>> placed(np.ones((1, 2), np.float32), (2, 4), (0, 1, 1, 2)).tolist()
    [[0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    """
    top, left, height, width = box
    whole = np.zeros(size[:2], np.float32)
    whole[top : top + height, left : left + width] = values
    return whole

"""A run as a service asks it: pictures prepared one by one, answered a batch at a time, by torch or onnxruntime."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Shaped

from striate.classifier.answer import Answer, answer_of
from striate.classifier.judging import read_one
from striate.classifier.prediction import Predictor
from striate.data.batches import to_input
from striate.data.packing.cache import build_lock, cache_root
from striate.errors import ModelError, StriateError, UsageError, suggestion
from striate.evaluation.decisions.abstention import energy_sureness
from striate.export.served import Ask, ask_served, write_served
from striate.files import replacing
from striate.pixels import Preparation

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier

ENGINES = ("auto", "onnxruntime", "torch")
TOLERANCE = 1e-5
"""How far the probabilities of two engines may lie apart."""
Prepared = Shaped[np.ndarray, "height width channel"]
Named = Sequence[tuple[str, Prepared]]


class Responder:
    """A classifier that answers prepared pictures, as many at once as come.

    >>> from striate import Classifier, Recipe
    >>> pictures = np.arange(40 * 64, dtype=np.uint8).reshape(40, 8, 8)
    >>> classifier = Classifier(Recipe(epochs=1)).fit(pictures, ["even", "odd"] * 20)
    >>> responder = classifier.responder("torch")
    >>> pixels = responder.prepare(pictures[0])
    >>> responder.answers([("array", pixels)])[0] == classifier.predict_one(pictures[0])
    True

    `engine` is what multiplies: "onnxruntime", within 1e-5 of torch's probabilities, or "torch", the same bits as
    `Classifier.predict_one`; `note` says why onnxruntime was not taken where it was wished for. Answers go by the
    run's decision. Safe to be used by one thread at a time; `prepare` by any number.
    """

    def __init__(
        self, predictor: Predictor, *, engine: str, ask: Ask | None = None, note: str | None = None
    ) -> None:
        self.predictor, self.engine, self.note = predictor, engine, note
        self._ask = ask

    def prepare(self, image: str | os.PathLike | bytes | Shaped[np.ndarray, "..."]) -> Prepared:
        """A file, its bytes or an array as the run prepares it; ImageError where it cannot be read."""
        _, picture = read_one(self.predictor, image)
        return self.predictor.preparation.pixels(picture.pixels, window=picture.description.window)

    def answers(self, pictures: Named) -> list[Answer]:
        """The answers to prepared pictures, in their order."""
        if not pictures:
            return []
        if self._ask is None:
            return list(self.predictor.answers(pictures))
        stacked = np.stack([pixels for _, pixels in pictures])
        said, logits = self._ask(normalised(stacked, self.predictor.preparation))
        rows = renormalised(said)
        sureness = self._sureness(rows, logits)
        return [
            answer_of(name, self.predictor.classes, row, sure, self.predictor.decision)
            for (name, _), row, sure in zip(pictures, rows, sureness, strict=True)
        ]

    def digest(self, pixels: Prepared) -> str:
        """SHA-256 of what the network is given of a prepared picture: float32, channel by channel, row by row."""
        return self.predictor.digest(pixels)

    def _sureness(
        self, rows: Float64[np.ndarray, "images classes"], logits: Shaped[np.ndarray, "images classes"]
    ) -> list[float | None]:
        decision = self.predictor.decision
        if decision is None or decision.by != "image" or decision.abstention is None:
            return [None] * len(rows)
        if decision.abstention.score == "energy":
            return energy_sureness(logits).tolist()
        return rows.max(axis=1).tolist()


def responder_of(classifier: "Classifier", engine: str = "auto") -> Responder:
    """A responder, with the engine that was asked for; see `Classifier.responder`."""
    if engine not in ENGINES:
        raise UsageError(f"There is no engine {engine!r}; {suggestion(engine, ENGINES)}")
    predictor = classifier.predictor_
    if engine == "torch":
        return Responder(predictor, engine="torch")
    try:
        refuse_what_takes_torch(predictor)
        ask = ask_served(served_file(classifier))
        require_agreement(predictor, ask)
    except StriateError as error:
        if engine == "onnxruntime":
            raise
        return Responder(predictor, engine="torch", note=str(error))
    return Responder(predictor, engine="onnxruntime", ask=ask)


def refuse_what_takes_torch(predictor: Predictor) -> None:
    """ModelError for a decision that needs more of the network than its answers."""
    decision = predictor.decision
    score = decision.abstention.score if decision and decision.abstention else "probability"
    if score == "mahalanobis":
        raise ModelError("The run abstains by distances between features, which only torch works out.")
    if score == "energy" and len(predictor.views) > 1:
        raise ModelError("The run abstains by the energy of several views, which only torch works out.")


def served_file(classifier: "Classifier") -> Path:
    """The graph of a classifier in the cache, written where it is not there yet; StriateError without onnx."""
    from striate.classifier.exported_facts import facts_of_export
    from striate.classifier.exporting import answering_of
    from striate.export.onnx_file import require_onnx

    require_onnx()
    facts = facts_of_export(classifier)
    key = hashlib.sha256(repr(sorted((k, str(v)) for k, v in facts.items())).encode()).hexdigest()[:32]
    path = cache_root() / "served" / f"{key}.onnx"
    if path.exists():
        return path
    with build_lock(path):
        if not path.exists():
            preparation = classifier.preparation_
            shape = preparation.channels, preparation.height, preparation.width
            with replacing(path) as partial:
                write_served(answering_of(classifier), shape, partial, facts)
    return path


def require_agreement(predictor: Predictor, ask: Ask) -> None:
    """ModelError where a graph does not say of made-up pictures what the network says."""
    pixels = made_up(predictor.preparation)
    known = predictor.probabilities(pixels)
    found, _ = ask(normalised(pixels, predictor.preparation))
    apart = float(np.abs(found - known).max())
    if not apart <= TOLERANCE:
        raise ModelError(f"onnxruntime's probabilities lie {apart:.1g} from torch's; {TOLERANCE} is allowed.")


def made_up(preparation: Preparation, count: int = 4) -> Shaped[np.ndarray, "images height width channels"]:
    """Prepared pictures that are the same everywhere: noise over the range that the training images had."""
    draw = np.random.default_rng(20)
    shape = (count, preparation.height, preparation.width, preparation.channels)
    scale, offset = preparation.affine()
    low, high = (np.array([-2.0, 2.0])[:, None] - offset) / scale
    values = draw.uniform(low, high, shape)
    if preparation.depth == "float32":
        return values.astype(np.float32)
    limits = np.iinfo(preparation.depth)
    return np.clip(np.rint(values), limits.min, limits.max).astype(preparation.depth)


def normalised(
    pixels: Shaped[np.ndarray, "images height width channels"], preparation: Preparation
) -> Shaped[np.ndarray, "images channels height width"]:
    """Prepared pixels as a graph takes them: before a patch is cut from them."""
    whole = preparation.model_copy(update={"patch": None}) if preparation.patch else preparation
    return np.ascontiguousarray(to_input(pixels, whole).numpy())


def renormalised(
    said: Shaped[np.ndarray, "images classes"],
) -> Float64[np.ndarray, "images classes"]:
    """Single-precision probabilities in double precision, adding up to 1."""
    rows = said.astype(np.float64)
    return rows / rows.sum(axis=1, keepdims=True)

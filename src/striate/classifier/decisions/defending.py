"""What a verdict says beyond right and wrong: calibration, decisions, subgroups, pictures of other things."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int

from striate.classifier.answering import decoded_ahead
from striate.classifier.decisions.deciding import training_features
from striate.classifier.decisions.sureness import features_of, features_of_rows
from striate.classifier.prediction import Predictor, Said
from striate.data import Images, Pack, list_pictures
from striate.data.columns import values_of
from striate.data.pseudonyms import pseudonyms, secret_key
from striate.errors import ModelError, SourceError
from striate.evaluation import Verdict
from striate.evaluation.decisions.decided import judge_decision
from striate.evaluation.decisions.decision import Decided, Decision
from striate.evaluation.decisions.unknown import Unknown, fit_gaussians, judge_unknown, neighbour_sureness
from striate.evaluation.intervals import wilson
from striate.evaluation.metrics import log_loss
from striate.evaluation.reliability import brier, reliability
from striate.evaluation.subgroups import subgroups
from striate.evaluation.units import in_units
from striate.evaluation.verdict import Uncalibrated

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier


@dataclass(frozen=True, eq=False)
class Material:
    """What a verdict is made of: the images judged, what the network says of them, and the units that it is about.

    `rows` are the first image of each unit among the images; truth, probabilities and groups are those of the units.
    """

    images: Images
    pack: Pack
    said: Said
    by: str
    rows: Int[np.ndarray, " units"]
    truth: Int[np.ndarray, " units"]
    probabilities: Float64[np.ndarray, "units classes"]
    groups: Int[np.ndarray, " units"] | None


def uncalibrated(classifier: "Classifier", made: Material) -> Uncalibrated | None:
    """What the units gave before calibration; None where the run has none."""
    if classifier.predictor_.calibration is None:
        return None
    saved = dict(classifier.about_["calibration"])
    fitted_to = saved.pop("images")
    truth = np.zeros(len(made.images), np.int64)  # a group's truth is known already
    _, _, plain = in_units(made.by, truth, made.said.plain, made.images.groups)
    return Uncalibrated(
        calibration=saved,
        images=fitted_to,
        log_loss=log_loss(made.truth, plain, made.groups),
        brier=brier(made.truth, plain, groups=made.groups),
        reliability=reliability(made.truth, plain, groups=made.groups),
        changed=int((plain.argmax(axis=1) != made.probabilities.argmax(axis=1)).sum()),
    )


def decided(
    classifier: "Classifier", made: Material, prevalence: float | None, *, chosen_here: bool
) -> Decided | None:
    """What the run's decision is worth on the units; `chosen_here` where they are those that it was chosen on."""
    decision = classifier.decision_
    if decision is None or decision.by != made.by:
        return None
    if chosen_here:
        decision = replace(
            decision, caveats=(*decision.caveats, "Judged on the split that it was chosen on.")
        )
    return judge_decision(
        decision,
        made.truth,
        made.probabilities,
        classifier.class_names_,
        sureness=_sureness(classifier.predictor_, decision, made),
        prevalence=prevalence,
        groups=made.groups,
    )


def _sureness(
    predictor: Predictor, decision: Decision, made: Material
) -> Float64[np.ndarray, " units"] | None:
    if decision.abstention is None:
        return None
    if decision.abstention.score == "probability":
        return made.probabilities.max(axis=1)
    if decision.abstention.score == "energy":
        return made.said.energy
    assert predictor.gate is not None, "a decision by distances comes with its gate"
    features = features_of_rows(predictor, made.pack.pixels, made.images.rows)
    return predictor.gate.gaussians.sureness(features)


def by_column(verdict: Verdict, made: Material, column: str) -> Verdict:
    """The verdict with one for every value of a column beside it; a group has the value of its first image."""
    values = values_of(made.images.select(made.rows), made.pack, column)
    found = subgroups(
        made.truth, made.probabilities, verdict.classes, values, split=verdict.split, groups=made.groups
    )
    return replace(verdict, subgroups_by=column, subgroups=tuple(found))


def unknown(classifier: "Classifier", made: Material, location: str, *, pseudonymous: bool) -> Unknown:
    """How well pictures of none of the classes are told from the images judged, by every measure there is.

    Those by distances need the run's own training images: where those are not at hand, `left_out` says so. Raises
    SourceError where no picture at the location can be read.
    """
    predictor = classifier.predictor_
    said, features, unread = _of_pictures(predictor, location, pseudonymous=pseudonymous)
    if not len(said.probabilities):
        why = f" ({unread[0][0]}: {unread[0][1]})" if unread else ""
        raise SourceError(f"--unknown: no picture in {location} can be read{why}.")
    known = {"probability": made.said.probabilities.max(axis=1), "energy": made.said.energy}
    other = {"probability": said.probabilities.max(axis=1), "energy": said.energy}
    training = _training(classifier) if features is not None else "its head has no layer with weights"
    if features is not None and not isinstance(training, str):
        own = features_of_rows(predictor, made.pack.pixels, made.images.rows)
        gaussians = fit_gaussians(*training)
        known |= {"mahalanobis": gaussians.sureness(own), "neighbour": neighbour_sureness(training[0], own)}
        other |= {
            "mahalanobis": gaussians.sureness(features),
            "neighbour": neighbour_sureness(training[0], features),
        }
    best = said.probabilities.argmax(axis=1).tolist()
    called = Counter(classifier.class_names_[number] for number in best)
    abstention = classifier.decision_.abstention if classifier.decision_ else None
    answered = None
    if abstention is not None and made.by == "image" and abstention.score in other:
        answered = wilson(int((other[abstention.score] >= abstention.threshold).sum()), len(best))
    return Unknown(
        source=location,
        images=len(best),
        unreadable=tuple(unread),
        scores=tuple(judge_unknown(name, known[name], other[name]) for name in known),
        called=dict(called.most_common()),
        answered=answered,
        left_out=f"no distances: {training}" if isinstance(training, str) else "",
    )


def _training(
    classifier: "Classifier",
) -> tuple[Float64[np.ndarray, "images features"], Int[np.ndarray, " images"]] | str:
    """What distances are measured from, or why there are none: two measures of four remain."""
    try:
        return training_features(classifier)
    except SourceError:
        return "the run's own training images are not at hand"


def _of_pictures(
    predictor: Predictor, location: str, *, pseudonymous: bool
) -> tuple[Said, Float64[np.ndarray, "images features"] | None, list[tuple[str, str]]]:
    """What the network says of every picture at a place, what its last layer is given, and what cannot be read."""
    pictures = list_pictures([location], predictor.preparation.draft_size())
    if pseudonymous:
        key = secret_key()
        pictures = ((pseudonyms([name], kind="image", key=key)[0], read) for name, read in pictures)
    unread: list[tuple[str, str]] = []
    parts: list[Said] = [predictor.nothing()]
    rows: list[np.ndarray] = []
    waiting: list[np.ndarray] = []

    def flush() -> None:
        if not waiting:
            return
        pixels = np.stack(waiting)
        parts.append(predictor.says(pixels))
        with suppress(ModelError):  # a head without weights: nothing lies before its last layer
            rows.append(features_of(predictor, pixels).astype(np.float64))
        waiting.clear()

    for name, pixels in decoded_ahead(predictor, pictures):
        if isinstance(pixels, str):
            unread.append((name, pixels))
            continue
        waiting.append(pixels)
        if len(waiting) == predictor.batch_size:
            flush()
    flush()
    return Said.joined(parts), np.concatenate(rows) if rows else None, unread

"""What a run decides beyond the most probable class, chosen on validation images by wishes."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int

from striate.classifier.decisions.calibrating import calibration_in
from striate.classifier.decisions.sureness import SCORES, Gate, features_of_rows
from striate.classifier.prediction import Said
from striate.data import Images, Pack
from striate.errors import SourceError, UsageError, suggestion
from striate.evaluation.decisions.abstention import choose_abstention
from striate.evaluation.decisions.conformal import calibrate_sets
from striate.evaluation.decisions.decided import choose_operating_point
from striate.evaluation.decisions.decision import Decision
from striate.evaluation.decisions.operating import wish_of
from striate.evaluation.decisions.unknown import fit_gaussians
from striate.evaluation.units import UNITS, in_units, numbered_groups

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier

MOST_TRAINING = 20_000
"""Training images that distances are measured from; of more, so many are taken evenly."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What is to be decided: operating points, the threshold for answering, prediction sets.

    `operate` are wishes as `striate.evaluation.decisions.operating` reads them, each for the class `positive` or for
    one named before it: "malignant: sensitivity>=0.95". `abstain` is "coverage>=SHARE" or "error<=SHARE" of the measure
    `sureness`, one of SCORES. `sets` is the share of images whose set is to hold the truth. `by` is one of UNITS.
    """

    operate: tuple[str, ...] = ()
    positive: str | None = None
    abstain: str | None = None
    sureness: str = "probability"
    sets: float | None = None
    by: str = "image"

    def __post_init__(self) -> None:
        if self.sureness not in SCORES:
            raise UsageError(f"sureness={self.sureness!r}: {suggestion(self.sureness, SCORES)}")
        if self.by not in UNITS:
            raise UsageError(f"by={self.by!r}: {suggestion(self.by, UNITS)}")
        if self.by != "image" and self.abstain and self.sureness != "probability":
            raise UsageError(
                f"by={self.by} and sureness={self.sureness}: a group is as sure as its probabilities; "
                "leave sureness out."
            )

    def __bool__(self) -> bool:
        return bool(self.operate or self.abstain or self.sets is not None)


@dataclass(frozen=True, eq=False)
class Held:
    """The validation images that decisions are made on, and what the network says of them."""

    images: Images
    pack: Pack
    truth: Int[np.ndarray, " images"]
    said: Said
    caveats: tuple[str, ...]


def decide(classifier: "Classifier", wishes: Wishes, held: Held) -> tuple[Decision, Gate | None]:
    """Fulfil wishes on held-back validation images; the gate is what a decision by distances needs besides.

    Raises UsageError for a wish that cannot be read or fulfilled, a class that does not exist or is not named.
    """
    if not wishes:
        raise UsageError(
            "There is nothing to decide: wish for an operating point, for abstaining, or for sets."
        )
    gate = None
    if wishes.abstain and wishes.sureness == "mahalanobis":
        gate = Gate(fit_gaussians(*training_features(classifier)))
    groups = held.images.groups
    _, truth, chances = in_units(wishes.by, held.truth, held.said.probabilities, groups)
    numbers = numbered_groups(groups) if groups is not None and wishes.by == "image" else None
    sureness = chances.max(axis=1) if wishes.by != "image" else sureness_of(classifier, wishes, held, gate)
    unit = "image" if wishes.by == "image" else "group"
    on = f"{len(truth):,} validation {unit}s"
    operating = tuple(
        choose_operating_point(
            positive, wish, truth, chances, classifier.class_names_, chosen_on=on, groups=numbers
        )
        for positive, wish in (
            named_wish(text, wishes.positive, classifier.class_names_) for text in wishes.operate
        )
    )
    if len({one.positive for one in operating}) < len(operating):
        raise UsageError("Two operating points are for the same class: a class can have one.")
    right = chances.argmax(axis=1) == truth
    abstention = wishes.abstain and choose_abstention(wishes.abstain, wishes.sureness, sureness, right)
    sets = None if wishes.sets is None else calibrate_sets(truth, chances, wishes.sets)
    decision = Decision(
        by=wishes.by,
        images=len(truth),
        operating=operating,
        abstention=abstention or None,
        sets=sets,
        caveats=held.caveats,
    )
    return decision, gate


def named_wish(text: str, positive: str | None, classes: tuple[str, ...]) -> tuple[str, str]:
    """The class of interest and the wish of `[CLASS:] WISH`, both checked.

    >>> named_wish("owl: f1", None, ("cat", "owl")), named_wish("f1", "cat", ("cat", "owl"))
    (('owl', 'f1'), ('cat', 'f1'))
    """
    name, colon, wish = text.rpartition(":")
    wished = name.strip() if colon else positive
    wish_of(wish)
    if wished is None:
        raise UsageError(
            f"--operate {text!r} needs a class of interest: add --positive CLASS, one of {', '.join(classes[:20])}."
        )
    if wished not in classes:
        raise UsageError(f"There is no class {wished!r} in this run: {suggestion(wished, classes)}")
    return wished, wish.strip()


def held_back(classifier: "Classifier", images: Images, pack: Pack, *, seen: bool) -> Held:
    """The half of a run's validation images that its calibration did not use; all of them where it has none.

    `seen` is whether the run's test images had been judged before, which a reader of the decision must know.
    """
    held = images.splits == "validation"
    if not held.any():
        raise SourceError("This run has no validation images, so nothing can be decided on them.")
    caveats = list(on_choices(classifier))
    if calibration_in(classifier.about_) is not None:
        # By the groups that the run knew, whatever others are named now: these are the halves of its calibration.
        known = replace(images, groups=None).with_splits_from(classifier.splits_, as_was=True)
        of_held = known.select(held).halves(classifier.recipe_.seed)[1]
        held = np.isin(images.rows, of_held.rows)
    validation = images.select(held)
    if seen:
        caveats.append("The test images of this run had been judged before this was chosen.")
    said = classifier.predictor_.says_of_rows(pack.pixels, validation.rows)
    return Held(validation, pack, validation.labels.astype(np.int64), said, tuple(caveats))


def on_choices(classifier: "Classifier") -> list[str]:
    """What else was chosen by the images that decisions are made on."""
    epochs, recipe = len(classifier.history_), classifier.recipe_
    if (recipe.keep == "last" and recipe.early_stop is None) or epochs == 1:
        return []
    return [
        f"The same validation images also chose among {epochs} epochs, so what was reached on them is a little too"
        " good (keep=last avoids it); the test images show what it is worth."
    ]


def sureness_of(
    classifier: "Classifier", wishes: Wishes, held: Held, gate: Gate | None
) -> Float64[np.ndarray, " images"]:
    """How sure the network is of each held-back image, by the measure that was asked for."""
    if wishes.sureness == "probability":
        return held.said.probabilities.max(axis=1)
    if gate is None:
        return held.said.energy
    predictor = classifier.predictor_
    return gate.gaussians.sureness(features_of_rows(predictor, held.pack.pixels, held.images.rows))


def training_features(
    classifier: "Classifier", images: Images | None = None, pack: Pack | None = None
) -> tuple[Float64[np.ndarray, "images features"], Int[np.ndarray, " images"]]:
    """What the last layer is given of the training images, at most 20,000 of them taken evenly, and their labels."""
    if images is None or pack is None:
        from striate.classifier.judging import Asked, own_images

        images, pack = own_images(classifier, Asked(split="train"))
    training = images.of_split("train")
    if len(training) > MOST_TRAINING:
        training = training.select(np.linspace(0, len(training) - 1, MOST_TRAINING).astype(int))
    features = features_of_rows(classifier.predictor_, pack.pixels, training.rows)
    return features.astype(np.float64), training.labels.astype(np.int64)

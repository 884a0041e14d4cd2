"""The learning curve: the same recipe on ever larger parts of the training images, judged on the same images."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from striate.classifier.building import settle
from striate.classifier.classifier import Classifier
from striate.classifier.curve.learning_files import Trained, learning_place, write_curve
from striate.classifier.curve.learning_plan import FEWEST, PARTS, CurvePlan, complete, lengthened, standing
from striate.classifier.material import Decoded, Given, decode
from striate.classifier.probes.probing import Heard, trained_on
from striate.classifier.weights import find_weights
from striate.data import Images, load_images
from striate.errors import Interrupted, SourceError
from striate.evaluation.learning.learning_curve import LearningCurve, written
from striate.evaluation.learning.learning_points import CurveTraining, learn_curve
from striate.evaluation.units import numbered_groups
from striate.training.events import EventList, Events, Plan
from striate.training.history import Progress
from striate.training.recipe import Recipe

Told = Callable[[CurveTraining, int], None]


@dataclass(frozen=True, eq=False)
class Course:
    """Everything that is the same for all trainings of a curve."""

    recipe: Recipe
    settled: Recipe
    """The recipe with all that it leaves to the network and its weights."""
    decoded: Decoded
    training: Images
    judged: Images
    parts: tuple[float, ...]
    places: tuple[Float64[np.ndarray, " image"], ...]
    """For each repeat, where every training image stands; a part has those that stand below it."""

    def rows(self, part: float, repeat: int) -> Bool[np.ndarray, " image"]:
        """Which training images a training has."""
        return self.places[repeat] < part


def learning_curve(
    X: Images | str | os.PathLike,
    recipe: Recipe | None = None,
    *,
    parts: Sequence[float | int] = PARTS,
    repeats: int = 3,
    factor: float | int = 2,
    split: str = "validation",
    splits: str | os.PathLike | None = None,
    out: str | os.PathLike | None = None,
    resume: bool = False,
    events: Sequence[Events] = (),
    stop: Callable[[], bool] = lambda: False,
    told: Told = lambda training, planned: None,
    command: str | None = None,
) -> LearningCurve:
    """Accuracy against the number of training images, with a power law and what `factor` times as many would give.

    Args:
        X: a table of images, or where they are.
        recipe: how each training is done; weights of the last epoch are kept, since the validation images judge.
        parts: shares of the training images; each part lies within the larger ones, holds whole groups and every
            class by its share. Those too small to hold each class are left out, and the notes say so.
        repeats: trainings of each part, each with a seed and a choice of images of its own.
        factor: how many times the largest part to look ahead.
        split: what judges: "validation", or "test", which is opened once.
        splits: a `splits.csv` to use instead of splitting anew.
        out: folder for curve.json, curve.csv, curve.html, and trainings.json with every finished training.
        resume: go on with what is in `out`; finished trainings are not repeated, and parts and repeats may be added.
        events: listeners, told what is said and decoded once, and the steps of every training.
        stop: asked after every step; when true Interrupted is raised.
        told: told of each finished training and how many there will be.
        command: the command to be recorded.

    A part gets as many steps as the whole, or 8 times its epochs where that is less. The intervals are those of
    `striate.evaluation.learning.extrapolation`. Raises UsageError for a plan that is none, SourceError where fewer
    than three parts hold every class, RunError where `out` holds another curve, and as `Classifier.fit` does.
    """
    plan = CurvePlan(tuple(sorted(map(float, parts))), repeats, float(factor), split)
    images = X if isinstance(X, Images) else load_images(X)
    asked = recipe or Recipe()
    heard = Heard()
    course = prepared(images, asked, plan, splits, EventList([heard, *events]))
    with learning_place(Path(out), resume=resume) if out is not None else nullcontext() as place:
        finished = place.begun(facts(course, plan)) if place else {}
        for part, repeat in wanted(course, plan):
            if (part, repeat) not in finished:
                finished[part, repeat] = trained(course, part, repeat, events, stop, len(finished))
                if place:
                    place.keep(finished)
            told(finished[part, repeat].training, len(course.parts) * plan.repeats)
        curve = concluded(course, plan, [finished[key] for key in wanted(course, plan)], heard.sentences)
        if out is not None:
            write_curve(Path(out), curve, command)
    return curve


def prepared(
    images: Images, recipe: Recipe, plan: CurvePlan, splits: str | os.PathLike | None, events: Events
) -> Course:
    """The images decoded and split once, and where each stands in every repeat."""
    origin = find_weights(recipe, events)
    given = Given(images, splits=Path(splits) if splits else None)
    settled = settle(recipe, origin)
    decoded = decode(given, settled, events, origin.preparation if origin else None)
    training, judged = (decoded.images.of_split(name) for name in ("train", plan.split))
    if not len(judged):
        raise SourceError(f"{images.source.location} has no {plan.split} images to judge by.")
    seen = int(trained_on(judged, origin).sum())
    if seen:
        events.said(
            f"The weights were trained on {seen:,} of the {len(judged):,} {plan.split} images, or on others of their "
            "group: the accuracies flatter."
        )
    places = tuple(standing(training, recipe.seed + repeat) for repeat in range(plan.repeats))
    kept = tuple(part for part in plan.parts if complete(training, [each < part for each in places]))
    if len(kept) < len(plan.parts):
        left = ", ".join(written(part) for part in plan.parts if part not in kept)
        events.said(
            f"Left out, since so few images do not hold each of the {len(decoded.images.classes):,} classes: {left}."
        )
    course = Course(recipe, settled, decoded, training, judged, kept, places)
    if len({int(course.rows(part, 0).sum()) for part in kept}) < FEWEST:
        raise SourceError(
            f"{len(training):,} training images are too few for a curve: {len(kept)} of the parts "
            f"{', '.join(map(written, plan.parts))} hold each class, and it takes {FEWEST} of different size. "
            "Add images, or name larger parts."
        )
    return course


def wanted(course: Course, plan: CurvePlan) -> Iterator[tuple[float, int]]:
    """The trainings of a curve, each as its part and its repeat."""
    return ((part, repeat) for repeat in range(plan.repeats) for part in course.parts)


def trained(
    course: Course, part: float, repeat: int, events: Sequence[Events], stop: Callable[[], bool], before: int
) -> Trained:
    """One training, judged."""
    own = course.training.select(course.rows(part, repeat))
    recipe = lengthened(course.recipe, len(own), len(course.training))
    recipe = recipe.changed(seed=course.recipe.seed + repeat)
    validation = course.decoded.images.of_split("validation")
    classifier = Classifier(recipe)
    try:
        classifier.fit(own, validation=validation, events=(StepsOnly(events),), stop=stop)
    except Interrupted:
        raise Interrupted(f"Stopped; trainings finished: {before}.") from None
    chances = classifier.predictor_.of_rows(course.decoded.pack.pixels, course.judged.rows)
    wrong = np.flatnonzero(chances.argmax(axis=1) != course.judged.labels)
    training = CurveTraining(
        part=part,
        images=len(own),
        repeat=repeat,
        seed=recipe.seed,
        epochs=recipe.epochs,
        judged=len(course.judged),
        errors=len(wrong),
    )
    return Trained(training, tuple(wrong.tolist()))


class StepsOnly(Events):
    """What listeners hear of the single trainings: their steps; what else there is to say has been said once."""

    def __init__(self, listeners: Sequence[Events]) -> None:
        self.heard = EventList(listeners)

    def began(self, plan: Plan, network: Any) -> None:
        self.heard.began(plan, network)

    def step(self, progress: Progress, loss: float, rate: float) -> None:
        self.heard.step(progress, loss, rate)

    def finished(self, progress: Progress) -> None:
        self.heard.finished(progress)


def facts(course: Course, plan: CurvePlan) -> dict[str, Any]:
    """What must be the same for a training to belong to the same curve."""
    table = hashlib.sha256(course.decoded.images.splits_csv()).hexdigest()
    return {"recipe": course.settled.model_dump(), "splits_sha256": table, "split": plan.split}


def concluded(
    course: Course, plan: CurvePlan, finished: Sequence[Trained], notes: Sequence[str]
) -> LearningCurve:
    """The curve of some trainings."""
    wrong = np.zeros((len(finished), len(course.judged)), dtype=bool)
    for number, one in enumerate(finished):
        wrong[number, list(one.wrong)] = True
    commonest = int(np.bincount(course.training.labels).argmax())
    guessing = float((course.judged.labels == commonest).mean())
    trainings = tuple(one.training for one in finished)
    groups = None if course.judged.groups is None else numbered_groups(course.judged.groups)
    fitted = learn_curve(
        trainings, wrong, factor=plan.factor, guessing=guessing, groups=groups, seed=course.recipe.seed
    )
    return LearningCurve(
        trainings=trainings,
        **vars(fitted),
        factor=plan.factor,
        guessing=guessing,
        split=plan.split,
        classes=course.decoded.images.classes,
        source=course.decoded.images.source.location,
        recipe=course.settled.model_dump(),
        notes=tuple(notes),
    )

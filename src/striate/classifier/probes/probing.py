"""The linear probe: how well a linear classifier reads the classes from the features of each stage.

Alain and Bengio 2016, "Understanding intermediate layers using linear classifier probes".
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from striate.classifier.building import build, settle
from striate.classifier.leaks import in_trained_group, trained_in
from striate.classifier.material import Decoded, Given, decode
from striate.classifier.probes.linear import STEPS, Fit, a_core_each, fit_linear
from striate.classifier.probes.probed import Probe, ProbedStage
from striate.classifier.probes.stage_features import Features, stage_features
from striate.classifier.weights import Origin, find_weights
from striate.data import Images
from striate.data.audit.fits import folds
from striate.data.units import units
from striate.evaluation.intervals import Number, wilson
from striate.models import Network
from striate.run import SPLITS
from striate.training.events import EventList, Events
from striate.training.recipe import Recipe

MOST_IMAGES = 5000
"""Images of a split that are used; they are drawn where there are more."""
FOLDS = 3
MOST_FITS = 4
"""At a time; each holds three copies of its features in double precision, 80 MB at the most."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Sample:
    """The images that a probe is fitted to and judged on, and the folds in which its strength is chosen."""

    training: Images
    validation: Images
    fold: Int[np.ndarray, " image"]


@dataclass(frozen=True, eq=False)
class Reading:
    """What a probe reads from one stage."""

    stage: str
    output_shape: tuple[int, ...]
    features: int
    fit: Fit
    accuracy: Number


def probe_stages(
    X: Any,
    y: Any = None,
    *,
    recipe: Recipe | None = None,
    splits: str | os.PathLike | None = None,
    events: Sequence[Events] = (),
    progress: Progress = lambda done, total: None,
) -> Probe:
    """The accuracy of a linear probe on every stage of a network, beside the same network untrained.

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> X = (X[:200].reshape(-1, 8, 8) * 15).astype("uint8")
    >>> probe = probe_stages(X, y[:200], recipe=Recipe(model="mlp"))
    >>> [(stage.name, stage.output_shape) for stage in probe.stages]
    [('input', (64,)), ('hidden1', (512,)), ('hidden2', (512,))]

    The images are those of `Classifier.fit`, and so are their splits and preparation; `recipe` says which `weights`,
    or which `model` where there are none. All stages are run once over the images, in prediction mode. Maps are
    averaged to a grid until at most 2,048 numbers an image are left, which are standardised by the training images.
    A multinomial logistic regression with an L2 penalty is fitted to training images, its strength chosen among five
    by three folds of them in which groups and equal pixels stay together. Accuracies are of validation images, with
    Wilson intervals; the test split has no part. At most 5,000 images of a split are used.

    `progress` is told for each network how many images have been run, then how many stages fitted. Raises as
    `Classifier.fit` does, and StriateError where a stage gives numbers that are not finite.
    """
    heard = Heard()
    told = EventList([heard, *events])
    asked = recipe or Recipe()
    origin = find_weights(asked, told)
    settled = settle(asked, origin)
    given = Given(X, y, splits=Path(splits) if splits else None)
    decoded = decode(given, settled, told, origin.preparation if origin else None)
    classes = decoded.images.classes
    built = build(settled, decoded.preparation, classes, origin)
    sample = drawn(decoded.images, settled.seed)
    for note in (*built.notes, *remarks(decoded.images, sample, origin)):
        told.said(note)
    readings = read(built.network, decoded, sample, told, progress)
    untrained = readings
    if origin:
        fresh = build(settled, decoded.preparation, classes, None).network
        untrained = read(fresh, decoded, sample, told, progress)
    return Probe(
        recipe=settled,
        source=decoded.images.source.location,
        classes=classes,
        stages=tuple(beside(one, other) for one, other in zip(readings, untrained, strict=True)),
        guessing=guessing(sample),
        images={"train": len(sample.training), "validation": len(sample.validation), "test": 0},
        notes=tuple(heard.sentences),
    )


class Heard(Events):
    """A listener that keeps the sentences said."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def said(self, text: str) -> None:
        self.sentences.append(text)


def read(
    network: Network, decoded: Decoded, sample: Sample, events: Events, progress: Progress
) -> list[Reading]:
    """What a probe reads from each stage of a network, as many stages at a time as there are cores."""
    rows = np.concatenate([sample.training.rows, sample.validation.rows])
    stages = stage_features(network, decoded.preparation, decoded.pack.pixels, rows, progress)
    readings = []
    with a_core_each(), ThreadPoolExecutor(min(MOST_FITS, os.cpu_count() or 1)) as pool:
        tasks = ((name, stages.pop(name), sample) for name in network.stage_names)
        for reading in pool.map(read_stage, *zip(*tasks, strict=True)):
            if not reading.fit.settled:
                events.said(
                    f"The probe of stage {reading.stage} had not settled after {STEPS:,} steps of its solver."
                )
            readings.append(reading)
            progress(len(readings), len(network.stage_names))
    return readings


def read_stage(name: str, features: Features, sample: Sample) -> Reading:
    """What a probe reads from one stage: fitted to the training images, judged on the validation images."""
    count, truth = len(sample.training), sample.validation.labels
    values = features.values
    fit = fit_linear(values[:count], sample.training.labels, sample.fold, values[count:])
    accuracy = wilson(int((fit.predicted == truth).sum()), len(truth))
    return Reading(name, features.output_shape, values.shape[1], fit, accuracy)


def beside(one: Reading, untrained: Reading) -> ProbedStage:
    """One stage of the network and of its untrained twin."""
    return ProbedStage(
        name=one.stage,
        output_shape=one.output_shape,
        features=one.features,
        accuracy=one.accuracy,
        untrained=untrained.accuracy,
        strength=one.fit.strength,
        untrained_strength=untrained.fit.strength,
    )


def drawn(images: Images, seed: int, most: int = MOST_IMAGES) -> Sample:
    """At most `most` images of the training and of the validation split, and the folds of the former."""
    training, validation = (
        part.select(shares(part.labels, most, seed)) for part in map(images.of_split, ("train", "validation"))
    )
    assert training.digests is not None
    together = units(training.digests, training.groups).of_image
    return Sample(training, validation, folds(training.labels, together, seed, FOLDS))


def shares(labels: Int[np.ndarray, " image"], most: int, seed: int) -> Int[np.ndarray, " chosen"]:
    """At most `most` of the images, in their order: of each class its share, and one at least.

    >>> labels = np.repeat([0, 1, 2], [600, 300, 3])
    >>> np.bincount(labels[shares(labels, 90, seed=0)]).tolist()
    [59, 30, 1]
    """
    place = np.empty(len(labels))
    random = np.random.default_rng(seed)
    for label in np.unique(labels).tolist():
        mine = np.flatnonzero(labels == label)
        place[random.permutation(mine)] = np.arange(len(mine)) / len(mine)
    return np.sort(np.argsort(place, kind="stable")[:most])


def remarks(images: Images, sample: Sample, origin: Origin | None) -> Iterator[str]:
    """What must be said of the images before the numbers are believed."""
    for split, name, part in (
        ("train", "training", sample.training),
        ("validation", "validation", sample.validation),
    ):
        whole = int((images.splits == split).sum())
        if len(part) < whole:
            yield f"{len(part):,} of {whole:,} {name} images were used, drawn by the seed, each class by its share."
    if images.groups is not None:
        yield "The intervals take images of one group as independent, which they are not, and are too narrow."
    seen = int(trained_on(sample.validation, origin).sum())
    if seen:
        yield (
            f"The weights were trained on {seen:,} of the {len(sample.validation):,} validation images, or on others "
            "of their group: the accuracies flatter."
        )


def trained_on(images: Images, origin: Origin | None) -> Bool[np.ndarray, " image"]:
    """Which images, or others of their group, the weights of a run were trained on."""
    table = Path(origin.source) / SPLITS if origin else None
    if table is None or not table.is_file():
        return np.zeros(len(images), dtype=bool)
    assert images.digests is not None
    trained = trained_in(table.read_bytes(), ("train",))
    return np.isin(images.digests, trained.digests) | in_trained_group(images, trained)


def guessing(sample: Sample) -> Number:
    """The accuracy on validation images of always saying the commonest class of the training images."""
    commonest = np.bincount(sample.training.labels).argmax()
    return wilson(int((sample.validation.labels == commonest).sum()), len(sample.validation))

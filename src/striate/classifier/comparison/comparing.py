"""`compare`: runs on the same images, each decoding them for itself, and what of their difference is shown."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int

from striate.classifier import judging
from striate.classifier.classifier import Classifier
from striate.classifier.comparison.shared import Shared, Side, share
from striate.classifier.judging import Asked
from striate.classifier.leaks import trained_in, trained_of
from striate.data import Images
from striate.errors import SourceError, UsageError
from striate.evaluation.comparing.comparison import Comparison, compare_predictions, pairs
from striate.models.weights import weights_bytes

Run = str | os.PathLike | Classifier
Runs = Sequence[Run] | Mapping[str, Run]
"""Runs to compare, or the same by names of one's own."""


@dataclass(frozen=True, eq=False)
class Compared:
    """A comparison with everything it was made from, image by image."""

    comparison: Comparison
    sides: tuple[Side, ...]
    shared: Shared
    truth: Int[np.ndarray, " images"]
    probabilities: Mapping[str, Float64[np.ndarray, "_images _classes"]]


def compare(
    runs: Runs,
    data: str | os.PathLike | Images | None = None,
    *,
    against: str | os.PathLike | None = None,
    seed: int = 0,
    out: str | os.PathLike | None = None,
    command: str | None = None,
    **asked: Any,
) -> Comparison:
    """Compare runs on images that none was trained on: every difference with its interval.

    Args:
        runs: two or more run folders, or classifiers, or a mapping of names of your own to them. They may differ in
            network, size, preparation and recipe, but know the same classes.
        data: labelled images, as of `load_images`; None for those that are test images of every run.
        against: the run that all others are compared with; every pair of up to four runs otherwise.
        seed: of the bootstrap.
        out: a folder for comparison.json, comparison.csv and comparison.html.
        command: the command to be recorded as what made them.
        asked: of `Asked`, `grouping` (a column and an expression as of `load_images`) and `pseudonymous`.

    Raises:
        UsageError: fewer than two runs, one given twice, an unknown reference. RunError: a folder that is no run.
        SourceError: other classes, no image in common, images that changed.
    """
    compared = compare_runs(runs, data, against, seed, Asked(**asked))
    if out is not None:
        from striate.classifier.comparison.comparison_files import write_comparison

        write_comparison(Path(out), compared, command)
    return compared.comparison


def compare_runs(
    runs: Runs,
    data: str | os.PathLike | Images | None,
    against: str | os.PathLike | None,
    seed: int,
    asked: Asked,
) -> Compared:
    """The comparison, and what it was made from; see `compare`."""
    named = distinct(runs)
    reference = named_run(against, named)
    classifiers = {name: opened(run) for name, run in named.items()}
    pairs(list(named), reference)
    digests = refuse_alike(classifiers)
    classes = same_classes(classifiers)
    if data is None:
        sides = tuple(own_side(name, one, asked) for name, one in classifiers.items())
    else:
        sides = tuple(given_sides(classifiers, data, asked))
    shared = share(sides)
    chosen = [side.images.select(places) for side, places in zip(sides, shared.places, strict=True)]
    truth = judging.class_numbers(chosen[0], classes)
    probabilities = {
        side.name: in_order(
            side.classifier, classes, side.classifier.predictor_.of_rows(side.pack.pixels, images.rows)
        )
        for side, images in zip(sides, chosen, strict=True)
    }
    comparison = compare_predictions(
        truth, probabilities, classes, against=reference, groups=shared.groups, seed=seed
    )
    comparison = replace(
        comparison,
        contenders=tuple(
            replace(one, about=facts(named[one.name], classifiers[one.name], digests[one.name]))
            for one in comparison.contenders
        ),
        recipes={
            (one.reference, one.other): tuple(
                classifiers[one.reference].recipe_.differences(classifiers[one.other].recipe_)
            )
            for one in comparison.pairings
        },
        notes=(*shared.notes, *comparison.notes),
        source=chosen[0].source.location,
    )
    return Compared(comparison, sides, shared, truth, probabilities)


def distinct(runs: Runs) -> dict[str, Run]:
    """The runs by names that tell them apart: as given, or that of the folder, or its whole path where two are alike.

    >>> list(distinct(["runs/a", "runs/b"])), list(distinct(["first/a", "second/a"]))
    (['a', 'b'], ['first/a', 'second/a'])
    """
    if isinstance(runs, str | os.PathLike | Classifier) or len(runs) < 2:
        raise UsageError(
            "A comparison needs at least two runs, such as: striate compare runs/first runs/second"
        )
    given = list(runs.values() if isinstance(runs, Mapping) else runs)
    places = [run if isinstance(run, Classifier) else Path(run).resolve() for run in given]
    for number, place in enumerate(places):
        if place in places[:number]:
            raise UsageError(f"{given[number]} is given twice; a comparison needs different runs.")
    if isinstance(runs, Mapping):
        return dict(runs)
    short = [
        place.name if isinstance(place, Path) else f"classifier {at}" for at, place in enumerate(places, 1)
    ]
    whole = [
        os.fspath(run) if not isinstance(run, Classifier) else name
        for run, name in zip(given, short, strict=True)
    ]
    names = short if len(set(short)) == len(short) else whole
    return dict(zip(names, given, strict=True))


def named_run(against: str | os.PathLike | None, named: Mapping[str, Run]) -> str | None:
    """The name of the run to compare with, given by its path or its name; what is unknown stays, to be refused."""
    if against is None:
        return None
    for name, run in named.items():
        if not isinstance(run, Classifier) and Path(run).resolve() == Path(against).resolve():
            return name
    return os.fspath(against)


def opened(run: Run) -> Classifier:
    """The classifier of a run folder; one that is given stays as it is."""
    return run if isinstance(run, Classifier) else Classifier.load(run)


def refuse_alike(classifiers: Mapping[str, Classifier]) -> dict[str, str]:
    """The SHA-256 of each run's weights; UsageError where two runs are one network with one preparation."""
    digests = {
        name: hashlib.sha256(weights_bytes(one.predictor_.network.state_dict())).hexdigest()
        for name, one in classifiers.items()
    }
    known: dict[tuple[str, str, str], str] = {}
    for name, one in classifiers.items():
        whole = digests[name], one.preparation_.model_dump_json(), repr(one.predictor_.views)
        if whole in known:
            raise UsageError(
                f"{known[whole]} and {name} have the same weights (SHA-256 {digests[name][:12]}…) and preparation: "
                "they answer alike, and there is nothing to compare."
            )
        known[whole] = name
    return digests


def same_classes(classifiers: Mapping[str, Classifier]) -> tuple[str, ...]:
    """The classes in the order of the first run; SourceError where another knows others."""
    (first, reference), *others = classifiers.items()
    for name, one in others:
        only = [sorted({*mine} - {*theirs}) for mine, theirs in both_ways(reference, one)]
        if any(only):
            told = [
                f"{known_by} alone knows {', '.join(some[:10])}"
                for known_by, some in ((first, only[0]), (name, only[1]))
                if some
            ]
            raise SourceError(
                f"The runs know different classes: {'; '.join(told)}. Compare runs of the same classes."
            )
    return reference.class_names_


def both_ways(one: Classifier, other: Classifier) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """The classes of two runs, and the same the other way round."""
    return (one.class_names_, other.class_names_), (other.class_names_, one.class_names_)


def own_side(name: str, classifier: Classifier, asked: Asked) -> Side:
    """A run with its own test images."""
    images, pack = judging.own_images(classifier, asked)
    test = images.of_split("test")
    if not len(test):
        raise SourceError(f"{name} has no test images of its own. Give labelled images with --data.")
    return Side(name, classifier, test, pack, trained_of(images), images, ("test images", name))


def given_sides(
    classifiers: Mapping[str, Classifier], data: str | os.PathLike | Images, asked: Asked
) -> Iterator[Side]:
    """Every run with the same images, grouped as asked, or as the first run that has groups."""
    grouped = [one for one in classifiers.values() if any(one.about_["data"].get("grouping") or ())]
    images = judging.given_images((grouped or list(classifiers.values()))[0], data, None, asked)
    if not len(images):
        raise SourceError(f"There is no test image in {images.source.location}.")
    for name, classifier in classifiers.items():
        pack = judging.packed(classifier, images)
        readable = images.with_pack(pack)
        yield Side(
            name,
            classifier,
            readable,
            pack,
            trained_in(classifier.splits_),
            readable,
            ("images", images.source.location),
        )


def in_order(
    classifier: Classifier, classes: tuple[str, ...], said: Float64[np.ndarray, "images classes"]
) -> Float64[np.ndarray, "images classes"]:
    """Probabilities with their columns in another order of the same classes."""
    return said[:, [classifier.class_names_.index(name) for name in classes]]


def facts(run: Run, classifier: Classifier, digest: str) -> dict[str, Any]:
    """What must be known of a run to find it again."""
    about = classifier.about_
    return {
        "folder": "in memory" if isinstance(run, Classifier) else os.fspath(run),
        "model": about["model"],
        "parameters": about["parameters"],
        "input": "×".join(map(str, classifier.preparation_.input_shape())),
        "kept_epoch": about["kept_epoch"],
        "seed": classifier.recipe_.seed,
        "weights_sha256": digest,
        "splits_sha256": about["data"]["splits_sha256"],
        "command": about["provenance"]["command"],
    }

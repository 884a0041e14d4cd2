"""Cross-validation: a network for each fold, trained on the others, and the verdict on all their answers together."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int
from torch import nn

from striate.classifier.building import for_network, settle
from striate.classifier.classifier import Classifier
from striate.classifier.folds.folds_files import write_folds
from striate.classifier.folds.folds_place import fold_folder, folds_place
from striate.classifier.judging import packed
from striate.classifier.leaks import trained_of, without_leaks
from striate.classifier.material import joined, wanted_of
from striate.classifier.probes.probing import trained_on
from striate.classifier.weights import find_weights
from striate.data import Images, Pack, load_images, pack_source
from striate.data.packing.pack import packs_held
from striate.data.units import units
from striate.errors import Interrupted, SourceError, UsageError
from striate.evaluation import judge
from striate.evaluation.folds import SPLIT, Fold, FoldsVerdict, OutOfFold
from striate.evaluation.units import numbered_groups
from striate.training.events import EventList, Events
from striate.training.recipe import Recipe

ALONE = "Each image was judged by the one network that was not trained on its pixels."
IN_GROUPS = (
    "Each image was judged by the one network that was trained on neither its pixels nor others of its group."
)
LEAST = 4
"""Pictures (or groups) of a class that two folds need: each network trains on one and chooses its epoch by another."""
FoldDone = Callable[[Fold], None]


@dataclass(frozen=True, eq=False)
class Task:
    """What is the same for every fold."""

    recipe: Recipe
    images: Images
    pack: Pack
    network: nn.Module | None
    stream: bool
    command: str | None


def cross_validate(
    X: Any,
    recipe: Recipe | None = None,
    *,
    y: Any = None,
    folds: int = 5,
    out: str | os.PathLike | None = None,
    resume: bool = False,
    network: nn.Module | None = None,
    events: Sequence[Events] = (),
    fold_done: FoldDone = lambda fold: None,
    stop: Callable[[], bool] = lambda: False,
    command: str | None = None,
    stream: bool = False,
) -> FoldsVerdict:
    """How well a recipe does on images that its network has not seen, with every image tested once.

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> X = (X[:200].reshape(-1, 8, 8) * 15).astype("uint8")
    >>> verdict = cross_validate(X, Recipe(model="mlp", epochs=1), y=y[:200], folds=2)
    >>> [fold.images["test"] for fold in verdict.folds], verdict.pooled.images, verdict.out_of_fold.probabilities.shape
    ([103, 97], 200, (200, 10))

    Folds hold each class in equal shares; equal pixels and groups are in one fold, by the hash of the splits. Each
    fold in turn is the test split of a run of its own; a tenth of the rest, by the same hash, is its validation.
    Ready-made splits are set aside. The images are decoded once for all folds.

    Args:
        X: `Images`, the path of a source, or arrays with their labels `y`.
        out: folder for a run of each fold (`fold-1` …), folds.json, folds.html, predictions.csv with every image's
            fold and answer, and the list of images to look at again: review.csv, review.html. None keeps all in
            memory.
        resume: go on with the folds in `out` that are not finished; those that are, are not trained again.
        fold_done: told of each fold when it is judged.
        network, events, stop, command, stream: as of `Classifier.fit`.

    Raises:
        UsageError: fewer than two folds, or not those that `out` was begun with. SourceError: more folds than
            different pictures, or groups, of some class. RunError: `out` holds something else. Interrupted: `stop`
            was true. And whatever `Classifier.fit` raises.
    """
    heard = Once(events)
    asked = for_network(recipe or Recipe(), network)
    if folds < 2:
        raise UsageError(f"--folds {folds}: there must be at least 2; 5 or 10 are usual.")
    folder = None if out is None else Path(out)
    with packs_held(), folds_place(folder, folds, resume=resume) if folder else contextlib.nullcontext():
        task = prepared(joined(opened(X), y, None), asked, heard, network, stream, command)
        judged = []
        answers = np.zeros((len(task.images), len(task.images.classes)))
        fold_of = np.zeros(len(task.images), dtype=np.int64)
        for number, table in enumerate(tables(task.images, folds, asked.seed), start=1):
            if stop():
                raise Interrupted(f"Stopped before fold {number} of {folds}; those before it are saved.")
            place = fold_folder(folder, number) if folder else None
            with naming_the_fold(number, folds):
                classifier = trained(task, table, place, resume, heard, stop)
            fold, said = judged_fold(classifier, table, number)
            held = table.splits == "test"
            answers[held], fold_of[held] = said, number
            judged.append(fold)
            fold_done(fold)
        notes = tuple(text for text in heard.sentences if not folder or not text.startswith(str(folder)))
        verdict = pooled(task, judged, answers, fold_of, notes)
        if folder:
            write_folds(folder, verdict, asked, task.images, task.pack, command)
    return verdict


class Once(EventList):
    """Several listeners that hear a sentence only the first time: every fold finds the same to say of the images."""

    def __init__(self, listeners: Sequence[Events]) -> None:
        super().__init__(listeners)
        self.sentences: list[str] = []

    def said(self, text: str) -> None:
        if text not in self.sentences:
            self.sentences.append(text)
            super().said(text)


@contextlib.contextmanager
def naming_the_fold(number: int, folds: int) -> Iterator[None]:
    """An interruption says in which fold it came."""
    try:
        yield
    except Interrupted as error:
        raise Interrupted(f"Fold {number} of {folds}: {error}") from None


def opened(X: Any) -> Any:
    """Images of a path; what is no path stays what it is."""
    return load_images(X) if isinstance(X, str | os.PathLike) else X


def prepared(
    images: Images,
    recipe: Recipe,
    events: Events,
    network: nn.Module | None,
    stream: bool,
    command: str | None,
) -> Task:
    """Images that every fold can be cut from, decoded as the recipe has it."""
    origin = find_weights(recipe, events)
    wanted = wanted_of(settle(recipe, origin), origin.preparation if origin else None)
    _, pack = pack_source(images.source, **wanted, stream=stream, progress=events.packing)
    ready = sorted({*images.splits.tolist()} - {""})
    images = images.with_pack(pack)
    if ready:
        events.said(
            f"The ready-made splits ({', '.join(ready)}) are set aside: every image is tested once. Keep test images "
            "for the final network in a source of their own."
        )
    seen = int(trained_on(images, origin).sum())
    if seen:
        events.said(
            f"The first weights were trained on {seen:,} of these {len(images):,} images, or on others of their group: "
            "the verdict flatters."
        )
    return Task(
        recipe, replace(images, splits=np.full(len(images), "", "U10")), pack, network, stream, command
    )


def tables(images: Images, folds: int, seed: int) -> list[Images]:
    """The images once for each fold, which is the test split there; see `Images.folds`.

    Raises SourceError for a class that has not a picture, or group, for each fold.
    """
    assert images.digests is not None
    unit = units(images.digests, images.groups).of_image
    pairs = np.unique(np.stack([images.labels, unit]), axis=1)
    have = np.bincount(pairs[0], minlength=len(images.classes))
    needed = LEAST if folds == 2 else folds
    small = np.flatnonzero(have < needed)
    if len(small):
        what = "different pictures" if images.groups is None else "groups"
        listed = ", ".join(f"{images.classes[label]!r} has {have[label]}" for label in small[:5].tolist())
        raise SourceError(
            f"--folds {folds} needs {needed} {what} of each class, and {listed}{', …' * (len(small) > 5)}. "
            f"{'Ask for fewer folds, add' if folds > 2 else 'Add'} {what}, or leave the class out."
        )
    return images.folds(folds, seed, stratify=True)


def trained(
    task: Task, table: Images, folder: Path | None, resume: bool, events: Events, stop: Callable[[], bool]
) -> Classifier:
    """The network of one fold, from its folder where it is finished already."""
    return Classifier(task.recipe, network=task.network).fit(
        table,
        out=folder,
        resume=resume,
        events=(events,),
        stop=stop,
        command=task.command,
        stream=task.stream,
    )


def judged_fold(
    classifier: Classifier, table: Images, number: int
) -> tuple[Fold, Float64[np.ndarray, "image class"]]:
    """The verdict of one fold's network on the images that it was not given, and its probabilities."""
    held, sentence = without_leaks(
        table.of_split("test"), trained_of(table), own_split="test", leaks="refuse"
    )
    said = classifier.predictor_.of_rows(packed(classifier, held).pixels, held.rows)
    groups = None if held.groups is None else numbered_groups(held.groups)
    verdict = judge(held.labels.astype(np.int64), said, table.classes, leaks=sentence, groups=groups)
    counts = {split: sum(classes.values()) for split, classes in table.counts().items()}
    fold = Fold(number=number, images=counts, kept_epoch=classifier.about_["kept_epoch"], verdict=verdict)
    return fold, said


def pooled(
    task: Task,
    folds: list[Fold],
    answers: Float64[np.ndarray, "image class"],
    fold_of: Int[np.ndarray, " image"],
    notes: tuple[str, ...],
) -> FoldsVerdict:
    """The verdict on the answers of all folds together."""
    images = task.images
    truth = images.labels.astype(np.int64)
    groups = None if images.groups is None else numbered_groups(images.groups)
    leaks = ALONE if groups is None else IN_GROUPS
    verdict = judge(truth, answers, images.classes, split=SPLIT, leaks=leaks, groups=groups)
    return FoldsVerdict(
        source=images.source.location,
        folds=tuple(folds),
        pooled=verdict,
        seed=task.recipe.seed,
        out_of_fold=OutOfFold(tuple(images.names), truth, answers, fold_of, images.groups),
        notes=notes,
    )

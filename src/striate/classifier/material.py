"""From a table of images to what the training loop takes: decoded, split, measured, in batches."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int
from torch import Tensor

from striate.classifier.keeping import kept_statistics
from striate.classifier.labels import in_label_order, names_of_classes
from striate.classifier.notes import (
    on_animations,
    on_audit,
    on_balance,
    on_groups,
    on_leaks,
    on_size,
    on_unreadable,
)
from striate.classifier.prediction import Predictor
from striate.data import ArraySource, Images, Pack, channel_statistics, load_images, pack_source
from striate.data.batches import Batches, to_input
from striate.data.colours import principal_colours
from striate.data.packing.stream import gather
from striate.data.views import views_of
from striate.errors import SourceError, UsageError
from striate.models import Network
from striate.pixels import Preparation
from striate.training.device import chosen_device
from striate.training.events import Events, Outcome
from striate.training.material import Material
from striate.training.recipe import Recipe

SHIFT = 14
"""The default translation is a 14th of the shorter side: 2 pixels of MNIST's 28 and of CIFAR's 32."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """A table of images whose every row is decoded and has a split, with the pack and the learned preparation."""

    images: Images
    pack: Pack
    preparation: Preparation
    labels: np.ndarray
    """What each class is called by the person who gave the labels."""


@dataclass(frozen=True, eq=False)
class Given:
    """What `fit` was given to train on; see there."""

    X: Any
    y: Any = None
    validation: Any = None
    splits: Path | None = None
    stream: bool = False
    tune: bool = False


def decode(given: Given, recipe: Recipe, events: Events, known: Preparation | None = None) -> Decoded:
    """Decode every image, say what is wrong with them, split, and learn mean and deviation of the training split.

    `known` is the preparation of the weights that the training begins with: its size is kept unless the recipe
    names one, and so are its mean and deviation where pixels mean the same here.

    Raises:
        SourceError: one class only, a class too small to be split, splits that are of other images.
    """
    images = joined(given.X, given.y, given.validation)
    wanted = wanted_of(recipe, known)
    preparation, pack = pack_source(images.source, **wanted, stream=given.stream, progress=events.packing)
    views_of(preparation, recipe.views)  # refuses ten views of pictures as small as their patch
    images = with_notes(
        images.with_pack(pack),
        lambda known: on_animations(known, pack),
        lambda known: on_size(known, preparation, recipe.size),
    )
    for note in (*images.notes, *on_unreadable(images)):
        events.said(note)
    told = len(images.notes)
    images = images.with_splits_from(given.splits) if given.splits else images.with_splits(recipe.seed)
    images = with_notes(
        images,
        lambda known: on_audit(known, pack),
        on_leaks,
        lambda known: on_groups(known, pack),
        lambda known: on_balance(known, recipe.balance),
    )
    for note in images.notes[told:]:
        events.said(note)
    training, held = images.of_split("train"), images.of_split("validation")
    if len(set(images.labels.tolist())) < 2:
        raise SourceError(
            f"{images.source.location} has pictures of one class only ({images.classes[0]}); "
            "a classifier needs at least two."
        )
    if not len(training) or not len(held):
        raise SourceError(
            f"The splits leave {len(training):,} training and {len(held):,} validation images; both are needed."
        )
    kept = kept_statistics(known, preparation)
    preparation = preparation.with_statistics(*(kept or channel_statistics(pack.pixels, training.rows)))
    return Decoded(images, pack, preparation, names_of_classes(images, given.y))


def first_pictures(decoded: Decoded, count: int = 2_000) -> Float32[Tensor, "image channel height width"]:
    """Training images as the network is given them, evenly spaced, none changed at random."""
    rows = decoded.images.of_split("train").rows
    chosen = rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]
    pixels = np.concatenate(list(gather(decoded.pack.pixels, [chosen])))
    return to_input(pixels, decoded.preparation)


def wanted_of(recipe: Recipe, known: Preparation | None) -> dict[str, Any]:
    """What `pack_source` is asked for: the recipe's wishes, and the size of the first weights where it has none."""
    wanted = recipe.preparing()
    if known and recipe.size is None:
        wanted["size"] = (known.height, known.width)
    return wanted


def with_notes(images: Images, *found: Callable[[Images], list[str]]) -> Images:
    """The images with what some functions have to say of them added to their notes."""
    return replace(images, notes=(*images.notes, *(note for notes in found for note in notes(images))))


def joined(X: Images | np.ndarray, y: Any, validation: Any) -> Images:
    """One table from what `fit` was given: images or arrays, with or without validation images of their own."""
    if isinstance(X, Images):
        if y is not None:
            raise UsageError("fit(images, y): a table of images has its labels already; leave y out.")
        if validation is None:
            return X
        if not isinstance(validation, Images) or validation.source is not X.source:
            raise UsageError(
                "validation must come from the same source as the training images, as from images.split()."
            )
        return together(X, validation)
    if y is None:
        raise UsageError("fit(X) of an array needs y: one label for each image.")
    if validation is None:
        return all_training(table_of(X, y))
    more_X, more_y = validation
    both = table_of(np.concatenate([X, more_X]), np.concatenate([y, more_y]))
    marks = np.array(["train"] * len(y) + ["validation"] * len(more_y), dtype="U10")
    return replace(both, splits=marks)


def table_of(X: Any, y: Any) -> Images:
    """Arrays and their labels as a table."""
    labels = np.asarray(y)
    return in_label_order(load_images(ArraySource(np.asarray(X), labels)), labels)


def all_training(images: Images) -> Images:
    """Arrays given to `fit` are training images: who passes them keeps the test images back."""
    return replace(images, splits=np.full(len(images), "train", dtype="U10"))


def together(training: Images, validation: Images) -> Images:
    """Two parts of one source as one table with ready-made splits."""
    if np.intersect1d(training.rows, validation.rows).size:
        raise UsageError("validation holds images that are also given for training.")
    marks = np.array(["train"] * len(training) + ["validation"] * len(validation), dtype="U10")
    mine, theirs = training.groups, validation.groups
    return replace(
        training,
        rows=np.concatenate([training.rows, validation.rows]),
        labels=np.concatenate([training.labels, validation.labels]),
        splits=marks,
        digests=None,
        groups=None if mine is None or theirs is None else np.concatenate([mine, theirs]),
    )


def material(decoded: Decoded, network: Network, recipe: Recipe) -> Material:
    """Batches, validation, names and class weights for the loop."""
    images, pack, preparation = decoded.images, decoded.pack, decoded.preparation
    training = images.of_split("train")
    names = images.source.names
    _, height, width = preparation.input_shape()
    batches = Batches(
        pack.pixels,
        training.rows,
        training.labels,
        preparation,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
        translation=translation_of(recipe, height, width),
        reflection=recipe.reflection,
        cutout=recipe.cutout,
        balance="sampling" if recipe.balance == "sampling" else "none",
        colour_steps=colour_steps(pack, training, recipe.colour_jitter),
    )
    weights = class_weights(training.labels, len(images.classes)) if recipe.balance == "weights" else None
    device = chosen_device(recipe)
    predictor = Predictor(network, preparation, images.classes, views=recipe.views, device=device)
    validate = validator(predictor, pack, images.of_split("validation"))
    return Material(batches, validate, lambda rows: [names[row] for row in rows], weights)


def translation_of(recipe: Recipe, height: int, width: int) -> int:
    """The largest shift in pixels: what the recipe says, or a 14th of the shorter side; none of extracted features.

    >>> translation_of(Recipe(), 28, 28), translation_of(Recipe(freeze="all", extract=True), 28, 28)
    (2, 0)
    """
    if recipe.translation is None:
        return 0 if recipe.extract else max(1, min(height, width) // SHIFT)
    return recipe.translation


def colour_steps(
    pack: Pack, training: Images, jitter: float
) -> Float64[np.ndarray, "channel component"] | None:
    """How far random colours lead on either side, along each principal colour of the training images."""
    return jitter * principal_colours(pack.pixels, training.rows).steps if jitter else None


def class_weights(labels: Int[np.ndarray, " images"], classes: int) -> Float32[Tensor, " classes"]:
    """Weights that give every class the same share of the loss: n / (K · n_k).

    >>> class_weights(np.array([0, 0, 0, 1]), 2)
    tensor([0.6667, 2.0000])
    """
    counts = np.bincount(labels, minlength=classes)
    return torch.from_numpy((len(labels) / (classes * np.maximum(counts, 1))).astype(np.float32))


def validator(predictor: Predictor, pack: Pack, images: Images) -> Callable[[Any], Outcome]:
    """A function that measures a network on the validation images."""

    def validate(_network: Any) -> Outcome:
        return outcome_of(images, predictor.of_rows(pack.pixels, images.rows))

    return validate


def outcome_of(images: Images, chances: Float64[np.ndarray, "images classes"]) -> Outcome:
    """What a network said of images, measured against what they show."""
    right = float((chances.argmax(axis=1) == images.labels).mean())
    measures = {"loss": mean_log_loss(chances, images.labels), "accuracy": right}
    return Outcome(images.rows, images.labels, chances, measures)


def mean_log_loss(
    probabilities: Float64[np.ndarray, "images classes"], labels: Int[np.ndarray, " images"]
) -> float:
    """Mean of -ln p(truth), with p kept above the smallest positive number.

    >>> round(mean_log_loss(np.full((2, 10), 0.1), np.array([3, 7])), 4)
    2.3026
    """
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, np.finfo(np.float64).tiny)).mean())

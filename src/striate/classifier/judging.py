"""From a trained network and labelled images to a verdict, after asking whether the images were trained on."""

import csv
import io
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64, Int, Shaped

from striate.classifier.prediction import Answer, Predictor
from striate.data import ArraySource, Images, Pack, build_pack, load_images
from striate.errors import SourceError, UsageError, suggestion
from striate.evaluation import Verdict, judge
from striate.pixels import read_image

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier

LEAKS = ("refuse", "drop", "accept")
SEEN = {"train", "validation"}
"""Splits whose images have had a part in choosing the weights."""


@dataclass(frozen=True, eq=False)
class Judged:
    """A verdict with everything it was made from."""

    verdict: Verdict
    images: Images
    truth: Int[np.ndarray, " images"]
    probabilities: Float64[np.ndarray, "images classes"]
    pack: Pack
    leaks: str
    """What was found and done about images that were trained on, in one sentence."""


def judge_images(classifier: "Classifier", X: Any, y: Any, *, split: str, leaks: str) -> Judged:
    """Predict on labelled images and judge the predictions; see `Classifier.evaluate`."""
    if leaks not in LEAKS:
        raise UsageError(f"leaks={leaks!r}: {suggestion(leaks, LEAKS)}")
    predictor = classifier.predictor_
    images, pack = labelled(classifier, X, y, split)
    images, sentence = without_leaks(classifier, images, own_split=split if X is None else None, leaks=leaks)
    if not len(images):
        raise SourceError(f"No images are left to judge in {images.source.location}.")
    truth = class_numbers(images, classifier.class_names_)
    probabilities = predictor.of_rows(pack.pixels, images.rows)
    verdict = judge(truth, probabilities, classifier.class_names_, split=split if X is None else "given")
    return Judged(verdict, images, truth, probabilities, pack, sentence)


def labelled(classifier: "Classifier", X: Any, y: Any, split: str) -> tuple[Images, Pack]:
    """The images to be judged, decoded as the classifier prepares them."""
    if X is None:
        images, pack = own_images(classifier)
        chosen = images.of_split(split)
        if not len(chosen):
            present = sorted({*images.splits.tolist()})
            raise SourceError(
                f"This run has no {split} images: its splits are {', '.join(present)}. "
                "Name one of them with --split, or give other images with --data."
            )
        return chosen, pack
    if isinstance(X, str | os.PathLike):
        images = load_images(X)
        images = images.of_split(split) if images.source.splits else images
    elif isinstance(X, Images):
        images = X
    elif y is not None:
        images = load_images(ArraySource(np.asarray(X), y))
    else:
        raise UsageError("evaluate(X) of an array needs y: one label for each image.")
    pack = build_pack(images.source, classifier.preparation_)
    return images.with_pack(pack), pack


def own_images(classifier: "Classifier") -> tuple[Images, Pack]:
    """The table that the run was trained from, checked image by image against its splits.csv."""
    images = classifier.images_
    if images is None:
        location = classifier.about_["data"]["source"]
        try:
            images = load_images(location)
        except SourceError as error:
            raise SourceError(
                f"The images of this run are not where they were: {error} Give labelled images with --data."
            ) from error
    pack = build_pack(images.source, classifier.preparation_)
    if classifier.images_ is not None:
        return images, pack
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "splits.csv"
        path.write_bytes(classifier.splits_)
        try:
            return replace(images.with_pack(pack).with_splits_from(path), notes=()), pack
        except SourceError as error:
            found = str(error).removeprefix(f"{path} is not about these images: ")
            raise SourceError(
                f"The images in {images.source.location} are not those that the run was trained with: {found}. "
                "Restore them, or give other labelled images with --data."
            ) from error


def without_leaks(
    classifier: "Classifier", images: Images, *, own_split: str | None, leaks: str
) -> tuple[Images, str]:
    """The images after the leak check, and its sentence.

    Raises SourceError when images were trained on and `leaks` is "refuse"; names them.
    """
    if own_split in SEEN:
        return images, f"These are the run's own {own_split} images: the weights were chosen with them."
    assert images.digests is not None
    seen = np.isin(images.digests, trained_digests(classifier.splits_))
    count = int(seen.sum())
    if not count:
        return images, f"None of the {len(images):,} images has the pixels of one that was trained on."
    names = [name for name, leaked in zip(images.names, seen, strict=True) if leaked]
    listed = ", ".join(names[:10]) + (f" and {count - 10:,} more" if count > 10 else "")
    if leaks == "refuse":
        raise SourceError(
            f"{count:,} of {len(images):,} images were trained on (identical pixels), so a verdict would flatter: "
            f"{listed}. Leave them out with --leaks drop, or count them with --leaks accept."
        )
    if leaks == "drop":
        return images.select(~seen), f"{count:,} images that were trained on were left out: {listed}."
    return images, f"{count:,} of these images were trained on and are counted all the same: {listed}."


def trained_digests(splits: bytes) -> Shaped[np.ndarray, " images"]:
    """Digests of all images that had a part in choosing the weights, from the run's splits.csv."""
    rows = csv.DictReader(io.StringIO(splits.decode("utf-8", errors="surrogateescape")))
    return np.array([row["digest"].encode() for row in rows if row["split"] in SEEN], dtype="S32")


def class_numbers(images: Images, classes: tuple[str, ...]) -> Int[np.ndarray, " images"]:
    """The labels of a table as numbers in the run's order of classes, matched by name."""
    unknown = sorted(set(images.classes) - set(classes))
    if unknown:
        raise SourceError(
            f"The images have classes that this run does not know: {', '.join(unknown[:10])}. "
            f"The run knows: {', '.join(classes[:70])}."
        )
    number = {name: index for index, name in enumerate(classes)}
    return np.array([number[name] for name in images.classes], dtype=np.int64)[images.labels]


def table_accuracy(classifier: "Classifier", X: Any) -> float:
    """Accuracy on a table of images, by its own labels."""
    if not isinstance(X, Images):
        raise UsageError("score(X) of an array needs y: one label for each image.")
    predicted = classifier.predict_proba(X).argmax(axis=1)
    return float((predicted == class_numbers(X, classifier.class_names_)).mean())


def answer_one(predictor: Predictor, image: Any) -> Answer:
    """The answer for one picture, whatever it comes as."""
    if isinstance(image, np.ndarray):
        source, pixels = "array", ArraySource(image[None]).read("array/0001")
    else:
        source = "bytes" if isinstance(image, bytes) else os.fspath(image)
        pixels = read_image(image)
    return next(predictor.answers([(source, predictor.preparation.pixels(pixels))]))

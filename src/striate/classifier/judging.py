"""From a trained network and labelled images to a verdict, after asking whether the images were trained on."""

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64, Int

from striate.classifier.answer import Answer, labels_of
from striate.classifier.decisions import defending
from striate.classifier.decisions.deciding import Wishes, decide, held_back
from striate.classifier.decisions.defending import Material
from striate.classifier.decisions.sureness import Gate
from striate.classifier.leaks import LEAKS, Trained, trained_in, trained_of, without_leaks
from striate.classifier.prediction import Predictor
from striate.data import ArraySource, Images, Pack, build_pack, load_images
from striate.errors import SourceError, UsageError, suggestion
from striate.evaluation import Verdict, judge
from striate.evaluation.decisions.decision import Decision
from striate.evaluation.decisions.operating import require_prevalence
from striate.evaluation.units import UNITS, in_units, numbered_groups
from striate.pixels.picture import Picture
from striate.pixels.reading import read_picture
from striate.training.allocator import keep_memory

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier


@dataclass(frozen=True, eq=False)
class Judged:
    """A verdict with everything it was made from: of groups, `images` are the first image of each."""

    verdict: Verdict
    images: Images
    truth: Int[np.ndarray, " images"]
    probabilities: Float64[np.ndarray, "images classes"]
    pack: Pack

    @property
    def names(self) -> list[str]:
        """What was judged, by name: the images, or their groups (an image without one by its own name)."""
        own, groups = self.images.names, self.images.groups
        if self.verdict.unit == "image" or groups is None:
            return own
        return [group or name for group, name in zip(groups.tolist(), own, strict=True)]


@dataclass(frozen=True)
class Asked:
    """How images are to be judged: which of them, what becomes of leaks, what belongs together, what they are called.

    `grouping` is a column and an expression, as of `load_images`; `pseudonymous` calls pictures by keyed digests. `by`
    is one of UNITS, None for that of the run's decision. `subgroups` names what `striate.data.columns` knows of every
    image, `unknown` a place of pictures of none of the classes; predictive values of operating points are those where
    the class of interest has the `prevalence`, or those of the images.
    """

    split: str = "test"
    leaks: str = "refuse"
    grouping: tuple[str | None, str | None] = (None, None)
    pseudonymous: bool = False
    by: str | None = None
    subgroups: str | None = None
    unknown: str | os.PathLike | None = None
    prevalence: float | None = None

    def __post_init__(self) -> None:
        if self.by is not None and self.by not in UNITS:
            raise UsageError(f"by={self.by!r}: {suggestion(self.by, UNITS)}")
        if self.prevalence is not None:
            require_prevalence(self.prevalence)
        if self.leaks not in LEAKS:
            raise UsageError(f"leaks={self.leaks!r}: {suggestion(self.leaks, LEAKS)}")


def judge_images(classifier: "Classifier", X: Any, y: Any, asked: Asked) -> Judged:
    """Predict on labelled images and judge the predictions; see `Classifier.evaluate`."""
    images, pack, trained = labelled(classifier, X, y, asked)
    own_split = asked.split if X is None else None
    images, sentence = without_leaks(images, trained, own_split=own_split, leaks=asked.leaks)
    if not len(images):
        raise SourceError(f"No images are left to judge in {images.source.location}.")
    keep_memory()  # only now: what decoding large pictures took is given back
    made = material(classifier, images, pack, unit_of(classifier, asked))
    split = asked.split if X is None else "given"
    classes = classifier.class_names_
    verdict = judge(made.truth, made.probabilities, classes, split=split, leaks=sentence, groups=made.groups)
    verdict = replace(
        verdict,
        unit="image" if made.by == "image" else "group",
        uncalibrated=defending.uncalibrated(classifier, made),
        decided=defending.decided(
            classifier, made, asked.prevalence, chosen_here=own_split in ("validation", "train")
        ),
    )
    if asked.subgroups is not None:
        verdict = defending.by_column(verdict, made, asked.subgroups)
    if asked.unknown is not None:
        found = defending.unknown(
            classifier, made, os.fspath(asked.unknown), pseudonymous=images.pseudonymous
        )
        verdict = replace(verdict, unknown=found)
    return Judged(verdict, images.select(made.rows), made.truth, made.probabilities, pack)


def unit_of(classifier: "Classifier", asked: Asked) -> str:
    """What is judged: what was asked for, or else what the run's decision is about."""
    if asked.by is not None:
        return asked.by
    return "image" if classifier.decision_ is None else classifier.decision_.by


def material(classifier: "Classifier", images: Images, pack: Pack, by: str) -> Material:
    """What the network says of labelled images, image by image or group by group."""
    said = classifier.predictor_.says_of_rows(pack.pixels, images.rows)
    truth = class_numbers(images, classifier.class_names_)
    rows, of_units, chances = in_units(by, truth, said.probabilities, images.groups)
    groups = None if images.groups is None or by != "image" else numbered_groups(images.groups)
    return Material(images, pack, said, by, rows, of_units, chances, groups)


def decide_on(
    classifier: "Classifier", wishes: Wishes, asked: Asked, *, seen: bool
) -> tuple[Decision, Gate | None]:
    """Fulfil wishes on the run's own validation images; see `striate.classifier.decisions.deciding`."""
    images, pack = own_images(classifier, replace(asked, pseudonymous=False))
    return decide(classifier, wishes, held_back(classifier, images, pack, seen=seen))


def labelled(classifier: "Classifier", X: Any, y: Any, asked: Asked) -> tuple[Images, Pack, Trained]:
    """The images to be judged, decoded as the classifier prepares them, and those that it was trained on."""
    if X is None:
        images, pack = own_images(classifier, asked)
        chosen = images.of_split(asked.split)
        if not len(chosen):
            present = sorted({*images.splits.tolist()})
            raise SourceError(
                f"This run has no {asked.split} images: its splits are {', '.join(present)}. "
                "Name one of them with --split, or give other images with --data."
            )
        return chosen, pack, trained_of(images)
    images, trained = given_images(classifier, X, y, asked), trained_in(classifier.splits_)
    pack = packed(classifier, images)
    return images.with_pack(pack), pack, trained


def given_images(classifier: "Classifier", X: Any, y: Any, asked: Asked) -> Images:
    """The table of images that were given to be judged: a location, a table, or arrays."""
    if any(asked.grouping) and not isinstance(X, str | os.PathLike):
        raise UsageError(
            "grouping belongs to images that are loaded here, from a location; a table has its own groups: "
            "load_images(location, group=…, group_from=…). Arrays have none."
        )
    if isinstance(X, Images):
        return X
    if isinstance(X, str | os.PathLike):
        images = load_alike(X, asked.grouping, classifier.about_["data"])
        images = images.of_split(asked.split) if images.source.splits else images
        hidden = asked.pseudonymous or classifier.about_["data"].get("pseudonyms", False)
        return images.pseudonymised() if hidden else images
    if y is None:
        raise UsageError("evaluate(X) of an array needs y: one label for each image.")
    return load_images(ArraySource(np.asarray(X), y))


def load_alike(
    location: str | os.PathLike, grouping: tuple[str | None, str | None], data: dict[str, Any]
) -> Images:
    """Other images, grouped as asked, or else as the run's own were where that can be done with them."""
    if any(grouping):
        return load_images(location, group=grouping[0], group_from=grouping[1])
    known = data.get("grouping") or (None, None)
    try:
        return load_images(location, group=known[0], group_from=known[1])
    except SourceError:
        if not any(known):
            raise
        return load_images(location)  # without such a column or such names; the verdict says so


def own_images(classifier: "Classifier", asked: Asked) -> tuple[Images, Pack]:
    """The table that the run was trained from, checked image by image against its splits.csv."""
    data = classifier.about_["data"]
    images = classifier.images_
    if images is None or any(asked.grouping):
        location = data["source"] if images is None else images.source.location
        try:
            group, group_from = asked.grouping
            images = load_images(
                location, group=group, group_from=group_from, pseudonymous=data.get("pseudonyms", False)
            )
        except SourceError as error:
            raise SourceError(
                f"The images of this run are not where they were: {error} Give labelled images with --data."
                if not any(asked.grouping)
                else str(error)
            ) from error
        pack = packed(classifier, images)
        images = as_trained(images.with_pack(pack), classifier.splits_, named=not asked.pseudonymous)
    else:
        pack = packed(classifier, images)
    hide = asked.pseudonymous and not images.pseudonymous
    return images.pseudonymised() if hide else images, pack


def packed(classifier: "Classifier", images: Images) -> Pack:
    """The images prepared as the run prepared its own: kept on the disk, or streamed."""
    stream = classifier.about_["data"].get("stream", False)
    return build_pack(images.source, classifier.preparation_, stream=stream)


def as_trained(images: Images, splits: bytes, *, named: bool) -> Images:
    """The images as the run's splits.csv has them: splits, groups, and what an audit relabelled or dropped."""
    try:
        return replace(images.with_splits_from(splits, as_was=True), notes=())
    except SourceError as error:
        found = f": {str(error).partition('is not about these images: ')[2]}" if named else ""
        raise SourceError(
            f"The images in {images.source.location} are not those that the run was trained with{found}. "
            "Restore them, or give other labelled images with --data."
        ) from error


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
    chances = classifier.predict_proba(X)
    predicted = labels_of(chances, classifier.class_names_, classifier.decision_)
    return float((predicted == class_numbers(X, classifier.class_names_)).mean())


def answer_one(predictor: Predictor, image: Any) -> Answer:
    """The answer for one picture, whatever it comes as."""
    source, picture = read_one(predictor, image)
    pixels = predictor.preparation.pixels(picture.pixels, window=picture.description.window)
    return next(predictor.answers([(source, pixels)]))


def read_one(predictor: Predictor, image: Any) -> tuple[str, Picture]:
    """One picture and what it is called: a file, its bytes, an array `height width [channel]`, or a read picture."""
    if isinstance(image, Picture):
        return "picture", image
    if isinstance(image, np.ndarray):
        return "array", ArraySource(image[None]).load("array/0001")
    source = "bytes" if isinstance(image, bytes) else os.fspath(image)
    return source, read_picture(image, draft=predictor.preparation.draft_size())

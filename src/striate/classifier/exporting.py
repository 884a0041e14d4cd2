"""From a classifier to one file that other programs run, compared with the classifier on its own test images."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Float64

from striate.classifier import judging
from striate.classifier.exported_facts import facts_of_export
from striate.classifier.leaks import without_leaks
from striate.data import ArraySource, Images, Pack, load_images
from striate.data.packing.decoding import load_picture
from striate.data.packing.stream import gather
from striate.errors import SourceError, StriateError, UsageError, suggestion
from striate.evaluation.comparing.differences import Ground, group_differences, group_rates
from striate.evaluation.comparing.paired import agreement, score_difference
from striate.evaluation.intervals import Number, wilson
from striate.evaluation.units import numbered_groups
from striate.export.answering import Answering
from striate.export.onnx_file import onnx_answers, require_onnx, write_onnx
from striate.export.parity import Example, Parity, compare
from striate.export.preparing import Preparing
from striate.export.quantised import Quantised, quantise_onnx
from striate.export.torch_file import torch_answers, write_torch
from striate.files import replacing, sha256_of, write_json
from striate.pixels.preparation import FILE_WINDOW
from striate.pixels.raw import LARGEST, raw_values
from striate.pixels.windowing import parse_window

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier

ENDINGS = {"onnx": ".onnx", "torch": ".pt2"}
REPORT = ".parity.json"
"""What is added to a file's name to name its parity report."""
_BLOCK = 64


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A file that was written, the report beside it, and what the report says."""

    path: Path
    sha256: str
    report: Path
    parity: Parity
    leaks: str
    quantised: Quantised | None = None

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values: the content of the report."""
        return {
            "file": self.path.name,
            "sha256": self.sha256,
            **self.parity.to_dict(),
            "leaks": self.leaks,
            "quantised": self.quantised.to_dict() if self.quantised else None,
        }

    def to_text(self) -> str:
        """What was written and how it compares, for a terminal."""
        lines = [f"{self.path}: {self.path.stat().st_size:,} bytes, one file", self.parity.to_text()]
        if self.quantised:
            lines += [self.quantised.to_text(), f"  {self.leaks}"]
        return "\n".join([*lines, f"report: {self.report}"])


@dataclass(frozen=True, eq=False)
class _Ground:
    """The images that a file is compared on, prepared and answered by the classifier."""

    images: Images
    pack: Pack
    probabilities: Float64[np.ndarray, "images classes"]
    leaks: str


def export_classifier(
    classifier: "Classifier", path: Path, X: Any, y: Any, *, to: str, quantise: bool, **asked: Any
) -> Exported:
    """Write a classifier as a file and compare the two; see `Classifier.export`."""
    require_target(path, to, quantise)
    ground = compared(classifier, X, y, judging.Asked(**asked), labels=quantise)
    report = path.with_name(path.name + REPORT)
    with replacing(path) as partial:
        write(classifier, partial, to)
        ask = onnx_answers(partial) if to == "onnx" else torch_answers(partial)
        parity, said = compare(ask, examples(classifier, ground))
        made = Exported(
            path=path, sha256=sha256_of(partial), report=report, parity=parity, leaks=ground.leaks
        )
        write_json(report, made.to_dict())
        if not parity.passed:
            raise StriateError(
                f"{path} was not written, because it would not say what the run says: {parity.sentence()}. {report}"
                " says more; report it with the run's model.json."
            )
    if quantise:
        made = replace(made, quantised=quantised(classifier, ground, path, said))
        write_json(report, made.to_dict())
    return made


def write(classifier: "Classifier", path: Path, to: str) -> None:
    """Write the file alone, before anything is compared."""
    answering, facts = answering_of(classifier), facts_of_export(classifier)
    if to == "onnx":
        write_onnx(answering, path, facts, LARGEST[classifier.preparation_.depth])
    else:
        write_torch(answering, path, facts)


def answering_of(classifier: "Classifier") -> Answering:
    """Everything that happens to a decoded picture, as one module."""
    preparation = classifier.preparation_
    named = None
    if preparation.window not in (None, FILE_WINDOW):
        window = parse_window(preparation.window)
        named = window.centre, window.width
    _, rows, columns = preparation.input_shape()
    return Answering(
        Preparing(preparation, named),
        classifier.network_,
        views=classifier.predictor_.views,
        patch=(rows, columns),
        calibration=classifier.about_.get("calibration"),
    )


def require_target(path: Path, to: str, quantise: bool) -> None:
    """Raises UsageError, before any work, for a kind, a name or an option that cannot be; StriateError without onnx."""
    if to not in ENDINGS:
        raise UsageError(f"--to {to}: {suggestion(to, ENDINGS)}")
    if path.suffix != ENDINGS[to]:
        raise UsageError(f"{path} does not end in {ENDINGS[to]}, as a file for --to {to} does.")
    if path.is_dir():
        raise UsageError(
            f"{path} is a folder: give the name of a file, such as {path / ('model' + ENDINGS[to])}."
        )
    if quantise and to != "onnx":
        raise UsageError("--quantise makes an ONNX file of 8-bit weights: add --to onnx.")
    if to == "onnx":
        require_onnx()


def compared(classifier: "Classifier", X: Any, y: Any, asked: judging.Asked, *, labels: bool) -> _Ground:
    """The images to compare on, with the classifier's answers; labels are wanted where accuracy is measured."""
    if X is not None and y is None and not labels and isinstance(X, np.ndarray):
        X = load_images(ArraySource(X, np.zeros(len(X), int)))
    images, pack, trained = judging.labelled(classifier, X, y, asked)
    if not len(images):
        raise SourceError(f"There is no picture in {images.source.location} to compare the file on.")
    if labels:
        judging.class_numbers(images, classifier.class_names_)
    _, leaks = without_leaks(images, trained, own_split=asked.split if X is None else None, leaks="accept")
    return _Ground(images, pack, classifier.predictor_.of_rows(pack.pixels, images.rows), leaks)


def examples(classifier: "Classifier", ground: _Ground) -> Iterator[Example]:
    """Every picture, decoded anew, with the classifier's preparation of it and its answer."""
    preparation, images = classifier.preparation_, ground.images
    scale, offset = preparation.affine()
    starts = range(0, len(images), _BLOCK)
    rows = [images.rows[start : start + _BLOCK] for start in starts]
    for start, block, pictures in zip(starts, rows, gather(ground.pack.pixels, rows), strict=True):
        for place, (row, pixels) in enumerate(zip(block.tolist(), pictures, strict=True), start):
            picture = load_picture(images.source, row, preparation)
            values, full_scale = raw_values(picture, preparation)
            yield Example(
                name=images.source.names[row],
                pixels=values,
                full_scale=full_scale,
                depth=str(picture.pixels.dtype),
                prepared=(pixels * scale + offset).transpose(2, 0, 1),
                probabilities=ground.probabilities[place],
            )


def quantised(
    classifier: "Classifier", ground: _Ground, full: Path, said: Float[np.ndarray, "images classes"]
) -> Quantised:
    """An ONNX file of 8-bit weights beside the full one, and what it costs on the same images."""
    path = full.with_name(f"{full.stem}.int8{full.suffix}")
    with replacing(path) as partial:
        quantise_onnx(full, partial)
        _, other = compare(onnx_answers(partial), examples(classifier, ground))
    truth = judging.class_numbers(ground.images, classifier.class_names_)
    before, after = (chances.argmax(axis=1) == truth for chances in (said, other))
    groups = ground.images.groups
    numbers = None if groups is None else numbered_groups(groups)
    rates = paired_rates(
        Ground(truth, classifier.class_names_, numbers, classifier.recipe_.seed), before, after
    )
    return Quantised(
        path=path,
        full_bytes=full.stat().st_size,
        bytes=path.stat().st_size,
        full_accuracy=rates[0],
        accuracy=rates[1],
        difference=rates[2],
        probability=float(np.abs(other - said).max()),
    )


def paired_rates(
    ground: Ground, before: Bool[np.ndarray, " images"], after: Bool[np.ndarray, " images"]
) -> tuple[Number, Number, Number]:
    """The accuracy before, that after, and after minus before, of images or of whole groups of them."""
    if ground.groups is None:
        shares = [wilson(int(right.sum()), len(right)) for right in (before, after)]
        return shares[0], shares[1], score_difference(agreement(before, after))
    none = np.zeros(len(before))
    shares = [group_rates(ground, right, none)[0] for right in (before, after)]
    gain = after.astype(np.float64) - before
    return shares[0], shares[1], group_differences(ground, gain, none).accuracy

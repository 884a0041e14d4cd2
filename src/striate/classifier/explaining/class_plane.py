"""Where classes lie, as files: images as points in a figure, as a table, and as TensorBoard's projector data."""

import csv
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from striate.classifier.explaining.figures import Figure, given, in_batches, seen_part
from striate.data import Images
from striate.drawing.class_map import class_map_figure, figure_bytes
from striate.drawing.tiles import to_uint8
from striate.errors import UsageError, suggestion
from striate.explanation.class_map import METHODS, ClassMap, class_map, penultimate
from striate.explanation.projector import write_projector
from striate.files import write_atomically, write_json

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier

MOST = 2000
"""Images on a plane; of more, so many are taken evenly from the table."""


def write_class_map(
    classifier: "Classifier",
    data: str | os.PathLike,
    folder: str | os.PathLike,
    *,
    method: str = "pca",
    seed: int = 0,
    pseudonymous: bool = False,
) -> Figure:
    """Images of a source by what the network's last layer reads, in two dimensions: class-map.png, .svg, .csv, .json.

    `method` is "pca" or "tsne". Beside them the folder `projector`, which `tensorboard --logdir` shows. Raises
    UsageError for another method and for fewer than three images, SourceError for no usable images.
    """
    if method not in METHODS:
        raise UsageError(f"There is no class map {method!r}; {suggestion(method, METHODS)}")
    kind: Literal["pca", "tsne"] = "pca" if method == "pca" else "tsne"
    predictor = classifier.predictor_
    images, pack = given(classifier, data, pseudonymous=pseudonymous)
    every, images = len(images), at_most(images, MOST)
    inputs = (inputs for _, inputs in in_batches(predictor, images, pack))
    features = penultimate(predictor.network, inputs)
    found = class_map(features, images.labels, method=kind, seed=seed)
    sentence = found.sentence()
    if every > len(images):
        sentence += f" Shown are {len(images):,} of {every:,} images, evenly taken."
    shown = [to_uint8(seen_part(predictor, pack.pixels[row])) for row in images.rows]
    content = {
        "method": kind,
        "images": len(images),
        "features": found.features,
        "kept": found.kept,
        "neighbours": found.neighbours.to_dict(),
        "neighbours_before": found.neighbours_before.to_dict(),
        "sentence": sentence,
    }
    labels = [images.classes[label] for label in images.labels]
    files = write_plane(Path(folder), found, images, shown, sentence)
    files.append(Path(folder, "class-map.json"))
    write_json(files[-1], content)
    projector = Path(folder, "projector")
    files += write_projector(projector, features, labels, sources=images.names, pictures=shown)
    return Figure(tuple(files), (sentence,), content)


def at_most(images: Images, most: int) -> Images:
    """All images, or so many taken evenly from the table."""
    if len(images) <= most:
        return images
    return images.select(np.linspace(0, len(images) - 1, most).astype(np.int64))


def write_plane(
    folder: Path, found: ClassMap, images: Images, pictures: list[np.ndarray], sentence: str
) -> list[Path]:
    """The figure as a PNG and as an SVG, and the points as a csv."""
    figure = class_map_figure(
        found.points,
        images.labels,
        images.classes,
        title=f"Where the classes of {Path(images.source.location).name} lie",
        sentence=sentence,
        axes_names=_axes(found),
        pictures=pictures,
    )
    files = [folder / f"class-map.{ending}" for ending in ("png", "svg", "csv")]
    write_atomically(files[0], figure_bytes(figure, "png"))
    write_atomically(files[1], figure_bytes(figure, "svg"))
    write_atomically(files[2], _table(found, images))
    return files


def _axes(found: ClassMap) -> tuple[str, str]:
    if found.kept is None:
        return "t-SNE", ""
    first, second = (
        f"component {number}, {100 * share:.0f} % of the variance"
        for number, share in enumerate(found.kept, 1)
    )
    return first, second


def _table(found: ClassMap, images: Images) -> bytes:
    """A row an image: source, class, and where it lies."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["source", "class", "x", "y"])
    for name, label, point in zip(images.names, images.labels, found.points.tolist(), strict=True):
        writer.writerow([name, images.classes[label], *point])
    return text.getvalue().encode("utf8", "surrogateescape")

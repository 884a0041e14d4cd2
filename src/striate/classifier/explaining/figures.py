"""What a network has learned, as files: filters, maps of a picture, what excites a channel, where classes lie."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from striate.classifier.explaining.files import write_array
from striate.classifier.explaining.reason import seen_box
from striate.classifier.judging import load_alike, packed, read_one
from striate.classifier.prediction import Predictor
from striate.data import Images, Pack
from striate.data.batches import to_input
from striate.data.pseudonyms import pseudonyms
from striate.drawing.tile_sheet import TileSheet
from striate.errors import UsageError
from striate.explanation.feature_maps import feature_maps, side_by_side, stage_of_maps
from striate.explanation.filters import filters, layers_with_filters
from striate.explanation.strongest import Excitation, strongest
from striate.explanation.top_nine import top_nine_figure
from striate.files import write_atomically, write_json
from striate.pixels.picture import ImageArray

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier

EXAMPLE = "--channel stage3:17"
Folder = str | os.PathLike


@dataclass(frozen=True, eq=False)
class Figure:
    """Files that were written about a network, what they show in a few sentences, and the numbers behind them."""

    files: tuple[Path, ...]
    sentences: tuple[str, ...]
    content: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The numbers, and the files by their paths; ready for JSON."""
        return {**self.content, "files": [os.fspath(path) for path in self.files]}

    def to_text(self) -> str:
        """The sentences, then a line a file."""
        return "\n".join([*self.sentences, *(f"    {path}" for path in self.files)])


def write_filters(classifier: "Classifier", folder: Folder, layer: str | None = None) -> Figure:
    """The kernels of a layer, or of a stage's first one, as filters.png, filters.svg and filters.json.

    The layer that reads the picture unless one is named. Raises ModelError for a layer that there is not, and for a
    network without filters.
    """
    predictor = classifier.predictor_
    network, shape = predictor.network, predictor.preparation.input_shape()
    within = [name for name in layers_with_filters(network, shape) if name.startswith(f"{layer}.")]
    found = filters(network, within[0] if within else layer, input_shape=shape)
    content = {"layer": found.layer, "sentence": found.sentence(), "filters": found.rows()}
    files = [*write_sheet(Path(folder), "filters", found.sheet()), Path(folder, "filters.json")]
    write_json(files[-1], content)
    return Figure(tuple(files), (f"{found.layer}: {found.sentence()}",), content)


def write_feature_maps(
    classifier: "Classifier",
    image: Any,
    folder: Folder,
    stage: str | None = None,
    *,
    pseudonymous: bool = False,
) -> Figure:
    """What a stage makes of a picture, as maps-STAGE.png, .svg and .npy; for no stage, the deepest that says where.

    Beside them stages.png and stages.svg, the same picture stage after stage. Raises ModelError for a stage without
    maps, ImageError where the picture cannot be read.
    """
    predictor = classifier.predictor_
    stage = stage_of_maps(predictor.network, predictor.preparation.input_shape(), stage)
    source, picture = read_one(predictor, image)
    pixels = predictor.preparation.pixels(picture.pixels, window=picture.description.window)
    inputs = to_input(pixels[None], predictor.preparation)
    found = feature_maps(predictor.network, inputs, stage)
    whole = side_by_side(predictor.network, inputs, picture=seen_part(predictor, pixels))
    stem, values = f"maps-{stage}", Path(folder, f"maps-{stage}.npy")
    files = [
        *write_sheet(Path(folder), "stages", whole),
        *write_sheet(Path(folder), stem, found.sheet()),
        values,
    ]
    write_array(values, found.maps[0].numpy())
    content = {
        "source": pseudonyms([source], kind="image")[0] if pseudonymous else source,
        "stage": stage,
        "shape": list(found.maps.shape[1:]),
        "strongest": found.strongest(),
        "dead": list(found.dead),
        "saturated": list(found.saturated),
        "sees": found.sees,
    }
    return Figure(tuple(files), (found.sentence(),), content)


def write_strongest(
    classifier: "Classifier",
    channels: Sequence[str],
    data: str | os.PathLike,
    folder: Folder,
    *,
    pseudonymous: bool = False,
) -> Figure:
    """The nine images of a source that excite each channel most: channels.png, channels.svg and channels.json.

    `channels` are written `STAGE:NUMBER`. Raises UsageError for what is not, ModelError for a stage or channel that
    there is not and where the deconvnet cannot be right, SourceError for no usable images.
    """
    wanted, predictor = read_channels(channels), classifier.predictor_
    images, pack = given(classifier, data, pseudonymous=pseudonymous)
    found = {
        stage: strongest(predictor.network, in_batches(predictor, images, pack), stage, numbers)
        for stage, numbers in wanted.items()
    }
    rows = sorted({one.row for stage in found.values() for nine in stage.values() for one in nine})
    pixels = {row: pack.pixels[images.rows[row]] for row in rows}
    figure = top_nine_figure(
        predictor.network,
        found,
        {row: to_input(one[None], predictor.preparation)[0] for row, one in pixels.items()},
        {row: seen_part(predictor, one) for row, one in pixels.items()},
        title="What excites the channels most",
    )
    content = {"images": len(images), "channels": _told(found, images.names)}
    files = tuple(Path(folder, f"channels.{kind}") for kind in ("png", "svg", "json"))
    write_atomically(files[0], figure.png())
    write_atomically(files[1], figure.svg().encode("utf8"))
    write_json(files[2], content)
    return Figure(files, tuple(map(_sentence, content["channels"])), content)


def write_sheet(folder: Path, stem: str, sheet: TileSheet) -> list[Path]:
    """A sheet as a PNG and as an SVG."""
    png, svg = folder / f"{stem}.png", folder / f"{stem}.svg"
    write_atomically(png, sheet.to_png())
    write_atomically(svg, sheet.to_svg().encode("utf8"))
    return [png, svg]


def read_channels(texts: Sequence[str]) -> dict[str, list[int]]:
    """Channels by stage, from `STAGE:NUMBER`; UsageError for anything else.

    >>> read_channels(["stage1:3", "stage3:17", "stage1:8"])
    {'stage1': [3, 8], 'stage3': [17]}
    """
    found: dict[str, list[int]] = {}
    for text in texts:
        match = re.fullmatch(r"(.+):(\d{1,9})", text.strip())
        if not match:
            raise UsageError(
                f"--channel {text}: write a stage, a colon and a channel's number, such as {EXAMPLE}."
            )
        numbers = found.setdefault(match[1], [])
        if int(match[2]) in numbers:
            raise UsageError(f"--channel {text} is given twice; once is enough.")
        numbers.append(int(match[2]))
    return found


def given(
    classifier: "Classifier", data: str | os.PathLike, *, pseudonymous: bool = False
) -> tuple[Images, Pack]:
    """All images of a source, decoded as the classifier prepares them."""
    images = load_alike(data, (None, None), classifier.about_["data"])
    if pseudonymous or classifier.about_["data"].get("pseudonyms", False):
        images = images.pseudonymised()
    pack = packed(classifier, images)
    return images.with_pack(pack), pack


def in_batches(
    predictor: Predictor, images: Images, pack: Pack
) -> Iterator[tuple[Int[Tensor, " batch"], Float[Tensor, "batch channel height width"]]]:
    """Numbers of images with what the network gets of them, a batch at a time."""
    for start in range(0, len(images), predictor.batch_size):
        rows = images.rows[start : start + predictor.batch_size]
        pixels = np.stack([pack.pixels[row] for row in rows])
        yield torch.arange(start, start + len(rows)), to_input(pixels, predictor.preparation)


def seen_part(predictor: Predictor, pixels: ImageArray) -> ImageArray:
    """What the network sees of a prepared picture."""
    top, left, height, width = seen_box(predictor)
    return pixels[top : top + height, left : left + width]


def _told(found: dict[str, dict[int, tuple[Excitation, ...]]], names: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "stage": stage,
            "channel": channel,
            "strongest": [
                {
                    "source": names[one.row],
                    "activation": one.activation,
                    "cell": list(one.cell),
                    "box": list(one.box),
                }
                for one in nine
            ],
        }
        for stage, channels in found.items()
        for channel, nine in channels.items()
    ]


def _sentence(told: dict[str, Any]) -> str:
    nine = [one["activation"] for one in told["strongest"]]
    excited = (
        f"{len(nine)} pictures, activation {nine[0]:.3g} to {nine[-1]:.3g}"
        if nine
        else "no picture excites it"
    )
    return f"{told['stage']}, channel {told['channel']}: {excited}"

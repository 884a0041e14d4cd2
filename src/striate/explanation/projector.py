"""Features for TensorBoard's Embedding Projector: a table of numbers, one of names, and a sheet of thumbnails."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from striate.drawing.text import visible
from striate.drawing.tiles import png_bytes, to_image
from striate.errors import UsageError
from striate.files import write_atomically

LARGEST_SHEET, LARGEST_THUMBNAIL = 8192, 64
"""Pixels a side. The sheet's is TensorBoard's own limit."""
TENSORS, METADATA, SPRITE, CONFIG = "tensors.tsv", "metadata.tsv", "sprite.png", "projector_config.pbtxt"


def write_projector(
    folder: Path,
    features: Float[np.ndarray, "image feature"],
    names: Sequence[str],
    *,
    sources: Sequence[str] | None = None,
    pictures: Sequence[Shaped[np.ndarray, "_height _width _channel"]] | None = None,
    title: str = "penultimate features",
) -> list[Path]:
    """Write what `tensorboard --logdir FOLDER` shows under Projector; returns the files, the configuration last.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = write_projector(Path(folder), np.zeros((2, 3), np.float32), ["cat", "dog"])
    ...     [file.name for file in files], files[1].read_text()
    (['tensors.tsv', 'metadata.tsv', 'projector_config.pbtxt'], 'cat\\ndog\\n')

    `names` are the classes by name, one an image; with `sources` the metadata has two columns and a heading. Tabs and
    line breaks in them are written as escapes. `pictures` become a sheet of thumbnails of one size. Raises UsageError
    for features that are not finite, and unless there are as many names, sources and pictures as rows.
    """
    _require(features, {"names": names, "sources": sources, "pictures": pictures})
    rows = "".join("\t".join(f"{value:.9g}" for value in row) + "\n" for row in features.tolist())
    files = {TENSORS: rows.encode(), METADATA: _metadata(names, sources).encode()}
    size = (0, 0)
    if pictures is not None:
        files[SPRITE], size = sprite(pictures)
    files[CONFIG] = _config(title, features.shape, size).encode()
    for name, content in files.items():
        write_atomically(folder / name, content)
    return [folder / name for name in files]


def sprite(
    pictures: Sequence[Shaped[np.ndarray, "_height _width _channel"]],
) -> tuple[bytes, tuple[int, int]]:
    """A PNG of all pictures in a square of rows, and the width and height of each in it.

    >>> content, size = sprite([np.zeros((28, 28, 1), np.uint8)] * 5)
    >>> content[:4], size
    (b'\\x89PNG', (28, 28))
    """
    from PIL import Image

    across = math.ceil(math.sqrt(len(pictures)))
    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    side = min(LARGEST_THUMBNAIL, LARGEST_SHEET // across)
    share = min(1.0, side / max(height, width))
    size = max(1, round(width * share)), max(1, round(height * share))
    sheet = Image.new("RGB", (across * size[0], across * size[1]), "white")
    for index, picture in enumerate(pictures):
        image = to_image(picture).convert("RGB").resize(size, Image.Resampling.BOX)
        sheet.paste(image, (index % across * size[0], index // across * size[1]))
    return png_bytes(np.asarray(sheet)), size


def _metadata(names: Sequence[str], sources: Sequence[str] | None) -> str:
    # TensorBoard takes the first line for a heading only where there is more than one column
    if sources is None:
        lines = [visible(name) for name in names]
    else:
        pairs = zip(names, sources, strict=True)
        lines = ["class\tsource", *(f"{visible(name)}\t{visible(source)}" for name, source in pairs)]
    return "".join(f"{line}\n" for line in lines)


def _config(title: str, shape: tuple[int, ...], size: tuple[int, int]) -> str:
    quoted = visible(title).replace("\\", "\\\\").replace('"', '\\"')
    dims = "".join(f"    single_image_dim: {side}\n" for side in size)
    picture = f'  sprite {{\n    image_path: "{SPRITE}"\n{dims}  }}\n' if size[0] else ""
    return (
        f'embeddings {{\n  tensor_name: "{quoted}"\n  tensor_shape: {shape[0]}\n  tensor_shape: {shape[1]}\n'
        f'  tensor_path: "{TENSORS}"\n  metadata_path: "{METADATA}"\n{picture}}}\n'
    )


def _require(features: np.ndarray, others: dict[str, Sequence[object] | None]) -> None:
    if not len(features) or not np.isfinite(features).all():
        raise UsageError(
            "Features for the projector must be finite, of one image at least; take other weights or images."
        )
    for word, values in others.items():
        if values is not None and len(values) != len(features):
            raise UsageError(
                f"There are {len(values):,} {word} for {len(features):,} images; give one an image."
            )

"""What each stage of a network makes of images, as a bounded row of numbers an image."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor
from torch.nn import functional

from striate.data.batches import to_input
from striate.data.packing.stream import PackedPixels, gather
from striate.errors import StriateError
from striate.models import Network
from striate.pixels import Preparation

MOST_FEATURES = 2048
"""Numbers kept of one stage. Goyal et al. 2019 pool each layer to about 9,000; this many can be fitted to convergence
on two cores, and are as many as the channels of ResNet-50's last stage."""
BATCH = 32


@dataclass(frozen=True, eq=False)
class Features:
    """What one stage makes of images: the shape that leaves it for one image, and the numbers kept of each."""

    output_shape: tuple[int, ...]
    values: Float32[np.ndarray, "row feature"]


def stage_features(
    network: Network,
    preparation: Preparation,
    pixels: PackedPixels,
    rows: Int[np.ndarray, " row"],
    progress: Callable[[int, int], None],
) -> dict[str, Features]:
    """What every stage makes of some rows of a pack, run through the network once, in prediction mode.

    Batches have one fixed size, so that the numbers of an image do not depend on how many others there are. Raises
    StriateError where a stage gives numbers that are not finite.
    """
    network = network.to(memory_format=torch.channels_last).eval()  # pyright: ignore[reportCallIssue]
    starts = range(0, len(rows), BATCH)
    blocks = gather(pixels, [rows[at : at + BATCH] for at in starts])
    found: dict[str, Features] = {}
    with torch.inference_mode():
        for at, block in zip(starts, blocks, strict=True):
            x = to_input(block, preparation, batch_size=BATCH)
            for name, stage in network.stages.items():
                x = stage(x)
                values = pooled(x)[: len(block)].numpy()
                if not np.isfinite(values).all():
                    raise StriateError(
                        f"Stage {name} gives numbers that are not finite, so nothing can be read from it; "
                        "take other weights."
                    )
                if name not in found:
                    space = np.empty((len(rows), values.shape[1]), np.float32)
                    found[name] = Features(tuple(x.shape[1:]), space)
                found[name].values[at : at + len(block)] = values
            progress(at + len(block), len(rows))
    return found


def pooled(maps: Float[Tensor, "image ..."], most: int = MOST_FEATURES) -> Float[Tensor, "image feature"]:
    """The numbers of each image as one row: maps averaged to the finest grid that leaves at most `most` of them.

    >>> tuple(pooled(torch.zeros(2, 64, 28, 28)).shape), tuple(pooled(torch.zeros(2, 16, 5, 5)).shape)
    ((2, 1600), (2, 400))

    What is no map, or has more channels than that, is averaged over neighbouring numbers instead.
    """
    if maps.ndim == 4 and maps[0].numel() > most:
        channels, height, width = maps.shape[1:]
        maps = functional.adaptive_avg_pool2d(maps, grid((channels, height, width), most))
    flat = maps.flatten(1)
    if flat.shape[1] > most:
        flat = functional.adaptive_avg_pool1d(flat[:, None], most)[:, 0]
    return flat


def grid(shape: tuple[int, int, int], most: int) -> tuple[int, int]:
    """Rows and columns to which maps `channel height width` are averaged, as nearly of their proportions as may be.

    >>> grid((64, 28, 28), 2048), grid((512, 7, 14), 2048), grid((4096, 7, 7), 2048)
    ((5, 5), (1, 2), (1, 1))
    """
    channels, height, width = shape
    cells = max(1, most // channels)
    rows = min(height, cells, max(1, math.isqrt(cells * height // width)))
    columns = min(width, cells // rows, max(1, round(rows * width / height)))
    return rows, columns

"""Random changes to whole batches, as a pure function of (seed, epoch, sample).

Translation, reflection and colour as in Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep
Convolutional Neural Networks, 2012, section 4.1, which calls its translated windows patches.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int, Shaped, UInt64
from numpy.lib.stride_tricks import sliding_window_view

ORDER, SAMPLING, AUGMENTATION, COLOURS = 0, 1, 2, 3
_STREAMS = 4


def random_words(seed: int, epoch: int, stream: int, count: int) -> UInt64[np.ndarray, "count 4"]:
    """Four random 64-bit words for each of `count` samples.

    >>> few, many = random_words(0, 3, AUGMENTATION, 10), random_words(0, 3, AUGMENTATION, 1000)
    >>> bool((few == many[:10]).all())
    True

    Sample i gets exactly block i of Philox-4x64 under the key (seed, epoch and stream), so its words depend
    on no other sample and on no number of samples. Salmon et al., Parallel Random Numbers: As Easy as 1, 2,
    3, 2011.
    """
    key = np.array([seed % 2**64, epoch * _STREAMS + stream], dtype=np.uint64)
    return np.random.Philox(key=key).random_raw(4 * count).reshape(count, 4)


def scaled(
    words: UInt64[np.ndarray, " sample"], below: int | Int[np.ndarray, " sample"]
) -> Int[np.ndarray, " sample"]:
    """Whole numbers from 0 to `below` - 1, by the upper half of each word; the bias is under below / 2^32."""
    return (((words >> np.uint64(32)) * np.asarray(below, dtype=np.uint64)) >> np.uint64(32)).astype(np.int64)


def normal(words: UInt64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """Standard normal numbers, one of each word, by the inverse of their distribution function.

    >>> normal(np.array([0, 2**63, 2**64 - 1], dtype=np.uint64)).round(3).tolist()
    [-8.21, 0.0, 8.21]

    The upper 52 bits of a word choose the middle of one of 2^52 equal parts of 0..1, so neither end is reached.
    """
    from scipy.special import ndtri  # colours alone need it, and its import takes a fifth of a second

    return ndtri(((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)


def colour_shifts(
    seed: int, epoch: int, count: int, steps: Float64[np.ndarray, "channel component"]
) -> Float64[np.ndarray, "sample channel"]:
    """What is added to every pixel of each sample: along each column of `steps` a normal number of times.

    Of AlexNet's colour jitter of 0.1, `steps` is 0.1 times `PrincipalColours.steps`.
    """
    drawn = normal(random_words(seed, epoch, COLOURS, count)[:, : steps.shape[1]])
    # Sums in one fixed order: how a matrix product is summed may depend on the number of samples.
    return np.add.reduce([drawn[:, [part]] * step for part, step in enumerate(steps.T)])


@dataclass(frozen=True)
class Draws:
    """The random numbers of some samples: words for shift, reflection and patch, not yet scaled."""

    words: UInt64[np.ndarray, "sample 4"]

    def take(self, samples: Int[np.ndarray, " chosen"]) -> "Draws":
        """The draws of some of the samples, in that order."""
        return Draws(self.words[samples])

    def offset(
        self, column: int, height: int, width: int
    ) -> tuple[Int[np.ndarray, " sample"], Int[np.ndarray, " sample"]]:
        """Row and column below `height` and `width`, from the two halves of one word."""
        words = self.words[:, column]
        return scaled(words, height), scaled(words << np.uint64(32), width)

    def reflected(self) -> Bool[np.ndarray, " sample"]:
        """Whether a sample is mirrored, one in two."""
        return self.words[:, 1] >> np.uint64(63) == 1


def draw(seed: int, epoch: int, count: int, *, alternating: bool = False) -> Draws:
    """The draws of every sample for one epoch.

    With `alternating` a coin decides for each sample whether it is mirrored in the even epochs or in the odd ones:
    any two epochs in a row then show it both ways. Jordan 2024, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU,
    section 3.6.

    >>> even, odd = (draw(0, epoch, 5, alternating=True).reflected() for epoch in (6, 7))
    >>> bool((even != odd).all())
    True
    """
    words = random_words(seed, epoch, AUGMENTATION, count)
    if alternating:
        coin = random_words(seed, 0, AUGMENTATION, count)[:, 1]
        words[:, 1] = coin ^ (np.uint64(epoch % 2) << np.uint64(63))
    return Draws(words)


def augment(
    batch: Shaped[np.ndarray, "sample height width channel"],
    draws: Draws,
    *,
    translation: int = 0,
    reflection: bool = False,
    patch: tuple[int, int] | None = None,
) -> Shaped[np.ndarray, "sample out_height out_width channel"]:
    """The batch with each sample shifted by up to `translation` pixels, maybe mirrored, maybe cut to a patch.

    >>> batch = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4, 1)
    >>> augment(batch, draw(seed=0, epoch=1, count=2), translation=1, patch=(3, 3)).shape
    (2, 3, 3, 1)

    What a shift uncovers is the border repeated. Dtype and values stay; the draws decide, so the result is
    a pure function of its arguments.
    """
    height, width = batch.shape[1:3]
    rows, columns = patch or (height, width)
    if translation or patch:
        top, left = corners(draws, (height, width), translation=translation, patch=patch)
        wide = with_borders(batch, translation)
        batch = windows(wide, top, left, rows, columns, above=translation)
    if reflection:
        mirrored = np.flatnonzero(draws.reflected())
        batch = batch if translation or patch else batch.copy()
        forward = batch[mirrored]
        backward = np.empty_like(forward)
        for channel in range(batch.shape[3]):  # a channel at a time: half the time of whole pixels
            backward[..., channel] = forward[:, :, ::-1, channel]
        batch[mirrored] = backward
    return batch


def with_borders(
    batch: Shaped[np.ndarray, "sample height width channel"], border: int
) -> Shaped[np.ndarray, "sample height wider channel"]:
    """The batch with its first and last column repeated `border` times: a sixth of the time of `np.pad`."""
    if not border:
        return batch
    count, height, width, channels = batch.shape
    wide = np.empty((count, height, width + 2 * border, channels), batch.dtype)
    wide[:, :, border:-border] = batch
    wide[:, :, :border] = batch[:, :, :1]
    wide[:, :, -border:] = batch[:, :, -1:]
    return wide


def holes(
    draws: Draws, size: tuple[int, int], side: int
) -> tuple[Int[np.ndarray, " sample"], Int[np.ndarray, " sample"]]:
    """First row and column of a square hole in each sample of that height and width; it may reach beyond the border.

    Every cell of a sample is as likely to be the middle of its hole. DeVries & Taylor 2017, Improved Regularization of
    Convolutional Neural Networks with Cutout, section 3.2.
    """
    down, right = draws.offset(3, *size)
    return down - side // 2, right - side // 2


def corners(
    draws: Draws, size: tuple[int, int], *, translation: int, patch: tuple[int, int] | None
) -> tuple[Int[np.ndarray, " sample"], Int[np.ndarray, " sample"]]:
    """Where each sample's window begins, in a picture of that height and width with `translation` pixels of border."""
    height, width = size
    rows, columns = patch or size
    top, left = draws.offset(0, 2 * translation + 1, 2 * translation + 1)
    down, right = draws.offset(2, height - rows + 1, width - columns + 1)
    return top + down, left + right


def windows(
    batch: Shaped[np.ndarray, "sample height width channel"],
    top: Int[np.ndarray, " sample"],
    left: Int[np.ndarray, " sample"],
    rows: int,
    columns: int,
    *,
    above: int = 0,
) -> Shaped[np.ndarray, "sample rows columns channel"]:
    """One window of each sample, copied a row at a time: a row is contiguous, channels and all.

    `top` counts from `above` rows before the first; rows beyond either end are the last one there repeated.
    """
    count, height, width, channels = batch.shape
    lines = sliding_window_view(batch.reshape(count, height, width * channels), columns * channels, axis=2)
    chosen = lines[
        np.arange(count)[:, None],
        np.clip(top[:, None] + np.arange(rows) - above, 0, height - 1),
        (left * channels)[:, None],
    ]
    return chosen.reshape(count, rows, columns, channels)

"""What every finding is computed from: the table, its pictures and facts, and the one place for names."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Int, Shaped

from striate.data.audit.finding import Case
from striate.data.images import Images
from striate.data.packing.stream import PackedPixels
from striate.data.units import units
from striate.pixels.preparation import LUMA

CHUNK = 2048
SAMPLE = 2000
"""Images from which the range of values is taken where the depth does not tell it."""


@dataclass(frozen=True, eq=False)
class Material:
    """The audited images with their prepared pictures (`image height width channel`, of the whole listing)."""

    images: Images
    pixels: PackedPixels
    facts: Shaped[np.ndarray, " row"]
    seed: int
    naming: Callable[[str], str]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labels(self) -> Int[np.ndarray, " image"]:
        """The class of each image, an index into the names of classes."""
        return self.images.labels

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.images.classes

    def name(self, image: int) -> str:
        """What an image is called in everything that is shown or written."""
        return self.naming(self.images.source.names[int(self.images.rows[image])])

    def label(self, image: int) -> str:
        """The class name of an image."""
        return self.images.classes[int(self.images.labels[image])]

    def case(self, image: int, detail: str, *, partner: int = -1, other: str = "") -> Case:
        """One image of a finding, with the image it is compared with or another word beside it."""
        shown = self.name(partner) if partner >= 0 else other
        return Case(self.name(image), self.label(image), detail, shown, int(image), int(partner))

    @cached_property
    def pictures_known(self) -> Int[np.ndarray, " image"]:
        """A number for each image's pixels: equal numbers, equal pixels."""
        if self.images.digests is None:
            raise ValueError("an audit needs decoded images; use Images.audit")
        return np.unique(self.images.digests, return_inverse=True)[1]

    @cached_property
    def counts(self) -> dict[str, dict[str, int]]:
        """Images by split and class."""
        return self.images.counts()

    @cached_property
    def together(self) -> Int[np.ndarray, " image"]:
        """A number for what may never be parted in a cross-validation: a group, or images with equal pixels."""
        if self.images.digests is None:
            raise ValueError("an audit needs decoded images; use Images.audit")
        return units(self.images.digests, self.images.groups).of_image

    @cached_property
    def value_range(self) -> tuple[float, float]:
        """The values shown as black and white: those of the depth, or the middle 99 % of 2,000 images."""
        if self.pixels.dtype == np.uint8:
            return 0.0, 255.0
        step = max(1, len(self) // SAMPLE)
        low, high = np.quantile(self.pixels[np.sort(self.images.rows)[::step]], (0.005, 0.995))
        return float(low), float(max(high, low + 1e-6))

    def pictures(
        self, which: Int[np.ndarray, " chosen"]
    ) -> Float32[np.ndarray, "chosen height width channel"]:
        """Some images, their values mapped to 0..1 and cut there."""
        low, high = self.value_range
        values = self.pixels[self.images.rows[which]].astype(np.float32)
        return np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)

    def chunks(
        self,
    ) -> Iterator[tuple[Int[np.ndarray, " chosen"], Float32[np.ndarray, "chosen height width channel"]]]:
        """All images in their order, about two thousand at a time, with their indices."""
        for start in range(0, len(self), CHUNK):
            which = np.arange(start, min(start + CHUNK, len(self)))
            yield which, self.pictures(which)


def grey(
    pictures: Float32[np.ndarray, "image height width channel"],
) -> Float32[np.ndarray, "image height width"]:
    """The luma of pictures of three channels, the only channel of others.

    >>> grey(np.ones((1, 2, 2, 3), np.float32)).round(3).tolist()
    [[[1.0, 1.0], [1.0, 1.0]]]
    """
    return pictures @ LUMA.astype(np.float32) if pictures.shape[3] == 3 else pictures[..., 0]

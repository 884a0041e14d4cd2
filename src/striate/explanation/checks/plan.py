"""How pixels are removed: what takes their place, how many at a time, against how many random orders."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from striate.errors import UsageError, suggestion

FILLS = ("mean", "blur")
BLOCKS_ALONG = 16
"""Blocks along the shorter side, where the side of a block is not given."""
BLUR_SHARE = 8
"""The deviation of the blur is the picture's shorter side over this: 4 pixels of 32, 28 of 224."""
FEWEST_ORDERS = 20
"""The fewest of which one picture can be better than all by chance less often than once in twenty."""


@dataclass(frozen=True, kw_only=True)
class RemovalPlan:
    """What takes the place of removed pixels, the side of a block, the steps, and the random orders to compare with.

    >>> RemovalPlan().side(32, 32), RemovalPlan().side(224, 224), RemovalPlan(block=1).side(28, 28)
    (2, 14, 1)

    `fill` "mean" is 0 in the network's input, the mean of the training images; "blur" is the picture without its
    detail, which Petsiuk et al. 2018, section 4.2, insert into. Blocks of pixels go at once, since single pixels
    taken out at random leave a pattern that no network has seen. Raises UsageError for anything outside its range.
    """

    fill: str = "mean"
    block: int | None = None
    steps: int = 16
    orders: int = FEWEST_ORDERS
    seed: int = 0

    def __post_init__(self) -> None:
        if self.fill not in FILLS:
            raise UsageError(f"There is no fill {self.fill!r}; {suggestion(self.fill, FILLS)}")
        if self.block is not None and self.block < 1:
            raise UsageError(
                f"block={self.block}: a block is at least 1 pixel wide; leave it out for a sixteenth."
            )
        if self.steps < 2:
            raise UsageError(f"steps={self.steps}: a curve takes at least 2 steps; 16 are common.")
        if self.orders < FEWEST_ORDERS:
            raise UsageError(
                f"orders={self.orders}: fewer than {FEWEST_ORDERS} random orders cannot show that a map is better."
            )

        if not 0 <= self.seed < 2**63:
            raise UsageError(f"seed={self.seed}: a seed is a whole number from 0 to 2⁶³ - 1.")

    def side(self, height: int, width: int) -> int:
        """The side of a block in pixels."""
        return self.block or max(1, min(height, width) // BLOCKS_ALONG)

    def filling(
        self, inputs: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch channel height width"]:
        """What takes the place of the pixels of each image."""
        if self.fill == "mean":
            return torch.zeros_like(inputs)
        from scipy.ndimage import gaussian_filter

        deviation = min(inputs.shape[2:]) / BLUR_SHARE
        blurred = gaussian_filter(inputs.cpu().numpy(), (0, 0, deviation, deviation), mode="reflect")
        return torch.from_numpy(blurred).to(inputs)

    def counts(self, blocks: int) -> Int64[np.ndarray, " points"]:
        """How many blocks are gone at each point of the curve, from none to all.

        >>> RemovalPlan(steps=4).counts(10).tolist()
        [0, 2, 5, 8, 10]
        """
        steps = min(self.steps, blocks)
        return np.rint(np.linspace(0, blocks, steps + 1)).astype(np.int64)

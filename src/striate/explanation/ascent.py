"""Pictures found by gradient: Adam on the pixels, from seeded noise, held to natural pictures by named regularisers.

Mahendran & Vedaldi 2016, Visualizing deep convolutional neural networks using natural pre-images, section 3 (norm,
total variation, jitter); Yosinski et al. 2015, Understanding neural networks through deep visualization, section 3
(decay, blur); Olah, Mordvintsev & Schubert 2017, Feature visualization (jitter, its purpose).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32
from torch import Tensor

from striate.errors import UsageError
from striate.models import Network

Objective = Callable[[Tensor], Tensor]
"""What is to be made small of one input, `1 channel height width`: one number that has a gradient."""
START = 0.05
"""Deviation of the noise that ascent starts from, as a share of the pixels' range, around its middle."""


@dataclass(frozen=True, kw_only=True)
class Regularisers:
    """What keeps a picture natural, each by its usual name and 0 where it is off.

    In the objective, of a picture scaled to 0..1: `total_variation`, the weight of the mean root of the squared
    differences to the neighbours below and right (Mahendran & Vedaldi, equation 6 with beta = 1); `l2`, that of the
    mean squared distance from mid grey. Beside them the gradient of the objective is divided by its L1 norm, so that a
    weight means the same for every network and unit. Between steps: `jitter`, the most pixels by which the
    picture is shifted at random before each look; `blur`, the deviation in pixels of a Gaussian blur after every
    `blur_every` steps, the last one excepted. `bounded` clips to the range that pixels can have.
    """

    total_variation: float = 0.5
    l2: float = 0.1
    jitter: int = 2
    blur: float = 0.5
    blur_every: int = 8
    bounded: bool = True

    def __post_init__(self) -> None:
        values = (self.total_variation, self.l2, self.jitter, self.blur)
        if not all(0 <= value < float("inf") for value in values) or self.blur_every < 1:
            raise UsageError(
                f"total_variation={self.total_variation}, l2={self.l2}, jitter={self.jitter}, blur={self.blur},"
                f" blur_every={self.blur_every}: none may be below 0, and blur_every is at least 1."
            )


@dataclass(frozen=True, eq=False)
class PixelScale:
    """How the values of a picture become inputs: `pixel * scale + offset` per channel, pixels from 0 to `full`.

    >>> pixels = PixelScale(np.float32([1 / 63.75]), np.float32([-2.0]), full=255.0)
    >>> pixels.to_inputs(torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)).flatten().tolist()
    [-2.0, 2.0]

    `scale` and `offset` are those of a preparation (`Preparation.affine`), `full` the largest value of its depth.
    """

    scale: Float32[np.ndarray, " channel"]
    offset: Float32[np.ndarray, " channel"]
    full: float = 255.0

    def to_inputs(
        self, shares: Float[Tensor, "1 channel height width"]
    ) -> Float[Tensor, "1 channel height width"]:
        """Inputs of a picture whose values are shares of the full range, 0..1."""
        scale, offset = (torch.from_numpy(values).to(shares) for values in (self.scale, self.offset))
        return shares * (scale * self.full)[:, None, None] + offset[:, None, None]

    def to_picture(
        self, shares: Float[Tensor, "1 channel height width"]
    ) -> Float32[np.ndarray, "height width channel"]:
        """The picture in the units of its pixels, 0 to `full` where it was bounded."""
        return (shares[0].permute(1, 2, 0) * self.full).float().cpu().numpy()


def standard_pixels(channels: int) -> PixelScale:
    """The scale where no preparation is given: 8 bits whose mean is mid grey and whose deviation is a quarter."""
    return PixelScale(np.full(channels, 4 / 255, np.float32), np.full(channels, -2.0, np.float32), full=255.0)


def descend(
    objective: Objective,
    shape: tuple[int, int, int],
    pixels: PixelScale,
    regularisers: Regularisers,
    *,
    like: Tensor,
    steps: int,
    rate: float,
    seed: int,
    levelled: bool,
) -> tuple[Float[Tensor, "1 channel height width"], list[float]]:
    """The picture, in shares of the pixels' range, at which an objective and the regularisers are small.

    Also returns the objective alone at every step, the start first and the end last: one more than steps. `levelled`
    divides the gradient of the objective by its L1 norm at every step, else by that at the start, which lets it fall
    to nothing at an optimum. Noise and jitter come from a counter-based generator under the seed; device and
    precision are those of `like`. Raises UsageError for no steps or a rate that is not above 0.
    """
    if steps < 1 or not 0 < rate < float("inf"):
        raise UsageError(f"steps={steps}, rate={rate}: at least one step is needed, and a rate above 0.")
    if len(pixels.scale) != shape[0]:
        raise UsageError(
            f"The pixels given have {len(pixels.scale)} channels, the network's input {shape[0]}."
        )
    generator = np.random.Generator(np.random.Philox(key=seed))
    noise = generator.standard_normal((1, *shape), dtype=np.float32)
    shares = torch.from_numpy(0.5 + START * noise).to(like).requires_grad_()
    optimiser = torch.optim.Adam([shares], lr=rate)
    history: list[float] = []
    unit = 0.0
    for step in range(1, steps + 1):
        with torch.enable_grad():
            shift = generator.integers(-regularisers.jitter, regularisers.jitter + 1, 2).tolist()
            seen = torch.roll(shares, (shift[0], shift[1]), dims=(2, 3)) if any(shift) else shares
            value = objective(pixels.to_inputs(seen))
            (pull,) = torch.autograd.grad(value, shares)
            cost = penalty(shares, regularisers)
        if step == 1 or levelled:
            unit = float(pull.abs().sum()) or 1.0
        shares.grad = pull / unit
        if cost.requires_grad:
            shares.grad += torch.autograd.grad(cost, shares)[0]
        history.append(float(value.detach()))
        optimiser.step()
        with torch.no_grad():
            if regularisers.blur and step % regularisers.blur_every == 0 and step < steps:
                shares.copy_(blurred(shares, regularisers.blur))
            if regularisers.bounded:
                shares.clamp_(0, 1)
    with torch.no_grad():
        history.append(float(objective(pixels.to_inputs(shares))))
    return shares.detach(), history


def penalty(shares: Float[Tensor, "1 channel height width"], regularisers: Regularisers) -> Float[Tensor, ""]:
    """The regularisers that have a gradient, weighted and summed."""
    total = shares.new_zeros(())
    if regularisers.total_variation:
        total = total + regularisers.total_variation * total_variation(shares)
    if regularisers.l2:
        total = total + regularisers.l2 * (shares - 0.5).square().mean()
    return total


def total_variation(shares: Float[Tensor, "1 channel height width"]) -> Float[Tensor, ""]:
    """The mean over pixels of the root of the squared differences to the neighbours below and to the right.

    >>> round(float(total_variation(torch.tensor([[[[0.0, 3.0], [4.0, 0.0]]]]))), 3)  # (5 + 3 + 4 + 0) / 4
    3.0
    """
    below = F.pad(shares.diff(dim=2), (0, 0, 0, 1))
    right = F.pad(shares.diff(dim=3), (0, 1, 0, 0))
    # the root has no gradient at 0, where both neighbours are alike
    return (below.square() + right.square() + 1e-12).sqrt().mean()


def blurred(
    shares: Float[Tensor, "1 channel height width"], deviation: float
) -> Float[Tensor, "1 channel height width"]:
    """A Gaussian blur, cut off at four deviations, the border repeated outwards."""
    reach = max(1, int(4 * deviation + 0.5))
    places = torch.arange(-reach, reach + 1, device=shares.device, dtype=shares.dtype)
    weights = torch.exp(-(places**2) / (2 * deviation**2))
    weights = weights / weights.sum()
    channels = shares.shape[1]
    padded = F.pad(shares, (reach, reach, reach, reach), mode="replicate")
    across = F.conv2d(padded, weights.expand(channels, 1, 1, -1), groups=channels)
    return F.conv2d(across, weights[:, None].expand(channels, 1, -1, 1), groups=channels)


def like_network(network: Network) -> Tensor:
    """A tensor of the device and precision of the network's weights."""
    return next(network.parameters(), torch.zeros(())).detach()

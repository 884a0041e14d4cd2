"""What is checked: anything that makes a map of each image, and two maps that know nothing of the network."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from striate.errors import UsageError
from striate.explanation.gradient import at_once
from striate.explanation.methods import attribute
from striate.models import Network

Explain = Callable[[Network, Tensor, Tensor], Tensor]
"""`explain(network, inputs, targets)` gives one value a pixel of the inputs, `batch height width`.

An image's map does not depend on the other images, and the network is left as it was.
"""


def explainer(method: str, *, stage: str | None = None, **options: Any) -> Explain:
    """One of the methods as something to be checked.

    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32))
    >>> explain = explainer("gradcam", stage="stage2")
    >>> tuple(explain(network, torch.randn(2, 3, 32, 32), torch.tensor([3, 5])).shape)
    (2, 32, 32)

    Options are the method's own. Raises, when used, what `attribute` does.
    """

    def explain(network: Network, inputs: Tensor, targets: Tensor) -> Tensor:
        return attribute(network, inputs, targets, method=method, stage=stage, **options).maps

    return explain


def random_maps(network: Network, inputs: Tensor, targets: Tensor) -> Tensor:
    """Noise that is always the same for the same picture: the least that a method must be better than."""
    del network, targets
    drawn = [picture_noise(image, 0).standard_normal(tuple(image.shape[1:])) for image in inputs]
    return torch.from_numpy(np.stack(drawn).astype(np.float32)).to(inputs.device)


def edge_maps(network: Network, inputs: Tensor, targets: Tensor) -> Tensor:
    """The picture's own edges, by Sobel's kernels: they look like an explanation, and no network has a part in them.

    The control of Adebayo et al. 2018, section 5.2.
    """
    from scipy.ndimage import sobel

    del network, targets
    grey = inputs.mean(dim=1).cpu().numpy()
    magnitude = np.hypot(sobel(grey, axis=1), sobel(grey, axis=2)).astype(np.float32)
    return torch.from_numpy(magnitude).to(inputs.device)


REFERENCES: dict[str, tuple[str, Explain]] = {
    "random": ("Random map", random_maps),
    "edges": ("Edges of the picture", edge_maps),
}
"""Maps that no check may find good, by name, with their titles."""


def maps_of(
    explain: Explain,
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " targets"],
) -> Float[Tensor, "batch height width"]:
    """The maps of some images, as many at a time as fit.

    Raises UsageError without images or a target for each, for maps of another shape, and for values not finite.
    """
    if len(inputs) == 0 or len(targets) != len(inputs):
        raise UsageError(
            f"There are {len(inputs):,} images and {len(targets):,} targets; a check takes images, and one class each."
        )
    some = at_once(inputs[0])
    parts = zip(inputs.split(some), targets.split(some), strict=True)
    maps = torch.cat([explain(network, *part).detach() for part in parts])
    wanted = (len(inputs), *inputs.shape[2:])
    if tuple(maps.shape) != wanted:
        raise UsageError(
            f"The explanation has the shape {_times(maps.shape)}; the check needs one value a pixel, {_times(wanted)}."
        )
    if not bool(torch.isfinite(maps).all()):
        wrong = int((~torch.isfinite(maps).flatten(1).all(dim=1)).sum())
        raise UsageError(
            f"The maps of {wrong:,} of {len(maps):,} images hold values that are not finite, which have no order."
        )
    return maps


def picture_noise(image: Tensor, seed: int) -> np.random.Generator:
    """Random numbers that belong to a picture: of its values and a seed, and of nothing else."""
    from zlib import crc32

    digest = crc32(np.ascontiguousarray(image.cpu().numpy()).tobytes())
    return np.random.Generator(np.random.Philox(key=(seed << 32) | digest))


def _times(shape: tuple[int, ...] | torch.Size) -> str:
    return " × ".join(map(str, shape))

"""SmoothGrad: Smilkov, Thorat, Kim, Viégas & Wattenberg 2017, SmoothGrad: removing noise by adding noise."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from striate.errors import UsageError
from striate.explanation.gradient import at_once, refuse_stage, target_gradient
from striate.explanation.method import Method
from striate.models import Network


def smooth_grad(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " batch"],
    *,
    stage: str | None = None,
    samples: int = 50,
    sigma: float = 0.15,
    seed: int = 0,
) -> Float[Tensor, "batch channel height width"]:
    """The mean gradient of the target's logit over copies of the image with noise.

    >>> from striate.models import create_model
    >>> network = create_model("lenet5", classes=10).eval()
    >>> tuple(smooth_grad(network, torch.randn(2, 1, 28, 28), torch.tensor([3, 5]), samples=8).shape)
    (2, 1, 28, 28)

    Signed. The noise is normal; `sigma` is its deviation as a share of the image's range, its largest value minus its
    smallest: 10 to 20 %, over 50 samples, in section 3 of the paper. It comes from a counter-based generator and is
    the same for every image of one shape, so that an image's map does not depend on the others. Raises UsageError
    for fewer samples than one or a negative sigma, ModelError for a stage and for targets that are no class.
    """
    refuse_stage("SmoothGrad", stage)
    if samples < 1 or not 0 <= sigma < float("inf"):
        raise UsageError(
            f"samples={samples}, sigma={sigma}: SmoothGrad needs at least one sample and a sigma of 0 or more; 50 and"
            " 0.15 are common."
        )
    images = zip(inputs.split(1), targets.split(1), strict=True)
    return torch.cat([_smooth_one(network, *one, samples, sigma, seed) for one in images])


def _smooth_one(
    network: Network, image: Tensor, target: Tensor, samples: int, sigma: float, seed: int
) -> Tensor:
    deviation = sigma * (image.max() - image.min())
    total = torch.zeros_like(image)
    for noise in _noise(image[0], samples, seed):
        gradients = target_gradient(network, image + deviation * noise, target.expand(len(noise)))
        total += gradients.sum(dim=0, keepdim=True)
    return total / samples


def _noise(image: Tensor, samples: int, seed: int) -> Iterator[Tensor]:
    """Standard normal noise, as many samples at once as fit; the same however many those are."""
    generator = np.random.Generator(np.random.Philox(key=seed))
    for some in torch.arange(samples).split(at_once(image)):
        drawn = generator.standard_normal((len(some), *image.shape), dtype=np.float32)
        yield torch.from_numpy(drawn).to(image)


SMOOTH_GRAD = Method(
    name="smooth_grad",
    title="SmoothGrad",
    paper="Smilkov et al. 2017",
    function=smooth_grad,
    seam="input",
    signed=False,
    reduce="magnitude",
)

"""The gradient of a target's logit at the pixels, on which the gradient methods stand."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from striate.errors import ModelError
from striate.models import Network

VALUES_AT_ONCE = 2**20
"""Input values in one pass of a method that needs many passes an image: six pictures of 3×224×224."""


def target_gradient(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " batch"],
) -> Float[Tensor, "batch channel height width"]:
    """How the logit of each image's target changes with each input value.

    >>> network = Network({"flatten": torch.nn.Flatten()}, head=torch.nn.Identity())
    >>> target_gradient(network, torch.ones(1, 1, 1, 3), torch.tensor([2])).flatten()
    tensor([0., 0., 1.])

    One pass on and one back; the inputs and the parameters' gradients stay as they are. Raises ModelError for
    targets that are not one class of the network an image.
    """
    with torch.enable_grad():
        pixels = inputs.detach().requires_grad_()
        # a first layer that works in place overwrites the clone
        logits = network(pixels.clone())
        require_targets(targets, logits)
        (gradient,) = torch.autograd.grad(logits.gather(1, targets[:, None]).sum(), pixels)
    return gradient


def target_logits(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " batch"],
) -> Float[Tensor, " batch"]:
    """The logit of each image's target, without gradients."""
    with torch.no_grad():
        return network(inputs.clone()).gather(1, targets[:, None])[:, 0]


def at_once(image: Float[Tensor, "channel height width"]) -> int:
    """How many pictures of this size go through a network in one pass."""
    return max(1, VALUES_AT_ONCE // image.numel())


def refuse_stage(method: str, stage: str | None) -> None:
    """ModelError where a stage is asked of a method that explains pixels."""
    if stage is not None:
        raise ModelError(
            f"stage={stage!r}: {method} follows the target's logit to the pixels and knows no stages; leave stage out."
        )


def require_targets(targets: Tensor, logits: Tensor) -> None:
    """ModelError where targets are not one class of the network an image."""
    images, classes = logits.shape
    if len(targets) != images:
        raise ModelError(
            f"There are {len(targets):,} targets for {images:,} images; give one class an image."
        )
    wrong = targets[(targets < 0) | (targets >= classes)]
    if len(wrong):
        raise ModelError(
            f"Target {int(wrong[0])} is no class of the network, whose classes are 0 to {classes - 1}."
        )

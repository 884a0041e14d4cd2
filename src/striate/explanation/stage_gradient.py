"""A stage's maps and the gradient of the target's logit over them, on which the class activation methods stand."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from striate.errors import ModelError, suggestion
from striate.explanation.gradient import require_targets
from striate.explanation.stages import default_stage, map_shapes
from striate.models import Network

Maps = Float[Tensor, "batch maps rows columns"]


def stage_gradient(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " batch"],
    stage: str | None,
) -> tuple[Maps, Maps]:
    """The maps of a stage, and how the logit of each image's target changes with each of their cells.

    >>> network = Network({"same": torch.nn.Identity()}, head=torch.nn.Flatten())
    >>> maps, gradient = stage_gradient(network, torch.ones(1, 1, 1, 3), torch.tensor([2]), "same")
    >>> gradient.flatten()
    tensor([0., 0., 1.])

    One pass up to the stage without gradients, one from it on and back; None is the default stage. Raises ModelError
    for a stage without maps and for targets that are not one class of the network an image.
    """
    shape = (inputs.shape[1], inputs.shape[2], inputs.shape[3])
    stage = stage or default_stage(network, shape)
    # a layer that works in place overwrites the clones
    with torch.no_grad():
        maps = network.run_to(inputs.clone(), stage)
    if maps.ndim != 4:
        raise ModelError(f"No stage {stage!r} makes maps; {suggestion(stage, map_shapes(network, shape))}")
    with torch.enable_grad():
        maps = maps.detach().requires_grad_()
        logits = network.run_from(maps.clone(), stage)
        require_targets(targets, logits)
        (gradient,) = torch.autograd.grad(logits.gather(1, targets[:, None]).sum(), maps)
    return maps.detach(), gradient

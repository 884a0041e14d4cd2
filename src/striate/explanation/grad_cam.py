"""Grad-CAM: Selvaraju et al. 2017, Grad-CAM: visual explanations from deep networks, equations 1 and 2."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from striate.explanation.method import Method
from striate.explanation.stages import default_stage
from striate.models import Network


def grad_cam(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " batch"],
    *,
    stage: str | None = None,
) -> Float[Tensor, "batch 1 rows columns"]:
    """The maps of a stage, each weighted by the mean gradient of the target's logit over it, summed, rectified.

    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32)).eval()
    >>> tuple(grad_cam(network, torch.randn(2, 3, 32, 32), torch.tensor([3, 5]), stage="stage2").shape)
    (2, 1, 8, 8)

    One pass up to the stage without gradients, one from it on and back: no hooks.
    """
    stage = stage or default_stage(network, (inputs.shape[1], inputs.shape[2], inputs.shape[3]))
    with torch.no_grad():
        maps = network.run_to(inputs, stage)
    maps.requires_grad_()
    chosen = network.run_from(maps, stage).gather(1, targets[:, None]).sum()
    (gradient,) = torch.autograd.grad(chosen, maps)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    return (weights * maps.detach()).sum(dim=1, keepdim=True).relu()


GRAD_CAM = Method(
    name="gradcam",
    title="Grad-CAM",
    paper="Selvaraju et al. 2017",
    function=grad_cam,
    seam="stage",
    signed=False,
)

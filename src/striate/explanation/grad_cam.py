"""Grad-CAM: Selvaraju et al. 2017, Grad-CAM: visual explanations from deep networks, equations 1 and 2."""

from jaxtyping import Float, Int64
from torch import Tensor

from striate.explanation.method import Method
from striate.explanation.stage_gradient import stage_gradient
from striate.models import Network


def grad_cam(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " batch"],
    *,
    stage: str | None = None,
) -> Float[Tensor, "batch 1 rows columns"]:
    """The maps of a stage, each weighted by the mean gradient of the target's logit over it, summed, rectified.

    >>> import torch
    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32)).eval()
    >>> tuple(grad_cam(network, torch.randn(2, 3, 32, 32), torch.tensor([3, 5]), stage="stage2").shape)
    (2, 1, 8, 8)

    Never negative. Made for the last maps, where the gradient of a map is much the same in all its cells; further
    up it may average away what speaks for the class, and Layer-CAM does not. Raises ModelError for a stage without
    maps and for targets that are no class.
    """
    maps, gradient = stage_gradient(network, inputs, targets, stage)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    return (weights * maps).sum(dim=1, keepdim=True).relu()


GRAD_CAM = Method(
    name="gradcam",
    title="Grad-CAM",
    paper="Selvaraju et al. 2017",
    function=grad_cam,
    seam="stage",
    signed=False,
)

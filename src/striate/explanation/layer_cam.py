"""Layer-CAM: Jiang et al. 2021, LayerCAM: exploring hierarchical class activation maps, section III."""

from jaxtyping import Float, Int64
from torch import Tensor

from striate.explanation.method import Method
from striate.explanation.stage_gradient import stage_gradient
from striate.models import Network


def layer_cam(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " batch"],
    *,
    stage: str | None = None,
) -> Float[Tensor, "batch 1 rows columns"]:
    """The maps of a stage, every cell weighted by its own gradient where that is positive, summed, rectified.

    >>> import torch
    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32)).eval()
    >>> tuple(layer_cam(network, torch.randn(2, 3, 32, 32), torch.tensor([3, 5]), stage="stage1").shape)
    (2, 1, 16, 16)

    Never negative. Right for early stages too, whose maps are finer; one stage, without the paper's fusion of several.
    Raises ModelError for a stage without maps and for targets that are no class.
    """
    maps, gradient = stage_gradient(network, inputs, targets, stage)
    return (gradient.relu() * maps).sum(dim=1, keepdim=True).relu()


LAYER_CAM = Method(
    name="layercam",
    title="Layer-CAM",
    paper="Jiang et al. 2021",
    function=layer_cam,
    seam="stage",
    signed=False,
)

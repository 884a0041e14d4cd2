"""The methods by name, and the one door to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from striate.errors import ModelError, suggestion
from striate.explanation.deconvnet import DECONVNET
from striate.explanation.grad_cam import GRAD_CAM
from striate.explanation.grad_cam_plus_plus import GRAD_CAM_PLUS_PLUS
from striate.explanation.guided_backpropagation import GUIDED_BACKPROPAGATION
from striate.explanation.integrated_gradients import INTEGRATED_GRADIENTS
from striate.explanation.layer_cam import LAYER_CAM
from striate.explanation.method import Method
from striate.explanation.occlusion import OCCLUSION
from striate.explanation.saliency import GRADIENT_INPUT, SALIENCY
from striate.explanation.smooth_grad import SMOOTH_GRAD
from striate.explanation.stages import default_stage, map_shapes
from striate.models import Network

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        GRAD_CAM,
        GRAD_CAM_PLUS_PLUS,
        LAYER_CAM,
        OCCLUSION,
        SALIENCY,
        GRADIENT_INPUT,
        GUIDED_BACKPROPAGATION,
        DECONVNET,
        INTEGRATED_GRADIENTS,
        SMOOTH_GRAD,
    )
}
DEFAULT = GRAD_CAM.name


@dataclass(frozen=True, eq=False)
class Attribution:
    """What one method says of some images.

    `raw` is as the method makes it, `maps` one value a pixel of the input: channels reduced, small maps enlarged
    bilinearly. Not scaled; values of two images, or of two methods, need not be comparable.
    """

    method: Method
    stage: str | None
    targets: Int64[Tensor, " batch"]
    raw: Float[Tensor, "batch channel rows columns"]
    maps: Float[Tensor, "batch height width"]


def attribute(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " batch"],
    *,
    method: str = DEFAULT,
    stage: str | None = None,
    **options: Any,
) -> Attribution:
    """Where the network looked to find the target of each image, by one method.

    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32))
    >>> reason = attribute(network, torch.randn(2, 3, 32, 32), torch.tensor([3, 5]), method="gradcam")
    >>> reason.stage, tuple(reason.raw.shape), tuple(reason.maps.shape)
    ('stage3', (2, 1, 4, 4), (2, 32, 32))

    Raises ModelError for an unknown method or stage, and where the method cannot be right for this network.
    """
    chosen, shape = known_method(method), (inputs.shape[1], inputs.shape[2], inputs.shape[3])
    stage = known_stage(network, shape, stage) if chosen.seam == "stage" else stage
    if reason := chosen.obstacle(network, shape, stage):
        raise ModelError(f"{chosen.title} cannot be right for this network: {reason}.")
    with in_evaluation(network):
        raw = chosen.function(network, inputs, targets, stage=stage, **options).detach()
    return Attribution(chosen, stage, targets, raw, to_maps(raw, chosen, shape[1:]))


def known_method(name: str) -> Method:
    """The method of a name; ModelError with the nearest one for another."""
    if name not in METHODS:
        raise ModelError(f"There is no method {name!r}; {suggestion(name, METHODS)}")
    return METHODS[name]


def known_stage(network: Network, shape: tuple[int, int, int], stage: str | None) -> str:
    """The stage asked for, or the default one; ModelError where it makes no maps."""
    if stage is None:
        return default_stage(network, shape)
    if stage not in (shapes := map_shapes(network, shape)):
        raise ModelError(f"No stage {stage!r} makes maps; {suggestion(stage, shapes)}")
    return stage


def to_maps(
    raw: Float[Tensor, "batch channel rows columns"], method: Method, size: tuple[int, int]
) -> Float[Tensor, "batch height width"]:
    """One value a pixel of the input."""
    reduced = raw.abs().amax(dim=1) if method.reduce == "magnitude" else raw.sum(dim=1)
    if tuple(reduced.shape[1:]) == size:
        return reduced
    return F.interpolate(reduced[:, None], size, mode="bilinear", align_corners=False)[:, 0]


@contextmanager
def in_evaluation(network: Network) -> Iterator[None]:
    """The network in evaluation mode with gradients allowed; its mode and its parameters' gradients come back."""
    was_training = network.training
    wanted = {parameter: parameter.requires_grad for parameter in network.parameters()}
    network.eval().requires_grad_(False)
    try:
        with torch.enable_grad():
            yield
    finally:
        network.train(was_training)
        for parameter, before in wanted.items():
            parameter.requires_grad_(before)

"""Grad-CAM++: Chattopadhay, Sarkar, Howlader & Balasubramanian 2018, Grad-CAM++: generalized gradient-based visual
explanations for deep convolutional networks, section 3.
"""

import copy
from itertools import chain, dropwhile

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from striate.explanation.method import Method
from striate.explanation.stage_gradient import stage_gradient
from striate.explanation.stages import default_stage, map_shapes
from striate.models import Network

_SEED = 2026


def grad_cam_plus_plus(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " batch"],
    *,
    stage: str | None = None,
) -> Float[Tensor, "batch 1 rows columns"]:
    """The maps of a stage, each weighted by its positive gradients, cell by cell, summed, rectified.

    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32)).eval()
    >>> tuple(grad_cam_plus_plus(network, torch.randn(2, 3, 32, 32), torch.tensor([3, 5]), stage="stage2").shape)
    (2, 1, 8, 8)

    The class score is the exponential of the logit. The share of a cell follows from its second and third derivative;
    where the gradient g is positive, equation 19 comes to 1 / (2 + g × the sum of the map). The factor exp(logit),
    which all cells of an image have in common, is left out: it changes no proportion and overflows. Only right where
    `closed_form_obstacle` finds nothing. Never negative. Raises ModelError for a stage without maps and for targets
    that are no class.
    """
    maps, gradient = stage_gradient(network, inputs, targets, stage)
    positive = gradient.relu()
    shares = 1 / (2 + positive * maps.sum(dim=(2, 3), keepdim=True))
    weights = (shares * positive).sum(dim=(2, 3), keepdim=True)
    return (weights * maps).sum(dim=1, keepdim=True).relu()


def closed_form_obstacle(
    network: Network, input_shape: tuple[int, int, int], stage: str | None
) -> str | None:
    """Why equation 19 does not hold at a stage: maps below zero, or logits that are not linear in pieces after it.

    >>> from torch import nn
    >>> network = Network({"conv": nn.Conv2d(1, 4, 3), "relu": nn.ReLU()}, head=nn.Flatten())
    >>> closed_form_obstacle(network, (1, 8, 8), "relu") is None
    True
    >>> closed_form_obstacle(network, (1, 8, 8), "conv")
    'the maps of conv go below zero, where equation 19 of the paper does not hold; it does from relu on'

    The paper takes the logit's second derivative for 0, as it is after rectifiers; where a map sums to less than zero
    the share may be anything. Found by one pass of an image of noise and two passes back.
    """
    stage = stage or default_stage(network, input_shape)
    # deepcopy takes from its memo whatever is already there: the weights are the network's own
    shared = {id(tensor): tensor for tensor in chain(network.parameters(), network.buffers())}
    twin = copy.deepcopy(network, shared).eval()
    if (reason := _reason(twin, input_shape, stage)) is None:
        return None
    later = list(dropwhile(lambda name: name != stage, map_shapes(twin, input_shape)))[1:]
    right = next((name for name in later if _reason(twin, input_shape, name) is None), None)
    advice = f"it does from {right} on" if right else "take gradcam or layercam"
    return f"{reason}, where equation 19 of the paper does not hold; {advice}"


def _reason(network: Network, input_shape: tuple[int, int, int], stage: str) -> str | None:
    generator = torch.Generator().manual_seed(_SEED)
    noise = torch.randn((1, *input_shape), generator=generator)
    with torch.no_grad():
        maps = network.run_to(noise.to(next(network.parameters(), noise)), stage)
    if bool((maps < 0).any()):
        return f"the maps of {stage} go below zero"
    if _curved(network, maps, stage, generator):
        return f"what follows {stage} is not linear in pieces (tanh, response normalisation or the like)"
    return None


def _curved(network: Network, maps: Tensor, stage: str, generator: torch.Generator) -> bool:
    """Whether the logits have a second derivative: their Hessian times a random direction is not 0."""
    with torch.enable_grad():
        maps = maps.detach().requires_grad_()
        logits = network.run_from(maps.clone(), stage)
        score = (logits * _direction(logits, generator)).sum()
        (gradient,) = torch.autograd.grad(score, maps, create_graph=True)
        if not gradient.requires_grad:
            return False
        try:
            along = (gradient * _direction(gradient, generator)).sum()
            (second,) = torch.autograd.grad(along, maps, allow_unused=True)
        except RuntimeError:  # torch has no second derivative of some curved layers
            return True
    return second is not None and bool(second.any())


def _direction(tensor: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(tensor.shape, generator=generator).to(tensor)


GRAD_CAM_PLUS_PLUS = Method(
    name="gradcam_plus_plus",
    title="Grad-CAM++",
    paper="Chattopadhay et al. 2018",
    function=grad_cam_plus_plus,
    seam="stage",
    signed=False,
    obstacle=closed_form_obstacle,
)

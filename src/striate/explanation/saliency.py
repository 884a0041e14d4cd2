"""Saliency: Simonyan, Vedaldi & Zisserman 2014, Deep inside convolutional networks, section 3; and gradient × input."""

from jaxtyping import Float, Int64
from torch import Tensor

from striate.explanation.gradient import refuse_stage, target_gradient
from striate.explanation.method import Method
from striate.models import Network


def saliency(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " batch"],
    *,
    stage: str | None = None,
) -> Float[Tensor, "batch channel height width"]:
    """How much the target's logit changes with each input value, whichever way.

    >>> import torch
    >>> from striate.models import create_model
    >>> network = create_model("lenet5", classes=10).eval()
    >>> bool((saliency(network, torch.randn(2, 1, 28, 28), torch.tensor([3, 5])) >= 0).all())
    True

    Logits a unit of the normalised input, never negative; equal to the magnitude of the gradient. Raises ModelError
    for a stage and for targets that are no class.
    """
    refuse_stage("saliency", stage)
    return target_gradient(network, inputs, targets).abs()


def gradient_input(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " batch"],
    *,
    stage: str | None = None,
) -> Float[Tensor, "batch channel height width"]:
    """The gradient of the target's logit times the input, with its sign.

    >>> import torch
    >>> layer = torch.nn.Linear(3, 1, bias=False)
    >>> network = Network({"flatten": torch.nn.Flatten()}, head=layer)
    >>> pixels, target = torch.randn(1, 1, 1, 3), torch.tensor([0])
    >>> torch.allclose(gradient_input(network, pixels, target).sum(), network(pixels).sum())
    True

    Logits: what each value adds, were the network linear. An input of 0, the mean of the training images, gets 0.
    Shrikumar et al. 2016, Not just a black box. Raises ModelError for a stage and for targets that are no class.
    """
    refuse_stage("gradient × input", stage)
    return target_gradient(network, inputs, targets) * inputs


SALIENCY = Method(
    name="saliency",
    title="Saliency",
    paper="Simonyan et al. 2014",
    function=saliency,
    seam="input",
    signed=False,
    reduce="magnitude",
)
GRADIENT_INPUT = Method(
    name="gradient_input",
    title="Gradient × input",
    paper="Shrikumar et al. 2016",
    function=gradient_input,
    seam="input",
    signed=True,
)

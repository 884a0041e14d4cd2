"""Guided backpropagation: Springenberg, Dosovitskiy, Brox & Riedmiller 2015, Striving for simplicity, section 3.4."""

from jaxtyping import Float, Int64
from torch import Tensor

from striate.explanation.gradient import refuse_stage, target_gradient
from striate.explanation.method import Method
from striate.explanation.rectifiers import rectifier_obstacle, with_rule
from striate.models import Network


def guided_backpropagation(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " batch"],
    *,
    stage: str | None = None,
) -> Float[Tensor, "batch channel height width"]:
    """The gradient of the target's logit, of which every rectifier passes back only what is positive.

    >>> import torch
    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32)).eval()
    >>> tuple(guided_backpropagation(network, torch.randn(2, 3, 32, 32), torch.tensor([3, 5])).shape)
    (2, 3, 32, 32)

    Signed. At a residual sum the signal goes down both branches; batch normalisation, pooling and concatenation have
    their usual gradient. It says what could be seen at all more than what speaks for the target (Adebayo et al. 2018).
    Only right where `rectifier_obstacle` finds nothing. Raises ModelError for a stage and for targets that are no
    class.
    """
    refuse_stage("guided backpropagation", stage)
    return target_gradient(with_rule(network, "guided"), inputs, targets)


GUIDED_BACKPROPAGATION = Method(
    name="guided_backpropagation",
    title="Guided backpropagation",
    paper="Springenberg et al. 2015",
    function=guided_backpropagation,
    seam="input",
    signed=False,
    reduce="magnitude",
    obstacle=rectifier_obstacle,
)

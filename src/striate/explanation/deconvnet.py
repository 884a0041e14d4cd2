"""The deconvnet: Zeiler & Fergus 2014, Visualizing and understanding convolutional networks, sections 2.1 and 4.

An activation is followed back to the pixels through the layers it came by, each turned round:

- a convolution or a linear layer: its transposed filters, without the bias;
- ReLU: what is positive of the signal, whatever went up;
- max pooling: to the switch, the cell that was the maximum, the first of equal ones; a switch of several windows gets
  the sum of their signals;
- average pooling: spread evenly over the window;
- batch normalisation: times γ / σ, as in prediction, and no shift;
- local response normalisation and dropout: as it is; figure 1 of the paper has no step for either;
- a sum of branches: whole into every branch, and summed where they part; a ReLU behind the sum comes first;
- a concatenation: to each branch its own channels.

Whatever else a network computes is refused. Where there is no max pooling there are no switches, and the transposed
filters and the rule of the rectifiers are all there is.
"""

import copy
from itertools import chain
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.autograd.function import Function

from striate.errors import ModelError, UsageError, suggestion
from striate.explanation.gradient import at_once, target_gradient
from striate.explanation.method import Method
from striate.explanation.rectifiers import rectifier_obstacle, with_rule
from striate.explanation.stages import map_shapes
from striate.explanation.transposing import untransposable
from striate.models import Network

Which = Literal["strongest", "all"]
"""Of one channel's cells: the strongest alone, or every one."""
TITLE = "Deconvnet"


def deconvnet(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " batch"],
    *,
    stage: str | None = None,
    channel: int | None = None,
    which: Which = "strongest",
) -> Float[Tensor, "batch channel height width"]:
    """The logit of each image's target, or an activation of a stage, followed back to the pixels.

    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32)).eval()
    >>> tuple(deconvnet(network, torch.randn(2, 3, 32, 32), torch.tensor([3, 5])).shape)
    (2, 3, 32, 32)

    Signed. The signal of a logit is 1. With a stage the targets do not count: see `project`. Only right where
    `deconvnet_obstacle` finds nothing. Raises ModelError for targets that are no class and for a stage or channel
    that the network has not, UsageError for a channel without a stage.
    """
    _require_which(which)
    if stage is not None:
        return _project(network, inputs, stage, channel, which)
    if channel is not None:
        raise UsageError(f"channel={channel}: the deconvnet needs the stage of that channel; give stage too.")
    return target_gradient(turned_round(network), inputs, targets)


def project(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    stage: str,
    channel: int | Int64[Tensor, " batch"] | None = None,
    *,
    which: Which = "strongest",
) -> Float[Tensor, "batch channel height width"]:
    """The strongest activation of a channel in each image, or all of them, followed back to the pixels.

    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32))
    >>> projection = project(network, torch.randn(2, 3, 32, 32), "stage1", 7)
    >>> tuple(projection.shape), (projection[0] != 0).any(dim=0).sum() <= 14 * 14  # what a cell sees
    ((2, 3, 32, 32), tensor(True))

    The signal is the activation itself, every other is 0; one that is not positive carries none. Without a channel,
    each image's is the one of its strongest activation; a tensor has one an image. Raises ModelError for a stage
    without maps, a channel that it has not, and where the deconvnet cannot be right for this network.
    """
    _require_which(which)
    shape = (inputs.shape[1], inputs.shape[2], inputs.shape[3])
    if reason := deconvnet_obstacle(network, shape, stage):
        raise ModelError(f"{TITLE} cannot be right for this network: {reason}.")
    return _project(network, inputs, stage, channel, which)


def deconvnet_obstacle(network: Network, input_shape: tuple[int, int, int], stage: str | None) -> str | None:
    """Why activations cannot be followed back: an activation other than nn.ReLU, or a step without a transpose.

    >>> from striate.models import create_model
    >>> deconvnet_obstacle(create_model("lenet5", classes=10), (1, 28, 28), None)
    'it has no ReLU whose gradient the rule could change; its activation is tanh (c1)'

    Raises ModelError for a stage that the network has not.
    """
    reason = rectifier_obstacle(network, input_shape, stage)
    return reason or untransposable(_without_normalisation(network, _Skipped), input_shape, stage)


def turned_round(network: Network) -> Network:
    """A copy, in evaluation mode, whose gradients are what a deconvnet sends back; weights are shared."""
    return with_rule(_without_normalisation(network, _PassedBack), "deconvnet")


def _require_which(which: str) -> None:
    if which not in get_args(Which):
        raise UsageError(f"which={which!r} is not a choice of cells; {suggestion(which, get_args(Which))}")


def _project(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    stage: str,
    channel: int | Int64[Tensor, " batch"] | None,
    which: Which,
) -> Float[Tensor, "batch channel height width"]:
    channels = _channels(network, inputs, stage, channel)
    ruled, rows = turned_round(network), torch.arange(len(inputs))
    parts: list[Tensor] = []
    for some in rows.split(at_once(inputs[0])) if len(rows) else ():
        with torch.enable_grad():
            pixels = inputs[some].detach().requires_grad_()
            maps = ruled.run_to(pixels.clone(), stage)
            signal = _signal(maps.detach(), None if channels is None else channels[some], which)
            parts += torch.autograd.grad(maps, pixels, signal)
    return torch.cat(parts) if parts else torch.zeros_like(inputs)


def _channels(
    network: Network, inputs: Tensor, stage: str, channel: int | Tensor | None
) -> Int64[Tensor, " batch"] | None:
    """A channel an image, all of them of the stage."""
    shapes = map_shapes(network, (inputs.shape[1], inputs.shape[2], inputs.shape[3]))
    if stage not in shapes:
        raise ModelError(f"No stage {stage!r} makes maps; {suggestion(stage, shapes)}")
    if channel is None:
        return None
    channels = torch.as_tensor(channel, device=inputs.device)
    channels = channels.expand(len(inputs)) if channels.ndim == 0 else channels
    if len(channels) != len(inputs):
        raise ModelError(
            f"There are {len(channels):,} channels for {len(inputs):,} images; give one an image."
        )
    last = shapes[stage][0] - 1
    wrong = channels[(channels < 0) | (channels > last)]
    if len(wrong):
        raise ModelError(f"Stage {stage!r} has the channels 0 to {last}; got {int(wrong[0])}.")
    return channels


def _signal(
    maps: Float[Tensor, "batch maps rows columns"], channels: Int64[Tensor, " batch"] | None, which: Which
) -> Float[Tensor, "batch maps rows columns"]:
    """What is sent back: positive activations of one channel of each image, or the strongest of them."""
    positive = maps.clamp(min=0).flatten(2)
    if channels is None:
        channels = positive.amax(dim=2).argmax(dim=1)
    index = channels[:, None, None].expand(-1, 1, positive.shape[2])
    chosen = positive.gather(1, index)
    if which == "strongest":
        peak = chosen.argmax(dim=2, keepdim=True)
        chosen = torch.zeros_like(chosen).scatter(2, peak, chosen.gather(2, peak))
    return torch.zeros_like(positive).scatter(1, index, chosen).view_as(maps)


class _Skipped(nn.Module):
    """Nothing, where a local response normalisation was."""

    def __init__(self, layer: nn.LocalResponseNorm) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x


class _PassedBack(nn.Module):
    """A local response normalisation through which gradients go back as they are."""

    def __init__(self, layer: nn.LocalResponseNorm) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return _OnTheWayUp.apply(x, self.layer)  # pyright: ignore[reportReturnType]


class _OnTheWayUp(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: nn.Module) -> Tensor:
        return layer(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        del ctx
        return gradients[0], None


def _without_normalisation(network: Network, substitute: type[_Skipped] | type[_PassedBack]) -> Network:
    """A copy with the same parameters and buffers, and a substitute for every local response normalisation."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.LocalResponseNorm)]
    # deepcopy takes from its memo whatever is already there, wherever the network refers to it
    memo: dict[int, Any] = {id(tensor): tensor for tensor in chain(network.parameters(), network.buffers())}
    return copy.deepcopy(network, memo | {id(layer): substitute(layer) for layer in layers})


DECONVNET = Method(
    name="deconvnet",
    title=TITLE,
    paper="Zeiler & Fergus 2014",
    function=deconvnet,
    seam="input",
    signed=False,
    reduce="magnitude",
    obstacle=deconvnet_obstacle,
)

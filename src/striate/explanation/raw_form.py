"""A stage without its last activation: what its maps were before the rectifier cut them off at zero.

Found by trying, as seams are: an activation stands last where the stage without it, passed through it afterwards,
gives the stage's own maps again. So the sum of a residual block is raw before its rectifier, an Inception module
before those of its four branches, and a stage that ends in max pooling is pooled before it is rectified, which
comes to the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from striate.explanation.inside import sharing
from striate.models import Network
from striate.models.lenet5_1998 import ScaledTanh
from striate.models.walk import KINDS, MIXING

_SEED = 2026


@dataclass(frozen=True, eq=False)
class RawForm:
    """A copy that shares the network's weights and whose one stage lacks its last activation.

    `network.run_to(inputs, stage)` are the raw maps; `left_out` names the layers after the activation that were left
    out too, as local response normalisation, which cannot be exchanged with it.
    """

    network: Network
    activation: nn.Module
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The activation in the field's words: ReLU, tanh."""
        return activation_name(self.activation)


def is_activation(layer: nn.Module) -> bool:
    """Whether a layer is an activation that works on every value alone.

    >>> is_activation(nn.ReLU()), is_activation(nn.Softmax(dim=1)), is_activation(nn.Dropout())
    (True, False, False)
    """
    return isinstance(layer, ScaledTanh) or (
        type(layer).__module__ == nn.ReLU.__module__ and not isinstance(layer, MIXING)
    )


def activation_name(layer: nn.Module) -> str:
    """What an activation is called: the field's word for it, or its class's."""
    return layer.kind if isinstance(layer, ScaledTanh) else KINDS.get(type(layer), type(layer).__name__)


def raw_form(network: Network, input_shape: tuple[int, int, int], stage: str) -> RawForm | None:
    """The network without the last activation of a stage; None where no activation stands last in it.

    >>> network = Network({"conv": nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2)),
    ...                    "pool": nn.AvgPool2d(2)}, head=nn.Flatten())
    >>> raw_form(network, (1, 28, 28), "conv").network.stages["conv"][1]
    Identity()
    >>> raw_form(network, (1, 28, 28), "pool") is None
    True
    """
    part = network.stages[stage]
    noise = _noise(network, input_shape, stage)
    for after in ((), _trailing(part)):
        without: dict[nn.Module, nn.Module] = {layer: nn.Identity() for _, layer in after}
        maps = _run(part, without, noise)
        last = [layer for layer in _innermost(part) if _stands_last(part, layer, without, noise, maps)]
        if last and len({type(layer) for layer in last}) == 1:
            instead = without | {layer: nn.Identity() for layer in last}
            kinds = tuple(KINDS.get(type(layer), type(layer).__name__) for _, layer in after)
            return RawForm(sharing(network, instead), last[0], kinds)
    return None


def _stands_last(
    part: nn.Module, layer: nn.Module, without: dict[nn.Module, nn.Module], noise: Tensor, maps: Tensor
) -> bool:
    raw = _run(part, without | {layer: nn.Identity()}, noise)
    with torch.no_grad():
        again = sharing(layer)(raw)
    return again.shape == maps.shape and torch.allclose(again, maps, rtol=1e-5, atol=1e-7)


def _run(part: nn.Module, instead: dict[nn.Module, nn.Module], noise: Tensor) -> Tensor:
    with torch.no_grad():
        return sharing(part, instead)(noise.clone())


def _noise(network: Network, input_shape: tuple[int, int, int], stage: str) -> Tensor:
    """What enters the stage: of both signs, and of one, so that no rectifier happens to have nothing to do."""
    generator = torch.Generator().manual_seed(_SEED)
    entering = torch.randn((2, *input_shape), generator=generator)
    like = next(network.parameters(), entering)  # the device and precision of the weights
    if at := network.stage_names.index(stage):
        with torch.no_grad():
            maps = sharing(network).run_to(entering.to(like), network.stage_names[at - 1])
        entering = torch.randn(maps.shape, generator=generator)
    # where maxima are taken first, noise of both signs may leave nothing below zero
    entering[1] = -entering[1].abs()
    return entering.to(like)


def _innermost(part: nn.Module) -> list[nn.Module]:
    """The activations of the last layer or block that has any: none before it can stand last."""
    while isinstance(part, nn.Sequential):
        with_some = [child for child in part if any(map(is_activation, child.modules()))]
        if not with_some:
            return []
        part = with_some[-1]
    return [layer for layer in part.modules() if is_activation(layer)]


def _trailing(part: nn.Module) -> tuple[tuple[str, nn.Module], ...]:
    """The layers of a sequence after its last activation; none where they have weights, for then they are the last."""
    layers = tuple(reversed(list(_from_the_end(part)))) if isinstance(part, nn.Sequential) else ()
    weights = [weight for _, layer in layers for weight in layer.parameters()]
    return () if weights else layers


def _from_the_end(part: nn.Sequential) -> Iterator[tuple[str, nn.Module]]:
    for name, child in reversed(list(part.named_children())):
        if any(map(is_activation, child.modules())):
            return
        yield name, child

"""Local response normalisation before the first two poolings, or nowhere: Krizhevsky et al. 2012, section 3.3."""

from collections.abc import Sequence

from torch import nn

from striate.errors import ModelError
from striate.models.alexnet2012 import response_normalisation
from striate.models.changes.activation import REPLACED as ACTIVATIONS
from striate.models.changes.flow import Step, flow_of, following, preceding
from striate.models.changes.surgery import insert_after, remove
from striate.models.lenet5_1998 import Subsampling
from striate.models.network import Network

PLACES = 2
"""So many poolings have it in front of them, as AlexNet's first two."""
BETWEEN = (nn.BatchNorm2d, nn.Dropout)
"""What may stand between an activation and the pooling that reads it."""


def normalise_responses(network: Network, input_shape: tuple[int, int, int], *, wanted: bool) -> None:
    """Let neighbouring maps compete after the activations that the first two poolings read, or nowhere.

    >>> network = Network({"conv": nn.Conv2d(1, 4, 3), "relu": nn.ReLU(), "pool": nn.MaxPool2d(2)}, nn.Flatten())
    >>> normalise_responses(network, (1, 8, 8), wanted=True)
    >>> network.stages["relu"]
    Sequential(
      (relu): ReLU()
      (response): LocalResponseNorm(5, alpha=0.0005, beta=0.75, k=2.0)
    )

    A pooling that has it right before or right after it, as ZFNet's and GoogLeNet's do, is left alone. Raises
    ModelError for a network without pooling, and for one that pools what no activation wrote.
    """
    steps = flow_of(network, input_shape)
    if not wanted:
        for step in steps:
            if isinstance(step.layer, nn.LocalResponseNorm):
                remove(network, step.path)
        return
    poolings = [step for step in steps if _reduces(step.layer)][:PLACES]
    if not poolings:
        raise ModelError(
            "it has no pooling for response normalisation to stand before; leave response_norm out."
        )
    for pooling in poolings:
        if not _normalised(steps, pooling):
            insert_after(
                network, _activation_before(steps, pooling).path, "response", response_normalisation()
            )


def _reduces(layer: nn.Module) -> bool:
    # the poolings inside Inception modules, in steps of 1, leave the maps their size
    return isinstance(layer, Subsampling) or (
        isinstance(layer, nn.MaxPool2d | nn.AvgPool2d) and layer.stride not in (1, (1, 1))
    )


def _normalised(steps: Sequence[Step], pooling: Step) -> bool:
    around = [preceding(steps, pooling), *following(steps, pooling)]
    return any(step and isinstance(step.layer, nn.LocalResponseNorm) for step in around)


def _activation_before(steps: Sequence[Step], pooling: Step) -> Step:
    step = preceding(steps, pooling)
    while step and isinstance(step.layer, BETWEEN):
        step = preceding(steps, step)
    if step is None or not isinstance(step.layer, ACTIVATIONS):
        raise ModelError(
            f"{pooling.path.removeprefix('stages.')} does not read an activation, and response normalisation"
            " stands between the two; leave response_norm out."
        )
    return step

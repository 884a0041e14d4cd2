"""Batch normalisation after every convolution, or nowhere: Ioffe & Szegedy 2015, Batch normalization, section 3.2."""

from collections.abc import Sequence

from torch import nn

from striate.errors import ModelError
from striate.models.changes.flow import Step, flow_of, following
from striate.models.changes.surgery import insert_after, remove
from striate.models.lenet5_1998 import TableConvolution
from striate.models.network import Network

CONVOLUTIONS = (nn.Conv2d, TableConvolution)
POOLINGS = (nn.MaxPool2d, nn.AvgPool2d)


def normalise(network: Network, input_shape: tuple[int, int, int], *, everywhere: bool) -> None:
    """Normalise what every convolution writes before anything else reads it, or remove all such normalisation.

    >>> network = Network({"conv": nn.Conv2d(1, 4, 3)}, head=nn.Flatten())
    >>> normalise(network, (1, 8, 8), everywhere=True)
    >>> sum(parameter.numel() for parameter in network.parameters())
    48

    A convolution whose maps are normalised already, if only after a pooling, is left alone. One that gets
    normalisation keeps its bias; one that loses it and has no bias gets one of zeros. Raises ModelError for a
    network without convolutions.
    """
    steps = flow_of(network, input_shape)
    convolutions = [step for step in steps if isinstance(step.layer, CONVOLUTIONS)]
    if not everywhere:
        _remove_all(network, steps, convolutions)
        return
    if not convolutions:
        raise ModelError("it has no convolution whose maps could be normalised; leave batch_norm out.")
    for step in convolutions:
        if _norm_of(steps, step) is None:
            norm = nn.BatchNorm2d(step.leaving.shape[1], device=step.layer.get_parameter("weight").device)
            insert_after(network, step.path, "norm", norm)


def _remove_all(network: Network, steps: Sequence[Step], convolutions: Sequence[Step]) -> None:
    norms = [step for step in steps if isinstance(step.layer, nn.BatchNorm2d)]
    if others := {type(step.layer).__name__ for step in norms if type(step.layer) is not nn.BatchNorm2d}:
        raise ModelError(f"{', '.join(sorted(others))} does more than normalise; leave batch_norm out.")
    for step in convolutions:
        layer = step.layer
        if isinstance(layer, nn.Conv2d) and layer.bias is None and _norm_of(steps, step):
            layer.bias = nn.Parameter(layer.weight.new_zeros(layer.out_channels))
    for step in norms:
        remove(network, step.path)


def _norm_of(steps: Sequence[Step], step: Step) -> Step | None:
    for after in following(steps, step):
        if isinstance(after.layer, nn.BatchNorm2d):
            return after
        if isinstance(after.layer, POOLINGS) and (norm := _norm_of(steps, after)):
            return norm
    return None

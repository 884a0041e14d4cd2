"""The changes of the papers, by name: one record of what is to differ, one function that makes it so."""

from dataclasses import dataclass

from striate.models.changes.activation import activate
from striate.models.changes.flow import flow_of
from striate.models.changes.normalisation import normalise
from striate.models.changes.pooling import overlap
from striate.models.changes.response import normalise_responses
from striate.models.geometry import feature_shape
from striate.models.heads import adapted_head
from striate.models.network import Network

DROPOUT = 0.5
"""Of the head called mlp, where the recipe names none."""


@dataclass(frozen=True)
class Changes:
    """What is to differ from the network as its file has it; by default nothing.

    - `head`: "own", "linear" or "mlp".
    - `activation`: "own", "relu", "tanh" or "sigmoid". Initial weights stay those of the network's own rule: with
      ReLUs ask for `initialisation="he"`, with tanhs and sigmoids for "xavier".
    - `batch_norm`: True after every convolution, False nowhere, None as the network has it.
    - `response_norm`: True before the first two poolings, False nowhere, None as the network has it.
    - `overlapping`: True for pooling windows of 3 in steps of 2, False for 2 in steps of 2, None for its own.
    - `width`: so many times the maps of every stage, for networks that are built to any width; None for its own.
    """

    head: str = "own"
    activation: str = "own"
    batch_norm: bool | None = None
    response_norm: bool | None = None
    overlapping: bool | None = None
    width: float | None = None
    """Taken when the network is built, by `create_model`."""


def change(
    network: Network,
    changes: Changes,
    *,
    classes: int,
    input_shape: tuple[int, int, int],
    dropout: float | None = None,
) -> Network:
    """The network with its changes made, in place.

    >>> from striate.models import create_model
    >>> network = create_model("lenet5", classes=10)
    >>> changes = Changes(activation="relu", batch_norm=True)
    >>> network = change(network, changes, classes=10, input_shape=(1, 28, 28))
    >>> [(name, type(layer).__name__) for name, layer in network.stages["c1"].named_children()]
    [('conv', 'Conv2d'), ('conv_norm', 'BatchNorm2d'), ('tanh', 'ReLU')]

    Layers keep their names, as the one called tanh shows. No random number is drawn but for a new head: weights
    that stay are the same with and without the change. What is already so may be asked for. Raises ModelError,
    in words that need the network's name before them, where there is nothing to change, or where the change would
    give maps of another size.
    """
    if changes.head != "own":
        features = feature_shape(dict(network.stages.items()), input_shape)
        rate = DROPOUT if dropout is None else dropout
        network.head = adapted_head(changes.head, features, classes, rate)
    if changes.activation != "own":
        activate(network, changes.activation)
    if changes.batch_norm is not None:
        normalise(network, input_shape, everywhere=changes.batch_norm)
    if changes.response_norm is not None:
        normalise_responses(network, input_shape, wanted=changes.response_norm)
    if changes.overlapping is not None:
        overlap(network, input_shape, wanted=changes.overlapping)
    if changes != Changes(head=changes.head, width=changes.width):
        flow_of(network, input_shape)  # the changed network runs, or says why not
        network.train(network.training)
    return network

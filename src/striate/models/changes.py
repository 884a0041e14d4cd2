"""What a recipe changes of a network that the catalogue built: its head, its activation, its normalisation."""

from dataclasses import dataclass

from striate.models.geometry import feature_shape
from striate.models.heads import adapted_head
from striate.models.network import Network

DROPOUT = 0.5
"""Of the head called mlp, where the recipe names none."""


@dataclass(frozen=True)
class Changes:
    """What is to differ from the network as its file has it; by default nothing.

    `head` is "own", "linear" or "mlp".
    """

    head: str = "own"


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
    >>> network = create_model("resnet20", classes=10)
    >>> changed = change(network, Changes(head="mlp"), classes=3, input_shape=(3, 32, 32))
    >>> [name for name, _ in changed.head.named_children()]
    ['pool', 'flatten', 'hidden', 'relu', 'dropout', 'output']
    """
    if changes.head != "own":
        features = feature_shape(dict(network.stages.items()), input_shape)
        rate = DROPOUT if dropout is None else dropout
        network.head = adapted_head(changes.head, features, classes, rate)
    return network

"""The plain network that courses start from: flattened pixels, two hidden layers of 512 ReLUs, dropout 0.2.

This is the multilayer perceptron of Keras's MNIST example (669,706 parameters at 784 inputs and ten classes);
PyTorch's Quickstart has the same one without dropout. Rumelhart, Hinton & Williams 1986 showed how to train
it.
"""

import math

from torch import nn

from striate.models.initialise import initialise, small_output
from striate.models.layers import sequence
from striate.models.network import Network

HIDDEN = 512


def mlp(*, classes: int, channels: int, size: tuple[int, int], dropout: float) -> Network:
    """Fully connected from the pixels on: the network that knows nothing of neighbourhood.

    >>> network = mlp(classes=10, channels=1, size=(28, 28), dropout=0.2)
    >>> sum(parameter.numel() for parameter in network.parameters())
    669706

    Images `batch channel height width` to logits `batch class`. Initial weights: He; the output near zero.
    """
    stages = {
        "input": nn.Flatten(),
        "hidden1": _hidden(channels * math.prod(size), dropout),
        "hidden2": _hidden(HIDDEN, dropout),
    }
    head = nn.Linear(HIDDEN, classes)
    network = Network(stages, head)
    initialise(network, "he")
    small_output(head)
    return network


def _hidden(inputs: int, dropout: float) -> nn.Sequential:
    return sequence(linear=nn.Linear(inputs, HIDDEN), relu=nn.ReLU(), dropout=nn.Dropout(dropout))

"""Activation functions and their derivatives, as arrays of any shape.

>>> relu([-2.0, 0.0, 3.0]).tolist(), leaky_relu([-2.0, 3.0]).tolist(), tanh([0.0]).tolist()
([0.0, 0.0, 3.0], [-0.02, 3.0], [0.0])
"""

import numpy as np
from jaxtyping import Float64

from striate.pixels.convolution import ArrayLike

Floats = Float64[np.ndarray, "..."]


def relu(x: ArrayLike) -> Floats:
    """What is above zero, and zero for the rest."""
    return np.maximum(_floats(x), 0.0)


def relu_derivative(x: ArrayLike) -> Floats:
    """1 above zero, 0 below and, by convention, at zero.

    >>> relu_derivative([-1.0, 0.0, 2.0]).tolist()
    [0.0, 0.0, 1.0]
    """
    return (_floats(x) > 0).astype(np.float64)


def leaky_relu(x: ArrayLike, slope: float = 0.01) -> Floats:
    """As ReLU, but `slope` times the value below zero. Maas, Hannun & Ng 2013."""
    values = _floats(x)
    return np.where(values > 0, values, slope * values)


def leaky_relu_derivative(x: ArrayLike, slope: float = 0.01) -> Floats:
    """1 above zero, `slope` below and at it."""
    return np.where(_floats(x) > 0, 1.0, slope)


def sigmoid(x: ArrayLike) -> Floats:
    """1 / (1 + exp(-x)), computed so that nothing overflows.

    >>> sigmoid([-1000.0, 0.0, 1000.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    values = _floats(x)
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, 1.0, small) / (1.0 + small)


def sigmoid_derivative(x: ArrayLike) -> Floats:
    """sigmoid(x) · (1 - sigmoid(x)): at most 0.25, at zero."""
    return sigmoid(x) * sigmoid(-_floats(x))


def tanh(x: ArrayLike) -> Floats:
    """The hyperbolic tangent, -1..1."""
    return np.tanh(_floats(x))


def tanh_derivative(x: ArrayLike) -> Floats:
    """1 - tanh(x)²."""
    return 1.0 - np.tanh(_floats(x)) ** 2


def softmax(x: ArrayLike) -> Floats:
    """Logits to probabilities along the last axis.

    >>> softmax([1.0, 2.0, 3.0]).round(4).tolist(), softmax([1000.0, 1000.0]).tolist()
    ([0.09, 0.2447, 0.6652], [0.5, 0.5])
    """
    values = _floats(x)
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def softmax_derivative(x: ArrayLike) -> Floats:
    """The Jacobian: entry (i, j) of the last two axes is p_i · ((i = j) - p_j).

    >>> softmax_derivative([0.0, 0.0]).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    p = softmax(x)
    return p[..., :, None] * (np.eye(p.shape[-1]) - p[..., None, :])


def _floats(x: ArrayLike) -> Floats:
    return np.asarray(x, dtype=np.float64)

"""Whether a probability of 80 % is right 80 times in a hundred, and one or a few numbers that make it so.

Guo, Pleiss, Sun & Weinberger 2017, On calibration of modern neural networks, sections 2 and 4.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int

from striate.errors import StriateError
from striate.evaluation.metrics import check

COLDEST, HOTTEST = 0.01, 100.0
"""Between these the temperature is sought."""
HALVINGS = 50
"""Of that range, on a logarithmic scale: down to its last bits."""
SMALLEST = 1e-30
"""What a probability of 0 is taken as before its logarithm."""


@dataclass(frozen=True)
class Temperature:
    """One number that all logits are divided by: above 1 the network was too sure. The best class stays the best."""

    value: float

    def apply(self, logits: Float[np.ndarray, "images classes"]) -> Float64[np.ndarray, "images classes"]:
        """Calibrated probabilities of logits, or of the logarithms of probabilities.

        >>> Temperature(2.0).apply(np.log([[0.9, 0.1]])).round(2).tolist()
        [[0.75, 0.25]]
        """
        return softmax(logits / self.value)

    def to_dict(self) -> dict[str, object]:
        """Kind and value, for the run's own file."""
        return {"kind": "temperature", "value": self.value}


@dataclass(frozen=True, eq=False)
class VectorScaling:
    """A factor and an offset for the log-probability of each class; it may change which class is the best.

    Logits are made log-probabilities first: with a factor of its own for each class, a constant an image would matter.
    """

    factors: Float64[np.ndarray, " classes"]
    offsets: Float64[np.ndarray, " classes"]

    def apply(self, logits: Float[np.ndarray, "images classes"]) -> Float64[np.ndarray, "images classes"]:
        """Calibrated probabilities of logits, or of the logarithms of probabilities."""
        return softmax(_log_softmax(logits) * self.factors + self.offsets)

    def changed(self, logits: Float[np.ndarray, "images classes"]) -> int:
        """Of how many images another class is now the best."""
        return int((self.apply(logits).argmax(axis=1) != logits.argmax(axis=1)).sum())

    def to_dict(self) -> dict[str, object]:
        """Kind and values, for the run's own file."""
        return {"kind": "vector", "factors": self.factors.tolist(), "offsets": self.offsets.tolist()}


Calibration = Temperature | VectorScaling


def fit_temperature(
    truth: Int[np.ndarray, " images"], logits: Float[np.ndarray, "images classes"]
) -> Temperature:
    """The temperature of least log loss on images that the network was not trained on.

    >>> logits = np.array([[4.0, 0.0]] * 10)
    >>> found = fit_temperature(np.array([0] * 8 + [1] * 2), logits)  # as sure as 98 %, right in 80 %
    >>> round(found.value, 2), found.apply(logits)[0].round(2).tolist()
    (2.89, [0.8, 0.2])

    `logits` may be the logarithms of probabilities: a constant an image makes no difference. The loss is convex in
    1 / temperature; it is sought between 0.01 and 100. Where every image is right the loss would have it ever colder,
    up to probabilities of 1 that nothing vouches for: it is 1 then. StriateError without images. Guo et al. 2017,
    section 4.2.
    """
    logits = _required(truth, logits)
    if (logits.argmax(axis=1) == truth).all():
        return Temperature(1.0)
    true = logits[np.arange(len(truth)), truth]

    def slope(
        log_inverse: float,
    ) -> float:  # of the loss along 1 / temperature: rises, since the loss is convex
        expected = (softmax(logits * np.exp(log_inverse)) * logits).sum(axis=1)
        return float((expected - true).mean())

    low, high = -np.log(HOTTEST), -np.log(COLDEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return Temperature(float(np.exp(-(low + high) / 2)))


def fit_vector(
    truth: Int[np.ndarray, " images"], logits: Float[np.ndarray, "images classes"]
) -> VectorScaling:
    """A factor and an offset of each class, of least log loss on images that the network was not trained on.

    >>> generator = np.random.default_rng(0)
    >>> logits = generator.normal(size=(5000, 3))
    >>> truth = (softmax(logits * [1, 2, 3] + [1, 0, 0]).cumsum(axis=1) < generator.random((5000, 1))).sum(axis=1)
    >>> found = fit_vector(truth, logits)
    >>> bool(np.allclose(found.factors, [1, 2, 3], atol=0.3))
    True

    Factors stay positive. Offsets have mean 0, since a constant makes no difference. StriateError without images.
    Guo et al. 2017, section 4.2 (vector scaling).
    """
    from scipy.optimize import minimize

    logits = _log_softmax(_required(truth, logits))
    classes, rows = logits.shape[1], np.arange(len(truth))

    def loss(
        parameters: Float64[np.ndarray, " parameters"],
    ) -> tuple[float, Float64[np.ndarray, " parameters"]]:
        factors, offsets = np.exp(parameters[:classes]), parameters[classes:]
        logarithms = _log_softmax(logits * factors + offsets)
        error = np.exp(logarithms)
        error[rows, truth] -= 1
        slope = np.concatenate([(error * logits * factors).mean(axis=0), error.mean(axis=0)])
        return float(-logarithms[rows, truth].mean()), slope

    limit = np.log(HOTTEST)
    bounds = [(-limit, limit)] * classes + [(-50.0, 50.0)] * classes
    found = minimize(loss, np.zeros(2 * classes), jac=True, method="L-BFGS-B", bounds=bounds)
    offsets = found.x[classes:]
    return VectorScaling(np.exp(found.x[:classes]), offsets - offsets.mean())


def logits_of(probabilities: Float[np.ndarray, "images classes"]) -> Float64[np.ndarray, "images classes"]:
    """The logarithms of probabilities: logits but for a constant an image."""
    return np.log(np.maximum(probabilities.astype(np.float64), SMALLEST))


def calibration_of(saved: dict[str, object]) -> Calibration:
    """What `to_dict` wrote. StriateError for anything else."""
    match saved:
        case {"kind": "temperature", "value": float() | int() as value} if COLDEST / 2 < value < 2 * HOTTEST:
            return Temperature(float(value))
        case {"kind": "vector", "factors": list() as factors, "offsets": list() as offsets}:
            return VectorScaling(np.array(factors, np.float64), np.array(offsets, np.float64))
    raise StriateError(f"{saved} is no calibration: expected a temperature, or factors and offsets.")


def softmax(logits: Float[np.ndarray, "images classes"]) -> Float64[np.ndarray, "images classes"]:
    """Probabilities of logits."""
    return np.exp(_log_softmax(logits))


def _log_softmax(logits: Float[np.ndarray, "images classes"]) -> Float64[np.ndarray, "images classes"]:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _required(
    truth: Int[np.ndarray, " images"], logits: Float[np.ndarray, "images classes"]
) -> Float64[np.ndarray, "images classes"]:
    if not len(truth):
        raise StriateError("There is no image to calibrate on; keep some apart from training.")
    check(truth, softmax(logits))
    return logits - logits.max(axis=1, keepdims=True).astype(np.float64)

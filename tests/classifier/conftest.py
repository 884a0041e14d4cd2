"""Four hundred digits, and a classifier that has learned three hundred of them."""

import pytest
from sklearn.datasets import load_digits
from small_task import QUICK, Arrays

from striate import Classifier


@pytest.fixture(scope="session")
def digits() -> Arrays:
    """400 digits, float64 0..16 as scikit-learn gives them."""
    X, y = load_digits(return_X_y=True)
    return X[:400].reshape(-1, 8, 8), y[:400]


@pytest.fixture(scope="module")
def fitted(digits: Arrays) -> Classifier:
    X, y = digits
    return Classifier(QUICK).fit(X[:300], y[:300])

"""A small task and a quick recipe that the tests of the classifier share."""

import numpy as np

from striate import Classifier, Recipe

Arrays = tuple[np.ndarray, np.ndarray]
QUICK = Recipe(model="mlp", epochs=2, batch_size=32)


def weights(classifier: Classifier) -> dict[str, np.ndarray]:
    return {name: tensor.numpy().copy() for name, tensor in classifier.network_.state_dict().items()}


def same_weights(one: Classifier, other: Classifier) -> bool:
    mine, theirs = weights(one), weights(other)
    return mine.keys() == theirs.keys() and all(np.array_equal(mine[name], theirs[name]) for name in mine)

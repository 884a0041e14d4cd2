"""What classes are called: text in files, whatever the caller wrote in Python, in scikit-learn's order."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Shaped

from striate.data import Images
from striate.errors import RunError

KINDS = {"i": "integer", "u": "integer", "f": "float", "b": "boolean"}
"""Kinds of numpy's dtypes that a run's `label_type` names; every other one is text."""
READERS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "float": float,
    "boolean": "True".__eq__,
    "text": str,
}


def in_label_order(images: Images, labels: Shaped[np.ndarray, " images"]) -> Images:
    """The same images, their classes in the order of the labels: -1 before 0, "10" before "9".

    scikit-learn's scorers take the columns of `predict_proba` to be in this order.
    """
    classes = tuple(str(label) for label in np.unique(labels))
    number = {name: index for index, name in enumerate(classes)}
    moved = np.array([number[name] for name in images.classes], dtype=np.int32)
    return replace(images, classes=classes, labels=moved[images.labels])


def names_of_classes(images: Images, y: Any) -> Shaped[np.ndarray, " classes"]:
    """The classes as the caller wrote them: numbers stay numbers."""
    if y is None:
        return np.array(images.classes)
    known = {str(label): label for label in np.unique(np.asarray(y))}
    return np.array([known[name] for name in images.classes])


def label_type(labels: Shaped[np.ndarray, " classes"]) -> str:
    """What a run says of its labels, so that a loaded classifier answers as the fitted one did.

    >>> label_type(np.array([0, 1])), label_type(np.array(["cat", "owl"]))
    ('integer', 'text')
    """
    return KINDS.get(labels.dtype.kind, "text")


def typed(classes: Sequence[str], kind: str) -> Shaped[np.ndarray, " classes"]:
    """Class names from a file as labels again; RunError where they are not of that type.

    >>> typed(("0", "1"), "integer"), typed(("False", "True"), "boolean")
    (array([0, 1]), array([False,  True]))
    """
    try:
        return np.array([READERS[kind](name) for name in classes])
    except (KeyError, ValueError) as error:
        raise RunError(
            f"The classes of this run ({', '.join(classes[:5])}, …) are not of type {kind!r}."
        ) from error

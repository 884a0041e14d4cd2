"""What is asked of an explanation, checked against the network before a picture is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from striate.classifier.explaining.options import require_options
from striate.classifier.prediction import Predictor
from striate.errors import ModelError, UsageError, nearest
from striate.explanation import DEFAULT, METHODS, map_shapes
from striate.explanation.method import Method
from striate.explanation.methods import known_method, known_stage

LISTED = 70
"""Classes that an error lists."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which method, of which stage, for which class, with which options; None is the default, or the answer."""

    method: str = DEFAULT
    stage: str | None = None
    label: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def require(self, predictor: Predictor) -> Method:
        """The method that answers this.

        Raises UsageError or ModelError for what the network cannot be asked: an unknown method, stage, option or
        class, or a method that cannot be right for it; those that can be are then named.
        """
        method, shape = known_method(self.method), predictor.preparation.input_shape()
        require_options(method, self.options)
        if self.label is not None:
            class_number(predictor.classes, self.label)
        stage = self.stage
        if method.seam == "stage":
            if not map_shapes(predictor.network, shape):
                raise ModelError(
                    f"{method.title} explains maps, and no stage of this network makes any. {others(predictor)}"
                )
            stage = known_stage(predictor.network, shape, stage)
        if reason := method.obstacle(predictor.network, shape, stage):
            raise ModelError(
                f"{method.title} cannot be right for this network: {reason}. {others(predictor)}"
            )
        return method


def others(predictor: Predictor) -> str:
    """Which methods could be asked instead."""
    shape = predictor.preparation.input_shape()
    possible = [
        name
        for name, method in METHODS.items()
        if (method.seam == "input" or map_shapes(predictor.network, shape))
        and not method.obstacle(predictor.network, shape, None)
    ]
    return f"Methods that can be: {', '.join(possible)}."


def class_number(classes: tuple[str, ...], label: Any) -> int:
    """The number of a class by its name; UsageError with the nearest one for a class that the run has not."""
    name = str(label)
    if name in classes:
        return classes.index(name)
    near = nearest(name, classes)
    more = f", … ({len(classes):,} in all)" if len(classes) > LISTED else ""
    raise UsageError(
        f"The run has no class {name!r}.{f' Did you mean {near}?' if near else ''}"
        f" Its classes: {', '.join(classes[:LISTED])}{more}."
    )

"""How much work a method of explanation is: forward passes for one picture."""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from striate.explanation.integrated_gradients import FIRST_STEPS, MOST_STEPS
from striate.explanation.methods import METHODS, known_method
from striate.explanation.windows import windows_over

ON_AND_BACK = 3
"""A pass on and one back count as three on."""


def passes(method: str, input_shape: tuple[int, int, int], options: Mapping[str, Any] | None = None) -> int:
    """Forward passes that a method takes for one picture `channel height width`, at most.

    >>> passes("gradcam", (3, 224, 224)), passes("occlusion", (3, 224, 224)), passes("smooth_grad", (3, 32, 32))
    (3, 122, 150)
    >>> passes("integrated_gradients", (1, 28, 28), {"steps": 64})
    192

    Raises ModelError for an unknown method, UsageError for a window that cannot be.
    """
    known_method(method)
    given = {**_defaults(method), **(options or {})}
    return _SPECIAL[method](given, input_shape) if method in _SPECIAL else ON_AND_BACK


def _occlusion(options: Mapping[str, Any], input_shape: tuple[int, int, int]) -> int:
    windows = windows_over((input_shape[1], input_shape[2]), options["window"], options["stride"])
    return 1 + math.prod(windows.grid)


def _integrated(options: Mapping[str, Any], input_shape: tuple[int, int, int]) -> int:
    del input_shape
    if options["steps"] is not None:
        return ON_AND_BACK * options["steps"]
    doubled = int(math.log2(MOST_STEPS // FIRST_STEPS)) + 1
    return ON_AND_BACK * sum(FIRST_STEPS << times for times in range(doubled))


def _smooth(options: Mapping[str, Any], input_shape: tuple[int, int, int]) -> int:
    del input_shape
    return ON_AND_BACK * options["samples"]


_SPECIAL: dict[str, Callable[[Mapping[str, Any], tuple[int, int, int]], int]] = {
    "occlusion": _occlusion,
    "integrated_gradients": _integrated,
    "smooth_grad": _smooth,
}


def _defaults(method: str) -> dict[str, Any]:
    parameters = inspect.signature(METHODS[method].function).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not one.empty}

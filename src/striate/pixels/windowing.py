"""A window on measured values: what lies in it takes the whole scale of 16 bits, what lies outside is flat."""

import math
import re

import numpy as np
from jaxtyping import Float64, Shaped, UInt16

from striate.errors import UsageError, suggestion
from striate.pixels.picture import LookUpTable, Window

FULL = 65535

NAMED_WINDOWS = {
    "lung": Window(-600.0, 1500.0),
    "bone": Window(400.0, 1800.0),
    "brain": Window(40.0, 80.0),
    "abdomen": Window(60.0, 400.0),
    "soft-tissue": Window(60.0, 400.0),
    "mediastinum": Window(50.0, 350.0),
}
"""Usual windows on CT, in Hounsfield units; lung, bone, brain, abdomen and mediastinum after radiopaedia.org,
article 52108 (windowing, CT): 1500/−600, 1800/400, 80/40, 400/60 and 350/50, width before level."""

_NUMBER = r"[+−-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_PAIR = re.compile(rf"\s*({_NUMBER})\s*/\s*({_NUMBER})\s*", re.IGNORECASE | re.ASCII)


def parse_window(text: str) -> Window:
    """The window of a name, or of a centre and a width.

    >>> parse_window("lung")
    Window(centre=-600.0, width=1500.0, function='linear')
    >>> parse_window("-600/1500") == parse_window("lung")
    True

    Raises UsageError for a name that is not known, and for a width below 1.
    """
    named = NAMED_WINDOWS.get(text.strip().lower().replace(" ", "-").replace("_", "-"))
    if named is not None:
        return named
    pair = _PAIR.fullmatch(text)
    if pair is None:
        raise UsageError(
            f"the window {text!r} is neither a name nor centre/width such as -600/1500; "
            + suggestion(text, NAMED_WINDOWS)
        )
    centre, width = (float(part.replace("−", "-")) for part in pair.groups())
    if not (math.isfinite(centre) and 1 <= width < math.inf):
        raise UsageError(
            f"the window {text!r} has no width to show; give a width of 1 or more, as in -600/1500"
        )
    return Window(centre, width)


def window_name(window: Window) -> str:
    """The way in which `parse_window` reads a window back: centre/width.

    >>> window_name(parse_window("brain"))
    '40/80'
    """
    return f"{window.centre:.15g}/{window.width:.15g}"


def full_window(low: float, high: float) -> Window:
    """The window that shows all whole values from `low` to `high`: 0 at the one, full at the other.

    >>> full_window(0.0, 4095.0)
    Window(centre=2048.0, width=4096.0, function='linear')
    """
    return Window((low + high + 1) / 2, high - low + 1)


def apply_window(
    values: Shaped[np.ndarray, "*shape"], window: Window | LookUpTable
) -> UInt16[np.ndarray, "*shape"]:
    """The values through a window, as 0..65535.

    >>> apply_window(np.array([-1351, -600, 149], np.int16), Window(-600.0, 1500.0))
    array([    0, 32789, 65535], dtype=uint16)

    DICOM PS3.3, sections C.11.2.1.2.1 (LINEAR), C.11.2.1.3.1 (SIGMOID), C.11.2.1.3.2 (LINEAR_EXACT) and
    C.11.2.1.1 (VOI LUT). Values are whole (8 or 16 bits) or floating-point, and finite.
    """
    if values.dtype.kind == "f":
        return _scaled(values.astype(np.float64), window)
    every = np.arange(2 ** (8 * values.dtype.itemsize), dtype=f"u{values.dtype.itemsize}")
    curve = _scaled(every.view(values.dtype).astype(np.float64), window)
    return curve[values.view(every.dtype)]


def _scaled(
    values: Float64[np.ndarray, "*shape"], window: Window | LookUpTable
) -> UInt16[np.ndarray, "*shape"]:
    share = _looked_up(values, window) if isinstance(window, LookUpTable) else _curve(values, window)
    return np.rint(share * FULL).astype(np.uint16)


def _looked_up(values: Float64[np.ndarray, "*shape"], table: LookUpTable) -> Float64[np.ndarray, "*shape"]:
    index = np.clip(np.floor(values) - table.first, 0, len(table.entries) - 1).astype(np.int64)
    return np.minimum(np.array(table.entries, np.float64)[index] / table.full, 1.0)


def _curve(values: Float64[np.ndarray, "*shape"], window: Window) -> Float64[np.ndarray, "*shape"]:
    """How far up the scale of 0 to 1 each value stands."""
    if window.function == "sigmoid":
        # Beyond ±700 the exponential leaves float64, and the curve is flat to its last digit.
        return 1 / (1 + np.exp(np.clip(-4 * (values - window.centre) / window.width, -700, 700)))
    linear = window.function == "linear"
    centre, width = (window.centre - 0.5, window.width - 1) if linear else (window.centre, window.width)
    if width == 0:
        return (values > centre).astype(np.float64)
    return np.clip((values - centre) / width + 0.5, 0.0, 1.0)

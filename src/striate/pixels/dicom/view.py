"""The view that a DICOM file asks for itself: window or VOI LUT (PS3.3, section C.11.2), told for our pixels.

Of several windows the first is taken, and a window goes before a table. Where the pixels were turned over,
so is the view. A file that asks for nothing gets all that its pixels can hold, or in Hounsfield units the
4,096 values from −1,024 that CT numbers traditionally have: the range of 16 bits would show a grey fog.
"""

from typing import TYPE_CHECKING, Literal

from striate.errors import ImageError
from striate.pixels.dicom.header import Layout, decimal, first_item, frame_item, word
from striate.pixels.dicom.tables import table_of
from striate.pixels.dicom.values import Measure
from striate.pixels.picture import LookUpTable, Window
from striate.pixels.windowing import full_window

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

HOUNSFIELD = (-1024.0, 3071.0)
_FUNCTIONS: dict[str, Literal["linear", "linear_exact", "sigmoid"]] = {
    "": "linear",
    "LINEAR": "linear",
    "LINEAR_EXACT": "linear_exact",
    "SIGMOID": "sigmoid",
}


def view_of(dataset: "Dataset", layout: Layout, measure: Measure, frame: int) -> Window | LookUpTable | None:
    """The file's own view of one frame, in the units and the polarity of its pixels; None for floating point."""
    item = frame_item(dataset, frame, "FrameVOILUTSequence")
    own = _window(item, measure) or _table(item, measure)
    if own is not None or layout.floating:
        return own
    low, high = HOUNSFIELD if measure.hounsfield else (measure.low, measure.high)
    return full_window(low, high)


def _window(item: "Dataset", measure: Measure) -> Window | None:
    try:
        centre, width = decimal(item, "WindowCenter"), decimal(item, "WindowWidth")
    except ImageError:  # a view that cannot be read is none; the pixels are what they are
        return None
    function = _FUNCTIONS.get(word(item, "VOILUTFunction"))
    if centre is None or width is None or function is None or width < (1 if function == "linear" else 1e-9):
        return None
    if measure.inverted:
        # LINEAR is centred half a step below its centre (C.11.2.1.2.1), and turned over half a step above.
        centre = measure.low + measure.high - centre + (1 if function == "linear" else 0)
    return Window(centre, width, function)


def _table(item: "Dataset", measure: Measure) -> LookUpTable | None:
    sequence = first_item(item, "VOILUTSequence")
    if sequence is None:
        return None
    try:
        table = table_of(sequence, signed=measure.low < 0)
    except ImageError:
        return None
    full = 2**table.bits - 1
    entries = table.entries.tolist()
    if not measure.inverted:
        return LookUpTable(table.first, tuple(entries), full)
    ends = measure.low + measure.high
    if not float(ends).is_integer():
        return None
    return LookUpTable(
        int(ends) - (table.first + len(entries) - 1),
        tuple(full - entry for entry in reversed(entries)),
        full,
    )

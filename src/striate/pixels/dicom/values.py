"""From stored values to measured ones: Modality LUT or rescaling, polarity, padding.

What a pixel becomes is decided by the header alone, whatever the pixels hold:

- floating-point pixel data, or more than 16 bits: float32;
- a Modality LUT: uint8 or uint16, as wide as the table's entries;
- rescaled or signed values: int16 where every value that the stored bits can hold is whole and fits, else float32;
- anything else: uint8 up to 8 bits stored, uint16 above, as stored.

A rescaling by 1 and 0 is none, unless it makes Hounsfield units.

Large is bright in every picture: MONOCHROME1 and the Presentation LUT Shape INVERSE are turned over within the
range that the stored bits can hold. Both together are one inversion, not two: where PS3.3 (table C.8-72 and
section C.11.6.1.2) has both, INVERSE is how MONOCHROME1 is said. Hounsfield units are never turned over: in them
dense is large, and a picture of negated densities would measure nothing.

Padding (PS3.3, section C.7.5.1.1.2) takes the lowest measured value of its frame, the one that ends up darkest.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Num, Shaped

from striate.errors import ImageError
from striate.pixels.dicom.header import Layout, decimal, first_item, frame_item, word
from striate.pixels.dicom.tables import Table, table_of
from striate.pixels.picture import ImageArray

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_INT16 = (-(2**15), 2**15 - 1)


@dataclass(frozen=True, eq=False)
class Measure:
    """How a stored value becomes a measured one: a line or a table, then perhaps turned over.

    `low` and `high` bound what the stored bits can hold, in the units of the result; `depth` is its dtype.
    """

    slope: float
    intercept: float
    table: Table | None
    hounsfield: bool
    inverted: bool
    low: float
    high: float
    depth: str

    def apply(self, stored: Num[np.ndarray, "*shape"]) -> Num[np.ndarray, "*shape"]:
        """Measured values; up to 16 bits through a table of all of them, so that each is computed once."""
        if stored.dtype.itemsize > 2 or stored.dtype.kind == "f":
            return self._curve(stored.astype(np.float64)).astype(self.depth)
        every = np.arange(2 ** (8 * stored.dtype.itemsize), dtype=f"u{stored.dtype.itemsize}")
        curve = self._curve(every.view(stored.dtype).astype(np.float64))
        # Values that no pixel of this many bits has may lie outside of the depth.
        curve = np.clip(curve, self.low, self.high).astype(self.depth)
        return curve[stored.view(every.dtype)]

    def _curve(self, stored: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
        values = stored * self.slope + self.intercept if self.table is None else self.table(stored)
        return self.low + self.high - values if self.inverted else values


def measure_of(dataset: "Dataset", layout: Layout, frame: int) -> Measure:
    """How the values of one frame are measured, by its functional groups or by the whole data set."""
    if layout.floating:
        return Measure(1.0, 0.0, None, False, False, -np.inf, np.inf, "float32")
    low = -(2 ** (layout.stored - 1)) if layout.signed else 0
    high = low + 2**layout.stored - 1
    lut = first_item(dataset, "ModalityLUTSequence")
    if lut is not None:
        table = table_of(lut, signed=layout.signed)
        hounsfield = word(lut, "ModalityLUTType") == "HU"
        depth = "uint8" if table.bits <= 8 else "uint16"
        inverted = _inverted(dataset, layout, hounsfield)
        return Measure(1.0, 0.0, table, hounsfield, inverted, 0.0, float(2**table.bits - 1), depth)
    slope, intercept, hounsfield = _rescaling(dataset, frame)
    ends = sorted((low * slope + intercept, high * slope + intercept))
    rescaled = hounsfield or (slope, intercept) != (1.0, 0.0)
    depth = _depth(layout, ends, rescaled, slope.is_integer() and intercept.is_integer())
    inverted = _inverted(dataset, layout, hounsfield)
    return Measure(slope, intercept, None, hounsfield, inverted, ends[0], ends[1], depth)


def _rescaling(dataset: "Dataset", frame: int) -> tuple[float, float, bool]:
    """Slope, intercept, and whether they make Hounsfield units (PS3.3, section C.11.1.1.2)."""
    item = frame_item(dataset, frame, "PixelValueTransformationSequence")
    given = decimal(item, "RescaleSlope"), decimal(item, "RescaleIntercept")
    slope, intercept = (1.0 if given[0] is None else given[0]), given[1] or 0.0
    if slope == 0:
        raise ImageError("its RescaleSlope is 0, which leaves nothing of the pixels")
    units = word(item, "RescaleType")
    unsaid = given != (None, None) and not units
    return slope, intercept, units == "HU" or (unsaid and word(dataset, "Modality") == "CT")


def _depth(layout: Layout, ends: list[float], rescaled: bool, integral: bool) -> str:
    if not rescaled and not layout.signed and layout.stored <= 16:
        return "uint8" if layout.stored <= 8 else "uint16"
    fits = _INT16[0] <= ends[0] and ends[1] <= _INT16[1]
    return "int16" if integral and fits else "float32"


def _inverted(dataset: "Dataset", layout: Layout, hounsfield: bool) -> bool:
    turned = layout.photometric == "MONOCHROME1" or word(dataset, "PresentationLUTShape") == "INVERSE"
    return turned and not hounsfield


def measured_values(
    dataset: "Dataset", layout: Layout, measure: Measure, stored: Num[np.ndarray, "row column 1"]
) -> ImageArray:
    """The pixels of one monochrome frame in their units, padding taken out of them."""
    padding = _padding(dataset, layout, stored)
    values = measure.apply(stored)
    if padding is not None and padding.any():
        if padding.all():
            raise ImageError("all of its pixels are padding: nothing was measured")
        values[padding] = values[~padding].min()
    return np.ascontiguousarray(values)


def _padding(
    dataset: "Dataset", layout: Layout, stored: Num[np.ndarray, "row column 1"]
) -> Shaped[np.ndarray, "row column 1"] | None:
    ends = [_padding_value(dataset, layout, name) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    if ends[0] is None or layout.floating:
        return None
    low, high = sorted((ends[0], ends[0] if ends[1] is None else ends[1]))
    return (stored >= low) & (stored <= high)


def _padding_value(dataset: "Dataset", layout: Layout, keyword: str) -> int | None:
    """A value of the same sign as the pixels, whichever way its tag was written."""
    value = decimal(dataset, keyword)
    if value is None:
        return None
    whole_value = int(value) % 2**layout.allocated
    above = layout.signed and whole_value >= 2 ** (layout.allocated - 1)
    return whole_value - 2**layout.allocated if above else whole_value

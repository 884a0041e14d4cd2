"""Colours of DICOM as red, green and blue: palettes and YBR."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Integer, UInt8

from striate.pixels.dicom.codestream import JPEG_2000
from striate.pixels.dicom.header import Layout
from striate.pixels.dicom.tables import Table, table_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_COLOURS = ("Red", "Green", "Blue")

# ITU-T T.871 (JFIF), section 7: YCbCr of full range to RGB, which PS3.3, section C.7.6.3.1.2 states the other way.
_FROM_YBR = np.array([[1, 0, 1.402], [1, -0.114 * 1.772 / 0.587, -0.299 * 1.402 / 0.587], [1, 1.772, 0]])


def palettes(dataset: "Dataset", layout: Layout) -> tuple[Table, Table, Table]:
    """The tables of red, green and blue (PS3.3, section C.7.9)."""
    red, green, blue = (
        table_of(
            dataset,
            signed=layout.signed,
            prefix=f"{colour}PaletteColorLookupTable",
            data=f"{colour}PaletteColorLookupTableData",
        )
        for colour in _COLOURS
    )
    return red, green, blue


def palette_depth(tables: tuple[Table, Table, Table]) -> str:
    """uint8 or uint16, as wide as the widest table's entries."""
    return "uint8" if max(table.bits for table in tables) <= 8 else "uint16"


def painted(
    indices: Integer[np.ndarray, "row column 1"], tables: tuple[Table, Table, Table]
) -> Integer[np.ndarray, "row column 3"]:
    """Every index as its colour."""
    depth = palette_depth(tables)
    values = indices[..., 0].astype(np.float64)
    return np.stack([table(values).astype(depth) for table in tables], axis=2)


def is_ybr(layout: Layout, syntax: str, decoded_to_rgb: bool) -> bool:
    """Whether the samples are still luminance and colour differences after decoding."""
    if layout.photometric in ("YBR_RCT", "YBR_ICT"):
        return syntax not in JPEG_2000
    return layout.photometric.startswith("YBR_FULL") and not decoded_to_rgb


def rgb_of_ybr(samples: UInt8[np.ndarray, "row column 3"]) -> UInt8[np.ndarray, "row column 3"]:
    """Full-range luminance and colour differences of 8 bits as red, green and blue.

    >>> rgb_of_ybr(np.array([[[76, 85, 255]]], np.uint8)).ravel().tolist()
    [254, 0, 0]
    """
    centred = samples.astype(np.float32) - np.array([0, 128, 128], np.float32)
    return np.clip(np.rint(centred @ _FROM_YBR.T.astype(np.float32)), 0, 255).astype(np.uint8)

"""What a DICOM header says about the form of its pixels, checked before anything is decoded."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.errors import ImageError
from striate.pixels.limits import limits

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_FLOAT_PIXEL_DATA = 0x7FE00010, 0x7FE00008, 0x7FE00009
MONOCHROME = frozenset({"MONOCHROME1", "MONOCHROME2"})
SAMPLES = {
    "MONOCHROME1": 1,
    "MONOCHROME2": 1,
    "PALETTE COLOR": 1,
    "RGB": 3,
    "YBR_FULL": 3,
    "YBR_FULL_422": 3,
    "YBR_RCT": 3,
    "YBR_ICT": 3,
}
_FLOATING = {FLOAT_PIXEL_DATA: 32, DOUBLE_FLOAT_PIXEL_DATA: 64}
_ALLOCATED = (1, 8, 16, 32)


@dataclass(frozen=True)
class Layout:
    """The form of the pixels (PS3.3, section C.7.6.3.1): numbers, and words of the standard alone.

    `floating` is 0, or the bits of a pixel in Float or Double Float Pixel Data.
    """

    rows: int
    columns: int
    frames: int
    photometric: str
    planar: int
    allocated: int
    stored: int
    high: int
    signed: bool
    floating: int = 0

    @property
    def samples(self) -> int:
        """Samples a pixel: 1 or 3."""
        return SAMPLES[self.photometric]

    @property
    def monochrome(self) -> bool:
        """Whether a pixel is a measured value rather than a colour."""
        return self.photometric in MONOCHROME

    def frame_bits(self) -> int:
        """Bits of one frame as native data; YBR_FULL_422 shares its colour between two neighbours."""
        samples = 2 if self.photometric == "YBR_FULL_422" else self.samples
        return self.rows * self.columns * samples * (self.floating or self.allocated)

    def native_bytes(self) -> int:
        """Bytes of all frames as native data."""
        return (self.frames * self.frame_bits() + 7) // 8


def layout_of(dataset: "Dataset", pixel_tag: int) -> Layout:
    """The form of the pixels, checked: ImageError for whatever is missing, contradictory or over a limit."""
    rows, columns = whole(dataset, "Rows"), whole(dataset, "Columns")
    photometric = word(dataset, "PhotometricInterpretation")
    if photometric not in SAMPLES:
        raise ImageError(
            f"its PhotometricInterpretation is none of {', '.join(SAMPLES)}; export it as one of them"
        )
    floating = _FLOATING.get(pixel_tag, 0)
    allocated = whole(dataset, "BitsAllocated", floating or None)
    stored = whole(dataset, "BitsStored", allocated)
    layout = Layout(
        rows=rows,
        columns=columns,
        frames=whole(dataset, "NumberOfFrames", 1),
        photometric=photometric,
        planar=whole(dataset, "PlanarConfiguration", 0),
        allocated=allocated,
        stored=stored,
        high=whole(dataset, "HighBit", stored - 1),
        signed=whole(dataset, "PixelRepresentation", 0) == 1,
        floating=floating,
    )
    _check_form(layout, whole(dataset, "SamplesPerPixel", layout.samples))
    _check_limits(layout)
    return layout


def _check_form(layout: Layout, samples: int) -> None:
    if min(layout.rows, layout.columns, layout.frames) < 1:
        raise ImageError(f"it claims {layout.rows} rows, {layout.columns} columns, {layout.frames} frames")
    if samples != layout.samples:
        raise ImageError(
            f"it claims {samples} samples a pixel, and {layout.photometric} has {layout.samples}"
        )
    if layout.floating:
        if layout.photometric != "MONOCHROME2":
            raise ImageError("its floating-point pixels must be MONOCHROME2 (PS3.3, section C.7.6.24)")
        return
    if layout.allocated not in _ALLOCATED:
        raise ImageError(f"{layout.allocated} bits allocated a pixel are not read; 1, 8, 16 and 32 are")
    if not 1 <= layout.stored <= layout.high + 1 <= layout.allocated:
        raise ImageError(
            f"{layout.stored} bits stored below bit {layout.high} do not fit in {layout.allocated} allocated"
        )
    if layout.planar not in (0, 1):
        raise ImageError(f"its PlanarConfiguration is {layout.planar}; 0 and 1 exist")
    if not layout.monochrome and layout.stored > 16:
        raise ImageError(f"colours of {layout.stored} bits are not read; up to 16 are")
    if layout.photometric.startswith("YBR_FULL") and layout.stored != 8:
        raise ImageError(f"{layout.photometric} of {layout.stored} bits is not read; of 8 bits it is")


def _check_limits(layout: Layout) -> None:
    allowed = limits()
    sample_bytes = max(1, (layout.floating or layout.allocated) // 8)
    allowed.check_image(layout.rows, layout.columns, layout.samples, sample_bytes)
    allowed.check_frames(layout.frames)


def word(item: "Dataset", keyword: str) -> str:
    """A value of the standard's own vocabulary, in capitals; empty when absent."""
    value = _value(item, keyword)
    return value.strip().upper() if isinstance(value, str) else ""


def whole(item: "Dataset", keyword: str, default: int | None = None) -> int:
    """A whole number of at least 0, or ImageError."""
    value = _value(item, keyword)
    if value is None:
        if default is None:
            raise ImageError(f"its {keyword} is missing; export it again")
        return default
    if not isinstance(value, int) or not 0 <= value < 2**32:
        raise ImageError(f"its {keyword} is no whole number; export it again")
    return int(value)


def decimal(item: "Dataset", keyword: str, default: float | None = None) -> float | None:
    """A finite number, the first of several, or ImageError."""
    value = _value(item, keyword)
    if value is None:
        return default
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ImageError(f"its {keyword} is no number; export it again")
    return number


def first_item(item: "Dataset", keyword: str) -> "Dataset | None":
    """The first item of a sequence, or None."""
    from pydicom.sequence import Sequence

    value = _raw(item, keyword)
    return value[0] if isinstance(value, Sequence) and len(value) else None


def frame_item(dataset: "Dataset", frame: int, keyword: str) -> "Dataset":
    """Where a frame's attributes stand: its functional group, the shared one, or the data set itself.

    PS3.3, section C.7.6.16: the group of a frame goes before the shared one.
    """
    for groups, index in (
        ("PerFrameFunctionalGroupsSequence", frame),
        ("SharedFunctionalGroupsSequence", 0),
    ):
        items = _raw(dataset, groups) or ()
        found = first_item(items[index], keyword) if index < len(items) else None
        if found is not None:
            return found
    return dataset


def _value(item: "Dataset", keyword: str) -> Any:
    """One value, the first of several; None when it is absent or empty."""
    value = _raw(item, keyword)
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        value = value[0] if len(value) else None
    return None if value in ("", b"") else value


def _raw(item: "Dataset", keyword: str) -> Any:
    try:
        return item.get(keyword)
    except Exception:  # converting a value may fail in as many ways as there are damages
        raise ImageError(f"its {keyword} is damaged; export it again") from None

"""DICOM (PS3): a frame as measured values, large is bright, and nothing of the patient.

No window is applied: CT comes in Hounsfield units, other modalities in the units of their rescaling, and the
file's own view stands in the description. `dicom_values` says what dtype, polarity and padding become. Only the
tags that decide pixels are read; `dicom_text` reads one tag more, for grouping images of one patient.
"""

import numpy as np

from striate.errors import ImageError, UsageError, suggestion
from striate.pixels.dicom.colour import is_ybr, painted, palette_depth, palettes, rgb_of_ybr
from striate.pixels.dicom.file import DicomFile, DicomSource, open_dicom
from striate.pixels.dicom.frames import check_syntax, decodes_to_rgb, stored_values
from striate.pixels.dicom.header import Layout, layout_of
from striate.pixels.dicom.privacy import guarded, silenced
from striate.pixels.dicom.values import Measure, measure_of, measured_values
from striate.pixels.dicom.view import view_of
from striate.pixels.picture import Description, ImageArray, Picture

_COLOURS = ("Red", "Green", "Blue")
NEEDED = frozenset(
    {
        "Modality",
        "Rows",
        "Columns",
        "NumberOfFrames",
        "SamplesPerPixel",
        "PhotometricInterpretation",
        "PlanarConfiguration",
        "BitsAllocated",
        "BitsStored",
        "HighBit",
        "PixelRepresentation",
        "PixelPaddingValue",
        "PixelPaddingRangeLimit",
        "RescaleSlope",
        "RescaleIntercept",
        "RescaleType",
        "ModalityLUTSequence",
        "WindowCenter",
        "WindowWidth",
        "VOILUTFunction",
        "VOILUTSequence",
        "PresentationLUTShape",
        "PerFrameFunctionalGroupsSequence",
        "SharedFunctionalGroupsSequence",
        "ExtendedOffsetTable",
        *(f"{colour}PaletteColorLookupTableDescriptor" for colour in _COLOURS),
        *(f"{colour}PaletteColorLookupTableData" for colour in _COLOURS),
        *(f"Segmented{colour}PaletteColorLookupTableData" for colour in _COLOURS),
    }
)
GROUPING = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "AccessionNumber", "FrameOfReferenceUID")

# The last file of several frames: its frames are asked for one after another, and parsing costs more than one.
_last: tuple[bytes, DicomFile] | None = None


def decode_dicom(data: bytes, image: int = 0) -> Picture:
    """One frame of a DICOM file, counted from 0, as measured values without a window, large is bright.

    `height width channel`: one channel of int16 or float32 where the file measures (Hounsfield units for CT), of
    uint8 or uint16 as stored elsewhere; three of uint8 or uint16 for colour. `description.window` is the file's
    own view of these values. Raises ImageError, which never quotes a tag, for whatever is not read to its last
    pixel, claims another size than its header, or is over a limit.
    """
    _require_library()
    return guarded(lambda: _decode(data, image))


def describe_dicom(source: DicomSource, image: int = 0) -> Description:
    """What `decode_dicom` would give, from the header alone; `source` is a file's bytes or its path."""
    _require_library()

    def described() -> Description:
        file = open_dicom(source, NEEDED, pixels=False)
        with silenced():
            return _described(file, *_form(file, image), image)

    return guarded(described)


def count_dicom(source: DicomSource) -> int:
    """How many frames a DICOM file holds, by its header."""
    return describe_dicom(source).images


def dicom_text(source: DicomSource, keyword: str) -> str:
    """The value of one tag of the data set as text, empty when it is absent: for grouping images only.

    The value may name a patient: it is to be hashed with a key or numbered, and never shown. Several values are
    joined by a backslash. Raises UsageError for a keyword that DICOM does not know.
    """
    _require_library()
    if not is_dicom_keyword(keyword):
        raise UsageError(f"{keyword!r} is no DICOM keyword; {suggestion(keyword, GROUPING)}")

    def text() -> str:
        from pydicom.multival import MultiValue

        with silenced():
            value = open_dicom(source, [keyword], pixels=False).dataset.get(keyword)
        if value is None:
            return ""
        if isinstance(value, (bytes, list)):
            raise ImageError(f"its {keyword} is no text")
        return "\\".join(map(str, value)) if isinstance(value, MultiValue) else str(value)

    return guarded(text)


def is_dicom_keyword(text: str) -> bool:
    """Whether DICOM knows a tag by this name, such as PatientID; never, without the extra `dicom`."""
    try:
        from pydicom.datadict import tag_for_keyword
    except ImportError:
        return False
    return tag_for_keyword(text) is not None


def _require_library() -> None:
    try:
        import pydicom  # noqa: F401
    except ImportError:
        raise ImageError(
            "it is a DICOM file; reading those needs pydicom: pip install 'striate[dicom]'"
        ) from None


def _decode(data: bytes, image: int) -> Picture:
    with silenced():
        file = _opened(data)
        layout, measure = _form(file, image)
        described = _described(file, layout, measure, image)
    stored = stored_values(file, layout, image)
    with silenced():
        pixels = _pixels(file, layout, measure, stored)
    return Picture(pixels, described)


def _opened(data: bytes) -> DicomFile:
    global _last
    known = _last
    if known is not None and (known[0] is data or known[0] == data):
        return known[1]
    file = open_dicom(data, NEEDED, pixels=True)
    several = file.dataset.get("NumberOfFrames") not in (None, "", 1)
    _last = (data, file) if several else None
    return file


def _form(file: DicomFile, image: int) -> tuple[Layout, Measure | None]:
    """The form of the pixels, and how they are measured unless they are colours."""
    if not file.pixel_tag or not file.length:
        raise ImageError("it is a DICOM file without pixels, such as a report or a plan; leave it out")
    check_syntax(file.syntax)
    layout = layout_of(file.dataset, file.pixel_tag)
    if not 0 <= image < layout.frames:
        raise ImageError(f"it has no image {image + 1}; it holds {layout.frames}")
    return layout, measure_of(file.dataset, layout, image) if layout.monochrome else None


def _described(file: DicomFile, layout: Layout, measure: Measure | None, image: int) -> Description:
    window = None
    if measure is not None:
        depth, channels = measure.depth, 1
        window = view_of(file.dataset, layout, measure, image)
    elif layout.photometric == "PALETTE COLOR":
        depth, channels = palette_depth(palettes(file.dataset, layout)), 3
    else:
        depth, channels = "uint8" if layout.stored <= 8 else "uint16", 3
    return Description(
        layout.rows,
        layout.columns,
        channels,
        depth,
        format="DICOM",
        mode=layout.photometric,
        bits=layout.floating or layout.stored,
        images=layout.frames,
        window=window,
    )


def _pixels(file: DicomFile, layout: Layout, measure: Measure | None, stored: np.ndarray) -> ImageArray:
    if measure is not None:
        values = measured_values(file.dataset, layout, measure, stored)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ImageError("it holds values that are not finite")
        return values
    if layout.photometric == "PALETTE COLOR":
        return np.ascontiguousarray(painted(stored, palettes(file.dataset, layout)))
    samples = np.ascontiguousarray(stored.astype("u1" if layout.stored <= 8 else "u2", copy=False))
    return rgb_of_ybr(samples) if is_ybr(layout, file.syntax, decodes_to_rgb(file)) else samples

"""One frame's stored values, as PS3.5 packs them: native, in fragments, compressed."""

import numpy as np
from jaxtyping import Integer, Num, UInt8

from striate.errors import ImageError
from striate.pixels.dicom.codestream import COMPRESSED, JPEG, JPEG_LS, RLE, Claim, check_frame, rle_offsets
from striate.pixels.dicom.file import EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE, DicomFile
from striate.pixels.dicom.fragments import frame_bytes
from striate.pixels.dicom.header import Layout

_NATIVE = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG})


def stored_values(file: DicomFile, layout: Layout, frame: int) -> Num[np.ndarray, "row column sample"]:
    """The values of one frame as they were stored: unsigned or two's complement, `BitsStored` of them.

    Bits beyond those stored (overlays of old) are dropped. Raises ImageError for pixel data that are shorter
    or longer than the header says, and for streams that claim another size.
    """
    check_syntax(file.syntax)
    if file.syntax in COMPRESSED:
        data = frame_bytes(file, layout.frames, frame)
        return _significant(_decoded(data, file.syntax, layout), layout, layout.stored - 1, exact=True)
    cells = _native(file, layout, frame)
    return cells if layout.floating else _significant(cells, layout, layout.high)


def check_syntax(syntax: str) -> None:
    """Raises ImageError, with a remedy, for a transfer syntax that is not read."""
    from pydicom.uid import UID

    if syntax not in COMPRESSED and syntax not in _NATIVE:
        known = UID(syntax).name
        # A UID that is not in the standard's dictionary is its own name, and could say anything.
        name = "one that the standard does not know" if known == syntax else known
        raise ImageError(
            f"its transfer syntax ({name}) is not read; convert it first, such as with gdcmconv --raw"
        )


def _native(file: DicomFile, layout: Layout, frame: int) -> Num[np.ndarray, "row column sample"]:
    if file.undefined_length:
        raise ImageError("its pixel data have no length, which only compressed ones may: it is damaged")
    needed, has = layout.native_bytes(), len(file.body)
    if has < needed:
        raise ImageError(f"its pixel data are cut short: {has:,} bytes of {needed:,}; export it again")
    # A row or a column too few would shear the picture; less than either is padding.
    if has - needed >= max(2, layout.frame_bits() // 8 // max(layout.rows, layout.columns)):
        raise ImageError(f"its pixel data have {has:,} bytes where its header accounts for {needed:,}")
    if layout.allocated == 1 and not layout.floating:
        return _bits(file, layout, frame)
    size = layout.frame_bits() // 8
    data = file.body[frame * size : (frame + 1) * size]
    if file.big_endian and file.words and layout.allocated == 8:
        data = _swapped(file.body[: has - has % 2])[frame * size : (frame + 1) * size]
    kind = f"f{layout.floating // 8}" if layout.floating else f"u{layout.allocated // 8}"
    cells = np.frombuffer(data, ("<", ">")[file.big_endian] + kind)
    cells = cells.astype(kind, copy=False)
    if layout.photometric == "YBR_FULL_422":
        return _shared_colours(cells, layout)
    if layout.samples == 3 and layout.planar == 1:
        return cells.reshape(3, layout.rows, layout.columns).transpose(1, 2, 0)
    return cells.reshape(layout.rows, layout.columns, layout.samples)


def _bits(file: DicomFile, layout: Layout, frame: int) -> UInt8[np.ndarray, "row column sample"]:
    """Eight pixels a byte, the lowest bit first; frames do not begin at whole bytes (PS3.5, section D)."""
    count = layout.rows * layout.columns
    body = _swapped(file.body[: len(file.body) & ~1]) if file.big_endian and file.words else file.body
    first = frame * count
    packed = np.frombuffer(body[first // 8 : (first + count + 7) // 8], np.uint8)
    bits = np.unpackbits(packed, bitorder="little")[first % 8 :][:count]
    return bits.reshape(layout.rows, layout.columns, 1)


def _swapped(data: memoryview) -> memoryview:
    """Bytes out of big-endian words of 16 bits."""
    return memoryview(np.frombuffer(data, ">u2").astype("<u2").tobytes())


def _shared_colours(cells: Integer[np.ndarray, " cell"], layout: Layout) -> Integer[np.ndarray, "r c 3"]:
    """Y Y Cb Cr for every two neighbours (PS3.3, section C.7.6.3.1.2)."""
    if layout.columns % 2:
        raise ImageError(f"YBR_FULL_422 needs an even number of columns, not {layout.columns}")
    pairs = cells.reshape(layout.rows, layout.columns // 2, 4)
    result = np.empty((layout.rows, layout.columns, 3), cells.dtype)
    result[..., 0] = pairs[..., :2].reshape(layout.rows, layout.columns)
    result[..., 1] = np.repeat(pairs[..., 2], 2, axis=1)
    result[..., 2] = np.repeat(pairs[..., 3], 2, axis=1)
    return result


def _significant(
    cells: Integer[np.ndarray, "row column sample"], layout: Layout, high: int, *, exact: bool = False
) -> Integer[np.ndarray, "row column sample"]:
    """The bits from `high` downwards, `stored` of them, with their sign; `exact` refuses any others."""
    if layout.allocated == 1:
        return cells
    bits = 8 * cells.dtype.itemsize
    unsigned = cells.view(f"u{cells.dtype.itemsize}")
    values = unsigned << unsigned.dtype.type(bits - 1 - high)
    values = values.view(f"i{cells.dtype.itemsize}") if layout.signed else values
    values = values >> values.dtype.type(bits - layout.stored)
    if exact and (cells.dtype.kind == "i" or not layout.signed) and (values != cells).any():
        raise ImageError(f"a compressed frame has values beyond the {layout.stored} bits of its header")
    return values


def _decoded(data: bytes, syntax: str, layout: Layout) -> Integer[np.ndarray, "row column sample"]:
    import imagecodecs

    claim = check_frame(data, syntax, layout)
    if syntax == RLE:
        return _run_lengths(data, layout)
    if syntax in JPEG:
        given, wanted = _colours(claim, layout)
        result = imagecodecs.jpeg8_decode(data, colorspace=given, outcolorspace=wanted)
    elif syntax in JPEG_LS:
        result = imagecodecs.jpegls_decode(data)
    else:
        result = imagecodecs.jpeg2k_decode(data)
    if result.size != layout.rows * layout.columns * layout.samples:
        raise ImageError("a compressed frame decodes to another size than its header says")
    # The decoder's cells are as wide as the stream's precision; a sign must reach the header's width.
    width = max(result.dtype.itemsize, 2 if layout.stored > 8 else 1)
    return result.reshape(layout.rows, layout.columns, layout.samples).astype(f"{result.dtype.kind}{width}")


def _colours(claim: Claim, layout: Layout) -> tuple[str | None, str | None]:
    """What a JPEG holds and what it is to give; lossless ones are not converted, others may say it themselves."""
    if layout.samples == 1 or (claim.marked and not claim.lossless):
        return None, None
    return "RGB" if claim.lossless or layout.photometric == "RGB" else "YCBCR", "RGB"


def decodes_to_rgb(file: DicomFile) -> bool:
    """Whether the samples come out as red, green and blue, whatever the photometric interpretation says."""
    return JPEG.get(file.syntax) in ("JPEG Baseline", "JPEG Extended")


def _run_lengths(data: bytes, layout: Layout) -> Integer[np.ndarray, "row column sample"]:
    """PS3.5, annex G: the bytes of all first samples, highest first, then those of the second."""
    import imagecodecs

    plane, width = layout.rows * layout.columns, layout.allocated // 8
    offsets = rle_offsets(data)
    planes = np.empty((layout.samples * width, plane), np.uint8)
    for index, (start, stop) in enumerate(zip(offsets, [*offsets[1:], len(data)], strict=True)):
        segment = np.frombuffer(imagecodecs.packbits_decode(data[start:stop]), np.uint8)
        if not plane <= segment.size <= plane + 1:
            raise ImageError(f"a run-length segment decodes to {segment.size:,} bytes, not to {plane:,}")
        planes[index] = segment[:plane]
    cells = planes.reshape(layout.samples, width, plane).transpose(2, 0, 1)
    cells = np.ascontiguousarray(cells).view(f">u{width}").astype(f"u{width}")
    return cells.reshape(layout.rows, layout.columns, layout.samples)

"""The pixels of a TIFF page: strips and tiles unpacked one by one, none of them beyond its own size."""

import zlib

import numpy as np
from jaxtyping import Shaped, UInt8

from striate.errors import ImageError
from striate.pixels.formats import jpeg
from striate.pixels.formats.colour import few_bits, inks_to_light, narrowed, on_white, stretched, turned
from striate.pixels.formats.content import Content
from striate.pixels.formats.tiff import open_page
from striate.pixels.formats.tiff_page import (
    COMPRESSIONS,
    FLOAT,
    INKS,
    JPEG,
    PALETTE,
    WHITE_IS_ZERO,
    YCBCR,
    Block,
    Page,
    Tag,
)
from striate.pixels.picture import ImageArray

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_DAMAGED = "a strip or tile of it does not unpack to its size: it is cut short or damaged"


def decode(data: bytes, image: int) -> ImageArray:
    """The pixels of a page, to the last one; ImageError gives the reason."""
    page, _ = open_page(Content(data), image)
    samples = np.empty((page.height, page.width, page.samples), page.stored.newbyteorder("="))
    for block in page.blocks():
        height, width = _shape(page, block)
        piece = samples[block.row : block.row + height, block.column : block.column + width]
        target = piece[..., block.plane : block.plane + 1] if page.planar else piece
        target[:] = _block(page, data, block)[: target.shape[0], : target.shape[1]]
    return turned(_pixels(page, samples), page.orientation)


def _shape(page: Page, block: Block) -> tuple[int, int]:
    """Height and width of a block: a tile is always whole, the last strip ends with the page."""
    height, width = page.block_shape
    if Tag.TILE_WIDTH in page.fields:
        return height, width
    return min(height, page.height - block.row), width


def _block(page: Page, data: bytes, block: Block) -> Shaped[np.ndarray, "height width sample"]:
    packed = data[block.start : block.start + block.length]
    if not packed or len(packed) < block.length:
        raise ImageError(_DAMAGED)
    height, width = _shape(page, block)
    if page.compression == JPEG:
        return _from_jpeg(page, packed, height, width)
    if page.number(Tag.FILL_ORDER, 1) == 2:
        packed = packed.translate(_REVERSED)
    if COMPRESSIONS[page.compression].startswith("CCITT"):
        return _from_fax(page, packed, height, width)
    stride = (width * page.block_samples * page.bits + 7) // 8
    raw = _unpacked(page, packed, height * stride)
    return _samples(page, np.frombuffer(raw, np.uint8).reshape(height, stride), width)


def _unpacked(page: Page, packed: bytes, size: int) -> bytes:
    """The bytes of a strip or tile: exactly so many, and never room for more."""
    import imagecodecs

    name = COMPRESSIONS[page.compression]
    if name == "none":
        raw = packed[:size]
    elif name == "deflate":
        raw = zlib.decompressobj().decompress(packed, size)
    elif name == "LZW":
        raw = imagecodecs.lzw_decode(packed, out=size)
    else:
        raw = imagecodecs.packbits_decode(packed, out=size)
    if len(raw) != size:
        raise ImageError(_DAMAGED)
    return bytes(raw)


def _from_fax(page: Page, packed: bytes, height: int, width: int) -> UInt8[np.ndarray, "height width 1"]:
    import imagecodecs

    if page.compression == 2:
        bits = imagecodecs.ccittrle_decode(packed, height, width)
    elif page.compression == 3:
        bits = imagecodecs.ccittfax3_decode(packed, height, width, t4options=page.number(Tag.T4_OPTIONS, 0))
    else:
        bits = imagecodecs.ccittfax4_decode(packed, height, width)
    bits = np.asarray(bits)
    if bits.shape != (height, width):
        raise ImageError(_DAMAGED)
    return bits[..., None]


def _from_jpeg(
    page: Page, packed: bytes, height: int, width: int
) -> UInt8[np.ndarray, "height width sample"]:
    import imagecodecs

    header = jpeg.read_header(Content(packed))
    # Some writers give the last strip the height of a full one.
    fits = height <= header.height <= page.block_shape[0]
    if not fits or (header.width, header.samples, header.bits) != (width, page.block_samples, 8):
        raise ImageError(_DAMAGED)
    entry = page.fields.get(Tag.JPEG_TABLES)
    tables = page.tiff.content.exactly(entry.start, entry.count) if entry else None
    inside, outside = None, None
    if header.samples == 3:
        inside, outside = ("YCBCR" if page.photometric == YCBCR else "RGB"), "RGB"
    elif header.samples == 4:
        inside, outside = "CMYK", "CMYK"
    options = {"tables": tables, "colorspace": inside, "outcolorspace": outside}
    samples = jpeg.decoded_whole(packed, header, lambda whole: imagecodecs.jpeg8_decode(whole, **options))
    return samples.reshape(header.height, header.width, header.samples)


def _samples(
    page: Page, rows: UInt8[np.ndarray, "height stride"], width: int
) -> Shaped[np.ndarray, "height width sample"]:
    shape = (len(rows), width, page.block_samples)
    predictor = page.number(Tag.PREDICTOR, 1)
    if page.bits not in (8, 16, 32, 64):
        if predictor != 1:
            raise ImageError(f"a predictor over {page.bits}-bit samples is not read; save it without one")
        return few_bits(rows, width * page.block_samples, page.bits).reshape(shape)
    if predictor == 3 and page.kind == FLOAT:
        return _byte_planes_undone(rows, shape, page.stored)
    values = rows.view(page.stored).reshape(shape)
    if predictor == 1:
        return values
    if predictor != 2 or page.bits == 64 or page.kind == FLOAT:
        raise ImageError(f"its predictor ({predictor}) does not fit its samples: it is damaged")
    native = page.stored.newbyteorder("=")
    return np.cumsum(values.astype(native), axis=1, dtype=native)


def _byte_planes_undone(
    rows: UInt8[np.ndarray, "height stride"], shape: tuple[int, int, int], stored: np.dtype
) -> Shaped[np.ndarray, "height width sample"]:
    """Undoes the floating-point predictor (Adobe Photoshop TIFF technical note 3)."""
    height, width, samples = shape
    deltas = rows.reshape(height, -1, samples)
    planes = np.cumsum(deltas, axis=1, dtype=np.uint8).reshape(height, stored.itemsize, width * samples)
    return np.ascontiguousarray(planes.swapaxes(1, 2)).view(stored.newbyteorder(">"))[..., 0].reshape(shape)


def _pixels(page: Page, samples: Shaped[np.ndarray, "height width sample"]) -> ImageArray:
    if page.photometric == PALETTE:
        return page.palette[samples[..., 0]]
    if page.photometric == WHITE_IS_ZERO:
        samples = ((1 << page.bits) - 1) - samples if page.extra is None else _colours_inverted(page, samples)
    if page.extra in (1, 2):
        samples = on_white(samples, premultiplied=page.extra == 1)
    elif page.extra == 0:
        samples = samples[..., : page.colours]
    if page.photometric == INKS:
        samples = inks_to_light(samples)
    elif page.photometric == YCBCR and page.compression != JPEG:
        samples = _from_ycbcr(samples)
    return _in_depth(page, samples)


def _colours_inverted(page: Page, samples: np.ndarray) -> np.ndarray:
    samples[..., : page.colours] = ((1 << page.bits) - 1) - samples[..., : page.colours]
    return samples


def _from_ycbcr(samples: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
    from PIL import Image

    return np.asarray(Image.frombytes("YCbCr", samples.shape[1::-1], samples.tobytes()).convert("RGB"))


def _in_depth(page: Page, samples: Shaped[np.ndarray, "height width channel"]) -> ImageArray:
    if page.kind == FLOAT:
        return narrowed(samples)
    if page.bits == 32:
        if samples.min() < 0 or samples.max() > 65535:
            raise ImageError("its 32-bit numbers do not fit 0..65535; save it as 16-bit grey or float TIFF")
    elif page.bits < 8:
        return stretched(samples, page.bits)
    return np.ascontiguousarray(samples.astype(page.depth, copy=False))

"""TIFF 6.0 and BigTIFF: every page an image; 1 to 16 bits, floating point, grey, colour, palettes and inks.

What becomes of each kind: whole numbers of 1 to 7 bits are stretched to 0..255, 8 to 16 bits stay as they are stored;
signed ones become int16; 32-bit ones uint16 where every value fits, and are refused where one does not; floating point
of 16, 32 and 64 bits becomes float32. MinIsWhite is turned round. Colour profiles are not applied, an extra channel of
unspecified meaning is left out, opacity is laid on white. Orientation is applied.
"""

from striate.errors import ImageError
from striate.pixels.formats.colour import upright_size
from striate.pixels.formats.content import Content
from striate.pixels.formats.tiff_header import Tiff
from striate.pixels.formats.tiff_page import (
    BLACK_IS_ZERO,
    COMPRESSIONS,
    FLOAT,
    INKS,
    JPEG,
    MODES,
    PALETTE,
    SIGNED,
    UNSIGNED,
    WHITE_IS_ZERO,
    YCBCR,
    Page,
    Tag,
)
from striate.pixels.limits import limits
from striate.pixels.picture import Description

_OTHERS = {6: "old JPEG", 34712: "JPEG 2000", 34892: "lossy DNG", 34925: "LZMA", 50000: "ZSTD", 50001: "WebP"}
_BITS = {UNSIGNED: (1, 2, 4, 6, 8, 10, 12, 14, 16, 32), SIGNED: (8, 16, 32), FLOAT: (16, 32, 64)}


def open_page(content: Content, image: int) -> tuple[Page, int]:
    """A page by its number from 0, checked, and how many pages there are."""
    tiff = Tiff(content)
    offsets = tiff.offsets
    if image >= len(offsets):
        raise ImageError(
            f"it holds {len(offsets)} image{'s' * (len(offsets) > 1)}; there is no number {image + 1}"
        )
    page = Page(tiff, tiff.directory(offsets[image]))
    _check(page)
    return page, len(offsets)


def describe(content: Content, image: int) -> Description:
    """What a page will be; ImageError gives the reason why it is not read."""
    page, pages = open_page(content, image)
    height, width = upright_size(page.height, page.width, page.orientation)
    mode = MODES[page.photometric][0]
    if page.extra is not None:
        mode = {"RGB": "RGBX" if page.extra == 0 else "RGBA"}.get(
            mode, mode + ("+extra" if page.extra == 0 else "+alpha")
        )
    channels = 1 if page.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO) else 3
    return Description(height, width, channels, page.depth, "TIFF", mode, page.bits, pages)


def count(content: Content) -> int:
    """How many pages there are, by walking the directories alone."""
    return len(Tiff(content).offsets)


def _check(page: Page) -> None:
    if page.compression not in COMPRESSIONS:
        name = _OTHERS.get(page.compression, "unknown")
        raise ImageError(
            f"its compression ({name}, {page.compression}) is not read; save it with deflate or LZW"
        )
    if page.photometric not in MODES:
        raise ImageError(
            f"its kind of colour (TIFF photometric {page.photometric}) is not read; save it as RGB"
        )
    _check_samples(page)
    _check_colour(page)
    limits().check_image(page.height, page.width, page.samples, page.stored.itemsize)
    height, width = page.block_shape
    # A tile may be larger than the page, and is decoded whole.
    limits().check_image(height, width, page.block_samples, page.stored.itemsize)


def _check_samples(page: Page) -> None:
    bits, kinds = page.numbers(Tag.BITS, (1,)), page.numbers(Tag.SAMPLE_FORMAT, (UNSIGNED,))
    if len(set(bits)) > 1 or len(set(kinds)) > 1:
        raise ImageError("its samples have different depths; save it with one depth for all")
    if page.kind not in _BITS or page.bits not in _BITS[page.kind]:
        kind = {UNSIGNED: "unsigned", SIGNED: "signed", FLOAT: "floating-point"}.get(page.kind, "complex")
        raise ImageError(
            f"{page.bits}-bit {kind} samples are not read; save it with 8 or 16 bits, or as float32"
        )
    if page.number(Tag.PLANAR, 1) not in (1, 2) or page.number(Tag.FILL_ORDER, 1) not in (1, 2):
        raise ImageError("the order of its samples or bits does not exist: it is damaged")
    if page.samples - page.colours not in (0, 1):
        raise ImageError(
            f"it has {page.samples} samples a pixel; save it as grey or RGB, with or without opacity"
        )
    if page.extra is not None and page.extra not in (0, 1, 2):
        raise ImageError("the meaning of its extra sample does not exist: it is damaged")
    if page.extra in (1, 2) and (page.kind != UNSIGNED or page.bits not in (8, 16) or page.colours == 4):
        raise ImageError("opacity beside samples of this kind is not read; save it without opacity")


def _check_colour(page: Page) -> None:
    whole = page.kind == UNSIGNED and page.bits <= 16
    if page.photometric == WHITE_IS_ZERO and not whole:
        raise ImageError("white as zero has no meaning for samples of this kind; save it with black as zero")
    if page.photometric == PALETTE and (not whole or page.bits > 8 or page.extra is not None):
        raise ImageError("a palette of this kind is not read; save it as RGB")
    if page.photometric == INKS and (
        page.bits not in (8, 16) or not whole or page.number(Tag.INK_SET, 1) != 1
    ):
        raise ImageError("inks of this kind are not read; save it as RGB")
    if page.photometric == YCBCR and (page.bits != 8 or not whole):
        raise ImageError("YCbCr of this depth is not read; save it as RGB")
    if (
        page.photometric == YCBCR
        and page.compression != JPEG
        and page.numbers(Tag.SUBSAMPLING, (2, 2)) != (1, 1)
    ):
        raise ImageError("YCbCr with fewer samples of colour is read from JPEG only; save it as RGB")
    if page.compression == JPEG and (page.bits != 8 or not whole or page.extra is not None):
        raise ImageError("JPEG in TIFF is read with 8 bits and without opacity; save it with deflate")
    if COMPRESSIONS[page.compression].startswith("CCITT") and (page.bits, page.samples) != (1, 1):
        raise ImageError("fax compression holds one bit a pixel: it is damaged")

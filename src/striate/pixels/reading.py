"""A picture file as an array `height width channel`, in the file's own depth, or a plain reason why not.

Nothing is cut to 8 bits and nothing is made up: a file that does not decode to its last pixel is an
`ImageError`.

What becomes of each kind of file:

- 1 bit: 0 and 255. Grey: one channel. Palette, CMYK, YCbCr: three channels. 16-bit grey stays uint16.
- Transparent pictures are laid on white, as a page shows them: a drawing on nothing is a drawing on paper.
- Orientation in EXIF is applied, all eight of them. Of an animation the first frame is taken.
- 16 bits a colour are refused, because Pillow drops the lower 8 of them without a word.
"""

import io
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
from jaxtyping import Shaped

# Imported by name so that Pillow never loads all its plug-ins to find these seven.
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from striate.errors import ImageError
from striate.pixels.picture import Description, ImageArray, Picture

FORMATS = {
    "PNG": PngImagePlugin,
    "JPEG": JpegImagePlugin,
    "TIFF": TiffImagePlugin,
    "WEBP": WebPImagePlugin,
    "BMP": BmpImagePlugin,
    "GIF": GifImagePlugin,
    "PPM": PpmImagePlugin,
}
_ENDINGS = "png apng jpg jpeg jpe jfif tif tiff webp bmp dib gif ppm pgm pbm pnm"
SUFFIXES = frozenset(f".{ending}" for ending in _ENDINGS.split())
PIXEL_LIMIT = 178_956_970
BYTE_LIMIT = 1 << 30

_ORIENTATION_TAG = 0x0112
_KINDS = {
    "1": (1, "uint8"),
    "L": (1, "uint8"),
    "LA": (1, "uint8"),
    "La": (1, "uint8"),
    "I": (1, "uint16"),
    "F": (1, "float32"),
}
_COLOUR_MODES = frozenset({"P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"})


def read_image(source: str | os.PathLike | bytes) -> ImageArray:
    """The picture in a file, or in its bytes, as an array `height width channel`.

    >>> read_image(b"P5 3 2 255 " + bytes(range(6)))[..., 0]
    array([[0, 1, 2],
           [3, 4, 5]], dtype=uint8)

    The dtype is uint8 (0..255), uint16 (0..65535) or, for floating-point TIFF, float32 in the file's range.
    Raises ImageError, naming the file and the reason, for whatever cannot be read to the last pixel.
    """
    if isinstance(source, bytes):
        return decode_image(source)
    try:
        return decode_image(read_bytes(source))
    except ImageError as error:
        raise ImageError(f"{os.fspath(source)}: {error}") from error.__cause__


def read_bytes(path: str | os.PathLike) -> bytes:
    """All bytes of a regular file; ImageError says in plain words why there are none."""
    with _regular_file(path) as file:
        return file.read()


@contextmanager
def _regular_file(path: str | os.PathLike) -> Iterator[io.BufferedReader]:
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise ImageError("it is a folder, not a picture")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError("it is a pipe or a device, not a picture")
        if status.st_size == 0:
            raise ImageError("the file is empty (0 bytes)")
        if status.st_size > BYTE_LIMIT:
            raise ImageError(f"the file has {status.st_size:,} bytes; the limit is {BYTE_LIMIT:,}")
        with open(path, "rb") as file:
            yield file
    except FileNotFoundError:
        raise ImageError("there is no such file") from None
    except PermissionError:
        raise ImageError("there is no permission to read it") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"it cannot be read: {_words(error)}") from error


def decode_image(data: bytes) -> ImageArray:
    """The first picture in the bytes of one file; see `read_image`. ImageError gives the reason alone."""
    return decode_picture(data).pixels


def decode_picture(data: bytes, image: int = 0) -> Picture:
    """One picture of the bytes of a file, counted from 0, with what the file says about it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _check_png(data)
            with _opened(io.BytesIO(data)) as opened:
                opened.load()
                pixels = _array(opened)
                # A TIFF is turned while it loads and has no such tag any more.
                pixels = _turned(pixels, _orientation(opened))
                height, width, channels = pixels.shape
                mode, bits = opened.mode, 8 * pixels.dtype.itemsize
                said = Description(
                    height, width, channels, str(pixels.dtype), opened.format or "", mode, bits
                )
                return Picture(pixels, said)
        except ImageError:
            raise
        except MemoryError:
            raise ImageError("there is not enough memory to decode it") from None
        except Exception as error:
            raise ImageError(f"it cannot be decoded: {_words(error)}") from error


def count_images(source: str | os.PathLike | bytes) -> int:
    """How many pages or frames a file holds."""
    return describe_image(source).images


def describe_image(source: str | os.PathLike | bytes, image: int = 0) -> Description:
    """What `read_image` would give, told by the header without decoding the pixels.

    >>> describe_image(b"P6 4 2 255 ")
    Description(height=2, width=4, channels=3, depth='uint8', format='PPM', mode='RGB', bits=8, ...)
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            whole = isinstance(source, bytes)
            file = nullcontext(io.BytesIO(source)) if whole else _regular_file(source)
            with file as stream, _opened(stream) as opened:
                channels, depth = _kind(opened)
                height, width = opened.height, opened.width
                if opened.format != "TIFF" and _orientation(opened) >= 5:
                    height, width = width, height
                bits = 8 * np.dtype(depth).itemsize
                return Description(height, width, channels, depth, opened.format or "", opened.mode, bits)
        except ImageError:
            raise
        except Exception as error:
            raise ImageError(f"it cannot be decoded: {_words(error)}") from error


def _opened(stream: io.BytesIO | io.BufferedReader) -> ImageFile.ImageFile:
    if not stream.read(1):
        raise ImageError("the file is empty (0 bytes)")
    stream.seek(0)
    try:
        image = Image.open(stream, formats=list(FORMATS))
    except Image.UnidentifiedImageError:
        raise ImageError(
            "it is not a picture (PNG, JPEG, TIFF, WebP, BMP, GIF, PPM and PGM are read)"
        ) from None
    if image.width * image.height > PIXEL_LIMIT:
        raise ImageError(f"it has {image.width} × {image.height} pixels; the limit is {PIXEL_LIMIT:,}")
    _refuse_deep_colour(image)
    return image


def _check_png(data: bytes) -> None:
    """Checks what Pillow skips: the checksum of every critical chunk, pixels included."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return
    view = memoryview(data)
    start = 8
    while start + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, start)
        kind = data[start + 4 : start + 8]
        end = start + 8 + length
        if end + 4 > len(data):
            raise ImageError(f"the PNG ends inside its chunk {kind.decode('latin-1')}: it is cut short")
        critical = not kind[0] & 0x20
        if critical and zlib.crc32(view[start + 4 : end]) != int.from_bytes(view[end : end + 4]):
            raise ImageError(
                f"the checksum of its PNG chunk {kind.decode('latin-1')} is wrong: it is damaged"
            )
        if kind == b"IEND":
            return
        start = end + 4
    raise ImageError("the PNG has no end: it is cut short")


def _refuse_deep_colour(image: ImageFile.ImageFile) -> None:
    if image.mode not in _COLOUR_MODES:
        return
    bits = 8
    if image.format == "PNG":
        bits = 16 if "16" in str(image.tile[0].args) else 8
    elif image.format == "TIFF":
        bits = max(image.tag_v2.get(258, (8,)))  # pyright: ignore[reportAttributeAccessIssue]
    elif image.format == "PPM" and isinstance(image.tile[0].args, tuple):
        largest = image.tile[0].args[-1]
        bits = 16 if isinstance(largest, int) and largest > 255 else 8
    if bits > 8:
        raise ImageError(
            f"{bits}-bit colour would lose its lower {bits - 8} bits in this reader; "
            "save it as 8-bit colour or as 16-bit grey"
        )


def _kind(image: Image.Image) -> tuple[int, str]:
    if image.mode.startswith("I;16"):
        return 1, "uint16"
    if image.mode in _COLOUR_MODES:
        return 3, "uint8"
    if image.mode not in _KINDS:
        raise ImageError(f"its kind of pixels ({image.mode}) is not read here; save it as grey or RGB")
    return _KINDS[image.mode]


def _array(image: Image.Image) -> ImageArray:
    channels, depth = _kind(image)
    if image.mode == "I":
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise ImageError("its 32-bit numbers do not fit 0..65535; save it as 16-bit grey or float TIFF")
    elif depth == "uint8":
        if image.has_transparency_data:
            image = _on_white(image)
        values = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    else:
        values = np.asarray(image)
    return np.ascontiguousarray(values.astype(depth, copy=False).reshape(image.height, image.width, channels))


def _on_white(image: Image.Image) -> Image.Image:
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)


def _orientation(image: Image.Image) -> int:
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # broken metadata do not cost the picture; every viewer shows it upright
        return 1


def _turned(pixels: Shaped[np.ndarray, "h w c"], orientation: int) -> ImageArray:
    """Undoes an EXIF orientation (Exif 2.32, section 4.6.4, tag 0x0112)."""
    if orientation >= 5 and orientation <= 8:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _words(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__

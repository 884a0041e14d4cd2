"""A picture file as an array `height width channel`, in the file's own depth, or a plain reason why not.

Nothing is cut to 8 bits and nothing is made up: a file that does not decode to its last pixel is an `ImageError`.
The content decides which reader takes a file, whatever its name; each format's own module says what becomes of
its kinds of pixels. For all of them:

- 1 to 7 bits are stretched to 0..255; 8 to 16 bits stay as they are stored; measured values are int16 or float32.
- Palettes, inks and YCbCr become RGB; colour profiles (ICC) are not applied.
- Transparent pictures are laid on white, as a page shows them, in their own depth.
- Orientation in EXIF is applied, all eight of them. Of an animation the first frame is taken.
- The header is held against `limits` before anything makes room for pixels.
"""

import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from striate.errors import ImageError, StriateError
from striate.pixels.formats import bmp, gif, jpeg, jpeg2000, numpy_files, png, pnm, tiff, tiff_pixels, webp
from striate.pixels.formats.content import Content, read_bytes, regular_file, words
from striate.pixels.formats.endings import HEAD_BYTES, SUFFIXES, sniff
from striate.pixels.picture import Description, ImageArray, Picture

__all__ = [
    "SUFFIXES",
    "ImageArray",
    "count_images",
    "decode_image",
    "decode_picture",
    "describe_image",
    "read_bytes",
    "read_image",
    "read_picture",
]

Source = str | os.PathLike | bytes

_SINGLE: dict[str, tuple[Callable[[Content], Description], Callable[[bytes], ImageArray]]] = {
    "WEBP": (webp.describe, webp.decode),
    "BMP": (bmp.describe, bmp.decode),
    "GIF": (gif.describe, gif.decode),
    "PPM": (pnm.describe, pnm.decode),
    "JPEG2000": (jpeg2000.describe, jpeg2000.decode),
    "NPY": (numpy_files.describe, numpy_files.decode),
}
_DESCRIBE = {"PNG": png.describe, "JPEG": jpeg.describe, **{kind: pair[0] for kind, pair in _SINGLE.items()}}
_NUMBERED = re.compile(r"(.+)#([1-9][0-9]{0,8})", re.DOTALL)


def read_image(source: Source) -> ImageArray:
    """The picture in a file, or in its bytes, as an array `height width channel`.

    >>> read_image(b"P5 3 2 255 " + bytes(range(6)))[..., 0]
    array([[0, 1, 2],
           [3, 4, 5]], dtype=uint8)

    The dtype is uint8 (0..255), uint16 (0..65535 or as many bits as the file has), int16 or float32 in the file's
    own units. `scan.tif#3` is the third page of `scan.tif`, unless a file of that whole name exists.
    Raises ImageError, naming the file and the reason, for whatever cannot be read to the last pixel.
    """
    return read_picture(source).pixels


def read_picture(source: Source, image: int = 0, *, draft: tuple[int, int] | None = None) -> Picture:
    """One picture of a file, counted from 0, with what the file says of it; ImageError names the file.

    `draft` as of `decode_picture`.

    >>> read_picture(b"P4 8 1 " + bytes([0b01010101])).description.mode
    'grey'
    """
    if isinstance(source, bytes):
        return decode_picture(source, image, draft=draft)
    try:
        path, image = _numbered(source, image)
        return decode_picture(read_bytes(path), image, draft=draft)
    except ImageError as error:
        raise ImageError(f"{os.fspath(source)}: {error}") from error.__cause__


def decode_image(data: bytes) -> ImageArray:
    """The first picture in the bytes of one file; see `read_image`. ImageError gives the reason alone."""
    return decode_picture(data).pixels


def decode_picture(data: bytes, image: int = 0, *, draft: tuple[int, int] | None = None) -> Picture:
    """One picture of the bytes of a file, counted from 0, with what the file says about it.

    >>> decode_picture(b"P5 1 1 4095 " + bytes([15, 255])).pixels.item()
    4095

    With `draft`, a height and a width, a JPEG is decoded at 1/2, 1/4 or 1/8 of its size where both sides stay at least
    that large, which is faster and gives other pixels; the description stays that of the file. Other formats ignore it.
    ImageError gives the reason alone.
    """
    with _reasons():
        content = Content(data)
        kind = _format(content)
        if kind == "DICOM":
            from striate.pixels.dicom import decode_dicom

            return decode_dicom(data, image)
        said, pixels = _decoded(content, data, kind, image, draft)
        small = kind == "JPEG" and draft is not None
        agree = pixels.shape == (said.height, said.width, said.channels) and pixels.dtype == said.depth
        if not (agree or small):
            raise ImageError("its header and its pixels do not agree: it is damaged")
        return Picture(pixels, said)


def describe_image(source: Source, image: int = 0) -> Description:
    """What `read_picture` would give, told by the header without decoding the pixels.

    >>> describe_image(b"P6 4 2 255 ")
    Description(height=2, width=4, channels=3, depth='uint8', format='PPM', mode='RGB', bits=8, ...)

    ImageError gives the reason alone.
    """
    path, image = (source, image) if isinstance(source, bytes) else _numbered(source, image)
    with _reasons(), _content(path) as content:
        kind = _format(content)
        if kind == "DICOM":
            from striate.pixels.dicom import describe_dicom

            return describe_dicom(path, image)
        return _described(content, kind, image)


def count_images(source: Source) -> int:
    """How many pages or frames a file holds, which only TIFF and DICOM do; ImageError gives the reason alone.

    >>> count_images(b"P4 8 1 " + bytes(1))
    1
    """
    with _reasons(), _content(source) as content:
        kind = _format(content)
        if kind == "DICOM":
            from striate.pixels.dicom import count_dicom

            return count_dicom(source)
        return tiff.count(content) if kind == "TIFF" else 1


def _decoded(
    content: Content, data: bytes, kind: str, image: int, draft: tuple[int, int] | None
) -> tuple[Description, ImageArray]:
    """The description and the pixels; the two usual formats tell both in one pass over their header."""
    _check_number(kind, image)
    if kind == "PNG":
        return png.read(data)
    if kind == "JPEG":
        return jpeg.read(data, draft)
    said = _described(content, kind, image)
    return said, tiff_pixels.decode(data, image) if kind == "TIFF" else _SINGLE[kind][1](data)


def _described(content: Content, kind: str, image: int) -> Description:
    _check_number(kind, image)
    return tiff.describe(content, image) if kind == "TIFF" else _DESCRIBE[kind](content)


def _check_number(kind: str, image: int) -> None:
    if image < 0:
        raise ImageError(f"there is no image number {image + 1}; they are counted from 1")
    if image > 0 and kind != "TIFF":
        raise ImageError(f"it holds 1 image; there is no number {image + 1}")


def _format(content: Content) -> str:
    if not len(content):
        raise ImageError("the file is empty (0 bytes)")
    kind = sniff(content[0:HEAD_BYTES])
    if kind is None:
        raise ImageError(
            "it is not a picture (PNG, JPEG, TIFF, WebP, BMP, GIF, PPM, PGM, JPEG 2000, NumPy and DICOM are read)"
        )
    return kind


@contextmanager
def _content(source: Source) -> Iterator[Content]:
    if isinstance(source, bytes):
        yield Content(source)
    else:
        with regular_file(source) as file:
            yield Content(file)


def _numbered(source: str | os.PathLike, image: int) -> tuple[str, int]:
    """The path and the number of the picture in it: `scan.tif#3` is number 2, counted from 0."""
    path = os.fspath(source)
    found = _NUMBERED.fullmatch(path)
    if found is None or image or os.path.lexists(path):
        return path, image
    return found[1], int(found[2]) - 1


@contextmanager
def _reasons() -> Iterator[None]:
    """Whatever a library says or does becomes one ImageError, and its warnings do not leak."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except StriateError:
            raise
        except MemoryError:
            raise ImageError("there is not enough memory to decode it") from None
        except Exception as error:
            raise ImageError(f"it cannot be decoded: {words(error)}") from error

"""GIF (GIF89a specification): the first frame, on the whole canvas, transparent parts and uncovered ones white.

The colours become three channels, but one where the palette is a plain ramp of grey. Nothing but the first frame's
own block is given to the decoder; the rest of the file is walked through, so that one cut anywhere is refused.
"""

import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import GifImagePlugin

from striate.errors import ImageError
from striate.pixels.formats.content import Content
from striate.pixels.limits import limits
from striate.pixels.picture import Description, ImageArray

_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_GRAPHIC_CONTROL = 0xF9


@dataclass(frozen=True)
class Frame:
    """The first frame: its place on the canvas, its palette, and where its packed pixels start."""

    canvas: tuple[int, int]
    left: int
    top: int
    width: int
    height: int
    interlaced: bool
    palette: bytes
    transparent: int | None
    start: int

    @property
    def grey(self) -> bool:
        """Whether the palette is the ramp with which GIF stores grey."""
        return all(set(self.palette[i : i + 3]) == {i // 3} for i in range(0, len(self.palette), 3))

    @property
    def whole(self) -> bool:
        """Whether the frame covers the canvas."""
        return (self.top, self.left, self.height, self.width) == (0, 0, *self.canvas)


def describe(content: Content) -> Description:
    """What the first frame will be; ImageError gives the reason why it is not read."""
    frame = _first_frame(content)
    kind = ("grey" if frame.grey else "palette") + (
        "" if frame.transparent is None and frame.whole else "+alpha"
    )
    bits = (len(frame.palette) // 3 - 1).bit_length()
    channels = 1 if frame.grey else 3
    frames = 1 + _walk_to_end(content, _after_blocks(content, frame.start + 1))
    return Description(*frame.canvas, channels, "uint8", "GIF", kind, bits, frames=frames)


def decode(data: bytes) -> ImageArray:
    """The pixels of the first frame, to the last one; ImageError gives the reason."""
    content = Content(data)
    frame = _first_frame(content)
    packed_end = _after_blocks(content, frame.start + 1)
    _walk_to_end(content, packed_end)
    indices = _indices(frame, data[frame.start : packed_end])
    colours = np.frombuffer(frame.palette, np.uint8).reshape(-1, 3)
    colours = np.array(colours[:, :1] if frame.grey else colours)
    if indices.max() >= len(colours):
        raise ImageError("it uses colours that its palette does not have: it is damaged")
    if frame.transparent is not None and frame.transparent < len(colours):
        colours[frame.transparent] = 255
    canvas = np.full((*frame.canvas, colours.shape[1]), 255, np.uint8)
    canvas[frame.top : frame.top + frame.height, frame.left : frame.left + frame.width] = colours[indices]
    return canvas


def _first_frame(content: Content) -> Frame:
    width, height, flags = content.unpack("<HHB", 6)
    start = 13 + _palette_bytes(flags)
    palette = content.exactly(13, start - 13)
    transparent = None
    while (kind := content.unpack("B", start)[0]) != _IMAGE:
        if kind != _EXTENSION:
            raise ImageError(
                "the GIF holds no image" if kind == _TRAILER else "a block of the GIF is damaged"
            )
        if content.unpack("BB", start + 1) == (_GRAPHIC_CONTROL, 4):
            control = content.exactly(start + 3, 4)
            transparent = control[3] if control[0] & 1 else None
        start = _after_blocks(content, start + 2)
    left, top, wide, high, flags = content.unpack("<HHHHB", start + 1)
    own = _palette_bytes(flags)
    palette = content.exactly(start + 10, own) or palette
    if not palette:
        raise ImageError("the GIF has no palette: its colours are not known")
    canvas = max(height, top + high), max(width, left + wide)
    limits().check_pixels(high, wide)
    limits().check_image(*canvas, 3, 1)
    return Frame(canvas, left, top, wide, high, bool(flags & 0x40), palette, transparent, start + 10 + own)


def _palette_bytes(flags: int) -> int:
    return 3 << (1 + (flags & 7)) if flags & 0x80 else 0


def _after_blocks(content: Content, start: int) -> int:
    """Where a chain of blocks ends that starts here."""
    while size := content.unpack("B", start)[0]:
        start += 1 + size
    return start + 1


def _walk_to_end(content: Content, start: int) -> int:
    """How many more frames there are before the end of the file, which must be there."""
    frames = 0
    while (kind := content.unpack("B", start)[0]) != _TRAILER:
        if kind == _EXTENSION:
            start = _after_blocks(content, start + 2)
        elif kind == _IMAGE:
            flags = content.unpack("B", start + 9)[0]
            start = _after_blocks(content, start + 11 + _palette_bytes(flags))
            frames += 1
        else:
            raise ImageError("a block of the GIF is damaged")
    return frames


def _indices(frame: Frame, packed: bytes) -> UInt8[np.ndarray, "height width"]:
    """The palette index of each pixel, from a GIF that holds this frame alone."""
    size = frame.width.to_bytes(2, "little") + frame.height.to_bytes(2, "little")
    ramp = bytes(level for index in range(256) for level in (index,) * 3)
    descriptor = b"\x2c" + bytes(4) + size + (b"\x40" if frame.interlaced else b"\0")
    alone = b"GIF89a" + size + b"\xf7\0\0" + ramp + descriptor + packed + b";"
    with GifImagePlugin.GifImageFile(io.BytesIO(alone)) as image:
        image.load()
        return np.asarray(image)

"""One page of a TIFF as its fields tell it (TIFF 6.0, part 1), and where its strips or tiles are."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from striate.errors import ImageError
from striate.pixels.formats.tiff_header import ORIENTATION, Entry, Tiff

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, INKS, YCBCR = 0, 1, 2, 3, 5, 6
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
JPEG = 7

_COMMON = {1: "none", 2: "CCITT", 3: "CCITT G3", 4: "CCITT G4", 5: "LZW", 7: "JPEG", 8: "deflate"}
COMPRESSIONS = _COMMON | {32946: "deflate", 32773: "packbits"}
MODES = {
    WHITE_IS_ZERO: ("white-is-0", 1),
    BLACK_IS_ZERO: ("grey", 1),
    RGB: ("RGB", 3),
    PALETTE: ("palette", 1),
    INKS: ("CMYK", 4),
    YCBCR: ("YCbCr", 3),
}


class Tag:
    """The fields of a page that decide its pixels (TIFF 6.0, appendix A)."""

    WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
    STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES, PLANAR = 273, 277, 278, 279, 284
    T4_OPTIONS, PREDICTOR, COLOUR_MAP, TILE_WIDTH, TILE_HEIGHT = 292, 317, 320, 322, 323
    TILE_OFFSETS, TILE_BYTES, INK_SET, EXTRA_SAMPLES, SAMPLE_FORMAT = 324, 325, 332, 338, 339
    JPEG_TABLES, SUBSAMPLING = 347, 530


class Block(NamedTuple):
    """A strip or a tile: where its pixels go, and where its bytes are."""

    row: int
    column: int
    plane: int
    start: int
    length: int


@dataclass(frozen=True)
class Page:
    """One page: the fields that decide its pixels, checked against each other and the limits."""

    tiff: Tiff
    fields: dict[int, Entry] = field(repr=False)

    def number(self, tag: int, default: int | None = None) -> int:
        """The one number of a field, or its default."""
        return self.numbers(tag, () if default is None else (default,))[0]

    def numbers(self, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """The few numbers of a field, or their default; ImageError where the field must be there and is not."""
        if tag not in self.fields:
            if not default:
                raise ImageError(f"the page lacks its field {tag}: it is damaged")
            return default
        return self.tiff.values(self.fields[tag], 64)

    @cached_property
    def height(self) -> int:
        """Rows as stored."""
        return self.number(Tag.HEIGHT)

    @cached_property
    def width(self) -> int:
        """Columns as stored."""
        return self.number(Tag.WIDTH)

    @cached_property
    def photometric(self) -> int:
        """What the samples stand for."""
        return self.number(Tag.PHOTOMETRIC)

    @cached_property
    def samples(self) -> int:
        """Samples a pixel, opacity and others included."""
        return self.number(Tag.SAMPLES, 1)

    @cached_property
    def bits(self) -> int:
        """Bits a sample, the same for all of them."""
        return self.number(Tag.BITS, 1)

    @cached_property
    def kind(self) -> int:
        """Unsigned, signed or floating-point."""
        kind = self.number(Tag.SAMPLE_FORMAT, UNSIGNED)
        return UNSIGNED if kind == 4 else kind

    @cached_property
    def compression(self) -> int:
        """How strips and tiles are packed."""
        return self.number(Tag.COMPRESSION, 1)

    @cached_property
    def planar(self) -> bool:
        """Whether each sample has strips or tiles of its own."""
        return self.number(Tag.PLANAR, 1) == 2 and self.samples > 1

    @cached_property
    def orientation(self) -> int:
        """1 to 8."""
        try:
            return self.number(ORIENTATION, 1)
        except ImageError:
            return 1

    @cached_property
    def colours(self) -> int:
        """Samples a pixel without the extra ones."""
        return MODES[self.photometric][1]

    @cached_property
    def extra(self) -> int | None:
        """What the sample after the colours is: 0 unspecified, 1 premultiplied or 2 plain opacity, None: no such."""
        if self.samples == self.colours:
            return None
        return self.number(Tag.EXTRA_SAMPLES, 2)

    @cached_property
    def stored(self) -> np.dtype:
        """The kind of one sample once it is unpacked, in the file's own byte order."""
        letter = {UNSIGNED: "u", SIGNED: "i", FLOAT: "f"}[self.kind]
        size = 1 if self.bits <= 8 else 2 if self.bits <= 16 else self.bits // 8
        return np.dtype(f"{self.tiff.order}{letter}{size}")

    @cached_property
    def depth(self) -> str:
        """The dtype of the pixels as striate gives them."""
        if self.photometric == PALETTE:
            return str(self.palette.dtype)
        if self.kind == UNSIGNED:
            return "uint8" if self.bits <= 8 else "uint16"
        return "float32" if self.kind == FLOAT else "uint16" if self.bits == 32 else "int16"

    @cached_property
    def palette(self) -> np.ndarray:
        """Red, green and blue of each index: uint8 where the 16 bits of the file hold no more, or uint16."""
        entry = self.fields.get(Tag.COLOUR_MAP)
        if entry is None or entry.kind != 3 or entry.count != 3 << self.bits:
            raise ImageError("the page lacks its palette, or a part of it: it is damaged")
        raw = self.tiff.content.exactly(entry.start, 2 * entry.count)
        values = np.frombuffer(raw, f"{self.tiff.order}u2").reshape(3, -1).T.astype(np.uint16)
        if values.max() < 256:
            return values.astype(np.uint8)
        high, low = values >> 8, values & 255
        return high.astype(np.uint8) if (low == 0).all() or (low == high).all() else values

    @cached_property
    def block_shape(self) -> tuple[int, int]:
        """Height and width of a tile, or of a strip."""
        if Tag.TILE_WIDTH in self.fields:
            height, width = self.number(Tag.TILE_HEIGHT), self.number(Tag.TILE_WIDTH)
            if min(height, width) < 1 or height % 16 or width % 16:
                raise ImageError(
                    f"its tiles are {width} × {height}, which is no multiple of 16: it is damaged"
                )
            return height, width
        return max(1, min(self.number(Tag.ROWS_PER_STRIP, self.height), self.height)), self.width

    @cached_property
    def block_samples(self) -> int:
        """Samples a pixel within one strip or tile."""
        return 1 if self.planar else self.samples

    def blocks(self) -> list[Block]:
        """Every strip or tile; together they must cover the page and lie within the file."""
        tiled = Tag.TILE_WIDTH in self.fields
        height, width = self.block_shape
        rows, columns = range(0, self.height, height), range(0, self.width, width)
        places = len(rows) * len(columns) * (self.samples if self.planar else 1)
        starts = self._places(Tag.TILE_OFFSETS if tiled else Tag.STRIP_OFFSETS, places)
        if not tiled and Tag.STRIP_BYTES not in self.fields and places == 1 and self.compression == 1:
            lengths = (len(self.tiff.content) - starts[0],)
        else:
            lengths = self._places(Tag.TILE_BYTES if tiled else Tag.STRIP_BYTES, places)
        if sum(lengths) > len(self.tiff.content):
            raise ImageError("its strips or tiles are longer than the file: it is cut short or damaged")
        grid = (
            (row, column, p)
            for p in range(self.samples if self.planar else 1)
            for row in rows
            for column in columns
        )
        return [Block(*at, *where) for at, where in zip(grid, zip(starts, lengths, strict=True), strict=True)]

    def _places(self, tag: int, count: int) -> tuple[int, ...]:
        entry = self.fields.get(tag)
        if entry is None or entry.count < count:
            raise ImageError("the page lacks strips or tiles: it is cut short or damaged")
        return self.tiff.values(Entry(entry.kind, count, entry.start), count)

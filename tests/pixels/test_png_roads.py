"""Small plain PNG files go to libpng as they are: the answer must be that of the longer road, whatever the file."""

import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from striate.errors import ImageError
from striate.pixels.formats import png
from striate.pixels.reading import decode_picture


def encoded(mode: str, side: int, seed: int) -> bytes:
    channels = {"L": (), "RGB": (3,), "RGBA": (4,), "I;16": ()}[mode]
    kind, most = (np.uint16, 65536) if mode == "I;16" else (np.uint8, 256)
    pixels = np.random.default_rng(seed).integers(0, most, (side, side, *channels), dtype=kind)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def outcome(data: bytes, small: int) -> str | tuple[tuple[int, ...], bytes]:
    """The pixels or the reason, with plain files of up to so many bytes of samples sent the short way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(png, "_SMALL", small)
        try:
            picture = decode_picture(data)
        except ImageError as error:
            return str(error)
        return picture.pixels.shape, picture.pixels.tobytes()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("side", [1, 7, 31])
def test_both_roads_give_the_same_pixels(mode: str, side: int) -> None:
    data = encoded(mode, side, side)
    assert outcome(data, 1 << 12) == outcome(data, 0)
    assert not isinstance(outcome(data, 0), str)


@given(st.sampled_from(["L", "RGB"]), st.integers(0, 10_000), st.integers(1, 255), st.booleans())
def test_both_roads_refuse_alike(mode: str, place: int, flipped: int, mended: bool) -> None:
    """A byte changed anywhere; with its chunk's checksum mended the decoders themselves must find out."""
    data = bytearray(encoded(mode, 6, 1))
    data[place % len(data)] ^= flipped
    if mended:
        data = bytearray(with_checksums(bytes(data)))
    assert outcome(bytes(data), 1 << 12) == outcome(bytes(data), 0)


def with_checksums(data: bytes) -> bytes:
    """The same chunks, as far as they can be told apart, with right checksums."""
    made, start = bytearray(data), 8
    while start + 12 <= len(data):
        end = start + 8 + int.from_bytes(data[start : start + 4])
        if end + 4 > len(data):
            break
        made[end : end + 4] = zlib.crc32(data[start + 4 : end]).to_bytes(4)
        start = end + 4
    return bytes(made)

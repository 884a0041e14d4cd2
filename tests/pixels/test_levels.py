"""Sixteen bits stay sixteen bits: every one of 65,536 levels comes through reading and preparation."""

import io

import imagecodecs
import numpy as np
import pytest
import tifffile
from encoders import npy, png_of

from striate.pixels import Preparation
from striate.pixels.reading import decode_picture

RAMP = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)


def _tiff(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(
        file, pixels, photometric="rgb" if pixels.shape[2] == 3 else "minisblack", compression="lzw"
    )
    return file.getvalue()


def _jpeg2000(pixels: np.ndarray) -> bytes:
    packed = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    return imagecodecs.jpeg2k_encode(packed, level=0, codecformat="j2k", reversible=True)


def _netpbm(pixels: np.ndarray) -> bytes:
    magic = b"P6" if pixels.shape[2] == 3 else b"P5"
    return magic + b" 256 256 65535\n" + pixels.astype(">u2").tobytes()


WRITERS = {"PNG": png_of, "TIFF": _tiff, "PPM": _netpbm, "NPY": npy, "JPEG2000": _jpeg2000}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_level_reaches_the_network(kind: str, channels: int):
    ramp = np.concatenate([np.roll(RAMP, 977 * channel) for channel in range(channels)], axis=2)
    picture = decode_picture(WRITERS[kind](ramp))
    assert picture.description.format == kind
    prepared = Preparation(height=256, width=256, channels=channels, depth="uint16").pixels(picture.pixels)
    np.testing.assert_array_equal(prepared, ramp)
    assert len(np.unique(prepared[..., 0])) == 65536

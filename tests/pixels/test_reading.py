"""Reading is checked against Pillow's own transposition, and against files damaged in every way."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from striate.errors import ImageError
from striate.pixels import decode_image, describe_image, read_image
from striate.pixels.limits import Limits, limits, limits_held
from striate.pixels.reading import read_picture

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (5, 7), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (5, 7), dtype=np.uint16)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(bits: int, colour_type: int, height: int, row: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 2, height, bits, colour_type, 0, 0, 0)
    pixels = zlib.compress((b"\0" + row) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM", "WEBP"])
def test_every_lossless_format_gives_the_pixels_back(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(read_image(encoded(Image.fromarray(COLOUR), kind, **options)), COLOUR)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bit_grey_keeps_every_level(kind):
    pixels = read_image(encoded(Image.fromarray(DEEP), kind))
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels[..., 0], DEEP)


def test_float_tiff_keeps_its_values():
    values = RNG.normal(size=(4, 3)).astype(np.float32)
    np.testing.assert_array_equal(read_image(encoded(Image.fromarray(values), "TIFF"))[..., 0], values)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_orientation_is_applied_once(orientation, kind, packed):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"compression": "tiff_lzw"} if kind == "TIFF" and packed else {}
    data = encoded(Image.fromarray(COLOUR), kind, exif=exif, **options)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    np.testing.assert_array_equal(read_image(data), expected)
    assert read_image(data).shape[:2] == ((7, 5) if orientation >= 5 else (5, 7))


@pytest.mark.parametrize("entry", [(2, 4, b"abc\0"), (3, 1, b"\0\x4d\0\0"), (9, 1, b"\xff\xff\xff\xff")])
def test_a_broken_orientation_does_not_cost_the_picture(entry):
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHI4s", 0x0112, *entry) + bytes(4)
    np.testing.assert_array_equal(read_image(encoded(Image.fromarray(COLOUR), "PNG", exif=exif)), COLOUR)


def test_the_pixel_limit_is_our_own(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(ImageError, match=r"it has 20000 × 20000 pixels; the limit is 178,956,970"):
        decode_image(b"P5 20000 20000 255 ")


def test_one_bit_is_black_and_white():
    bits = Image.fromarray(GREY > 100)
    assert bits.mode == "1"
    np.testing.assert_array_equal(read_image(encoded(bits))[..., 0], np.where(GREY > 100, 255, 0))


@pytest.mark.parametrize(("mode", "channels"), [("P", 3), ("CMYK", 3), ("YCbCr", 3), ("L", 1), ("RGB", 3)])
def test_modes_become_one_or_three_channels(mode, channels):
    kind = "PNG" if mode == "P" else "TIFF"
    data = encoded(Image.fromarray(COLOUR).convert(mode), kind)
    assert read_image(data).shape == (5, 7, channels)


def test_transparent_pictures_are_laid_on_white():
    half = np.dstack([np.zeros((2, 2, 3), np.uint8), np.full((2, 2), 127, np.uint8)])
    assert set(read_image(encoded(Image.fromarray(half))).ravel().tolist()) == {128}
    grey = np.dstack([np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8)])
    pixels = read_image(encoded(Image.fromarray(grey)))
    assert pixels.shape == (2, 2, 1)
    assert (pixels == 255).all()


def test_transparent_colour_of_a_palette_is_white():
    palette = Image.fromarray(np.zeros((2, 2), np.uint8)).convert("P")
    assert (read_image(encoded(palette, "GIF", transparency=0)) == 255).all()


def test_first_frame_of_an_animation():
    frames = [Image.fromarray(np.full((4, 4), level, np.uint8)) for level in (10, 200)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (read_image(data) == 10).all()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"hello, I am a text", "it is not a picture"),
        (encoded(Image.fromarray(COLOUR))[:-20], "cut short"),
        (encoded(Image.fromarray(COLOUR), "JPEG")[:-60], "cut short"),
        (encoded(Image.fromarray(COLOUR), "BMP")[:-30], "cut short"),
        (b"P5 20000 20000 255 ", "limit"),
    ],
)
def test_what_is_no_picture_is_said_in_words(data, reason):
    with pytest.raises(ImageError, match=reason):
        decode_image(data)


def test_a_flipped_bit_in_the_pixels_of_a_png_is_found():
    data = bytearray(encoded(Image.fromarray(GREY), compress_level=0))
    at = data.index(b"IDAT") + 15
    data[at] ^= 1
    with pytest.raises(ImageError, match="checksum of its PNG chunk IDAT"):
        decode_image(bytes(data))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "PPM"])
def test_mutated_files_end_in_pixels_or_in_an_image_error(kind):
    whole = encoded(Image.fromarray(COLOUR), kind)
    random = np.random.default_rng(1)
    refused = []
    for _ in range(150):
        data = bytearray(whole)
        for at in random.integers(0, len(data), 3):
            data[at] = random.integers(0, 256)
        try:
            assert decode_image(bytes(data[: random.integers(1, len(data) + 1)])).ndim == 3
        except ImageError as error:
            refused.append(str(error))
    assert len(refused) > 30
    assert not any("\n" in reason for reason in refused)


def test_paths_that_are_no_files(tmp_path):
    import os

    with pytest.raises(ImageError, match=r"nothing\.png: there is no such file"):
        read_image(tmp_path / "nothing.png")
    with pytest.raises(ImageError, match="it is a folder"):
        read_image(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="a pipe or a device"):
        read_image(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="cannot be read"):
        read_image("nul\0byte.png")


def test_no_permission(tmp_path, monkeypatch):
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(Image.fromarray(GREY)))

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ImageError, match="there is no permission to read it"):
        read_image(path)


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.fromarray(GREY)),
        encoded(Image.fromarray(DEEP)),
        encoded(Image.fromarray(COLOUR), "JPEG"),
        encoded(Image.fromarray(GREY).convert("P"), "GIF"),
        encoded(Image.fromarray(COLOUR).convert("CMYK"), "TIFF"),
        encoded(Image.fromarray(GREY.astype(np.float32)), "TIFF"),
        encoded(Image.fromarray(GREY > 9)),
    ],
)
def test_the_header_tells_what_decoding_gives(data):
    told, pixels = describe_image(data), read_image(data)
    assert (told.height, told.width, told.channels, told.depth) == (*pixels.shape, str(pixels.dtype))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", [3, 6])
def test_the_header_knows_the_orientation(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(COLOUR), kind, exif=exif)
    told = describe_image(data)
    assert (told.height, told.width) == read_image(data).shape[:2]


@pytest.mark.parametrize(("kind", "suffix"), [("GIF", "gif"), ("WEBP", "webp"), ("PNG", "apng")])
def test_the_first_frame_of_an_animation_and_how_many_there_are(tmp_path, kind, suffix):
    frames = [Image.new("RGB", (6, 4), colour) for colour in ("#ff0000", "#00ff00", "#0000ff")]
    path = tmp_path / f"moving.{suffix}"
    frames[0].save(path, kind, save_all=True, append_images=frames[1:], lossless=True)
    picture = read_picture(path)
    assert (picture.pixels == (255, 0, 0)).all()
    assert picture.description.frames == 3
    assert describe_image(path) == picture.description
    frames[0].save(path, kind, lossless=True)
    assert read_picture(path).description.frames == 1


def test_limits_are_held_for_a_block_and_read_again_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with limits_held():
        monkeypatch.setenv("STRIATE_MAX_PIXELS", "3")
        assert limits().pixels == Limits().pixels
    assert limits().pixels == 3

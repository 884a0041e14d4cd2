"""Content decides which reader takes a file; limits, numbers in names, and what is refused, in words."""

import io
import re
import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from encoders import chunk, npy, png, png_of
from golden import GOLDEN
from golden_kit import GREY, GREY16, SMOOTH3, Golden, pillow, written_tiff
from PIL import Image

from striate.errors import ImageError, UsageError
from striate.pixels.formats.endings import ENDINGS, SEVERAL, SUFFIXES, mismatch, sniff
from striate.pixels.limits import Limits, limits
from striate.pixels.reading import count_images, decode_picture, describe_image, read_image, read_picture

KINDS = {
    "png": "PNG",
    "jpeg": "JPEG",
    "tiff": "TIFF",
    "bmp": "BMP",
    "gif": "GIF",
    "webp": "WEBP",
    "npy": "NPY",
}
KINDS |= {"pbm": "PPM", "pgm": "PPM", "ppm": "PPM", "jp2": "JPEG2000", "j2k": "JPEG2000"}


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_the_content_tells_the_format(case: Golden):
    kind = KINDS[case.name.split()[0]]
    assert sniff(case.data[:512]) == kind
    assert describe_image(case.data, case.image).format == kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (bytes(128) + b"DICM", "DICOM"),
        (b"II*\0".ljust(128) + b"DICM", "DICOM"),
        (b"\x08\0\x05\0CS\x0a\0ISO_IR 100", "DICOM"),
        (b"\x02\0\0\0UL\x04\0\xc0\0\0\0", "DICOM"),
        (b"\x08\0\0\0\x04\0\0\0\x5c\0\0\0", "DICOM"),
        (b"\0\x08\0\x05CS\0\x0aISO_IR 100", "DICOM"),
        (b"\x08\0\xff\xff\xff\xff\xff\xff", None),
        (b"BM, said the text, is short for bitmap", None),
        (b"P5 is a kind of file", "PPM"),
        (b"P57", None),
        (b"P5", None),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"%PDF-1.7", None),
        (b"<svg xmlns=", None),
        (b"\x80\x04pickle", None),
        (b"", None),
    ],
)
def test_what_a_head_is(head: bytes, kind: str | None):
    assert sniff(head) == kind


def test_endings():
    assert set(ENDINGS.values()) == {*KINDS.values(), "DICOM"}
    assert set(ENDINGS) == SUFFIXES
    assert SEVERAL < SUFFIXES
    assert mismatch("a/b.JPG", "PNG")
    assert not mismatch("a/b.TIFF", "TIFF")
    assert not mismatch("a/b.data", "PNG")


def test_the_content_decides_not_the_ending(tmp_path):
    path = tmp_path / "really.jpg"
    path.write_bytes(png_of(GREY))
    np.testing.assert_array_equal(read_image(path), GREY)


def test_pages_by_number(tmp_path):
    pages = np.stack([GREY16[..., 0], 65535 - GREY16[..., 0], GREY16[..., 0] // 2])
    path = tmp_path / "scan.tif"
    tifffile.imwrite(path, pages, photometric="minisblack", metadata=None)
    assert count_images(path) == count_images(path.read_bytes()) == 3
    for number, page in enumerate(pages):
        assert read_picture(path, number).description.images == 3
        np.testing.assert_array_equal(read_image(f"{path}#{number + 1}")[..., 0], page)
    with pytest.raises(ImageError, match=r"scan\.tif#4: it holds 3 images; there is no number 4"):
        read_image(f"{path}#4")
    assert describe_image(f"{path}#2").images == 3
    (tmp_path / "scan.tif#2").write_bytes(png_of(GREY))
    np.testing.assert_array_equal(read_image(f"{path}#2"), GREY)


def test_one_image_is_one_image():
    with pytest.raises(ImageError, match="it holds 1 image; there is no number 2"):
        decode_picture(png_of(GREY), 1)
    with pytest.raises(ImageError, match="no image number 0"):
        describe_image(png_of(GREY), -1)
    assert count_images(png_of(GREY)) == 1


@pytest.mark.parametrize(
    ("draft", "shape"),
    [(None, (64, 96)), ((32, 48), (32, 48)), ((33, 48), (64, 96)), ((9, 13), (16, 24)), ((1, 1), (8, 12))],
)
def test_a_draft_is_never_smaller_than_asked(draft: tuple[int, int] | None, shape: tuple[int, int]):
    data = pillow(np.tile(SMOOTH3, (2, 2, 1)), "JPEG")
    picture = decode_picture(data, draft=draft)
    assert picture.pixels.shape[:2] == shape
    assert (picture.description.height, picture.description.width) == (64, 96)


def test_a_draft_of_a_turned_picture_and_of_another_format():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = pillow(np.tile(SMOOTH3, (2, 2, 1)), "JPEG", exif=exif)
    assert decode_picture(data, draft=(48, 32)).pixels.shape == (48, 32, 3)
    assert decode_picture(data, draft=(49, 32)).pixels.shape == (96, 64, 3)
    np.testing.assert_array_equal(decode_picture(png_of(GREY), draft=(1, 1)).pixels, GREY)


@pytest.mark.parametrize(
    ("variable", "value", "data", "reason"),
    [
        (
            "STRIATE_MAX_PIXELS",
            "100",
            png_of(GREY),
            "it has 13 × 9 pixels; the limit is 100 (STRIATE_MAX_PIXELS",
        ),
        (
            "STRIATE_MAX_DECODED_BYTES",
            "200",
            png_of(GREY16),
            "would fill 234 bytes; the limit is 200 (STRIATE_MAX_DEC",
        ),
        (
            "STRIATE_MAX_FRAMES",
            "1",
            written_tiff(np.stack([GREY, GREY])),
            "2 images or more; the limit is 1 (STRIATE_MAX_FR",
        ),
    ],
)
def test_every_limit_names_its_variable(monkeypatch, variable: str, value: str, data: bytes, reason: str):
    decode_picture(data)
    monkeypatch.setenv(variable, value)
    for door in (decode_picture, describe_image):
        with pytest.raises(ImageError) as caught:
            door(data)
        assert reason in str(caught.value)
        assert "raises it)" in str(caught.value)


def test_the_limit_of_a_file(monkeypatch, tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(png_of(GREY))
    monkeypatch.setenv("STRIATE_MAX_FILE_BYTES", "60")
    for door in (read_image, describe_image, count_images):
        with pytest.raises(ImageError, match=r"the limit is 60 .STRIATE_MAX_FILE_BYTES raises it"):
            door(path)


def test_inflation():
    Limits().check_inflation(60 << 20, 100)
    Limits().check_inflation(100 << 20, 1 << 20)
    with pytest.raises(ImageError, match=r"more than 200 times: no picture does that .STRIATE_MAX_INFLATION"):
        Limits().check_inflation(100 << 20, 100_000)
    with pytest.raises(ImageError, match="it inflates to 1,073,741,824 bytes; the limit is 536,870,912"):
        Limits().check_inflation(1 << 30, 1 << 29)


@pytest.mark.parametrize("value", ["", "many", "0", "-1", "1e9", "٣"])
def test_a_limit_that_is_no_number(monkeypatch, value: str):
    monkeypatch.setenv("STRIATE_MAX_FRAMES", value)
    with pytest.raises(
        UsageError, match=r"STRIATE_MAX_FRAMES is .*; give a whole number above zero, such as 10000"
    ):
        limits()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (npy(np.zeros((3, 8, 8), np.uint8)), r"3 × 8 × 8; channels come last here: save array.transpose"),
        (npy(np.zeros((4, 4), np.int64)), "its values are int64; save bool, uint8"),
        (npy(np.zeros((4, 4, 2), np.float32)), "1 or 3 channels"),
        (npy(np.full((1, 1), 1e300)), "its 64-bit values do not fit 32 bits"),
        (npy(np.zeros((0, 4), np.uint8)), "there is nothing to see"),
        (written_tiff(GREY16.astype(np.uint32) + 65536), "its 32-bit numbers do not fit 0..65535"),
        (
            written_tiff(GREY, compression="zstd"),
            "its compression .ZSTD, 50000. is not read; save it with deflate",
        ),
        (written_tiff(GREY.astype(np.complex64)), "complex samples are not read"),
        (written_tiff(np.zeros((4, 4, 5), np.uint8), planarconfig="contig"), "it has 5 samples a pixel"),
        (b"P5 1 1 4095 \xff\xff", "a value of it is above its own maximum, 4095"),
        (b"P2 2 1 255\n1 two\n", "its values are no numbers"),
        (b"P5 1 1 70000 \0\0", "its largest value is 70000"),
        (pillow(SMOOTH3, "JPEG")[:-2], "the JPEG has no end: it is cut short"),
    ],
)
def test_what_is_refused_says_why_and_what_to_do(data: bytes, reason: str):
    with pytest.raises(ImageError, match=reason):
        decode_picture(data)


def _taller(data: bytes) -> bytes:
    """The same JPEG, whose header claims more rows than were packed."""
    frame = re.search(rb"\xff[\xc0-\xc3]", data).start()
    return data[: frame + 5] + struct.pack(">H", 400) + data[frame + 7 :]


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 2}])
@pytest.mark.parametrize("flat", [False, True])
def test_a_jpeg_whose_data_run_out_is_refused_and_grey_is_not(options: dict, flat: bool):
    """Decoders fill up with grey and say nothing; a picture that is grey itself is read."""
    photo = np.tile(SMOOTH3, (8, 8, 1))
    photo[200:] = 128 if flat else photo[200:]
    data = pillow(photo, "JPEG", **options)
    assert decode_picture(data).pixels.shape == photo.shape
    assert (decode_picture(data).pixels[-1, -1] == 128).all() == flat
    for damaged in (_taller(data), data[: len(data) * 2 // 3] + b"\xff\xd9"):
        for draft in (None, (10, 10)):
            with pytest.raises(ImageError, match=r"data of the JPEG end before its last pixel|lacks scans"):
                decode_picture(damaged, draft=draft)


def test_a_deep_jpeg_whose_data_run_out_is_refused():
    for options in ({"lossless": True, "bitspersample": 16}, {"bitspersample": 12}):
        data = imagecodecs.jpeg8_encode(np.tile(GREY16[..., 0] // 16, (16, 16)), **options)
        assert decode_picture(data).pixels.dtype == np.uint16
        with pytest.raises(ImageError, match="end before its last pixel"):
            decode_picture(_taller(data))


def test_a_png_whose_rows_run_out_is_refused():
    """A complete stream of too few rows, which some decoders fill up with black and say nothing."""
    few = [bytes(13)] * 4
    for bits, kind in ((8, 0), (4, 3), (8, 3)):
        before = chunk(b"PLTE", bytes(12))
        decode_picture(png(13, 4, bits, kind, [row[: (13 * bits + 7) // 8] for row in few], before=before))
        with pytest.raises(ImageError, match="the PNG ends before its last row"):
            decode_picture(
                png(13, 5, bits, kind, [row[: (13 * bits + 7) // 8] for row in few], before=before)
            )


def test_a_pickle_in_an_array_is_never_loaded():
    file = io.BytesIO()
    np.save(file, np.array([[print]], dtype=object), allow_pickle=True)
    with pytest.raises(ImageError, match="its values are object"):
        decode_picture(file.getvalue())


def test_nothing_is_printed(capfd):
    for case in GOLDEN:
        decode_picture(case.data, case.image)
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")

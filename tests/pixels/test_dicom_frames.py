"""How frames are packed: natively against pydicom's own reader, compressed against the values that went in."""

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_dicom import BIG, IMPLICIT, compressed, dataset, dicom_bytes, written
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.pixels import convert_color_space, pack_bits, set_pixel_data
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from striate.errors import ImageError
from striate.pixels.dicom import decode_dicom, describe_dicom

RLE = "1.2.840.10008.1.2.5"
LOSSLESS, JPEG_LS, J2K = "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"
BASELINE = "1.2.840.10008.1.2.4.50"
RNG = np.random.default_rng(0)


@settings(deadline=None, max_examples=80)
@given(
    st.sampled_from(["u1", "u2", "i1", "i2", "u4"]),
    st.integers(1, 32),
    st.integers(0, 15),
    st.sampled_from([1, 2]),
    st.sampled_from(["1.2.840.10008.1.2.1", IMPLICIT]),
)
def test_native_bits_are_what_the_header_says(dtype, stored, spare, frames, syntax):
    width = 8 * np.dtype(dtype).itemsize
    stored = min(stored, width)
    high = min(stored - 1 + spare, width - 1)
    rng = np.random.default_rng(stored)
    cells = rng.integers(0, 2**width, (frames, 3, 4), dtype=f"u{width // 8}")
    data = dicom_bytes(cells.view(dtype), syntax=syntax, BitsStored=stored, HighBit=high)
    expected = (cells[-1].astype(np.int64) >> (high + 1 - stored)) & (2**stored - 1)
    if dtype[0] == "i":
        expected = np.where(expected >> (stored - 1), expected - 2**stored, expected)
    picture = decode_dicom(data, frames - 1)
    np.testing.assert_array_equal(picture.pixels[..., 0], expected.astype(picture.pixels.dtype))


@pytest.mark.parametrize("words", [True, False])
def test_big_endian(words):
    deep = RNG.integers(0, 65536, (3, 5), dtype=np.uint16)
    made = dataset(deep)
    made.PixelData = deep.astype(">u2").tobytes()
    made["PixelData"].VR = "OW"
    np.testing.assert_array_equal(decode_dicom(written(made, BIG)).pixels[..., 0], deep)
    shallow = RNG.integers(0, 256, (2, 3, 5), dtype=np.uint8)
    made = dataset(shallow)
    if words:
        made.PixelData = np.frombuffer(shallow.tobytes(), "<u2").astype(">u2").tobytes()
        made["PixelData"].VR = "OW"
    data = written(made, BIG)
    for frame in range(2):
        np.testing.assert_array_equal(decode_dicom(data, frame).pixels[..., 0], shallow[frame])


def test_single_bits_go_on_from_frame_to_frame():
    bits = RNG.integers(0, 2, (3, 5, 7), dtype=np.uint8)
    made = dataset(bits)
    made.BitsAllocated, made.BitsStored, made.HighBit = 1, 1, 0
    made.PixelData = pack_bits(bits)
    data = written(made)
    for frame in range(3):
        np.testing.assert_array_equal(decode_dicom(data, frame).pixels[..., 0], bits[frame])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_planes_of_colour(dtype):
    colour = RNG.integers(0, np.iinfo(dtype).max, (2, 3, 5, 3), dtype=dtype)
    planes = dataset(colour, PlanarConfiguration=1)
    planes.PixelData = colour.transpose(0, 3, 1, 2).tobytes()
    for data in (dicom_bytes(colour), written(planes)):
        np.testing.assert_array_equal(decode_dicom(data, 1).pixels, colour[1])


def test_ybr_is_pydicom_s():
    ybr = RNG.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    theirs = convert_color_space(ybr, "YBR_FULL", "RGB")
    found = decode_dicom(dicom_bytes(ybr, PhotometricInterpretation="YBR_FULL")).pixels
    assert np.abs(found.astype(int) - theirs).max() <= 1
    ybr[:, 1::2, 1:] = ybr[:, ::2, 1:]
    halved = dataset(ybr, PhotometricInterpretation="YBR_FULL_422")
    pairs = [ybr[:, ::2, 0], ybr[:, 1::2, 0], ybr[:, ::2, 1], ybr[:, ::2, 2]]
    halved.PixelData = np.stack(pairs, axis=-1).tobytes()
    theirs = convert_color_space(ybr, "YBR_FULL", "RGB")
    assert np.abs(decode_dicom(written(halved)).pixels.astype(int) - theirs).max() <= 1


STREAMS = {
    LOSSLESS: lambda frame: imagecodecs.jpeg8_encode(frame, lossless=True, predictor=1),
    JPEG_LS: imagecodecs.jpegls_encode,
    J2K: lambda frame: imagecodecs.jpeg2k_encode(frame, codecformat="J2K", level=0, mct=False),
}


@pytest.mark.parametrize("syntax", STREAMS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_lossless_streams(syntax, dtype):
    frames = RNG.integers(0, 4000 if dtype != np.uint8 else 256, (3, 20, 30)).astype(dtype)
    if dtype == np.int16:
        frames -= 2000
    made = dataset(frames)
    data = compressed(made, [STREAMS[syntax](frame.view(f"u{frame.itemsize}")) for frame in frames], syntax)
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(decode_dicom(data, index).pixels[..., 0], frame)


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("syntax", [LOSSLESS, JPEG_LS, J2K])
def test_lossless_colour_is_converted_once(syntax, photometric):
    samples = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    encode = STREAMS[syntax]
    if syntax == LOSSLESS:
        stream = imagecodecs.jpeg8_encode(
            samples, lossless=True, predictor=1, colorspace="RGB", outcolorspace="RGB"
        )
    else:
        stream = encode(samples)
    found = decode_dicom(
        compressed(dataset(samples, PhotometricInterpretation=photometric), [stream], syntax)
    ).pixels
    expected = samples if photometric == "RGB" else convert_color_space(samples, "YBR_FULL", "RGB")
    assert np.abs(found.astype(int) - expected).max() <= (photometric != "RGB")


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL", "YBR_FULL_422"])
def test_baseline_colour_is_converted_once(photometric):
    across = np.linspace(0, 255, 64)
    smooth = np.stack(np.broadcast_arrays(across, across[:, None], 255 - across), axis=-1).astype(np.uint8)
    space = "RGB" if photometric == "RGB" else "YCBCR"
    stream = imagecodecs.jpeg8_encode(smooth, level=98, colorspace="RGB", outcolorspace=space)
    data = compressed(dataset(smooth, PhotometricInterpretation=photometric), [stream], BASELINE)
    assert np.abs(decode_dicom(data).pixels.astype(int) - smooth).max() <= 8


def test_run_lengths_are_pydicom_s():
    for values in (
        RNG.integers(0, 3, (2, 9, 11), dtype=np.uint8),
        RNG.integers(0, 65536, (9, 11), dtype=np.uint16),
        RNG.integers(0, 256, (9, 11, 3), dtype=np.uint8),
    ):
        made = dataset(values)
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        made.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
        found = decode_dicom(written(made, RLE)).pixels
        np.testing.assert_array_equal(found, values.reshape(-1, *found.shape)[0])


def test_fragments_are_told_apart_by_every_table():
    frames = RNG.integers(0, 256, (3, 40, 50), dtype=np.uint8)
    streams = [imagecodecs.jpegls_encode(frame) for frame in frames]
    with_table = dataset(frames)
    with_table.PixelData = encapsulate(streams, fragments_per_frame=4, has_bot=True)
    without = dataset(frames)
    without.PixelData = encapsulate(streams, fragments_per_frame=4, has_bot=False)
    extended = dataset(frames)
    value, offsets, lengths = encapsulate_extended(streams)
    extended.PixelData, extended.ExtendedOffsetTable, extended.ExtendedOffsetTableLengths = (
        value,
        offsets,
        lengths,
    )
    for made in (with_table, without, extended):
        made["PixelData"].VR = "OB"
        made["PixelData"].is_undefined_length = True
        data = written(made, JPEG_LS)
        for index, frame in enumerate(frames):
            np.testing.assert_array_equal(decode_dicom(data, index).pixels[..., 0], frame)


@pytest.mark.parametrize("table", ["none", "basic", "extended"])
def test_streams_without_a_mark_need_a_table_or_a_fragment_each(table):
    frames = RNG.integers(0, 256, (3, 40, 50), dtype=np.uint8)
    # A literal run of 50 for each row; 64 bytes of header name one segment.
    rows = [b"".join(b"\x31" + row.tobytes() for row in frame) for frame in frames]
    streams = [bytes([1, 0, 0, 0, 64]) + bytes(59) + row for row in rows]
    made = dataset(frames)
    made.PixelData = encapsulate(streams, 1 if table == "none" else 2, has_bot=table == "basic")
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    if table == "extended":
        size = 8 * 2 + len(streams[0])
        made.ExtendedOffsetTable = (np.arange(3, dtype="<u8") * size).tobytes()
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(decode_dicom(written(made, RLE), index).pixels[..., 0], frame)


def _native(**tags) -> bytes:
    return dicom_bytes(np.zeros((6, 8), np.uint16), **tags)


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"Rows": 7}, "cut short: 96 bytes of 112"),
        ({"Rows": 5}, "have 96 bytes where its header accounts for 80"),
        ({"Columns": 7}, "have 96 bytes where its header accounts for 84"),
        ({"NumberOfFrames": 2}, "cut short: 96 bytes of 192"),
        ({"NumberOfFrames": 0}, "claims 6 rows, 8 columns, 0 frames"),
        ({"Rows": 0}, "claims 0 rows"),
        ({"BitsAllocated": 12, "BitsStored": 12}, "12 bits allocated a pixel are not read"),
        ({"BitsStored": 12, "HighBit": 10}, "12 bits stored below bit 10 do not fit in 16"),
        ({"SamplesPerPixel": 3}, "claims 3 samples a pixel, and MONOCHROME2 has 1"),
        (
            {"PhotometricInterpretation": "DOE^JANE"},
            r"PhotometricInterpretation is none of MONOCHROME1.*export it",
        ),
    ],
)
def test_headers_that_cannot_be(tags, words):
    for read in (decode_dicom, describe_dicom):
        if "bytes" in words and read is describe_dicom:
            continue
        with pytest.raises(ImageError, match=words):
            read(_native(**tags))


@pytest.mark.parametrize("syntax", [*STREAMS, BASELINE, RLE])
def test_a_stream_of_another_size_is_refused_before_it_is_decoded(syntax, monkeypatch):
    large, small = np.zeros((64, 64), np.uint8), np.zeros((8, 8), np.uint8)
    if syntax == RLE:
        stream = bytes([1, 0, 0, 0, 64]) + bytes(59) + b"\x81\0" * 32
        words = "decodes to 4,096 bytes, not to 64"
    else:
        stream = {**STREAMS, BASELINE: imagecodecs.jpeg8_encode}[syntax](large)
        words = "has 64 rows, 64 columns and 1 samples; the header says 8, 8 and 1"
        for codec in ("jpeg8_decode", "jpegls_decode", "jpeg2k_decode"):
            monkeypatch.setattr(imagecodecs, codec, None)
    with pytest.raises(ImageError, match=words):
        decode_dicom(compressed(dataset(small), [stream], syntax))


@pytest.mark.parametrize("syntax", [*STREAMS, BASELINE])
def test_a_stream_without_an_end_is_refused(syntax):
    values = RNG.integers(0, 256, (64, 64), dtype=np.uint8)
    stream = {**STREAMS, BASELINE: imagecodecs.jpeg8_encode}[syntax](values)
    with pytest.raises(ImageError, match="has no end: it is cut short; export it again"):
        decode_dicom(compressed(dataset(values), [stream[: len(stream) // 2]], syntax))


def test_values_beyond_the_stored_bits_are_refused():
    values = np.full((8, 8), 4000, np.uint16)
    data = compressed(dataset(values, BitsStored=10), [imagecodecs.jpegls_encode(values)], JPEG_LS)
    with pytest.raises(ImageError, match="values beyond the 10 bits of its header"):
        decode_dicom(data)


@pytest.mark.parametrize(
    ("syntax", "words"),
    [
        (
            "1.2.840.10008.1.2.4.201",
            r"High-Throughput JPEG 2000.*is not read; convert it first.*gdcmconv --raw",
        ),
        ("1.2.840.10008.1.2.4.100", "MPEG2.*is not read; convert it first"),
        ("1.2.3.4.5", r"one that the standard does not know\) is not read"),
    ],
)
def test_other_transfer_syntaxes_are_refused_with_a_remedy(syntax, words):
    made = dataset(np.zeros((8, 8), np.uint8))
    with pytest.raises(ImageError, match=words):
        decode_dicom(compressed(made, [b"\0\0"], syntax))


def test_fragments_that_do_not_make_frames_are_refused():
    made = dataset(np.zeros((3, 8, 8), np.uint8))
    with pytest.raises(ImageError, match="its 2 fragments cannot be told apart into 3 frames"):
        decode_dicom(compressed(made, [b"ab", b"cd"], JPEG_LS, table=False))


def test_setting_pixels_with_pydicom_is_read_back():
    values = RNG.integers(-2000, 2000, (10, 12)).astype(np.int16)
    made = dataset(values)
    set_pixel_data(made, values, "MONOCHROME2", 16, generate_instance_uid=False)
    np.testing.assert_array_equal(decode_dicom(written(made)).pixels[..., 0], values)

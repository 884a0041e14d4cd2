"""Every file of the folder of real DICOM: read to a golden value, or refused with a reason and a remedy.

The values come from gdcm's own reader of whole files (a C++ library that shares no line with what striate decodes
with), with rescaling, tables, polarity and padding applied by hand in numpy; JPEG colours from Pillow.
"""

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from made_dicom import dicom_bytes, rewritten

from striate.errors import ImageError, UsageError
from striate.pixels.dicom import count_dicom, decode_dicom, describe_dicom, dicom_text, is_dicom_keyword
from striate.pixels.dicom import door as dicom
from striate.pixels.picture import LookUpTable, Window

# File, shape, dtype, smallest, largest, SHA-256 of the pixels' bytes (its first 16 digits).
GOLDEN = [
    ("CR_xray/RG1_J2KI.dcm", (1955, 1841, 1), "uint16", 6255, 31964, "4158e2c1a5e346fc"),
    ("CR_xray/RG3_J2KI.dcm", (1760, 1760, 1), "uint16", 0, 1023, "1cf6189c5cbf3277"),
    ("CR_xray/RG3_J2KR.dcm", (1760, 1760, 1), "uint16", 0, 1023, "88a4f665c24b2e9a"),
    ("CT/693_J2KI.dcm", (512, 512, 1), "int16", -3995, 1812, "6a10a6ccaedc1a67"),
    ("CT/693_J2KR.dcm", (512, 512, 1), "float32", -1024, 1468, "54ece0124e10f356"),
    ("CT/693_UNCR.dcm", (512, 512, 1), "int16", -1024, 1468, "0a096638bf6ea2a5"),
    ("CT/CT_small.dcm", (128, 128, 1), "float32", -896, 1167, "8d1b7d538208e0d4"),
    ("CT/J2K_pixelrep_mismatch.dcm", (512, 512, 1), "int16", -2000, 1896, "1296350a0006ef69"),
    ("CT/explicit_VR-UN.dcm", (512, 512, 1), "int16", -1024, 1186, "a729f6fe1e757629"),
    ("MR/MR-SIEMENS-DICOM-WithOverlays.dcm", (484, 484, 1), "uint16", 0, 1123, "8c042a175e4a49ca"),
    ("MR/MR2_J2KI.dcm", (1024, 1024, 1), "float32", 6.09999988e-05, 2264.46851, "74eb2d0026e07325"),
    ("MR/MR2_J2KR.dcm", (1024, 1024, 1), "float32", 6.09999988e-05, 2245.5979, "e9871bd0b6f9998b"),
    ("MR/MR_small.dcm", (64, 64, 1), "int16", 127, 2145, "88617aaa46138fb1"),
    ("MR/MR_small_RLE.dcm", (64, 64, 1), "int16", 127, 2145, "88617aaa46138fb1"),
    ("MR/MR_small_bigendian.dcm", (64, 64, 1), "int16", 127, 2145, "88617aaa46138fb1"),
    ("MR/MR_small_implicit.dcm", (64, 64, 1), "int16", 127, 2145, "88617aaa46138fb1"),
    ("MR/emri_small.dcm", (64, 64, 1), "uint16", 0, 425, "c789183acdfdfb1c"),
    ("NM/JPEG2000_UNC.dcm", (1024, 256, 1), "int16", -30, 245, "0b1224a6dcd0dceb"),
    ("OT/SC_rgb.dcm", (100, 100, 3), "uint8", 0, 255, "169e619557b12114"),
    ("OT/SC_rgb_16bit.dcm", (100, 100, 3), "uint16", 0, 65535, "36de0258708d3af7"),
    ("OT/SC_rgb_jpeg_dcmtk.dcm", (100, 100, 3), "uint8", 0, 255, "ddb100d8f45a7fbf"),
    ("OT/SC_rgb_rle.dcm", (100, 100, 3), "uint8", 0, 255, "169e619557b12114"),
    ("OT/image_dfl.dcm", (512, 512, 1), "uint8", 0, 255, "1f5f1b1c1a57606a"),
    ("OT/mlut_18.dcm", (512, 512, 1), "uint16", 0, 65535, "c03504deb7b6ec36"),
    ("OT/vlut_04.dcm", (512, 512, 1), "uint8", 0, 255, "74853be063ef5655"),
    ("US/OBXXXX1A_rle.dcm", (600, 800, 3), "uint16", 0, 65280, "1d7c5b0e13324650"),
    ("US/color-px.dcm", (120, 256, 3), "uint8", 16, 248, "4631a14e915f1a7f"),
    ("US/examples_palette.dcm", (350, 800, 3), "uint16", 0, 65280, "6c168741cfbeaf8a"),
    ("US/examples_rgb_color.dcm", (240, 320, 3), "uint8", 0, 255, "a64f021b9093684b"),
    ("US/examples_ybr_color.dcm", (240, 320, 3), "uint8", 0, 220, "52353e7c7c11b14a"),
    ("needs_codec/JPEG-LL.dcm", (1024, 256, 1), "int16", 0, 278, "a6e9d32143339d3f"),
    ("needs_codec/JPGExtended.dcm", (1024, 256, 1), "uint16", 0, 264, "d30242775a414c01"),
    ("needs_codec/JPGLosslessP14SV1_1s_1f_8b.dcm", (768, 1024, 1), "uint8", 0, 255, "36e27e4f1e87a7d5"),
    ("needs_codec/MR_small_jpeg_ls_lossless.dcm", (64, 64, 1), "int16", 127, 2145, "88617aaa46138fb1"),
    ("needs_codec/bad_sequence.dcm", (512, 512, 1), "int16", -1011, 1243, "64fc7fcabe217727"),
]
REFUSED = {
    "broken_or_no_pixels/MR_truncated.dcm": "cut short: 8,130 bytes of 8,192; export it again",
    "broken_or_no_pixels/badVR.dcm": "its NumberOfFrames is no whole number; export it again",
    "broken_or_no_pixels/meta_missing_tsyntax.dcm": "its Rows is missing; export it again",
    "broken_or_no_pixels/no_meta.dcm": "it is no DICOM file.*export it again",
    "broken_or_no_pixels/reportsi.dcm": "a DICOM file without pixels.*leave it out",
    "broken_or_no_pixels/rtplan.dcm": "a DICOM file without pixels.*leave it out",
}
WINDOWS = {
    "CT/693_UNCR.dcm": Window(40.0, 100.0),
    "CT/J2K_pixelrep_mismatch.dcm": Window(40.0, 100.0),
    "MR/MR-SIEMENS-DICOM-WithOverlays.dcm": Window(450.0, 790.0),
    "needs_codec/bad_sequence.dcm": Window(40.0, 350.0),
    # Turned over within 15 bits: 32767 - 15000, and a step more, because LINEAR is centred half a step low.
    "CR_xray/RG1_J2KI.dcm": Window(17768.0, 30000.0),
    "CT/CT_small.dcm": Window(1024.0, 4096.0),
    "MR/emri_small.dcm": Window(2048.0, 4096.0),
}


@pytest.fixture(scope="session")
def folder() -> Path:
    if "STRIATE_DATA" not in os.environ:
        pytest.skip("STRIATE_DATA names no folder of real images")
    return Path(os.environ["STRIATE_DATA"]) / "dicom"


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "smallest", "largest", "digest"), GOLDEN, ids=[row[0] for row in GOLDEN]
)
def test_real_files(folder, name, shape, dtype, smallest, largest, digest):
    path = folder / name
    picture = decode_dicom(path.read_bytes())
    pixels, described = picture.pixels, picture.description
    assert (pixels.shape, str(pixels.dtype)) == (shape, dtype)
    assert (pixels.min(), pixels.max()) == pytest.approx((smallest, largest), rel=1e-7)
    assert hashlib.sha256(pixels.tobytes()).hexdigest()[:16] == digest
    assert describe_dicom(path) == described
    assert (described.height, described.width, described.channels) == shape
    assert (described.depth, described.format) == (dtype, "DICOM")


@pytest.mark.parametrize("name", REFUSED)
def test_real_files_that_are_refused(folder, name):
    with pytest.raises(ImageError, match=REFUSED[name]):
        decode_dicom((folder / name).read_bytes())


def test_no_file_of_the_folder_is_forgotten(folder):
    here = {path.relative_to(folder).as_posix() for path in folder.rglob("*.dcm")}
    assert here == {row[0] for row in GOLDEN} | set(REFUSED)
    assert len(here) == 41


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_of_real_files(folder, name):
    assert describe_dicom(folder / name).window == WINDOWS[name]


def test_ct_small_is_exact_in_hounsfield_units(folder):
    path = folder / "CT/CT_small.dcm"
    plain = pydicom.dcmread(path)
    raw = plain.pixel_array.astype(int)
    units = raw * int(plain.RescaleSlope) + int(plain.RescaleIntercept)
    units[raw == plain.PixelPaddingValue] = units[raw != plain.PixelPaddingValue].min()
    np.testing.assert_array_equal(decode_dicom(path.read_bytes()).pixels[..., 0], units)


def test_the_voi_table_of_a_real_file(folder):
    item = pydicom.dcmread(folder / "OT/vlut_04.dcm").VOILUTSequence[0]
    table = describe_dicom(folder / "OT/vlut_04.dcm").window
    assert isinstance(table, LookUpTable)
    entries = np.frombuffer(item.LUTData, "<u2") if isinstance(item.LUTData, bytes) else item.LUTData
    assert list(table.entries) == list(entries)
    assert (table.first, table.full) == (item.LUTDescriptor[1], 2 ** item.LUTDescriptor[2] - 1)


@pytest.mark.parametrize("name", ["MR/emri_small.dcm", "US/examples_ybr_color.dcm"])
def test_every_frame_is_an_image(folder, name):
    data = (folder / name).read_bytes()
    plain = pydicom.dcmread(io.BytesIO(data))
    frames = plain.pixel_array
    assert count_dicom(data) == count_dicom(folder / name) == len(frames)
    for index in range(len(frames)):
        pixels = decode_dicom(data, index).pixels
        assert np.abs(pixels.astype(int) - frames[index].reshape(pixels.shape)).max() <= 1
    with pytest.raises(ImageError, match=f"it has no image {len(frames) + 1}; it holds {len(frames)}"):
        decode_dicom(data, len(frames))


def test_a_missing_meta_header_is_guessed(folder):
    whole = (folder / "CT/CT_small.dcm").read_bytes()
    plain = pydicom.dcmread(io.BytesIO(whole))
    start = 132 + 12 + plain.file_meta.FileMetaInformationGroupLength
    expected = decode_dicom(whole).pixels
    np.testing.assert_array_equal(decode_dicom(whole[start:]).pixels, expected)
    implicit = rewritten(plain, "1.2.840.10008.1.2")
    np.testing.assert_array_equal(decode_dicom(implicit).pixels, expected)
    start = 132 + 12 + pydicom.dcmread(io.BytesIO(implicit)).file_meta.FileMetaInformationGroupLength
    np.testing.assert_array_equal(decode_dicom(implicit[start:]).pixels, expected)


def test_frames_of_one_file_are_parsed_once(monkeypatch):
    data = dicom_bytes(np.zeros((5, 4, 6), np.uint16))
    opened = []
    real = dicom.open_dicom
    monkeypatch.setattr(dicom, "open_dicom", lambda *args, **how: opened.append(1) or real(*args, **how))
    for index in range(5):
        decode_dicom(bytes(bytearray(data)), index)
    assert len(opened) == 1


def test_one_tag_for_grouping():
    data = dicom_bytes(np.zeros((4, 6), np.uint8), PatientID="A17", ImageType=["ORIGINAL", "PRIMARY"])
    assert dicom_text(data, "PatientID") == "A17"
    assert dicom_text(data, "ImageType") == "ORIGINAL\\PRIMARY"
    assert dicom_text(data, "AccessionNumber") == ""
    assert is_dicom_keyword("PatientID")
    assert not is_dicom_keyword("patient")
    with pytest.raises(
        UsageError, match=r"'PatientId' is no DICOM keyword; did you mean PatientID\? Allowed"
    ):
        dicom_text(data, "PatientId")


def test_without_the_extra_the_remedy_is_said():
    code = (
        "import sys; sys.modules['pydicom'] = None\n"
        "from striate.pixels.dicom import decode_dicom, is_dicom_keyword\n"
        "from striate.errors import ImageError\n"
        "assert not is_dicom_keyword('PatientID')\n"
        "try: decode_dicom(b'')\n"
        "except ImageError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "it is a DICOM file; reading those needs pydicom: pip install 'striate[dicom]'\n"


def test_importing_the_reader_imports_no_library():
    code = "import sys, striate.pixels.dicom; print(sorted({'pydicom', 'gdcm', 'imagecodecs'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "[]\n"

"""Windows against pydicom's own, on real files and on curves; names and numbers against their texts."""

import os
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_dicom import dataset
from pydicom.pixels import apply_modality_lut, apply_voi, apply_windowing

from striate.errors import UsageError
from striate.pixels.dicom.door import decode_dicom
from striate.pixels.picture import LookUpTable, Window
from striate.pixels.windowing import NAMED_WINDOWS, apply_window, full_window, parse_window, window_name

FUNCTIONS = {"linear": "LINEAR", "linear_exact": "LINEAR_EXACT", "sigmoid": "SIGMOID"}


@pytest.fixture(scope="session")
def folder() -> Path:
    if "STRIATE_DATA" not in os.environ:
        pytest.skip("STRIATE_DATA names no folder of real images")
    return Path(os.environ["STRIATE_DATA"]) / "dicom"


def scaled(theirs: np.ndarray, low: float, high: float) -> np.ndarray:
    """pydicom's result, which spans the range of the stored bits, as 0..65535."""
    return (theirs - low) / (high - low) * 65535


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("CT/693_UNCR.dcm", -8192 - 1024, 8191 - 1024),
        ("CT/J2K_pixelrep_mismatch.dcm", -4096, 4095),
        ("MR/MR_small.dcm", -32768, 32767),
        ("MR/MR-SIEMENS-DICOM-WithOverlays.dcm", 0, 4095),
        ("needs_codec/bad_sequence.dcm", -1024, 4095 - 1024),
        ("MR/MR2_J2KR.dcm", 0.000061, 4095 * 3.774114 + 0.000061),
        ("needs_codec/JPGLosslessP14SV1_1s_1f_8b.dcm", 0, 255),
    ],
)
def test_the_file_s_own_window_is_pydicom_s(folder, name, low, high):
    picture = decode_dicom((folder / name).read_bytes())
    file = pydicom.dcmread(folder / name)
    measured = apply_modality_lut(file.pixel_array, file)
    if "PixelPaddingValue" in file:
        measured[file.pixel_array == file.PixelPaddingValue] = picture.pixels.min()
    theirs = scaled(apply_windowing(measured, file), low, high)
    ours = apply_window(picture.pixels, picture.description.window)
    assert np.abs(ours[..., 0] - theirs).max() <= 0.51
    assert np.ptp(ours) > 0


def test_the_x_rays_are_windowed_the_right_way_round(folder):
    picture = decode_dicom((folder / "CR_xray/RG1_J2KI.dcm").read_bytes())
    file = pydicom.dcmread(folder / "CR_xray/RG1_J2KI.dcm")
    # pydicom leaves MONOCHROME1 as it is: the window comes first there, the inversion last.
    theirs = 65535 - scaled(apply_windowing(file.pixel_array, file), 0, 32767)
    ours = apply_window(picture.pixels, picture.description.window)
    assert np.abs(ours[..., 0] - theirs).max() <= 0.51


def test_the_table_of_a_real_file_is_pydicom_s(folder):
    picture = decode_dicom((folder / "OT/vlut_04.dcm").read_bytes())
    file = pydicom.dcmread(folder / "OT/vlut_04.dcm")
    theirs = apply_voi(file.pixel_array, file)
    np.testing.assert_array_equal(apply_window(picture.pixels, picture.description.window)[..., 0], theirs)


@given(
    st.integers(-3000, 3000),
    st.integers(2, 6000),
    st.sampled_from(["linear", "linear_exact", "sigmoid"]),
    st.sampled_from([np.int16, np.float32]),
)
def test_every_curve_is_pydicom_s(centre, width, function, dtype):
    values = np.arange(-2048, 2048, 7, dtype=np.int16).reshape(1, -1)
    file = dataset(values, WindowCenter=centre, WindowWidth=width, VOILUTFunction=FUNCTIONS[function])
    with np.errstate(over="ignore"):
        theirs = scaled(apply_windowing(values, file), -32768, 32767)
    ours = apply_window(values.astype(dtype), Window(float(centre), float(width), function))
    assert np.abs(ours - theirs).max() <= 0.51


@pytest.mark.parametrize("function", ["linear", "linear_exact", "sigmoid"])
@pytest.mark.filterwarnings("error")
def test_narrow_and_far_windows_stay_within_the_scale(function):
    values = np.array([-3e38, -1.0, 0.0, 0.4, 1.0, 3e38], np.float32)
    result = apply_window(values, Window(0.5, 1.0, function))
    assert result[0] == 0
    assert result[-1] == 65535
    assert (np.diff(result.astype(int)) >= 0).all()


def test_a_window_of_all_values_keeps_each_apart():
    every = np.arange(65536, dtype=np.uint16)
    np.testing.assert_array_equal(apply_window(every, full_window(0.0, 65535.0)), every)
    bytes_ = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(apply_window(bytes_, full_window(0.0, 255.0)), bytes_ * np.uint16(257))


def test_a_table_goes_on_flat():
    table = LookUpTable(-1, (0, 5, 10), 10)
    values = np.array([-9, -1, 0, 1, 9], np.int16)
    assert apply_window(values, table).tolist() == [0, 0, 32768, 65535, 65535]


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("lung", Window(-600.0, 1500.0)),
        ("Soft Tissue", Window(60.0, 400.0)),
        (" 40 / 80 ", Window(40.0, 80.0)),
        ("−600/1500", Window(-600.0, 1500.0)),
        ("0.5/1.25", Window(0.5, 1.25)),
        ("1e3/2e3", Window(1000.0, 2000.0)),
    ],
)
def test_texts_of_windows(text, window):
    assert parse_window(text) == window
    assert parse_window(window_name(window)) == window


@pytest.mark.parametrize("window", NAMED_WINDOWS.values())
def test_names_are_windows_that_can_be_written(window):
    assert parse_window(window_name(window)) == window


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "lnug",
            r"the window 'lnug' is neither a name nor centre/width.*did you mean lung\? Allowed: lung, bone",
        ),
        ("600", "neither a name nor centre/width such as -600/1500"),
        ("40/0", "has no width to show; give a width of 1 or more"),
        ("40/-3", "has no width to show"),
        ("1e999/5", "has no width to show"),
        ("nan/5", "neither a name"),
        ("", "neither a name"),
    ],
)
def test_windows_that_are_none(text, words):
    with pytest.raises(UsageError, match=words):
        parse_window(text)

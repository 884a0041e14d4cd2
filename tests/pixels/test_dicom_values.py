"""Rescaling, tables, polarity, padding and views, against values written by hand."""

import numpy as np
import pytest
from made_dicom import dataset, dicom_bytes, written
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, apply_windowing

from striate.errors import ImageError
from striate.pixels.dicom import decode_dicom, describe_dicom
from striate.pixels.picture import LookUpTable, Window
from striate.pixels.windowing import apply_window

RAMP = np.array([[0, 1, 2], [3, 4, 5]], np.uint16)


def pixels(values: np.ndarray, image: int = 0, **tags) -> np.ndarray:
    """The pixels of one channel of a file made of these values and tags; header and pixels must agree."""
    data = dicom_bytes(values, **tags)
    picture = decode_dicom(data, image)
    assert describe_dicom(data, image) == picture.description
    assert str(picture.pixels.dtype) == picture.description.depth
    return picture.pixels[..., 0]


def table(first: int, entries: list[int], bits: int = 16, *, data_as_bytes: bool = False) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries), first, bits])
    if data_as_bytes:
        item.add_new("LUTData", "OW", np.array(entries, "<u2").tobytes())
    else:
        item.add_new("LUTData", "US", entries)
    return item


@pytest.mark.parametrize(
    ("dtype", "tags", "expected"),
    [
        ("u2", {}, "uint16"),
        ("u2", {"BitsStored": 12}, "uint16"),
        ("u2", {"BitsStored": 8}, "uint8"),
        ("u1", {}, "uint8"),
        ("i1", {}, "int16"),
        ("i2", {}, "int16"),
        ("u4", {}, "float32"),
        ("u2", {"RescaleSlope": 1, "RescaleIntercept": 0}, "uint16"),
        ("u2", {"RescaleSlope": 1, "RescaleIntercept": 0, "BitsStored": 12, "RescaleType": "HU"}, "int16"),
        ("u2", {"RescaleIntercept": -1024, "BitsStored": 12}, "int16"),
        ("u2", {"RescaleIntercept": -1024}, "float32"),
        ("u2", {"RescaleSlope": 0.5, "BitsStored": 12}, "float32"),
        ("i2", {"RescaleSlope": 2}, "float32"),
        ("u1", {"RescaleSlope": -100, "RescaleIntercept": 5}, "int16"),
    ],
)
def test_the_depth_is_the_header_s(dtype, tags, expected):
    for values in (np.zeros((2, 3), dtype), np.full((2, 3), 100, dtype)):
        found = pixels(values, **tags)
        assert found.dtype == expected
        slope, intercept = tags.get("RescaleSlope", 1), tags.get("RescaleIntercept", 0)
        np.testing.assert_array_equal(found, values.astype(float) * slope + intercept)


def test_a_slope_without_intercept_is_applied():
    assert pixels(RAMP, BitsStored=8, RescaleSlope=3).tolist() == [[0, 3, 6], [9, 12, 15]]


def test_a_slope_of_zero_is_refused():
    with pytest.raises(ImageError, match="RescaleSlope is 0, which leaves nothing"):
        pixels(RAMP, RescaleSlope=0)


@pytest.mark.parametrize("shape", [None, "IDENTITY", "INVERSE"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_large_is_bright(photometric, shape):
    tags = {} if shape is None else {"PresentationLUTShape": shape}
    found = pixels(RAMP, BitsStored=10, PhotometricInterpretation=photometric, **tags)
    turned = photometric == "MONOCHROME1" or shape == "INVERSE"
    np.testing.assert_array_equal(found, 1023 - RAMP if turned else RAMP)


def test_rescaled_values_are_turned_over_in_their_own_range():
    tags = {
        "PhotometricInterpretation": "MONOCHROME1",
        "RescaleSlope": 2,
        "RescaleIntercept": 10,
        "BitsStored": 8,
    }
    assert pixels(RAMP, **tags).tolist() == [[520, 518, 516], [514, 512, 510]]
    signed = np.array([[-8, 0, 7]], np.int16)
    assert pixels(signed, PhotometricInterpretation="MONOCHROME1", BitsStored=4).tolist() == [[7, -1, -8]]


@pytest.mark.parametrize("said", [{"RescaleType": "HU"}, {"Modality": "CT"}])
def test_hounsfield_units_are_never_turned_over(said):
    tags = {"PhotometricInterpretation": "MONOCHROME1", "RescaleIntercept": -1024, "BitsStored": 12, **said}
    assert pixels(RAMP, **tags).tolist() == (RAMP.astype(int) - 1024).tolist()


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"PixelPaddingValue": 0}, [1, 1, 2, 3, 4, 5]),
        ({"PixelPaddingValue": 5, "PixelPaddingRangeLimit": 4}, [0, 1, 2, 3, 0, 0]),
        ({"PixelPaddingValue": 5, "RescaleSlope": -1, "BitsStored": 8}, [0, -1, -2, -3, -4, -4]),
        (
            {"PixelPaddingValue": 5, "PhotometricInterpretation": "MONOCHROME1", "BitsStored": 3},
            [7, 6, 5, 4, 3, 3],
        ),
        ({"PixelPaddingValue": 77}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_padding_takes_the_darkest_measured_value(tags, expected):
    assert pixels(RAMP, **tags).ravel().tolist() == expected


def test_padding_of_signed_values_however_it_was_written():
    values = np.array([[-2000, 7, 9]], np.int16)
    for padding, kind in ((-2000, "SS"), (63536, "US")):
        made = dataset(values)
        made.add_new("PixelPaddingValue", kind, padding)
        assert decode_dicom(written(made)).pixels.ravel().tolist() == [7, 7, 9]


def test_a_frame_of_padding_alone_is_refused():
    with pytest.raises(ImageError, match="all of its pixels are padding"):
        pixels(np.zeros((2, 3), np.uint8), PixelPaddingValue=0)


@pytest.mark.parametrize("data_as_bytes", [False, True])
def test_a_modality_table(data_as_bytes):
    lut = table(1, [10, 20, 400], 9, data_as_bytes=data_as_bytes)
    found = pixels(RAMP, ModalityLUTSequence=[lut])
    assert found.dtype == np.uint16
    assert found.tolist() == [[10, 10, 20], [400, 400, 400]]
    turned = pixels(RAMP, ModalityLUTSequence=[lut], PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(turned, 511 - found)
    signed = pixels(np.array([[-3, -2, -1]], np.int16), ModalityLUTSequence=[table(-2, [7, 9], 8)])
    assert (signed.dtype, signed.tolist()) == (np.uint8, [[7, 7, 9]])


def test_functional_groups_go_frame_by_frame():
    frames = np.stack([RAMP.T, RAMP.T]).astype(np.uint8)
    first, second, shared = Dataset(), Dataset(), Dataset()
    for item, slope in ((shared, 3), (second, 7)):
        transformation = Dataset()
        transformation.RescaleSlope, transformation.RescaleIntercept = slope, -1
        item.PixelValueTransformationSequence = [transformation]
    view = Dataset()
    view.WindowCenter, view.WindowWidth = 11, 22
    first.FrameVOILUTSequence = [view]
    tags = {"PerFrameFunctionalGroupsSequence": [first, second], "SharedFunctionalGroupsSequence": [shared]}
    np.testing.assert_array_equal(pixels(frames, 0, **tags), RAMP.T.astype(int) * 3 - 1)
    np.testing.assert_array_equal(pixels(frames, 1, **tags), RAMP.T.astype(int) * 7 - 1)
    data = dicom_bytes(frames, **tags)
    assert describe_dicom(data, 0).window == Window(11.0, 22.0)
    assert describe_dicom(data, 1).window == Window((255 * 7 - 2 + 1) / 2, 255 * 7 + 1.0)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("rescaling", [{}, {"RescaleSlope": 2, "RescaleIntercept": -100}])
def test_a_view_is_turned_over_with_its_pixels(function, rescaling):
    values = np.arange(256, dtype=np.uint8).reshape(1, -1)
    tags = {"WindowCenter": [90, 1], "WindowWidth": [41, 1], "VOILUTFunction": function, **rescaling}
    plain = dataset(values, **tags)
    slope, intercept = rescaling.get("RescaleSlope", 1), rescaling.get("RescaleIntercept", 0)
    theirs = apply_windowing(values.astype(int) * slope + intercept, plain)
    theirs = 1 - (theirs - intercept) / (255 * slope)
    picture = decode_dicom(dicom_bytes(values, PhotometricInterpretation="MONOCHROME1", **tags))
    ours = apply_window(picture.pixels, picture.description.window)[..., 0]
    assert np.abs(ours - theirs * 65535).max() <= 0.51


def test_a_voi_table_is_turned_over_with_its_pixels():
    values = np.arange(16, dtype=np.uint8).reshape(1, -1)
    lut = table(4, [0, 30, 90, 255], 8)
    plain = decode_dicom(dicom_bytes(values, VOILUTSequence=[lut]))
    assert plain.description.window == LookUpTable(4, (0, 30, 90, 255), 255)
    turned = decode_dicom(dicom_bytes(values, VOILUTSequence=[lut], PhotometricInterpretation="MONOCHROME1"))
    assert turned.description.window == LookUpTable(248, (0, 165, 225, 255), 255)
    seen = [
        apply_window(picture.pixels, picture.description.window).astype(int) for picture in (plain, turned)
    ]
    np.testing.assert_array_equal(seen[1], 65535 - seen[0])


@pytest.mark.parametrize(
    ("tags", "window"),
    [
        ({}, Window(32768.0, 65536.0)),
        ({"BitsStored": 12}, Window(2048.0, 4096.0)),
        ({"BitsStored": 12, "RescaleSlope": 2, "RescaleIntercept": -5}, Window(4090.5, 8191.0)),
        ({"BitsStored": 12, "RescaleIntercept": -1024, "RescaleType": "HU"}, Window(1024.0, 4096.0)),
        ({"WindowCenter": 5, "WindowWidth": 0, "BitsStored": 12}, Window(2048.0, 4096.0)),
        ({"WindowCenter": 5, "WindowWidth": 0.5, "VOILUTFunction": "SIGMOID"}, Window(5.0, 0.5, "sigmoid")),
    ],
)
def test_the_view_of_a_file(tags, window):
    assert describe_dicom(dicom_bytes(RAMP, **tags)).window == window


@pytest.mark.parametrize("double", [False, True])
def test_floating_point_pixels(double):
    values = np.array([[0.5, -3.25, 1e6]], np.float64 if double else np.float32)
    made = dataset(np.zeros((1, 3), np.uint16))
    del made.PixelData
    made.BitsAllocated = 64 if double else 32
    del made.BitsStored, made.HighBit, made.PixelRepresentation
    keyword = "DoubleFloatPixelData" if double else "FloatPixelData"
    setattr(made, keyword, values.tobytes())
    picture = decode_dicom(written(made))
    assert (picture.pixels.dtype, picture.description.bits) == (np.float32, 64 if double else 32)
    assert picture.pixels.ravel().tolist() == values.ravel().tolist()
    setattr(made, keyword, np.full_like(values, np.nan).tobytes())
    with pytest.raises(ImageError, match="values that are not finite"):
        decode_dicom(written(made))


def palette(bits: int, *, segmented: bool) -> Dataset:
    """Six entries a colour from index 1; in segments: two steps, a ramp of two, the steps once more."""
    top = 255 if bits == 8 else 65535
    made = dataset(RAMP.astype(np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for index, colour in enumerate(("Red", "Green", "Blue")):
        entries = [index, top - index, top - index - 10, top - index - 20, index, top - index]
        made.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [6, 1, bits])
        if segmented:
            words = [0, 2, index, top - index, 1, 2, top - index - 20, 2, 1, 0, 0]
            made.add_new(
                f"Segmented{colour}PaletteColorLookupTableData", "OW", np.array(words, "<u2").tobytes()
            )
        else:
            made.add_new(f"{colour}PaletteColorLookupTableData", "OW", np.array(entries, "<u2").tobytes())
    return made


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("segmented", [False, True])
def test_palettes_are_pydicom_s(bits, segmented):
    found = decode_dicom(written(palette(bits, segmented=segmented))).pixels
    assert found.dtype == (np.uint8 if bits == 8 else np.uint16)
    theirs = apply_color_lut(RAMP.astype(np.uint8), palette(16, segmented=False))
    if bits == 16:
        np.testing.assert_array_equal(found, theirs)
    top = 255 if bits == 8 else 65535
    assert found[..., 2].ravel().tolist() == [2, 2, top - 2, top - 12, top - 22, 2]


@pytest.mark.parametrize(
    "words", [[1, 2, 5], [0, 0], [2, 1, 0, 0], [0, 2, 1, 2, 2, 9, 6, 0], [7, 1, 1], [0, 1, 3]]
)
def test_damaged_segments_are_refused(words):
    made = palette(16, segmented=True)
    made.SegmentedGreenPaletteColorLookupTableData = np.array(words, "<u2").tobytes()
    with pytest.raises(ImageError, match=r"look-up table|damaged"):
        decode_dicom(written(made))

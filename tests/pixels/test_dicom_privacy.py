"""Nothing of a patient comes out: canaries in thirty tags and a private one, in files valid and damaged."""

import io
import logging
import random
import struct
import traceback
import warnings
from contextlib import suppress

import numpy as np
import pydicom
import pytest
from made_dicom import dataset, written

from striate.errors import ImageError
from striate.pixels.dicom import count_dicom, decode_dicom, describe_dicom, dicom_text

CANARY = "CANARY"
PLANTED = {
    "PatientName": "CANARY^NAME",
    "PatientID": "CANARY01",
    "IssuerOfPatientID": "CANARY02",
    "OtherPatientIDs": "CANARY03",
    "PatientAddress": "CANARY04",
    "PatientMotherBirthName": "CANARY^MOTHER",
    "PatientTelephoneNumbers": "CANARY05",
    "PatientComments": "CANARY06",
    "PatientBirthDate": "CANARY07",
    "PatientAge": "CANARY08",
    "AccessionNumber": "CANARY09",
    "InstitutionName": "CANARY10",
    "InstitutionAddress": "CANARY11",
    "ReferringPhysicianName": "CANARY^PHYSICIAN",
    "PerformingPhysicianName": "CANARY^PERFORMER",
    "OperatorsName": "CANARY^OPERATOR",
    "StudyDescription": "CANARY12",
    "StudyID": "CANARY13",
    "StationName": "CANARY14",
    "ImageComments": "CANARY15",
    "StudyInstanceUID": "CANARY16",
    "RequestedProcedureDescription": "CANARY17",
    "PhotometricInterpretation": "CANARY18",
    "WindowCenter": "CANARY19",
    "PixelPaddingValue": "CANARY20",
    "RescaleSlope": "CANARY21",
    "NumberOfFrames": "CANARY22",
    "VOILUTFunction": "CANARY23",
    "RescaleType": "CANARY24",
    "PresentationLUTShape": "CANARY25",
}
DECIDING = 22


def canary_file(**wrong: str) -> bytes:
    """A valid file with canaries in every harmless tag and a private one, and in the deciding tags named."""
    values = np.arange(48, dtype=np.uint16).reshape(6, 8)
    harmless = dict(list(PLANTED.items())[:DECIDING])
    made = dataset(values, **harmless)
    block = made.private_block(0x0009, "CANARY_CREATOR", create=True)
    block.add_new(1, "LO", "CANARY_PRIVATE")
    data = bytearray(written(made))
    plain = bytes(data)
    for keyword, value in wrong.items():
        plain = with_raw_tag(plain, keyword, value)
    return plain


def with_raw_tag(data: bytes, keyword: str, value: str) -> bytes:
    """The file with one more or another element, whatever its value: built without the library's checks."""
    tag = pydicom.datadict.tag_for_keyword(keyword)
    kind = pydicom.datadict.dictionary_VR(keyword)[:2].encode()
    text = value.encode() + b" " * (len(value) % 2)
    element = struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, kind, len(text)) + text
    file = pydicom.dcmread(io.BytesIO(data))
    if keyword in file:
        raw = file.get_item(tag)
        start = raw.value_tell - 8
        return data[:start] + element + data[raw.value_tell + raw.length :]
    later = [
        item.value_tell - 12 if item.VR in ("OB", "OW", "SQ", "UN", "UT") else item.value_tell - 8
        for item in map(file.get_item, sorted(file.keys()))
        if item.tag > tag
    ]
    return data[: later[0]] + element + data[later[0] :]


def damages(data: bytes) -> list[bytes]:
    """Many ways in which a file of canaries comes to harm."""
    rng = random.Random(0)
    found = [data[:length] for length in range(0, len(data), 23)]
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(rng.randint(1, 6)):
            broken[rng.randrange(132, len(broken))] = rng.randrange(256)
        found.append(bytes(broken))
    for kind in (b"LO", b"PN", b"CS", b"US", b"DS", b"IS"):
        found += [data.replace(kind, other) for other in (b"SQ", b"US", b"??", b"DS", b"IS", b"OB", b"UN")]
    return found


CASES = [canary_file(), *(canary_file(**{name: PLANTED[name]}) for name in list(PLANTED)[DECIDING:])]


def everything_said(data: bytes, capture: pytest.LogCaptureFixture) -> str:
    """All the text that reading a file brings about: errors with their chains, warnings, logs, names of objects."""
    said = io.StringIO()
    for read in (decode_dicom, describe_dicom, count_dicom):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = read(data)
                said.write(repr(result) + str(result))
            except ImageError as error:
                said.write("".join(traceback.format_exception(error)))
                said.write("a chain of errors, " + CANARY if error.__cause__ or error.__context__ else "")
        said.write("".join(str(warning.message) for warning in caught))
    return said.getvalue() + capture.text


@pytest.mark.parametrize("case", range(len(CASES)), ids=["harmless tags", *list(PLANTED)[DECIDING:]])
def test_no_canary_comes_out(case, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    for data in [CASES[case], *damages(CASES[case])[case % 4 :: 2 if case == 0 else 7]]:
        assert CANARY not in everything_said(data, caplog)
        caplog.clear()
    out, err = capfd.readouterr()
    assert CANARY not in out + err


def test_the_canaries_are_really_there():
    for data in CASES:
        assert data.count(b"CANARY") >= DECIDING + 2
    assert dicom_text(CASES[0], "PatientID") == "CANARY01"
    assert decode_dicom(CASES[0]).pixels.ravel().tolist() == list(range(48))


def test_warnings_of_others_are_left_alone(caplog):
    decode_dicom(CASES[0])
    file = pydicom.dcmread(io.BytesIO(with_raw_tag(CASES[0], "NumberOfFrames", "1A")))
    with pytest.warns(UserWarning, match="Invalid value for VR IS: '1A'"), suppress(ValueError):
        file.NumberOfFrames  # noqa: B018
    assert "Invalid value" in caplog.text

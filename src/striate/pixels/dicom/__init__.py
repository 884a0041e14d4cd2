"""DICOM, from the bytes of a file to values with their polarity right; nothing of the patient comes along."""

from striate.pixels.dicom.door import (
    count_dicom,
    decode_dicom,
    describe_dicom,
    dicom_text,
    is_dicom_keyword,
)

__all__ = ["count_dicom", "decode_dicom", "describe_dicom", "dicom_text", "is_dicom_keyword"]

"""DICOM files made for tests, by pydicom or byte by byte."""

import io
import zlib
from typing import Any

import numpy as np
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

IMPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"


def dataset(values: np.ndarray, **tags: Any) -> Dataset:
    """A data set around these stored values: `row column`, `frame row column`, or with three samples last."""
    with disable_value_validation():
        return _dataset(values, tags)


def _dataset(values: np.ndarray, tags: dict[str, Any]) -> Dataset:
    made = Dataset()
    colour = values.ndim >= 3 and values.shape[-1] == 3
    shape = values.shape[:-1] if colour else values.shape
    made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    made.Modality = "OT"
    if len(shape) == 3:
        made.NumberOfFrames = shape[0]
    made.Rows, made.Columns = shape[-2:]
    made.SamplesPerPixel = 3 if colour else 1
    made.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        made.PlanarConfiguration = 0
    made.BitsAllocated = made.BitsStored = 8 * values.dtype.itemsize
    made.PixelRepresentation = int(values.dtype.kind == "i")
    made.PixelData = values.tobytes() + b"\0" * (values.nbytes % 2)
    made["PixelData"].VR = "OW" if values.dtype.itemsize > 1 else "OB"
    for keyword, value in tags.items():
        setattr(made, keyword, value)
    made.HighBit = tags.get("HighBit", made.BitsStored - 1)
    return made


def written(made: Dataset, syntax: str = EXPLICIT) -> bytes:
    """The file of a data set, as pydicom writes it."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = made.SOPClassUID, made.SOPInstanceUID
    form = {"is_implicit_VR": syntax == IMPLICIT, "is_little_endian": syntax != BIG}
    file = FileDataset("", made, file_meta=meta, preamble=bytes(128), **form)
    stream = io.BytesIO()
    with disable_value_validation():
        file.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def rewritten(made: Dataset, syntax: str) -> bytes:
    """The same data set in another native transfer syntax."""
    fresh = Dataset()
    for element in made:
        fresh.add(element)
    return written(fresh, syntax)


def dicom_bytes(values: np.ndarray, *, syntax: str = EXPLICIT, **tags: Any) -> bytes:
    """A DICOM file around these stored values."""
    return written(dataset(values, **tags), syntax)


def compressed(made: Dataset, frames: list[bytes], syntax: str, *, table: bool = True) -> bytes:
    """A file whose frames are these streams, one fragment each."""
    made.PixelData = encapsulate(frames, has_bot=table)
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return written(made, syntax)


def deflated(header: bytes, inflated: bytes) -> bytes:
    """A deflated file: the meta header of a written one, and any data set, packed."""
    start = 132 + 12 + int.from_bytes(header[140:144], "little")
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return header[:start] + engine.compress(inflated) + engine.flush()

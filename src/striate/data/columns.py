"""One text an image, to tell subgroups apart by: a column of the table, a DICOM attribute, or what decoding told."""

import numpy as np

from striate.data.groups import tag_values
from striate.data.images import Images
from striate.data.packing.pack import Pack
from striate.data.pseudonyms import pseudonyms
from striate.errors import SourceError, suggestion

FACTS = ("mode", "size", "format", "depth")
"""What decoding told of every picture: "RGB", "640×480", "JPEG", "uint8"."""
NAMELESS = (
    "BodyPartExamined",
    "Manufacturer",
    "ManufacturerModelName",
    "Modality",
    "PatientSex",
    "PhotometricInterpretation",
    "ViewPosition",
)
"""DICOM attributes that are shown as they are; the values of others are keyed digests, for they may name a person."""


def values_of(images: Images, pack: Pack, column: str) -> list[str]:
    """The value of every image under a name, '' where there is none.

    A column of the source's table comes first, then `group`, then the facts of decoding, then DICOM attributes. Raises
    SourceError for a name that is none of them, and for columns of pictures that are called by pseudonyms.
    """
    source = images.source
    if column in source.columns:
        return np.array(source.column(column), dtype=object)[images.rows].tolist()
    if column == "group" and images.groups is not None:
        return images.groups.tolist()
    if column in FACTS:
        return _fact(images, pack, column)
    from striate.pixels.dicom import is_dicom_keyword

    if is_dicom_keyword(column) and not images.pseudonymous:
        values = tag_values(source, column, f"--subgroups {column}")
        values = values if column in NAMELESS else pseudonyms(values, kind="group")
        return np.array(values, dtype=object)[images.rows].tolist()
    hidden = " (columns of its table are not shown under --pseudonyms)" if images.pseudonymous else ""
    grouped = ("group",) if images.groups is not None else ()
    known = [*source.columns, *FACTS, *grouped]
    raise SourceError(
        f"--subgroups {column}: there is no such column for {source.location}{hidden}; {suggestion(column, known)}"
    )


def _fact(images: Images, pack: Pack, column: str) -> list[str]:
    facts = pack.facts[images.rows]
    if column != "size":
        return [str(value) for value in facts[column].tolist()]
    sides = zip(facts["width"].tolist(), facts["height"].tolist(), strict=True)
    return [f"{width}×{height}" for width, height in sides]

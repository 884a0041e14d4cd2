"""Which kind of picture a file is: told by its content, and what its name's ending promises.

The allow-list of striate: what is not here is not read.
"""

import os

ENDINGS: dict[str, str] = {
    ".png": "PNG",
    ".apng": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".dib": "BMP",
    ".gif": "GIF",
    ".ppm": "PPM",
    ".pgm": "PPM",
    ".pbm": "PPM",
    ".pnm": "PPM",
    ".jp2": "JPEG2000",
    ".j2k": "JPEG2000",
    ".jpf": "JPEG2000",
    ".jpx": "JPEG2000",
    ".npy": "NPY",
    ".dcm": "DICOM",
    ".dicom": "DICOM",
    ".ima": "DICOM",
}
"""The format that belongs to each ending of a name."""

SUFFIXES = frozenset(ENDINGS)
SEVERAL = frozenset({".tif", ".tiff", ".dcm", ".dicom", ".ima"})
"""Endings of files that may hold several images."""

HEAD_BYTES = 512
"""How much of a file `sniff` needs."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0\x08\0\0\0", "TIFF"),
    (b"MM\0+\0\x08\0\0", "TIFF"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\x93NUMPY", "NPY"),
)
# DICOM PS3.5, section 6.2: the two letters of an explicit value representation.
_REPRESENTATIONS = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV".split()
)


def sniff(head: bytes) -> str | None:
    """The format of a file by its first 512 bytes, or None for what is no picture that is read here.

    >>> sniff(b"GIF89a" + bytes(20)), sniff(bytes(128) + b"DICM"), sniff(b"hello")
    ('GIF', 'DICOM', None)

    A DICOM data set without preamble is known by its first element, of group 0002 or 0008.
    """
    if head[128:132] == b"DICM":
        return "DICOM"
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:1] == b"P" and head[1:2].isdigit() and head[1:2] in b"123456" and head[2:3] in b" \t\r\n\v\f#":
        return "PPM" if len(head) > 2 else None
    if _is_bare_dicom(head):
        return "DICOM"
    # Two letters are little proof: the size of a known header must follow.
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124):
        return "BMP"
    return None


def mismatch(name: str, content: str) -> bool:
    """Whether a name's ending belongs to another format than `content`, the one that was sniffed.

    >>> mismatch("cell.jpg", "PNG"), mismatch("cell.jpe", "JPEG"), mismatch("IM000001", "DICOM")
    (True, False, False)
    """
    promised = ENDINGS.get(os.path.splitext(name)[1].lower())
    return promised is not None and promised != content


def _is_bare_dicom(head: bytes) -> bool:
    if len(head) < 8 or head[:2] not in (b"\x02\0", b"\x08\0", b"\0\x02", b"\0\x08"):
        return False
    order = "little" if head[1] == 0 else "big"
    element = int.from_bytes(head[2:4], order)
    if head[4:6] in _REPRESENTATIONS:
        return element < 0x3000
    # Implicit: the four bytes are a length, even and short for what stands first.
    length = int.from_bytes(head[4:8], order)
    return element < 0x0100 and 0 < length <= 128 and length % 2 == 0

"""Which bytes of compressed pixel data belong to which frame."""

import struct

from striate.errors import ImageError
from striate.pixels.dicom.file import DicomFile, Span

_ITEM, _END = 0xFFFEE000, 0xFFFEE0DD
_STARTS = (b"\xff\xd8", b"\xff\x4f")


def frame_bytes(file: DicomFile, frames: int, frame: int) -> bytes:
    """The fragments of one frame, joined (PS3.5, section A.4); found once for all frames of a file.

    Raises ImageError for pixel data without an end, and for fragments that cannot be told apart into frames.
    """
    if not file.spans:
        offsets, fragments = _fragments(file)
        file.spans.extend(_grouped(file, frames, offsets, fragments))
    return b"".join(bytes(file.body[start:stop]) for start, stop in file.spans[frame])


def _fragments(file: DicomFile) -> tuple[list[int], list[Span]]:
    """The basic offset table, and where each fragment stands; offsets count from the first fragment."""
    body, at, spans = file.body, 0, []
    while True:
        if at + 8 > len(body):
            if not file.undefined_length and at == len(body):
                break
            raise ImageError("its compressed pixel data have no end: it is cut short; export it again")
        group, element, length = struct.unpack_from("<HHL", body, at)
        tag = group << 16 | element
        if tag == _END:
            break
        if tag != _ITEM or at + 8 + length > len(body):
            raise ImageError("its compressed pixel data are cut short or damaged between two fragments")
        spans.append((at + 8, at + 8 + length))
        at += 8 + length
    if len(spans) < 2:
        raise ImageError("its compressed pixel data hold no frame")
    start, stop = spans[0]
    count = (stop - start) // 4
    return list(struct.unpack_from(f"<{count}L", body, start)), spans[1:]


def _grouped(file: DicomFile, frames: int, offsets: list[int], fragments: list[Span]) -> list[list[Span]]:
    """The fragments of every frame: by the offset tables, one each, or by the mark that begins a stream."""
    if frames == 1:
        return [fragments]
    first = fragments[0][0] - 8
    starts = [start - 8 - first for start, _ in fragments]
    for table in (_extended_offsets(file), offsets):
        if len(table) == frames and table[0] == 0 and table == sorted(set(table) & set(starts)):
            return _cut(fragments, [starts.index(offset) for offset in table])
    if len(fragments) == frames:
        return [[span] for span in fragments]
    marks = [i for i, (start, _) in enumerate(fragments) if bytes(file.body[start : start + 2]) in _STARTS]
    if len(marks) != frames or marks[0] != 0:
        raise ImageError(f"its {len(fragments)} fragments cannot be told apart into {frames} frames")
    return _cut(fragments, marks)


def _extended_offsets(file: DicomFile) -> list[int]:
    value = file.dataset.get("ExtendedOffsetTable")
    if not isinstance(value, bytes):
        return []
    return list(struct.unpack_from(f"<{len(value) // 8}Q", value))


def _cut(fragments: list[Span], firsts: list[int]) -> list[list[Span]]:
    return [fragments[a:b] for a, b in zip(firsts, [*firsts[1:], len(fragments)], strict=True)]

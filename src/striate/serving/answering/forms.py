"""The files in a multipart form that has come whole, by python-multipart's parser without its temporary files."""

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

MOST_FIELDS = 16
LONGEST_HEADERS = 4096


class TooMany(Exception):
    """More files, fields or headers than are allowed."""


@dataclass
class _Part:
    """One part while it is read."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: bytes = b""
    value: bytes = b""
    size: int = 0
    data: list[bytes] = field(default_factory=list)


class Form:
    """What a form holds: `files`, each with the name it gives itself, or None."""

    def __init__(self, boundary: bytes, most: int) -> None:
        self.files: list[tuple[str | None, bytes]] = []
        self._most, self._fields = most, 0
        self._part = _Part()
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._whole,
            },
        )

    def read(self, body: bytes) -> None:
        """Take the form in; FormParserError where it is none, TooMany where it holds more than is allowed."""
        self._parser.write(body)
        self._parser.finalize()
        if not self._ended:
            raise FormParserError("it ends before its last part does")

    def _begin(self) -> None:
        self._part = _Part()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._part.name += data[start:end]
        self._count(end - start)

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.value += data[start:end]
        self._count(end - start)

    def _count(self, size: int) -> None:
        self._part.size += size
        if self._part.size > LONGEST_HEADERS:
            raise TooMany(f"the headers of a part have more than {LONGEST_HEADERS} bytes")

    def _header_end(self) -> None:
        part = self._part
        part.headers[part.name.lower()] = part.value
        part.name = part.value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._part.data.append(data[start:end])

    def _end(self) -> None:
        _, options = parse_options_header(self._part.headers.get(b"content-disposition", b""))
        name = options.get(b"filename")
        if name is None:
            self._fields += 1
            if self._fields > MOST_FIELDS:
                raise TooMany(f"it has more than {MOST_FIELDS} fields that are no files")
            return
        if len(self.files) == self._most:
            raise TooMany(f"it has more than {self._most} files")
        self.files.append((name.decode("utf8", "replace"), b"".join(self._part.data)))

    def _whole(self) -> None:
        self._ended = True


def files_in(body: bytes, content_type: str, most: int) -> list[tuple[str | None, bytes]]:
    """The files of a form, each with the name it gives itself.

    >>> form = b'--x\\r\\nContent-Disposition: form-data; name="a"; filename="b.png"\\r\\n\\r\\nbytes\\r\\n--x--\\r\\n'
    >>> files_in(form, "multipart/form-data; boundary=x", 8)
    [('b.png', b'bytes')]

    Raises FormParserError and TooMany as `Form.read`.
    """
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 256:
        raise FormParserError("its content type names no boundary")
    form = Form(boundary, most)
    form.read(body)
    return form.files

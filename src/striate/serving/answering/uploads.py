"""Pictures out of requests: a multipart form with any field names, or the body itself."""

from dataclasses import dataclass

from fastapi import Request
from python_multipart.exceptions import FormParserError

from striate.serving.answering.forms import MOST_FIELDS, TooMany, files_in
from striate.serving.refusals import Refusal
from striate.serving.service import Service

MULTIPART = "multipart/form-data"
FORM = "application/x-www-form-urlencoded"
LONGEST_NAME = 200
HOW = "Send the file as the body, or one or several as multipart/form-data."


@dataclass(frozen=True)
class Upload:
    """One file of a request: what it calls itself, and its bytes."""

    name: str
    data: bytes


async def pictures_of(request: Request, service: Service) -> list[Upload]:
    """All files of a request, at least one; Refusal 4xx where there is none, or too many."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == MULTIPART:
        found = _parts(await request.body(), request.headers["content-type"], service.settings.max_files)
    elif kind == FORM:
        raise Refusal(415, "A form without files was sent.", given=kind, allowed="a file", advice=HOW)
    else:
        found = [Upload("body", await request.body())]
    if not found:
        raise Refusal(422, "The request holds no file.", allowed="at least one file", advice=HOW)
    for one in found:
        if not one.data:
            raise Refusal(422, "A file of the request is empty.", given="0 bytes", advice=HOW)
    return found


async def picture_of(request: Request, service: Service) -> Upload:
    """The one file of a request; Refusal 4xx where there is none, or there are more."""
    found = await pictures_of(request, service)
    if len(found) > 1:
        raise Refusal(422, "One picture is wanted here.", given=f"{len(found)} files", allowed="1 file")
    return found[0]


def _parts(body: bytes, kind: str, most: int) -> list[Upload]:
    try:
        return [Upload(safe_name(name), data) for name, data in files_in(body, kind, most)]
    except (FormParserError, TooMany) as error:
        raise Refusal(
            413 if isinstance(error, TooMany) else 400,
            f"The form cannot be read: {str(error).rstrip('.')}.",
            allowed=f"at most {most} files and {MOST_FIELDS} other fields",
            advice=HOW,
        ) from error


def safe_name(name: str | None) -> str:
    """A file's name as data: its last part, printable, at most 200 letters.

    >>> safe_name("../../etc/pass\\x1bwd"), safe_name(None)
    ('passwd', 'file')
    """
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:LONGEST_NAME] or "file"

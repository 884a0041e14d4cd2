"""What belongs together and must never straddle splits: patients, parts, writers, scenes."""

import re

from striate.data.pseudonyms import pseudonyms
from striate.data.sources.door import Source
from striate.errors import ImageError, SourceError, UsageError, suggestion


def groups_of(
    source: Source, group: str | None, group_from: str | None
) -> tuple[list[str] | None, list[str]]:
    """The group of every picture of a source, and what must be said about them; None where nothing is known.

    `group` names a column of the source's table, or a DICOM keyword such as PatientID, whose values are replaced by
    keyed digests; `group_from` is a regular expression searched for in each picture's name: its groups, or the whole
    match, are the picture's group. A picture without a group has '' and stands alone.

    Raises UsageError for both at once and for what is no regular expression; SourceError for a column that is not
    there and for an expression that matches no name.
    """
    if group is not None and group_from is not None:
        raise UsageError(
            "--group and --group-from exclude each other: name a column, or an expression for file names."
        )
    if group_from is not None:
        found = matched(source.names, group_from, source.location)
    elif group is not None:
        found = _from_column(source, group)
    else:
        found = source.groups
    return found, [] if found is None else _notes(found)


def matched(names: list[str], expression: str, location: str) -> list[str]:
    """The part of each name that an expression finds; '' where it finds none.

    >>> matched(["a/img001-012.png", "b/img002-012.png", "b/other.png"], r"-(\\d+)\\.png", "set")
    ['012', '012', '']
    """
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise UsageError(
            f"--group-from {expression!r} is no regular expression: {error}. An example: '-(\\d+)\\.png' takes the "
            "number after the dash."
        ) from error
    found = [_part(pattern.search(name)) for name in names]
    if not any(found):
        raise SourceError(
            f"--group-from {expression!r} finds nothing in any of the {len(names):,} names of {location}; "
            f"the first is {names[0]!r}"
        )
    return found


def _part(match: re.Match[str] | None) -> str:
    if match is None:
        return ""
    return "/".join(part or "" for part in match.groups()) if match.re.groups else match.group()


def _from_column(source: Source, group: str) -> list[str]:
    columns = source.columns
    if group in columns:
        return source.column(group)
    if group.lower() == "group" and source.groups is not None:
        return source.groups
    from striate.pixels.dicom import is_dicom_keyword

    if is_dicom_keyword(group):
        return _from_tags(source, group)
    if columns:
        raise SourceError(f"{source.location} has no column {group!r}; {suggestion(group, columns)}")
    raise SourceError(
        f"--group {group}: {source.location} is no table with such a column, and {group} is no DICOM keyword such as "
        "PatientID; take the group from the file names with --group-from"
    )


def _from_tags(source: Source, keyword: str) -> list[str]:
    """Keyed digests of a DICOM tag; a picture whose file has none, or cannot be read, stands alone."""
    return pseudonyms(tag_values(source, keyword, f"--group {keyword}"), kind="group")


def tag_values(source: Source, keyword: str, asked: str) -> list[str]:
    """The values of a DICOM tag, read once a file, '' where it has none or cannot be read: they may name a person.

    SourceError, beginning with what was `asked`, where no picture has one.
    """
    from striate.pixels.dicom import dicom_text

    parts = getattr(source, "parts", {})
    read = getattr(source, "file_bytes", None)
    if read is None:
        raise SourceError(f"{asked}: {source.location} holds no DICOM files")
    values: dict[str, str] = {}
    for name in source.names:
        file = parts.get(name, (name, 0))[0]
        if file not in values:
            try:
                values[file] = dicom_text(read(file), keyword)
            except ImageError:
                values[file] = ""
    if not any(values.values()):
        raise SourceError(f"{asked}: no file of {source.location} has that DICOM attribute")
    return [values[parts.get(name, (name, 0))[0]] for name in source.names]


def _notes(groups: list[str]) -> list[str]:
    alone = groups.count("")
    if not alone:
        return []
    return [f"{alone:,} of {len(groups):,} pictures have no group; each of them stands alone"]

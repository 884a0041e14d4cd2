"""The audit as one offline page: what was found, the gravest first, with the pictures that it was found on."""

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.data.audit.finding import Case, Finding, plural
from striate.data.audit.material import Material
from striate.drawing import html, numbers, tiles
from striate.drawing.text import unbroken, visible
from striate.evaluation.intervals import Number

if TYPE_CHECKING:
    from jinja2 import Environment

    from striate.data.audit.audit import Audit

MOST_TILES, MOST_LISTED, MOST_CLASSES, MOST_ROWS = 20, 200, 200, 40
PICTURE_BYTES = 3_000_000
MARKS = {"error": ("bad", "✗ error"), "warning": ("bad", "! warning"), "note": ("muted", "note")}


@dataclass(frozen=True)
class Shown:
    """A picture in the page: its data, its alternative text, and whether it is enlarged with hard edges."""

    uri: str
    alt: str
    crisp: bool


@dataclass(frozen=True)
class Tile:
    """An image of a finding, and its partner where it has one."""

    case: Case
    shown: Shown | None
    partner: Shown | None


@dataclass(frozen=True)
class Section:
    """One finding with what is shown of it: tiles with pictures, or a list where there are none."""

    finding: Finding
    anchor: str
    tiles: list[Tile]
    listed: list[Case]
    table: list[tuple[str, str]]
    table_left: int

    @property
    def shown_count(self) -> int:
        """How many of the finding's images are shown."""
        return len(self.tiles) or len(self.listed)

    @property
    def left(self) -> int:
        """How many are not."""
        return len(self.finding.cases) - self.shown_count


class Album:
    """Pictures as data URIs, until the page has its fill: 3 MB in all."""

    def __init__(self, material: Material) -> None:
        self.material = material
        self.bytes_left = PICTURE_BYTES

    def show(self, image: int, alt: str) -> Shown | None:
        """One picture as prepared, None without pixels or when the page is full."""
        if image < 0 or self.bytes_left <= 0:
            return None
        pixels = self.material.pixels[self.material.images.rows[image]]
        low, high = (None, None) if pixels.dtype == "uint8" else self.material.value_range
        encoded = base64.b64encode(tiles.png_bytes(tiles.to_uint8(pixels, low, high))).decode("ascii")
        self.bytes_left -= len(encoded)
        return Shown(f"data:image/png;base64,{encoded}", alt, True)


def audit_page(audit: "Audit") -> str:
    """The audit as one HTML file: no script, no request; at most 20 pictures a finding, and it says of how many.

    Names of files, classes and groups are data: they are escaped, with control characters made visible.
    """
    album = Album(audit.material)
    body = (
        environment()
        .get_template("audit.html")
        .render(
            audit=audit,
            verdict=_verdict(audit),
            classes=list(next(iter(audit.counts.values()), {})),
            sections=[section_of(finding, album, number) for number, finding in enumerate(audit.findings)],
            most_classes=MOST_CLASSES,
            mark=_mark,
            percent=lambda number: unbroken(numbers.percent(Number(**number))),
        )
    )
    return html.page(f"Audit of {audit.title}", body)


def _verdict(audit: "Audit") -> str:
    errors, warnings = audit.count("error"), audit.count("warning")
    if errors:
        more = f", and {plural(warnings, 'warning')} to look at" if warnings else ""
        return f"{plural(errors, 'error')} must be settled before a verdict on these images can be believed{more}."
    if warnings:
        return f"Nothing forbids training; {plural(warnings, 'warning')} should be looked at first."
    return "Nothing was found that stands in the way of training."


def section_of(finding: Finding, album: Album, number: int, most: int = MOST_TILES) -> Section:
    """What is shown of a finding: `most` of its images, fewer where the page is full."""
    pictured = []
    if any(case.image >= 0 for case in finding.cases):
        for case in finding.cases[:most]:
            shown = album.show(case.image, case.source)
            if shown is None:
                break
            pictured.append(Tile(case, shown, album.show(case.partner, case.other)))
    listed = [] if pictured else list(finding.cases[:MOST_LISTED])
    table, left = _table(finding)
    return Section(finding, f"finding-{number}", pictured, listed, table, left)


def _table(finding: Finding) -> tuple[list[tuple[str, str]], int]:
    """The first table of counts among a finding's numbers, and how many of its lines are left out."""
    for value in finding.numbers.values():
        if isinstance(value, dict) and value and all(isinstance(one, int) for one in value.values()):
            lines = [(str(key), f"{one:,}") for key, one in value.items()]
            distinct = finding.numbers.get("distinct", finding.numbers.get("distinct_reasons", len(lines)))
            return lines[:MOST_ROWS], int(distinct) - len(lines[:MOST_ROWS])
    names: Any = finding.numbers.get("names", [])
    return [(" · ".join(map(str, alike)), plural(len(alike), "class")) for alike in names[:MOST_ROWS]], max(
        0, len(names) - MOST_ROWS
    )


def _mark(severity: str) -> str:
    style, word = MARKS[severity]
    return f'<span class="{style}">{word}</span>'


def environment() -> "Environment":
    """Where the templates of this room are found; what they are given is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("striate.data.audit", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": visible, "unbroken": unbroken, "count": lambda value: f"{value:,}"}
    return environment

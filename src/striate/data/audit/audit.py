"""The audit: every finding about a table of images, as text, page, table and JSON."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from striate.data.audit.class_counts import class_counts
from striate.data.audit.class_names import class_names
from striate.data.audit.duplicates import duplicates
from striate.data.audit.finding import SEVERITIES, Finding, Severity
from striate.data.audit.flat import flat
from striate.data.audit.groups import groups
from striate.data.audit.kinds import kinds
from striate.data.audit.material import CHUNK, Material
from striate.data.audit.near import near_duplicates
from striate.data.audit.quick_fit import quick_fit
from striate.data.audit.unreadable import unreadable
from striate.data.images import Images
from striate.data.packing.pack import Pack
from striate.data.packing.workers import Progress
from striate.files import write_atomically, write_json

QUICK: tuple[Callable[[Material], list[Finding]], ...] = (
    unreadable,
    duplicates,
    groups,
    class_names,
    class_counts,
)
"""What decoding has told already."""
THOROUGH: tuple[Callable[[Material], list[Finding]], ...] = (kinds, flat, near_duplicates)


@dataclass(frozen=True, eq=False)
class Audit:
    """What is wrong with a table of images, the gravest first.

    `counts` are images by split and class; `facts` sum up how the files are made; `quick` says that only what decoding
    tells was looked at.
    """

    findings: tuple[Finding, ...]
    counts: Mapping[str, Mapping[str, int]]
    facts: Mapping[str, Any]
    title: str
    images: int
    quick: bool
    material: Material

    @property
    def severity(self) -> Severity:
        """That of the gravest finding: error, warning or note."""
        found = {finding.severity for finding in self.findings}
        return "error" if "error" in found else "warning" if "warning" in found else "note"

    def count(self, severity: Severity) -> int:
        """How many findings are of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def of_kind(self, kind: str) -> Finding | None:
        """The finding of a kind, such as "duplicates-across-splits", where there is one."""
        return next((finding for finding in self.findings if finding.kind == kind), None)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the pictures, ready for JSON."""
        return {
            "title": self.title,
            "images": self.images,
            "quick": self.quick,
            "severity": self.severity,
            "counts": {split: dict(classes) for split, classes in self.counts.items()},
            "facts": dict(self.facts),
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def to_text(self) -> str:
        """The findings as a table for a terminal."""
        from striate.data.audit.text import audit_text

        return audit_text(self)

    def to_html(self) -> str:
        """The findings with their pictures as one HTML file: no script, nothing fetched."""
        from striate.data.audit.page import audit_page

        return audit_page(self)

    def csv(self) -> bytes:
        """One row a finding and image, with room for decisions; see `apply_decisions`."""
        from striate.data.audit.table import audit_csv

        return audit_csv(self.findings)

    def write(self, folder: Path) -> None:
        """Writes audit.html, audit.json and audit.csv into a folder, each whole or not at all."""
        write_atomically(folder / "audit.html", self.to_html().encode("utf-8", errors="backslashreplace"))
        write_json(folder / "audit.json", self.to_dict())
        write_atomically(folder / "audit.csv", self.csv())


def audit_images(
    images: Images,
    pack: Pack,
    *,
    quick: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
    naming: Callable[[str], str] = str,
) -> Audit:
    """Every finding about decoded images and the pack they are in.

    `quick` leaves out what needs more than the decoding has told: then a million images take seconds. `naming` gives
    the name under which a file or a group is shown and written, and `progress` is called with the steps done and
    their number. The same images and seed give the same audit.
    """
    if images.digests is None:
        images = images.with_pack(pack)
    material = Material(images, pack.pixels, pack.facts[images.rows], seed, naming)
    looks = QUICK if quick or not len(images) else (*QUICK, *THOROUGH)
    chunks = 0 if looks is QUICK else -(-len(images) // CHUNK) + 1
    total, done = len(looks) + chunks, 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    found: list[Finding] = []
    for look in looks:
        found += look(material)
        step()
    if looks is not QUICK:
        found += quick_fit(material, step)
    if progress is not None:
        progress(total, total)
    findings = tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))
    return Audit(
        findings, material.counts, _facts(material), images.source.location, len(images), quick, material
    )


def _facts(material: Material) -> dict[str, Any]:
    """Formats, modes, depths and the range of sizes, counted."""
    facts = material.facts
    if not len(facts):
        return {}
    kinds = {name: _counted(facts[name]) for name in ("format", "mode", "depth", "bits", "channels")}
    sides = {name: _spread(facts[name]) for name in ("height", "width")}
    return {**kinds, **sides, "mean": float(facts["mean"].astype(float).mean())}


def _spread(values: Shaped[np.ndarray, " image"]) -> dict[str, int | float]:
    return {"least": int(values.min()), "median": float(np.median(values)), "largest": int(values.max())}


def _counted(values: Shaped[np.ndarray, " image"]) -> dict[str, int]:
    known, counts = np.unique(values, return_counts=True)
    pairs = Counter(dict(zip(map(str, known.tolist()), counts.tolist(), strict=True)))
    return dict(pairs.most_common())

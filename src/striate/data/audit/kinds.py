"""How the files are made: endings that lie, mixed kinds and sizes, depth that is not used, extreme shapes."""

from collections import Counter

import numpy as np
from jaxtyping import Bool

from striate.data.audit.finding import Case, Finding, plural
from striate.data.audit.material import Material
from striate.pixels.formats.endings import mismatch

EXTREME = 3.0
"""A picture this many times longer than wide is mostly border, or mostly lost, once it is square."""
KINDS = ("format", "mode", "channels", "bits", "depth")
LISTED = 12


def kinds(material: Material) -> list[Finding]:
    """Everything that the files' headers tell; nothing for images that came as arrays and are alike."""
    if not len(material):
        return []
    looks = (_endings, _mixed_kinds, _mixed_sizes, _shapes, _unused_depth)
    return [finding for look in looks for finding in look(material)]


def _endings(material: Material) -> list[Finding]:
    images = material.images
    if images.pseudonymous:
        return [
            Finding(
                kind="endings-not-compared",
                severity="note",
                sentence="Names are replaced by digests, so their endings were not compared with the content.",
                count=len(images),
            )
        ]
    formats = material.facts["format"].tolist()
    files = [name.partition("#")[0] for name in images.names]
    wrong = [
        index
        for index, (file, kind) in enumerate(zip(files, formats, strict=True))
        if kind not in ("", "array") and mismatch(file, kind)
    ]
    if not wrong:
        return []
    cases = tuple(material.case(index, f"its content is {formats[index]}") for index in wrong)
    return [
        Finding(
            kind="content-mismatch",
            severity="warning",
            sentence=f"{plural(len(wrong), 'file has', 'files have')} an ending that its content belies.",
            count=len(wrong),
            unit="file",
            advice="The content was read. Other programs may go by the ending: rename the files.",
            cases=cases,
        )
    ]


def _mixed_kinds(material: Material) -> list[Finding]:
    columns = (material.facts[name].tolist() for name in KINDS)
    found = Counter(zip(*columns, strict=True)).most_common()
    if len(found) < 2:
        return []
    words = {f"{kind[0]} {kind[1]}, {kind[3]} bits, {kind[2]} channels": count for kind, count in found}
    rare = len(material) - found[0][1]
    return [
        Finding(
            kind="mixed-kinds",
            severity="note",
            sentence=f"The files are of {len(found):,} kinds; {plural(rare, 'is', 'are')} not of the most frequent.",
            count=len(found),
            unit="kind",
            advice="All become one kind for the network. Whether a class comes in a kind of its own is probed apart.",
            numbers={"kinds": dict(list(words.items())[:LISTED]), "distinct": len(words)},
        )
    ]


def _mixed_sizes(material: Material) -> list[Finding]:
    sizes = Counter(zip(material.facts["height"].tolist(), material.facts["width"].tolist(), strict=True))
    if len(sizes) < 2:
        return []
    ordered = sizes.most_common()
    short = np.minimum(material.facts["height"], material.facts["width"])
    return [
        Finding(
            kind="mixed-sizes",
            severity="note",
            sentence=f"Images come in {len(sizes):,} sizes; the short side goes from "
            f"{int(short.min()):,} to {int(short.max()):,} pixels.",
            count=len(sizes),
            unit="size",
            advice="All are brought to one size. Whether size tells the class is probed apart.",
            numbers={
                "sizes": {f"{height}×{width}": count for (height, width), count in ordered[:LISTED]},
                "distinct": len(sizes),
            },
        )
    ]


def _shapes(material: Material) -> list[Finding]:
    height = material.facts["height"].astype(float)
    width = material.facts["width"].astype(float)
    ratio = np.maximum(height, width) / np.maximum(np.minimum(height, width), 1)
    cases = _cases(material, ratio >= EXTREME, [f"{r:.1f} times as long as wide" for r in ratio.tolist()])
    if not cases:
        return []
    return [
        Finding(
            kind="extreme-shape",
            severity="note",
            sentence=f"{plural(len(cases), 'image is', 'images are')} at least {EXTREME:.0f} times as long as wide.",
            count=len(cases),
            advice="In a square most of such a picture is padding. Crop it by hand, or set a size of its shape.",
            cases=cases,
        )
    ]


def _unused_depth(material: Material) -> list[Finding]:
    """16-bit files whose values end at 10, 12 or 14 bits, all of them: they will look nearly black."""
    deep = material.facts["depth"] == "uint16"
    if not deep.any():
        return []
    highest = float(material.facts["high"][deep].max())
    used = int(np.ceil(np.log2(highest + 1))) if highest > 0 else 0
    if used >= 16:
        return []
    return [
        Finding(
            kind="unused-depth",
            severity="note",
            sentence=f"{plural(int(deep.sum()), '16-bit image uses', '16-bit images use')} {used} bits at most: "
            f"the largest value is {highest:,.0f} of 65,535.",
            count=int(deep.sum()),
            advice="No level is lost: the network is given them all, scaled by what the training images hold.",
            numbers={"bits_used": used, "largest": highest},
        )
    ]


def _cases(material: Material, chosen: Bool[np.ndarray, " image"], details: list[str]) -> tuple[Case, ...]:
    return tuple(material.case(index, details[index]) for index in np.flatnonzero(chosen).tolist())

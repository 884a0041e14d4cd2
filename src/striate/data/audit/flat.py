"""Pictures with nothing on them: of one value, or almost all black or white."""

import numpy as np
from jaxtyping import Shaped

from striate.data.audit.finding import Finding, plural
from striate.data.audit.material import Material
from striate.pixels.preparation import FULL_SCALE

FAINT = 0.01
"""A deviation below this share of the full scale shows the eye nothing."""
DARK, BRIGHT = 0.02, 0.98


def flat(material: Material) -> list[Finding]:
    """Constant images, and images so dark, so bright or so faint that nothing can be seen on them."""
    facts = material.facts
    scale = np.array([_scale(depth, material) for depth in np.unique(facts["depth"]).tolist()])
    if not len(scale):
        return []
    full = scale[np.unique(facts["depth"], return_inverse=True)[1]]
    span = facts["high"].astype(float) - facts["low"]
    constant = span == 0
    deviation = facts["deviation"] / full
    mean = facts["mean"] / full
    faint = ~constant & (deviation < FAINT)
    whole = ~np.isin(facts["depth"], ("int16", "float32"))
    dark = ~constant & whole & (mean < DARK) & (deviation < 2 * DARK)
    bright = ~constant & whole & (mean > BRIGHT) & (deviation < 2 * DARK)
    return [
        *_finding(material, np.flatnonzero(constant), "constant", "of one value", "warning"),
        *_finding(material, np.flatnonzero(dark), "nearly-black", "nearly black", "note"),
        *_finding(material, np.flatnonzero(bright), "nearly-white", "nearly white", "note"),
        *_finding(material, np.flatnonzero(faint & ~dark & ~bright), "faint", "almost of one value", "note"),
    ]


def _scale(depth: str, material: Material) -> float:
    """What the deviation of a depth is measured against: its full scale, or the middle of the values met."""
    if depth in ("uint8", "uint16"):
        chosen = material.facts["depth"] == depth
        # 12 bits in 16 must not pass for black: the largest value met is white.
        return min(FULL_SCALE[depth], max(float(material.facts["high"][chosen].max()), 1.0))
    low, high = material.value_range
    return high - low


def _finding(
    material: Material, chosen: Shaped[np.ndarray, " chosen"], kind: str, words: str, severity: str
) -> list[Finding]:
    if not len(chosen):
        return []
    facts = material.facts
    cases = tuple(
        material.case(
            index,
            f"values {facts['low'][index]:,.4g} to {facts['high'][index]:,.4g}, mean {facts['mean'][index]:,.4g}",
        )
        for index in chosen.tolist()
    )
    return [
        Finding(
            kind=kind,
            severity="warning" if severity == "warning" else "note",
            sentence=f"{plural(len(chosen), 'image is', 'images are')} {words}.",
            count=len(chosen),
            advice="Look at them: an empty scan, a closed shutter, a failed export. Drop what shows nothing.",
            cases=cases,
        )
    ]

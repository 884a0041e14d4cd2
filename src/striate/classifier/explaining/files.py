"""The files of one reason: pictures for the eye, the numbers as they are, and explanation.json about both."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Shaped

from striate.classifier.explaining.options import plain
from striate.classifier.provenance import versions
from striate.drawing.kernel_sheet import Tile, kernel_sheet
from striate.drawing.overlay import enlarged
from striate.drawing.text import shorten
from striate.drawing.tiles import png_bytes, to_uint8
from striate.explanation.checks import Checks
from striate.files import write_atomically, write_json
from striate.pixels.writing import Mapping, write_picture, write_values

if TYPE_CHECKING:
    from striate.classifier.explaining.reason import Reason

BEST = 5
"""Classes that are told, the most probable first."""
FILES = ("overlay.png", "explanation.png", "picture.png", "map.npy", "map.png", "raw.npy", "explanation.json")


def told(reason: "Reason") -> dict[str, Any]:
    """What was asked, what the network says, and the map in a few numbers; ready for JSON."""
    answer, values = reason.answer, reason.map
    ranked = sorted((answer.probabilities or {}).items(), key=lambda pair: -pair[1])
    row, column = np.unravel_index(int(np.abs(values).argmax()), values.shape)
    return {
        "source": reason.source,
        "class": reason.label,
        "probability": reason.probability,
        "predicted": answer.label,
        "best": [{"class": name, "probability": chance} for name, chance in ranked[:BEST]],
        "method": reason.method,
        "title": reason.about.title,
        "paper": reason.about.paper,
        "stage": reason.stage,
        "options": {name: plain(value) for name, value in reason.options.items()},
        "map": {
            "height": values.shape[0],
            "width": values.shape[1],
            "cells": list(reason.raw.shape[1:]),
            "low": float(values.min()),
            "high": float(values.max()),
            "signed": reason.about.signed,
            "strongest": [int(row), int(column)],
            "seen": dict(zip(("top", "left", "height", "width"), reason.box, strict=True)),
        },
    }


def write_reason(
    folder: Path, reason: "Reason", *, checks: Checks | None = None, command: str | None = None
) -> None:
    """Write every file of `FILES`, each whole or not at all; the json last, so where it is, all are."""
    shown, drawn = to_uint8(reason.picture), enlarged(reason.overlay())
    write_atomically(folder / "picture.png", png_bytes(shown))
    write_atomically(folder / "overlay.png", png_bytes(drawn))
    write_picture(folder / "explanation.png", reason_sheet(reason))
    mapping = grey_of(reason)
    write_values(folder / "map.png", reason.map[:, :, None], mapping)
    write_array(folder / "map.npy", reason.map)
    write_array(folder / "raw.npy", reason.raw)
    content = {
        **reason.to_dict(),
        "checks": None if checks is None else checks.to_dict(),
        "picture": {
            "digest": reason.digest,
            "sha256": reason.sha256,
            "shape": list(reason.picture.shape),
            "depth": str(reason.picture.dtype),
        },
        "files": {
            "overlay.png": f"the map over the picture, {drawn.shape[0] // shown.shape[0]} times as large",
            "explanation.png": "picture and overlay side by side, with what their colours mean",
            "picture.png": "the picture as the network was given it, in 8 bits for the eye",
            "map.npy": "the map, height × width, float32, as computed",
            "map.png": f"the map in 16 bits: {mapping}",
            "raw.npy": "as the method makes it, channel × rows × columns, float32",
        },
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command or "Classifier.explain in Python",
        "versions": versions(),
        "note": "For research; not a medical device.",
    }
    write_json(folder / "explanation.json", content)


def write_array(path: Path, values: Shaped[np.ndarray, "..."]) -> None:
    """An array as an NPY file, whole or not at all."""
    content = io.BytesIO()
    np.save(content, values)
    write_atomically(path, content.getvalue())


def grey_of(reason: "Reason") -> Mapping:
    """How values become 16 bits of grey: zero is black, or mid-grey where values have signs."""
    if reason.about.signed:
        return Mapping.signed(float(np.abs(reason.map).max()))
    return Mapping.between(0.0, float(reason.map.max()) or 1.0)


def reason_sheet(reason: "Reason") -> Any:
    """Picture and overlay side by side, each with what it is, its shape and its range."""
    height, width, channels = reason.picture.shape
    shown = to_uint8(reason.picture)
    shown = shown if channels == 3 else np.repeat(shown[:, :, :1], 3, axis=2)
    answer = f"{shorten(str(reason.answer.label), 24)} · {surely(reason.answer.probability or 0.0)}"
    picture = Tile(shown, answer, (f"{height} × {width} × {channels} as the network was given it",))
    where = f" of {reason.stage}" if reason.stage else ""
    rows, columns = reason.raw.shape[1:]
    overlay = Tile(
        reason.overlay(),
        f"{reason.about.title}{where}",
        (f"for {shorten(reason.label, 24)} · {rows} × {columns} cells", colours(reason)),
    )
    return kernel_sheet([picture, overlay], columns=2, width=320)


def surely(chance: float) -> str:
    """A probability in per cent with one decimal; what is below 1 is never rounded up to it.

    >>> surely(0.9286), surely(0.99999), surely(1.0)
    ('92.9 %', '>99.9 %', '100.0 %')
    """
    return ">99.9 %" if 0.9995 <= chance < 1 else f"{100 * chance:.1f} %"


def colours(reason: "Reason") -> str:
    """What the colours of the map mean, and its range."""
    low, high = float(reason.map.min()), float(reason.map.max())
    if not (low or high):
        return "0 everywhere: nothing speaks for this class"
    if reason.about.signed:
        limit = max(-low, high)
        return f"blue −{limit:.3g} · white 0 · red +{limit:.3g}"
    return f"dark 0 · bright {high:.3g}"

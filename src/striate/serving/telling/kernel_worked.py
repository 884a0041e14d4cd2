"""Filtering for the page: the result with its range and sizes, and one cell worked as on the board."""

import base64
import re
import shlex
from typing import Any

import numpy as np
from jaxtyping import Shaped

import striate
from striate.serving.telling.kernel_asked import Asked, AskedCell, Pixels

MOST_NUMBERS = 81
"""Cells up to which a window is written out number by number."""
Values = Shaped[np.ndarray, "_height _width _channel"]
Matrix = Shaped[np.ndarray, "rows columns"]


def filtered(asked: Asked) -> dict[str, Any]:
    """The result of a filter or a pooling, its colours, and how its size comes about."""
    seen = asked.seen()
    if asked.pooled:
        weights, values = (
            None,
            striate.pool(seen, asked.operation, asked.side(), stride=asked.options()["stride"]),
        )
    else:
        weights = asked.weights()
        values = striate.convolve(seen, weights, **asked.options())
    scale = striate.colour_scale(values, seen, weights)
    return {
        **coded(values),
        "low": values.min().item(),
        "high": values.max().item(),
        "range": f"{number(values.min().item())} .. {number(values.max().item())}",
        "scale": {"signed": scale.signed, "low": scale.low, "high": scale.high, "said": said_of(scale)},
        "input": coded(seen),
        "kernel": None if weights is None else kernel_facts(asked.kernel, weights),
        "axes": sliding(asked, seen, weights),
        "command": command(asked),
    }


def coded(values: Values) -> dict[str, Any]:
    """Numbers for the page: bytes, 32-bit whole numbers where they fit, 32-bit floating point otherwise."""
    if values.dtype != np.uint8:
        whole = values.dtype.kind in "ui" and abs(int(values.min())) < 2**31 > abs(int(values.max()))
        values = values.astype("<i4" if whole else "<f4")
    content = base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
    return {"shape": list(values.shape), "dtype": str(values.dtype), "base64": content}


def said_of(scale: "striate.ColourScale") -> str:
    """What the colours mean, in a caption."""
    low, high = f"{scale.low:.4g}", f"{scale.high:.4g}"
    if scale.signed:
        return f"blue {low} · neutral 0 · red {high} (99th percentile of the magnitudes)"
    return f"black {low} · white {high}"


def kernel_facts(text: str, weights: Matrix) -> dict[str, Any]:
    """A kernel as the grid of the page shows it, and what is known of it."""
    name = striate.kernels.ALIASES.get(text.strip(), text.strip())
    named = striate.kernels.NAMED.get(name)
    typed = named is None and not name.startswith("gaussian:")
    return {
        "name": None if typed else name,
        "summary": named.summary if named else None,
        "source": named.source if named else None,
        "rows": typed_rows(text) if typed else rows_of(weights),
        "weights": weights.tolist(),
        "sum": number(weights.sum().item()),
    }


def rows_of(weights: Matrix) -> list[list[str]]:
    """Weights as they are taught, a text each: -1, 1/9, 0.1248."""
    return [line.split() for line in striate.kernels.to_text(weights).splitlines()]


def typed_rows(text: str) -> list[list[str]]:
    """The numbers of a typed kernel as they were typed: 1/3 stays 1/3."""
    return [row.replace(",", " ").split() for row in re.split(r"[;\n]", text.strip().strip(";"))]


def sliding(asked: Asked, seen: Pixels, weights: Matrix | None) -> list[dict[str, Any]]:
    """How the window slides, an axis each, with the output-size formula worked in the numbers of this picture."""
    if weights is None:
        side, stride = asked.side(), asked.step
        pairs = [(size, side, side, stride, 0, 0) for size in seen.shape[:2]]
    else:
        slides = striate.work_step(seen, weights, (0, 0), **asked.options()).slides
        pairs = [(one.size, one.window, one.reach, one.stride, one.before, one.after) for one in slides]
    axes = []
    for word, (size, window, reach, stride, before, after) in zip(("height", "width"), pairs, strict=True):
        padding = f" + {before} + {after}" if before or after else ""
        cells = (size + before + after - reach) // stride + 1
        facts = {"window": window, "reach": reach, "stride": stride, "before": before, "cells": cells}
        formula = f"{word} ⌊({size}{padding} − {reach}) / {stride}⌋ + 1 = {cells}"
        axes.append({"axis": word, **facts, "formula": formula})
    return axes


def command(asked: Asked) -> str | None:
    """The same on the command line; None where `striate filter` has no word for it."""
    if asked.channels != "each" or asked.dilation != 1 or (asked.pooled and asked.step != asked.window):
        return None
    if asked.pooled:
        words = ["--pool", f"{asked.operation}:{asked.window}"]
    else:
        words = ["--kernel", asked.kernel.strip()]
        for option, value, usual in (
            ("--stride", str(asked.step), "1"),
            ("--padding", asked.padding, "valid"),
            ("--border", asked.border, "zero"),
            ("--indexing", asked.indexing, "cross-correlation"),
        ):
            words += [option, value] if value != usual else []
    return shlex.join(["striate", "filter", "PICTURE", *words, "--out", "result.png"])


def worked(asked: AskedCell) -> dict[str, Any]:
    """One cell: its window, the kernel, the products and the sum, exact, an entry a channel."""
    return pooled_cell(asked) if asked.pooled else filtered_cell(asked)


def filtered_cell(asked: AskedCell) -> dict[str, Any]:
    """One cell of a filter."""
    step = striate.work_step(asked.seen(), asked.weights(), asked.cell, **asked.options())
    text = striate.step_text(step)
    sums = [line for line in text.splitlines() if line.startswith("sum")]
    rows, columns = (slide.pixels(cell).tolist() for slide, cell in zip(step.slides, step.cell, strict=True))
    parts = [
        {"channel": part.channel, "value": number(part.total), "sum": line, **board(part)}
        for part, line in zip(step.parts, sums, strict=True)
    ]
    return {
        "cell": list(step.cell),
        "values": [number(value) for value in step.values],
        "rows": rows,
        "columns": columns,
        "flipped": step.flipped,
        "parts": parts,
        "text": text,
    }


def board(part: Any) -> dict[str, Any]:
    """The numbers of one channel as texts; nothing but the sum of a window too large to be read."""
    if part.window.size > MOST_NUMBERS:
        return {"window": None, "outside": None, "weights": None, "products": None}
    return {
        "window": texts(part.window),
        "outside": part.outside.tolist(),
        "weights": rows_of(part.weights),
        "products": texts(part.products),
    }


def pooled_cell(asked: AskedCell) -> dict[str, Any]:
    """One cell of a pooling; `chosen` marks the pixel that won, the first of equal ones."""
    seen, side, step = asked.seen(), asked.side(), asked.options()["stride"]
    text = striate.pool_step_text(seen, asked.operation, side, asked.cell, stride=step)
    sums = [line for line in text.splitlines() if line.startswith(f"{asked.operation} = ")]
    top, left = (place * step for place in asked.cell)
    window = seen[top : top + side, left : left + side]
    names = ("red", "green", "blue") if window.shape[2] == 3 else ("",)
    parts = []
    for channel, (name, line) in enumerate(zip(names, sums, strict=True)):
        plane = window[:, :, channel]
        chosen = plane.argmax() if asked.operation == "max" else -1
        marks = (np.arange(plane.size) == chosen).reshape(plane.shape).tolist()
        readable = plane.size <= MOST_NUMBERS
        parts.append(
            {
                "channel": name,
                "value": line.rpartition(" = ")[2],
                "sum": line,
                "window": texts(plane) if readable else None,
                "chosen": marks if readable else None,
            }
        )
    return {
        "cell": list(asked.cell),
        "values": [part["value"] for part in parts],
        "rows": list(range(top, top + side)),
        "columns": list(range(left, left + side)),
        "flipped": False,
        "parts": parts,
        "text": text,
    }


def texts(matrix: Matrix) -> list[list[str]]:
    """Numbers as they are written on the board."""
    return [[number(value) for value in row] for row in matrix.tolist()]


def number(value: int | float) -> str:
    """Whole numbers in full, others with six digits, as `striate filter --explain` writes them."""
    return str(value) if isinstance(value, int) else f"{value:.6g}"

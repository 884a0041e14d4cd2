"""`striate filter`: kernels and pooling on one picture, written, drawn side by side, or worked for one cell."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.border import in_plain_words

if TYPE_CHECKING:
    import numpy as np


@in_plain_words
def filter_(
    photo: Annotated[str | None, typer.Argument(help="A picture; scan.tif#3 is its third page.")] = None,
    kernel: Annotated[
        list[str] | None,
        typer.Option(
            "--kernel", "-k", metavar="KERNEL", help='A name, gaussian:2, or "0 -1 0; -1 5 -1; 0 -1 0".'
        ),
    ] = None,
    stride: Annotated[int, typer.Option(help="Pixels from one window to the next.")] = 1,
    padding: Annotated[str, typer.Option(help="valid, same, full, or a number of pixels.")] = "valid",
    border: Annotated[str, typer.Option(help="Beyond the border: zero, edge, reflect, circular.")] = "zero",
    indexing: Annotated[
        str, typer.Option(help="cross-correlation, convolution (flipped), centred.")
    ] = "cross-correlation",
    pool: Annotated[str | None, typer.Option(help="Pool afterwards: max:2, average:3.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="A .png (16 bits), .tif or .npy (numbers as computed).")
    ] = None,
    values: Annotated[
        str, typer.Option(help="Grey in a .png: auto, signed (0 is mid-grey), picture.")
    ] = "auto",
    sheet: Annotated[Path | None, typer.Option(help="A .png of all results side by side.")] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="ROW,COL", help="Work one cell of the result as on the board.")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the named kernels.")] = False,
) -> None:
    """Filter a picture with kernels.

    \b
    Several kernels are applied to the picture side by side, each channel alone.
    Example:  striate filter owl.jpg -k outline -k sobel_x --padding same --out owl-edges.png
    """
    import striate

    if listing:
        list_kernels()
        return
    if photo is None or not (kernel or pool) or not (out or sheet or explain):
        raise striate.UsageError(
            "a picture, --kernel or --pool, and one of --out, --sheet or --explain are needed; "
            "--list names the kernels."
        )
    chosen = read_kernels(kernel or [])
    pooling = read_pool(pool)
    targets = name_targets(out, chosen)
    check_targets(photo, [*targets.values(), *([sheet] if sheet else [])], sheet)
    image = striate.read_image(photo)
    options: dict[str, Any] = {
        "stride": stride,
        "padding": int(padding) if re.fullmatch(r"-?\d{1,9}", padding) else padding,
        "border": border,
        "indexing": indexing,
    }
    if explain:
        explain_cell(image, chosen, read_cell(explain), options, pooling)
    if out or sheet:
        results = filtered(image, chosen, options, pooling)
        for name, path in targets.items():
            weights, made = results[name]
            said = striate.write_filtered(path, made, image, weights, values)
            size = " × ".join(map(str, made.shape))
            print(f"{name:<12} {size}, {made.min():.6g} .. {made.max():.6g} → {path} ({said})")
        if sheet:
            write_sheet(sheet, image, results)


def read_kernels(texts: list[str]) -> "dict[str, np.ndarray]":
    """The kernels under the names that files and captions bear: a typed one is `kernel1`, `kernel2`, …"""
    import striate

    chosen = {}
    for number, text in enumerate(texts, start=1):
        weights = striate.kernels.read(text)
        name = (
            text.strip()
            if re.fullmatch(r"[\w:.]+", text.strip()) and not text[0].isdigit()
            else f"kernel{number}"
        )
        if name in chosen:
            raise striate.UsageError(f"--kernel {name} is given twice; once is enough.")
        chosen[name] = weights
    return chosen


def read_pool(text: str | None) -> tuple[str, int] | None:
    """`max:2` as a kind and a window; `max` alone has a window of 2."""
    import striate

    if text is None:
        return None
    match = re.fullmatch(r"(max|average)(?::(\d{1,6}))?", text)
    if not match:
        raise striate.UsageError(f"--pool {text}: write max or average, a colon and a window, such as max:2.")
    return match[1], int(match[2] or 2)


def read_cell(text: str) -> tuple[int, int]:
    """`3,5` as row and column."""
    import striate

    match = re.fullmatch(r"(\d{1,9})\s*,\s*(\d{1,9})", text.strip())
    if not match:
        raise striate.UsageError(f"--explain {text}: write a row and a column of the result, such as 3,5.")
    return int(match[1]), int(match[2])


def name_targets(out: Path | None, chosen: "dict[str, np.ndarray]") -> dict[str, Path]:
    """One file a result: `out.png`, or `out-outline.png`, `out-sobel_x.png` where there are several kernels."""
    if out is None:
        return {}
    if len(chosen) <= 1:
        return {next(iter(chosen), "pooled"): out}
    return {name: out.with_stem(f"{out.stem}-{name.replace(':', '-')}") for name in chosen}


def check_targets(photo: str, targets: list[Path], sheet: Path | None) -> None:
    """Nothing is written over the picture that is read, nor two results over each other."""
    import striate

    for path in targets:
        for source in (photo, re.sub(r"#\d+$", "", photo)):
            if os.path.exists(source) and os.path.exists(path) and os.path.samefile(source, path):
                raise striate.UsageError(f"{path} is the picture itself; choose another name.")
        endings = (".png",) if path == sheet else striate.FILTER_ENDINGS
        if path.suffix.lower() not in endings:
            raise striate.UsageError(f"{path}: the ending says the format; it can be {', '.join(endings)}.")
    if len({os.path.abspath(path) for path in targets}) < len(targets):
        raise striate.UsageError(
            f"two results cannot both be {targets[-1]}; choose another name for one of them."
        )


def filtered(
    image: "np.ndarray",
    chosen: "dict[str, np.ndarray]",
    options: dict[str, Any],
    pooling: tuple[str, int] | None,
) -> "dict[str, tuple[np.ndarray | None, np.ndarray]]":
    """Each kernel's values, pooled where that is asked for; the picture pooled where there is no kernel."""
    import striate

    made: dict[str, tuple[np.ndarray | None, np.ndarray]]
    made = {name: (weights, striate.convolve(image, weights, **options)) for name, weights in chosen.items()}
    results = made or {"pooled": (None, image)}
    if pooling is None:
        return results
    return {name: (weights, striate.pool(one, *pooling)) for name, (weights, one) in results.items()}


def explain_cell(
    image: "np.ndarray",
    chosen: "dict[str, np.ndarray]",
    cell: tuple[int, int],
    options: dict[str, Any],
    pooling: tuple[str, int] | None,
) -> None:
    """Print the window, the kernel, the products and the sum; or the window and what pooling makes of it."""
    import striate

    if not chosen and pooling:
        print(striate.pool_step_text(image, *pooling, cell))
        return
    steps = {name: striate.work_step(image, weights, cell, **options) for name, weights in chosen.items()}
    print("\n\n".join(f"{name}, {striate.step_text(step)}" for name, step in steps.items()))


def write_sheet(
    path: Path, image: "np.ndarray", results: "dict[str, tuple[np.ndarray | None, np.ndarray]]"
) -> None:
    """The sheet as a PNG."""
    import striate

    drawn = striate.filter_sheet(image, results)
    striate.write_picture(path, drawn)
    print(f"sheet        {drawn.width} × {drawn.height} pixels → {path}")


def list_kernels() -> None:
    """Every kernel: its name, its weights, what it answers to, and its source."""
    import striate

    for named in striate.kernels.NAMED.values():
        print(f"{named.name}: {named.summary} ({named.source})")
        print("\n".join(f"    {line}" for line in striate.kernels.to_text(named.weights).splitlines()))
    also = ", ".join(f"{alias} is {name}" for alias, name in striate.kernels.ALIASES.items())
    print(
        f"gaussian:SIGMA: a Gaussian of that standard deviation in pixels, three of them to each side\n{also}"
    )

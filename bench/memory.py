"""Memory of prediction: a stream of pictures must not need more for being longer."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

from bench.measure import peak_memory, scratch, striate

SIZES = (1_000, 10_000)


def lines(data: Path) -> Iterator[str]:
    """Peak memory of `striate predict` over a thousand and over ten thousand files."""
    with scratch() as name:
        folder = Path(name)
        striate("train", "digits", "--epochs", "1", "--out", str(folder / "run"), "--quiet")
        peaks = []
        for size in SIZES:
            pictures = folder / str(size)
            with ZipFile(data / "mnist.zip") as archive:
                members = [member for member in archive.namelist() if member.endswith(".png")][:size]
                archive.extractall(pictures, members)
            peaks.append(peak_memory("predict", str(folder / "run"), str(pictures), "--json"))
            yield f"predict over {size:,} PNG files: peak {peaks[-1]:,.0f} MiB"
        yield f"ten times the files / once: {peaks[1] / peaks[0]:.3f}"

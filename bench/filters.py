"""Filters on a picture of 24 megapixels against scipy and OpenCV, and what `striate filter` costs to start.

`STRIATE_OPENCV` names the interpreter of an environment with OpenCV (`pip install opencv-python-headless`); without
it that part says so and measures nothing.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy import ndimage

import striate
from bench.measure import scratch, seconds, spread

ROUNDS, HEIGHT, WIDTH = 3, 4000, 6000
SCRIPT = Path(__file__).parent / "peers" / "opencv_filters.py"


def lines(_data: Path) -> Iterator[str]:
    """A 3 × 3 kernel of whole numbers, one of fractions, a 31 × 31 Gaussian; then the start of the command."""
    picture = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    yield f"picture of {HEIGHT} × {WIDTH} × 3, uint8; scipy {version('scipy')}; seconds, striate and each peer in turn"
    gaussian = striate.kernels.gaussian(5.0)
    line = np.sqrt(np.diag(gaussian))
    for name, kernel, peers in (
        ("outline 3 × 3", striate.kernels.outline, {"ndimage.correlate, int64": whole}),
        ("blur 3 × 3", striate.kernels.blur, {"ndimage.correlate, float64": fractions}),
        (
            "gaussian 31 × 31",
            gaussian,
            {"ndimage.correlate1d twice, float64": lambda image, _: separable(image, line)},
        ),
    ):
        yield from against_scipy(name, picture, kernel, peers)
        yield from against_opencv(name, picture, kernel)
    yield from start()


def against_scipy(name: str, picture: np.ndarray, kernel: np.ndarray, peers: dict) -> Iterator[str]:
    """Our seconds and scipy's, alternating, and their ratio; the results are compared first."""
    for peer, way in peers.items():
        margin = tuple(slice(size // 2, -(size // 2)) for size in kernel.shape)
        part = picture[:200, :300]
        if not np.allclose(striate.convolve(part, kernel), way(part, kernel)[margin]):
            raise SystemExit(f"{name}: scipy's {peer} computes something else")
        ours, theirs = [], []
        striate.convolve(picture, kernel, padding="same")  # the first call of a process waits for its memory
        for _ in range(ROUNDS):
            ours.append(seconds(lambda: striate.convolve(picture, kernel, padding="same")))
            theirs.append(seconds(lambda way=way: way(picture, kernel)))
        ratio = [a / b for a, b in zip(ours, theirs, strict=True)]
        yield f"{name}: {spread(ours, 2)} s; {peer} {spread(theirs, 2)} s; striate / scipy {spread(ratio, 2)}"


def whole(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """scipy in whole numbers."""
    return ndimage.correlate(image, kernel[:, :, None], output=np.int64, mode="constant")


def fractions(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """scipy in floating point."""
    return ndimage.correlate(image, kernel[:, :, None], output=np.float64, mode="constant")


def separable(image: np.ndarray, line: np.ndarray) -> np.ndarray:
    """scipy's faster way to a Gaussian: one axis after the other."""
    down = ndimage.correlate1d(image, line, axis=0, output=np.float64, mode="constant")
    return ndimage.correlate1d(down, line, axis=1, output=np.float64, mode="constant")


def against_opencv(name: str, picture: np.ndarray, kernel: np.ndarray) -> Iterator[str]:
    """Our seconds, then OpenCV's `filter2D` in its own interpreter, on the same picture."""
    python = os.environ.get("STRIATE_OPENCV")
    if python is None:
        yield f"{name}: OpenCV skipped: set STRIATE_OPENCV to the python of an environment with opencv-python-headless"
        return
    ours = [seconds(lambda: striate.convolve(picture, kernel, padding="same")) for _ in range(ROUNDS)]
    with scratch() as folder:
        np.save(f"{folder}/picture.npy", picture)
        np.save(f"{folder}/kernel.npy", kernel)
        command = [python, str(SCRIPT), f"{folder}/picture.npy", f"{folder}/kernel.npy", str(ROUNDS)]
        narrow, wide, words = subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout.splitlines()
    for kind, told in (("uint8 to its narrowest", narrow), ("float64", wide)):
        theirs = [float(word) for word in told.split()]
        ratio = float(np.median(ours)) / float(np.median(theirs))
        yield f"{name}: filter2D, {kind}: {spread(theirs, 3)} s; striate / OpenCV {ratio:.1f} ({words})"


def start() -> Iterator[str]:
    """`striate filter` on a picture of 64 × 64 beside a bare interpreter, and which heavy modules it loads."""
    with scratch() as folder:
        photo = f"{folder}/photo.npy"
        np.save(photo, np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
        words = ["filter", photo, "-k", "outline", "--out", f"{folder}/out.png"]
        bare = [sys.executable, "-c", "pass"]
        numpy = [sys.executable, "-c", "import numpy"]
        ours = [sys.executable, "-m", "striate", *words]
        taken = {
            name: [
                seconds(lambda c=command: subprocess.run(c, check=True, stdout=subprocess.DEVNULL))
                for _ in range(10)
            ]
            for name, command in (
                ("bare interpreter", bare),
                ("import numpy", numpy),
                ("striate filter", ours),
            )
        }
        for name, values in taken.items():
            yield f"start: {name} {spread(values)} s"
        code = (
            "import sys\nfrom striate import cli\ntry:\n    cli.main()\nexcept SystemExit:\n    pass\n"
            "print([m for m in ('torch', 'sklearn', 'matplotlib', 'scipy') if m in sys.modules])"
        )
        told = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
        ).stdout
        yield f"start: heavy modules loaded: {told.splitlines()[-1]}"


def run(command: list[str]) -> float:
    """Seconds that a command takes."""
    return seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))

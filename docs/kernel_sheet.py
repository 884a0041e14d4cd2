"""Make docs/images/kernels.png: every named kernel on a photograph that comes with scikit-learn.

python docs/kernel_sheet.py
"""

from pathlib import Path

from sklearn.datasets import load_sample_image

import striate

TARGET = Path("docs/images/kernels.png")


def main() -> None:
    """The named kernels in their order, and a Gaussian, on the roof of a pagoda."""
    photo = load_sample_image("china.jpg")[20:220, 70:370]
    chosen = {name: named.weights for name, named in striate.kernels.NAMED.items()}
    chosen["gaussian(3)"] = striate.kernels.gaussian(3.0)
    results = {
        name: (weights, striate.convolve(photo, weights, padding="same", border="edge"))
        for name, weights in chosen.items()
    }
    sheet = striate.filter_sheet(photo, results, columns=4)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(256).save(TARGET, optimize=True)
    print(f"{TARGET}: {sheet.width} × {sheet.height}, {TARGET.stat().st_size:,} bytes")


main()

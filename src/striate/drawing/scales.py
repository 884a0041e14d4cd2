"""What a colour means: classes in a fixed order, signed values, non-negative values.

The custom properties at the end are the only place where the page, the report and the figures get a colour
from.
"""

import numpy as np
from jaxtyping import Float, Shaped, UInt8

# Eight classes for light and for dark paper. Each half of four is told apart by readers with any of the three
# common colour deficiencies; the second half is drawn dashed, so that no two classes differ by hue alone.
CATEGORICAL = ("#0072b2", "#d55e00", "#009e73", "#882255", "#3f8fd0", "#8a6d00", "#c2578f", "#444444")
CATEGORICAL_DARK = ("#56b4e9", "#e8702a", "#2fc79a", "#f3a6d8", "#8fb8ff", "#d8b93a", "#e58ac0", "#e6e6e6")
DASHES = ("none",) * 4 + ("6 3",) * 4

# Steps of viridis (van der Walt and Smith 2015), and ColorBrewer's red-blue with its neutral middle.
SEQUENTIAL = (
    "#440154", "#48186a", "#472d7b", "#424086", "#3b528b", "#33638d",
    "#2c728e", "#26828e", "#21918c", "#1fa088", "#28ae80", "#3fbc73",
    "#5ec962", "#84d44b", "#addc30", "#d8e219", "#fde725",
)  # fmt: skip
DIVERGING = (
    "#053061", "#2166ac", "#4393c3", "#92c5de", "#d1e5f0", "#f7f7f7",
    "#fddbc7", "#f4a582", "#d6604d", "#b2182b", "#67001f",
)  # fmt: skip

# Shares of a row of the confusion matrix: one error in a hundred must differ from none.
SHARES = (0.01, 0.02, 0.05, 0.10, 0.20, 0.40, 0.70, 1.0)


def categorical(index: int) -> tuple[str, str]:
    """The colour and the dash pattern of a class: `("var(--class-0)", "none")`; they repeat after eight."""
    return f"var(--class-{index % len(CATEGORICAL)})", DASHES[index % len(DASHES)]


def sequential(
    values: Shaped[np.ndarray, "height width"], low: float = 0.0, high: float | None = None
) -> UInt8[np.ndarray, "height width 3"]:
    """Colours of non-negative values, dark for `low`, bright for `high` (their maximum unless given).

    >>> sequential(np.array([[0.0, 1.0, 2.0]])).tolist()
    [[[68, 1, 84], [33, 145, 140], [253, 231, 37]]]
    """
    top = float(np.max(values)) if high is None else high
    return _colours((values - low) / (top - low) if top > low else np.zeros(values.shape), SEQUENTIAL)


def diverging(
    values: Shaped[np.ndarray, "height width"], limit: float | None = None
) -> UInt8[np.ndarray, "height width 3"]:
    """Colours of signed values, blue below zero and red above; zero is neutral, the range `-limit..limit`.

    The limit is the largest magnitude unless given.

    >>> diverging(np.array([[-2.0, 0.0, 2.0]])).tolist()
    [[[5, 48, 97], [247, 247, 247], [103, 0, 31]]]
    """
    reach = float(np.max(np.abs(values))) if limit is None else limit
    return _colours(0.5 + values / (2 * reach) if reach > 0 else np.full(values.shape, 0.5), DIVERGING)


def share_step(share: float) -> int:
    """The step 0..8 of a share of a row: 0 for none, then the first of `SHARES` that is not below it."""
    return 0 if share <= 0 else 1 + int(np.searchsorted(SHARES, min(share, 1.0)))


def custom_properties() -> str:
    """The colours of classes and shares as CSS custom properties, for light paper and for dark screens."""
    dark = _properties(CATEGORICAL_DARK, SEQUENTIAL[2::2])
    return (
        f":root {{\n{_properties(CATEGORICAL, SEQUENTIAL[::-2][1:])}}}\n"
        f"@media screen and (prefers-color-scheme: dark) {{\n:root {{\n{dark}}}\n}}\n"
    )


def _properties(classes: tuple[str, ...], steps: tuple[str, ...]) -> str:
    lines = [f"  --class-{index}: {colour};" for index, colour in enumerate(classes)]
    for index, colour in enumerate(steps, start=1):
        ink = "#ffffff" if luminance(colour) < 0.18 else "#000000"
        lines += [f"  --share-{index}: {colour};", f"  --on-share-{index}: {ink};"]
    return "\n".join(lines) + "\n"


def luminance(colour: str) -> float:
    """The relative luminance 0..1 of `#rrggbb` (WCAG 2.2)."""
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _colours(
    positions: Float[np.ndarray, "height width"], anchors: tuple[str, ...]
) -> UInt8[np.ndarray, "height width 3"]:
    table = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in anchors], dtype=float)
    steps = np.linspace(0, 1, len(anchors))
    clipped = np.clip(np.nan_to_num(positions), 0, 1)
    channels = [np.interp(clipped, steps, table[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)

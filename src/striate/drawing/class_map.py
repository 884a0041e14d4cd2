"""Images as points of a plane, in the colour and shape of their class, some of them as thumbnails where they lie."""

import io
import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float, Int, Shaped

from striate.drawing.scales import CATEGORICAL
from striate.drawing.text import shorten, visible
from striate.drawing.tiles import INK, MUTED, PAPER, to_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
THUMBNAIL = 26
"""Points of a thumbnail's longer side."""
MOST_THUMBNAILS = 80
LINE = "#d0d7de"
COLUMN, LETTERS = 24, 18
"""Classes in a column of the legend, letters of a name in it."""


def class_style(index: int) -> tuple[str, str]:
    """Colour and marker of a class; 64 classes differ by one or the other, and neighbours by both.

    >>> class_style(0), class_style(1), class_style(8)
    (('#0072b2', 'o'), ('#d55e00', 's'), ('#0072b2', 's'))
    """
    colours = len(CATEGORICAL)
    return CATEGORICAL[index % colours], MARKERS[(index + index // colours) % len(MARKERS)]


def class_map_figure(
    points: Float[np.ndarray, "image 2"],
    labels: Int[np.ndarray, " image"],
    classes: Sequence[str],
    *,
    title: str,
    sentence: str,
    axes_names: tuple[str, str] = ("", ""),
    pictures: Sequence[Shaped[np.ndarray, "_height _width _channel"]] | None = None,
) -> "Figure":
    """A point an image, a legend of the classes, and thumbnails where there is room for them.

    `sentence` says what to see and is written under the figure. Matplotlib is imported when a figure is drawn.
    """
    from matplotlib.figure import Figure

    columns = math.ceil(len(classes) / COLUMN)
    names = [shorten(visible(name), LETTERS) for name in classes]
    width = 7.2 + columns * (0.6 + 0.1 * max(map(len, names)))
    figure = Figure(figsize=(width, 7.6), layout="constrained", facecolor=PAPER)
    axes = figure.add_subplot(facecolor=PAPER)
    for index in range(len(classes)):
        _draw_class(axes, points[labels == index], index)
    _dress(axes, title, axes_names)
    legend = figure.legend(
        loc="outside right upper", ncols=columns, frameon=False, fontsize=12, labelcolor=INK
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        # matplotlib leaves out a label that begins with _, and takes what is between two $ for a formula
        text.set(text=name, parse_math=False)
    words = textwrap.fill(visible(sentence), int(9.2 * width))
    figure.supxlabel(words, fontsize=12, color=MUTED, x=0.02, ha="left")
    if pictures is not None:
        figure.draw_without_rendering()  # the layout decides where the points come to lie
        for chosen in _with_room(axes, points, labels):
            _thumbnail(axes, points[chosen], pictures[chosen], int(labels[chosen]))
    return figure


def figure_bytes(figure: "Figure", kind: Literal["png", "svg"]) -> bytes:
    """A figure as a PNG at twice the density of a screen, or as an SVG whose text stays text; always the same bytes."""
    import matplotlib as mpl

    target = io.BytesIO()
    empty: dict[str, Any] = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "striate"}):
        figure.savefig(target, format=kind, dpi=144, facecolor=PAPER, metadata=empty)
    return target.getvalue()


def _draw_class(axes: "Axes", points: Float[np.ndarray, "image 2"], index: int) -> None:
    colour, marker = class_style(index)
    axes.scatter(
        points[:, 0],
        points[:, 1],
        s=22 if marker in "os^Dv" else 40,
        c=colour,
        marker=marker,
        linewidths=0.4,
        edgecolors=PAPER,
        label=f"class {index}",
    )


def _dress(axes: "Axes", title: str, names: tuple[str, str]) -> None:
    axes.set_title(visible(title), loc="left", fontsize=13, color=INK)
    axes.set_xlabel(names[0], fontsize=12, color=MUTED)
    axes.set_ylabel(names[1], fontsize=12, color=MUTED)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.margins(0.09)
    axes.set_aspect("equal", adjustable="datalim")
    for spine in axes.spines.values():
        spine.set_color(LINE)


def _with_room(
    axes: "Axes", points: Float[np.ndarray, "image 2"], labels: Int[np.ndarray, " image"]
) -> Iterator[int]:
    """Images whose thumbnails do not overlap, one class after another, so that all are seen."""
    places = axes.transData.transform(points) * 72 / axes.figure.dpi
    taken = np.empty((0, 2))
    for image in _by_turns(labels):
        if len(taken) and (np.abs(taken - places[image]).max(axis=1) < THUMBNAIL * 1.25).any():
            continue
        taken = np.concatenate([taken, places[[image]]])
        yield image
        if len(taken) == MOST_THUMBNAILS:
            return


def _by_turns(labels: Int[np.ndarray, " image"]) -> list[int]:
    """The first image of each class, then the second of each, and so on."""
    turn = np.empty(len(labels), int)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        turn[rows] = np.arange(len(rows))
    return np.lexsort((labels, turn)).tolist()


def _thumbnail(
    axes: "Axes",
    place: Float[np.ndarray, " 2"],
    picture: Shaped[np.ndarray, "_height _width _channel"],
    label: int,
) -> None:
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    shown = np.asarray(to_image(picture).convert("RGB"))
    image = OffsetImage(shown, zoom=THUMBNAIL / max(shown.shape[:2]), interpolation="antialiased")
    frame = {"edgecolor": class_style(label)[0], "linewidth": 1.6, "boxstyle": "square,pad=0"}
    box = AnnotationBbox(
        image,
        (float(place[0]), float(place[1])),
        xybox=(0, 0.9 * THUMBNAIL),  # above its point, so that a dense group is not hidden
        boxcoords="offset points",
        pad=0,
        bboxprops=frame,
        arrowprops={"arrowstyle": "-", "color": frame["edgecolor"], "linewidth": 0.8},
    )
    box.set_in_layout(False)  # else the axes would shrink to make room for those at the border
    axes.add_artist(box)

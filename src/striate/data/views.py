"""What prediction shows of a picture: one view, its mirror image too, or ten patches.

Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012, section 4.1:
the four corner patches, the centre patch, and the mirror images of all five.
"""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Shaped

from striate.errors import UsageError
from striate.pixels.preparation import Preparation

Views = Literal["one", "flip", "ten"]


class View(NamedTuple):
    """Where a patch begins, and whether it is mirrored left and right."""

    top: int
    left: int
    mirrored: bool = False


def centre_of(preparation: Preparation) -> View:
    """The one view: the centre patch, or the whole picture where there is no patch.

    >>> centre_of(Preparation(height=9, width=12, channels=1, depth="uint8", patch=(4, 4)))
    View(top=2, left=4, mirrored=False)
    """
    _, rows, columns = preparation.input_shape()
    return View((preparation.height - rows) // 2, (preparation.width - columns) // 2)


def views_of(preparation: Preparation, views: Views) -> tuple[View, ...]:
    """The views of every picture: those that are not mirrored first, the centre patch last of them.

    >>> grey = Preparation(height=256, width=256, channels=1, depth="uint8", patch=(224, 224))
    >>> [tuple(view[:2]) for view in views_of(grey, "ten")[:5]]
    [(0, 0), (0, 32), (32, 0), (32, 32), (16, 16)]
    >>> len(views_of(grey, "ten")), len(views_of(grey, "flip")), len(views_of(grey, "one"))
    (10, 2, 1)

    Raises UsageError for ten patches without a patch smaller than the picture.
    """
    plain = [centre_of(preparation)]
    if views == "ten":
        _, rows, columns = preparation.input_shape()
        down, right = preparation.height - rows, preparation.width - columns
        if not (down or right):
            raise UsageError(
                f"views=ten takes ten patches, and the images are {preparation.height} × {preparation.width} "
                f"with {f'patch={rows}' if preparation.patch else 'no patch'}: set a smaller patch, or views=flip."
            )
        plain = [View(0, 0), View(0, right), View(down, 0), View(down, right), *plain]
    if views == "one":
        return tuple(plain)
    return (*plain, *(view._replace(mirrored=True) for view in plain))


def seen(
    pixels: Shaped[np.ndarray, "image height width channel"],
    views: tuple[View, ...],
    rows: int,
    columns: int,
) -> Shaped[np.ndarray, "image view rows columns channel"]:
    """Every picture in every view.

    >>> row = np.arange(3, dtype=np.uint8).reshape(1, 1, 3, 1)
    >>> seen(row, (View(0, 0), View(0, 1, mirrored=True)), 1, 2).ravel().tolist()
    [0, 1, 2, 1]
    """
    parts = []
    for view in views:
        part = pixels[:, view.top : view.top + rows, view.left : view.left + columns]
        parts.append(part[:, :, ::-1] if view.mirrored else part)
    return np.stack(parts, axis=1)

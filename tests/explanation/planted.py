"""Images whose label is a 3×3 mark in one of their corners, and a network that has learned to read it.

What is in the middle, a digit, says nothing: whoever looks for the reason must find the corner.
"""

import functools
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.models import Network

Task = tuple[Network, Tensor, Tensor, Tensor]
MARKS = torch.tensor(
    [
        [[0, 1, 0], [1, 1, 1], [0, 1, 0]],
        [[1, 0, 1], [0, 1, 0], [1, 0, 1]],
        [[1, 1, 1], [1, 0, 1], [1, 1, 1]],
        [[1, 1, 1], [0, 0, 0], [1, 1, 1]],
    ],
    dtype=torch.float32,
)
MARK, MARGIN = 3, 1
STAGE = "stage2"
"""The one with cells of 4 × 4 pixels, of these networks and of `compact`."""


def planted(digits: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Images with a mark each, normalised; which mark it is, the label; and its first row and column.

    `digits` are `images height width`, 0 to 1, and dark in the corners or not: the mark is written over them.
    """
    images, side = digits.clone(), digits.shape[-1]
    labels = torch.randint(len(MARKS), (len(images),), generator=generator)
    places = torch.tensor([MARGIN, side - MARK - MARGIN])
    corners = places[torch.randint(2, (len(images), 2), generator=generator)]
    for image, label, (row, column) in zip(images, labels.tolist(), corners.tolist(), strict=True):
        image[row : row + MARK, column : column + MARK] = MARKS[label]
    return ((images - images.mean()) / images.std())[:, None], labels, corners


def two_stages() -> Network:
    """Two convolutions, normalised, rectified and pooled, then the mean over cells of 4 × 4 pixels."""

    def stage(maps: int, width: int) -> nn.Sequential:
        layers = nn.Conv2d(maps, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)
        return nn.Sequential(*layers)

    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, len(MARKS)))
    return Network({"stage1": stage(1, 16), "stage2": stage(16, 32)}, head)


def trained(
    build: Callable[[], Network], inputs: Tensor, labels: Tensor, *, epochs: int, seed: int
) -> Network:
    """A network that has learned the marks, in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build()
        optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
        steps = epochs * math.ceil(len(inputs) / 64)
        schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.01, total_iters=steps)
        for _ in range(epochs):
            for rows in torch.randperm(len(inputs)).split(64):
                optimiser.zero_grad()
                F.cross_entropy(network(inputs[rows]), labels[rows]).backward()
                optimiser.step()
                schedule.step()
    optimiser.zero_grad()
    return network.eval()


@functools.cache
def planted_task(seed: int) -> Task:
    """A trained network, 200 images of 1 × 24 × 24 it has not seen, their labels, and the first pixel of each mark.

    The digits are scikit-learn's, twice as large. To be read, never changed.
    """
    from sklearn.datasets import load_digits

    generator = torch.Generator().manual_seed(seed)
    values, _ = load_digits(return_X_y=True)
    digits = torch.from_numpy(values).float().view(-1, 8, 8) / 16
    digits = digits[torch.randperm(len(digits), generator=generator)]
    digits = F.pad(digits.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2), (4, 4, 4, 4))
    inputs, labels, corners = planted(digits, generator)
    network = trained(two_stages, inputs[200:1480], labels[200:1480], epochs=5, seed=seed)
    return network, inputs[:200], labels[:200], corners[:200]


def hits(maps: Tensor, corners: Tensor, *, side: int, grid: int) -> Tensor:
    """Whether the peak of each map, `images rows columns`, lies within one cell of the cells that have the mark.

    Images have `side` × `side` pixels, the stage `grid` × `grid` cells. A map without a peak is no hit.
    """
    flat = maps.flatten(1)
    peaks = torch.stack([flat.argmax(1) // maps.shape[2], flat.argmax(1) % maps.shape[2]], dim=1)
    cells = peaks * grid // maps.shape[1]
    first, last = corners * grid // side, (corners + MARK - 1) * grid // side
    near = ((cells >= first - 1) & (cells <= last + 1)).all(dim=1)
    return near & (flat.amax(dim=1) > flat.amin(dim=1))

"""Pooling windows that are made to overlap, or not to, against loops written out here."""

import numpy as np
import pytest
import torch
from torch import nn

from striate.errors import ModelError
from striate.models import Changes, Network, create_model
from striate.models.changes.pooling import overlap

SIZES = range(2, 65)


def pooled(pool: nn.Module, height: int, width: int, wanted: bool) -> nn.Module:
    """The layer that takes the place of this pooling for maps of this size."""
    network = Network({"pool": pool}, head=nn.Flatten())
    overlap(network, (1, height, width), wanted=wanted)
    return network.stages["pool"]


def by_loops(maps: np.ndarray, kind: str) -> np.ndarray:
    """Windows of 3 in steps of 2, as many as windows of 2 would be; cells beyond the border do not count."""
    height, width = maps.shape
    found = np.empty((height // 2, width // 2))
    for row in range(height // 2):
        for column in range(width // 2):
            cells = [
                maps[y, x]
                for y in range(2 * row, min(2 * row + 3, height))
                for x in range(2 * column, min(2 * column + 3, width))
            ]
            found[row, column] = max(cells) if kind == "max" else sum(cells) / len(cells)
    return found


@pytest.mark.parametrize("kind", ["max", "average"])
def test_overlapping_pooling_is_what_loops_find(kind: str) -> None:
    own = nn.MaxPool2d(2) if kind == "max" else nn.AvgPool2d(2)
    random = np.random.default_rng(0)
    for height in SIZES:
        width = int(random.choice(SIZES))
        maps = random.normal(size=(height, width))
        layer = pooled(own, height, width, wanted=True)
        found = layer(torch.from_numpy(maps)[None, None])[0, 0].numpy()
        assert found.shape == (height // 2, width // 2)
        np.testing.assert_allclose(found, by_loops(maps, kind), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "own",
    [
        *(nn.MaxPool2d(2, 2, p, ceil_mode=c) for p in (0, 1) for c in (False, True)),
        *(nn.AvgPool2d(2, 2, p, ceil_mode=c) for p in (0, 1) for c in (False, True)),
    ],
    ids=repr,
)
def test_size_survives_wider_windows_and_the_way_back(own: nn.MaxPool2d | nn.AvgPool2d) -> None:
    for size in SIZES:
        maps = torch.zeros(1, 1, size, 65 - size + 2)
        wider = pooled(own, *maps.shape[2:], wanted=True)
        back = pooled(wider, *maps.shape[2:], wanted=False)
        assert (wider.kernel_size, back.kernel_size) == (3, 2)
        assert wider(maps).shape == own(maps).shape == back(maps).shape


@pytest.mark.parametrize("size", SIZES)
def test_windows_that_are_never_cut_off_have_a_narrower_form_at_odd_sizes(size: int) -> None:
    own = nn.MaxPool2d(3, 2)
    if size == 2:
        return
    if size % 2:
        narrower = pooled(own, size, size, wanted=False)
        assert narrower(torch.zeros(1, 1, size, size)).shape == own(torch.zeros(1, 1, size, size)).shape
        return
    with pytest.raises(ModelError) as raised:
        pooled(own, size, size, wanted=False)
    few, many = size // 2 - 1, size // 2
    assert str(raised.value) == (
        f"pool makes {few} × {few} cells of {size} × {size} by windows of 3, and windows of 2 would make"
        f" {many} × {many}; take images of another size, or leave overlapping out."
    )


@pytest.mark.parametrize(
    "own",
    [
        nn.MaxPool2d(3, 1, 1),
        nn.MaxPool2d((2, 3), 2),
        nn.MaxPool2d(2, (2, 1)),
        nn.MaxPool2d(3, 3),
        nn.AdaptiveAvgPool2d(1),
        nn.MaxPool2d(2, 2, (0, 1)),
        nn.MaxPool2d(2, 2, dilation=2),
    ],
    ids=repr,
)
def test_other_pooling_is_left_alone(own: nn.Module) -> None:
    both = Network({"pool": nn.MaxPool2d(2), "other": own}, head=nn.Flatten())
    overlap(both, (1, 32, 32), wanted=True)
    assert both.stages["other"] is own
    with pytest.raises(ModelError, match="no max or average pooling by windows of 2 in steps of 2"):
        pooled(own, 32, 32, wanted=True)
    assert pooled(own, 32, 32, wanted=False) is own


def test_alexnet_pools_apart_at_the_size_of_its_paper_and_not_at_every_other() -> None:
    changes = Changes(overlapping=False)
    network = create_model("alexnet", classes=10, changes=changes, weights=False)
    assert [network.stages[f"pool{number}"].kernel_size for number in (1, 2, 5)] == [2, 2, 2]
    with pytest.raises(ModelError) as raised:
        create_model("alexnet", classes=10, size=(67, 67), changes=changes, weights=False)
    assert str(raised.value) == (
        "alexnet cannot be changed so: pool1 makes 7 × 7 cells of 16 × 16 by windows of 3, and windows of 2 would"
        " make 8 × 8; take images of another size, or leave overlapping out."
    )

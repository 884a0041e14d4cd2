"""Agreement with masks against figures made by hand and against loops."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import MARK, STAGE, planted_task

from striate.errors import UsageError
from striate.evaluation.intervals import wilson
from striate.explanation.checks import agreement, edge_maps, explainer, random_maps
from striate.explanation.checks.masks import within

MASK = np.zeros((1, 4, 4), bool)
MASK[0, 1:3, 1:3] = True  # 4 of 16 pixels


def maps(*values: float) -> np.ndarray:
    return np.array(values, np.float64).reshape(1, 4, 4)


def test_by_hand() -> None:
    one = maps(
        0, 0, 0, 1,
        0, 4, 1, 0,
        0, 2, -5, 0,
        0, 0, 2, 0,
    )  # fmt: skip
    found = agreement(one, MASK)
    assert found.hits.tolist() == [True]
    # positive values: 4 + 1 + 2 of 4 + 1 + 2 + 1 + 2
    assert found.energy.tolist() == pytest.approx([0.7])
    # no threshold leaves four: 4, 2, 2, 1, 1 are five, of which 4, 2 and 1 are inside
    assert found.overlap.tolist() == pytest.approx([3 / (5 + 4 - 3)])
    # 4 alone: 1 of 4; with both twos 2 of 5; with both ones 3 of 6
    assert found.best_overlap.tolist() == pytest.approx([0.5])
    assert found.by_chance.tolist() == [0.25]
    assert found.area.tolist() == [0.25]


def test_the_peak_may_lie_a_little_beside_the_mask() -> None:
    corner = maps(9, *[0] * 15)
    assert agreement(corner, MASK).hits.tolist() == [False]
    assert agreement(corner, MASK, tolerance=1).hits.tolist() == [False]  # it is √2 away
    near = agreement(corner, MASK, tolerance=math.sqrt(2))
    assert near.hits.tolist() == [True]
    assert near.by_chance.tolist() == [1.0]
    assert agreement(corner, MASK, tolerance=1).by_chance.tolist() == [12 / 16]


def test_a_map_without_differences_or_without_evidence_agrees_with_nothing() -> None:
    flat = agreement(maps(*[1] * 16), MASK)
    assert flat.hits.tolist() == [False]
    assert flat.overlap.tolist() == flat.best_overlap.tolist() == [0.25]
    assert flat.energy.tolist() == [0.25]
    against = agreement(maps(*[-1] * 16), MASK)
    assert np.isnan(against.energy).all()
    assert against.to_dict()["energy"]["value"] is None
    two = maps(5, 0, 0, 0, 0, 5, *[0] * 10)
    assert agreement(two, MASK).hits.tolist() == [False]  # one of two equal peaks is outside


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(1, 6), columns=st.integers(1, 6), reach=st.floats(0, 5))
def test_loops_find_the_same(seed: int, rows: int, columns: int, reach: float) -> None:
    generator = np.random.default_rng(seed)
    one = generator.integers(-3, 9, (1, rows, columns)).astype(np.float64)
    mask = generator.random((1, rows, columns)) < 0.4
    mask.flat[generator.integers(mask.size)] = True
    found = agreement(one, mask, tolerance=reach)
    places = [(r, c) for r in range(rows) for c in range(columns)]
    wide = {p for p in places if any(mask[0][q] and math.dist(p, q) <= reach for q in places)}
    assert set(zip(*np.nonzero(within(mask[0], reach)), strict=True)) == wide
    peaks = [p for p in places if one[0][p] == one.max()]
    assert found.hits[0] == all(p in wide for p in peaks)
    overlaps = {}
    for threshold in np.unique(one)[::-1]:
        above = one[0] >= threshold
        overlaps[int(above.sum())] = (above & mask[0]).sum() / (above | mask[0]).sum()
    assert found.best_overlap[0] == pytest.approx(max(overlaps.values()))
    fitting = min(count for count in overlaps if count >= mask.sum())
    assert found.overlap[0] == pytest.approx(overlaps[fitting])


def test_images_without_a_mask_are_left_out_and_counted() -> None:
    masks = np.concatenate([MASK, np.zeros_like(MASK), MASK])
    some = np.concatenate([maps(*range(16)), maps(*range(16)), maps(*[0] * 5, 1, *[0] * 10)])
    found = agreement(some, masks)
    assert found.left_out == 1
    assert found.hits.tolist() == [False, True]
    assert found.pointing == wilson(1, 2)
    assert found.to_dict()["images_without_mask"] == 1
    assert found.sentence().startswith(
        "The peak is on the mask in 50 % (9–91, n = 2); anywhere it would be in 25.0 %."
    )


def test_the_planted_mark_is_where_grad_cam_points_and_noise_does_not() -> None:
    network, inputs, labels, corners = planted_task(0)
    masks = np.zeros((len(inputs), *inputs.shape[2:]), bool)
    for mask, (row, column) in zip(masks, corners.tolist(), strict=True):
        mask[row : row + MARK, column : column + MARK] = True
    cell = 4  # pixels of the stage
    right, noise, edges = (
        agreement(explain(network, inputs, labels).numpy(), masks, tolerance=cell)
        for explain in (explainer("gradcam", stage=STAGE), random_maps, edge_maps)
    )
    assert right.pointing.value is not None
    assert right.pointing.value >= 0.95
    chance = noise.by_chance.mean()
    assert noise.pointing.low is not None
    assert noise.pointing.high is not None
    assert noise.pointing.low < chance < noise.pointing.high
    assert edges.pointing.high is not None
    assert edges.pointing.high < 0.9
    assert right.energy.mean() > 3 * noise.energy.mean()
    assert right.overlap.mean() > noise.overlap.mean()


def test_masks_that_do_not_fit_are_refused() -> None:
    one = maps(*range(16))
    with pytest.raises(UsageError, match=r"shape \(1, 2, 2\), the maps \(1, 4, 4\)"):
        agreement(one, np.ones((1, 2, 2), bool))
    with pytest.raises(UsageError, match="None of 1 masks marks a pixel"):
        agreement(one, np.zeros((1, 4, 4), bool))
    for wrong in (-1.0, math.inf, math.nan):
        with pytest.raises(UsageError, match="give a distance in pixels of 0 or more"):
            agreement(one, MASK, tolerance=wrong)

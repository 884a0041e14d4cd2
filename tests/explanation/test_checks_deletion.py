"""Deletion and insertion against figures made by hand, against loops, and against what chance does."""

import copy
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from striate.errors import ModelError, UsageError
from striate.explanation import gradient
from striate.explanation.checks import RemovalPlan, explainer, random_maps, random_orders, removal
from striate.explanation.checks.deletion import map_ranks
from striate.models import Network, create_model


class Against(nn.Module):
    """Two classes whose logits are the weighted sum of the pixels, and 0: their difference is that sum."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, x: Tensor) -> Tensor:
        sums = (x * self.weights).flatten(1).sum(1)
        return torch.stack([sums, torch.zeros_like(sums)], dim=1)


def linear(weights: Tensor) -> Network:
    return Network({"as_it_is": nn.Identity()}, head=Against(weights))


def contributions(network: Network, inputs: Tensor, targets: Tensor) -> Tensor:
    sign = 1 - 2 * targets[:, None, None]
    return sign * (inputs * network.head.get_parameter("weights")).sum(1).detach()


def expit(value: float) -> float:
    return 1 / (1 + np.exp(-value))


TINY = linear(torch.tensor([[[2.0, -1.0], [0.5, 1.0]]]))
PICTURE = torch.tensor([[[[1.5, 1.0], [2.0, -2.0]]]])  # contributions 3, -1, 1, -2
FIRST, SINGLY = torch.tensor([0]), RemovalPlan(block=1, steps=4)


def test_a_linear_network_by_hand() -> None:
    found = removal(TINY, PICTURE, FIRST, contributions, plan=SINGLY)
    # 3 goes first, then 1, -1 and -2: what is left is 1, -2, -3, -2, 0
    assert found.deletion.shares.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.deletion.probabilities[0] == pytest.approx([expit(v) for v in (1, -2, -3, -2, 0)])
    # put in, they are 0, 3, 4, 3, 1
    assert found.insertion.probabilities[0] == pytest.approx([expit(v) for v in (0, 3, 4, 3, 1)])
    # trapezia a quarter wide: half of the ends, all between
    down = (expit(1) / 2 + expit(-2) + expit(-3) + expit(-2) + expit(0) / 2) / 4
    up = (expit(0) / 2 + expit(3) + expit(4) + expit(3) + expit(1) / 2) / 4
    assert found.deletion.areas == pytest.approx([down])
    assert found.insertion.areas == pytest.approx([up])
    assert found.side == 1


def test_the_other_class_has_the_other_probability() -> None:
    found = removal(TINY, PICTURE, torch.tensor([1]), contributions, plan=SINGLY)
    assert found.deletion.probabilities[0] == pytest.approx([1 - expit(v) for v in (1, 3, 4, 3, 0)])


def test_no_order_has_a_smaller_area_than_that_of_the_contributions() -> None:
    right = removal(TINY, PICTURE, FIRST, contributions, plan=SINGLY)
    for order in itertools.permutations([0.0, 1.0, 2.0, 3.0]):
        some = torch.tensor(order).view(1, 2, 2)
        other = removal(TINY, PICTURE, FIRST, lambda *_, some=some: some, plan=SINGLY, random=right.random)
        assert other.deletion.areas[0] >= right.deletion.areas[0] - 1e-12
        assert other.insertion.areas[0] <= right.insertion.areas[0] + 1e-12


def test_the_blurred_picture_takes_the_place() -> None:
    from scipy.ndimage import gaussian_filter

    network, plan = linear(torch.ones(1, 1, 8)), RemovalPlan(fill="blur", block=1, steps=8)
    picture = torch.tensor([[[[0.0, 0, 0, 1, 0, 0, 0, 0.5]]]])
    found = removal(network, picture, FIRST, contributions, plan=plan)
    blurred = gaussian_filter(picture[0, 0].numpy(), 1 / 8, mode="reflect")
    assert found.insertion.probabilities[0, 0] == pytest.approx(expit(float(blurred.sum())), rel=1e-6)
    assert found.deletion.probabilities[0, -1] == pytest.approx(expit(float(blurred.sum())), rel=1e-6)
    wide = torch.zeros(1, 1, 32, 32)
    wide[..., 16, 16] = 1
    assert plan.filling(wide)[0, 0, 16, 16] == pytest.approx(1 / (2 * np.pi * 4**2), rel=0.02)


def by_loops(network: Network, image: Tensor, target: int, ranks: Tensor, counts: list[int], side: int):
    """Deletion and insertion, one block and one pixel at a time."""
    _, height, width = image.shape
    columns = -(-width // side)
    curves: tuple[list[float], list[float]] = ([], [])
    for count in counts:
        pictures = torch.zeros(2, *image.shape)
        for row, column in itertools.product(range(height), range(width)):
            gone = bool(ranks[row // side * columns + column // side] < count)
            pictures[int(gone), :, row, column] = image[:, row, column]
        for curve, picture in zip(curves, pictures, strict=True):
            with torch.no_grad():
                curve.append(float(network(picture[None]).softmax(1)[0, target]))
    return curves


@pytest.fixture(scope="module")
def small() -> tuple[Network, Tensor, Tensor]:
    torch.manual_seed(4)
    network = create_model("compact", classes=3, channels=2, size=(9, 11)).eval()
    with torch.no_grad():
        network.head.get_parameter("output.weight").mul_(100)
    return network, torch.randn(3, 2, 9, 11), torch.tensor([2, 0, 1])


def test_curves_are_those_of_loops_over_pixels_with_blocks_that_do_not_fit(
    small: tuple[Network, Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, inputs, targets = small
    plan, explain = RemovalPlan(block=4, steps=5), explainer("gradcam", stage="stage1")
    found = removal(network, inputs, targets, explain, plan=plan)
    assert found.random.shares.tolist() == [count / 9 for count in (0, 2, 4, 5, 7, 9)]
    maps = explain(network, inputs, targets)
    for one, (image, target) in enumerate(zip(inputs, targets.tolist(), strict=True)):
        ranks = map_ranks(maps[one], image, 4, plan.seed)
        down, up = by_loops(network, image, target, ranks, [0, 2, 4, 5, 7, 9], side=4)
        assert found.deletion.probabilities[one] == pytest.approx(down, abs=1e-5)
        assert found.insertion.probabilities[one] == pytest.approx(up, abs=1e-5)
    monkeypatch.setattr(gradient, "VALUES_AT_ONCE", 3 * 2 * 9 * 11)
    few = removal(network, inputs, targets, explain, plan=plan)
    assert few.deletion.probabilities == pytest.approx(found.deletion.probabilities, abs=1e-6)
    assert few.random.probabilities == pytest.approx(found.random.probabilities, abs=1e-6)


def test_an_image_does_not_depend_on_the_others(small: tuple[Network, Tensor, Tensor]) -> None:
    network, inputs, targets = small
    together = removal(network, inputs, targets, random_maps)
    for one in range(len(inputs)):
        alone = removal(network, inputs[[one]], targets[[one]], random_maps)
        assert alone.deletion.areas[0] == pytest.approx(together.deletion.areas[one])
        assert alone.deletion.random_areas[0] == pytest.approx(together.deletion.random_areas[one])


def test_the_network_and_the_images_are_left_as_they_were(small: tuple[Network, Tensor, Tensor]) -> None:
    network, inputs, targets = small
    network, seen = copy.deepcopy(network).train(), inputs.clone()
    before = copy.deepcopy(network)
    removal(network, inputs, targets, random_maps)
    assert network.training
    assert torch.equal(inputs, seen)
    for (name, now), was in zip(network.state_dict().items(), before.state_dict().values(), strict=True):
        assert torch.equal(now, was), name
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())


def test_a_random_order_backwards_is_one_of_insertion() -> None:
    """The identity that lets one set of random orders stand beside both curves."""
    some = torch.tensor([[[4.0, 2.0], [1.0, 3.0]]])
    one = removal(TINY, PICTURE, FIRST, lambda *_: some, plan=SINGLY)
    back = removal(TINY, PICTURE, FIRST, lambda *_: -some, plan=SINGLY)
    assert back.insertion.probabilities[0, ::-1] == pytest.approx(one.deletion.probabilities[0])
    assert back.insertion.areas == pytest.approx(one.deletion.areas)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), side=st.integers(1, 4), rows=st.integers(1, 7), columns=st.integers(1, 7))
def test_blocks_go_in_the_order_of_their_means(seed: int, side: int, rows: int, columns: int) -> None:
    values = np.random.default_rng(seed).integers(0, 4, (rows, columns)).astype(np.float32)
    ranks = map_ranks(torch.from_numpy(values), torch.zeros(1, rows, columns), side, 0).numpy()
    blocks = [
        values[top : top + side, left : left + side].mean()
        for top in range(0, rows, side)
        for left in range(0, columns, side)
    ]
    assert sorted(ranks) == list(range(len(blocks)))
    assert (np.diff(np.array(blocks)[np.argsort(ranks)]) <= 1e-5).all()


@pytest.fixture(scope="module")
def many() -> tuple[Network, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(8)
    network = linear(torch.randn(1, 6, 6, generator=generator))
    return network, torch.randn(60, 1, 6, 6, generator=generator), torch.zeros(60, dtype=torch.int64)


@pytest.mark.parametrize("kind", ["random", "flat"])
def test_a_map_that_knows_nothing_is_as_good_as_half_of_the_random_orders(
    kind: str, many: tuple[Network, Tensor, Tensor]
) -> None:
    network, inputs, targets = many
    explain = random_maps if kind == "random" else lambda *some: torch.ones(len(some[1]), 6, 6)
    found = removal(network, inputs, targets, explain, plan=RemovalPlan(block=1))
    for curves in (found.deletion, found.insertion):
        assert curves.better_than.mean() == pytest.approx(0.5, abs=0.12)
        gain, shown = curves.gain, curves.shown
        assert gain.low is not None
        assert gain.high is not None
        assert gain.low < 0 < gain.high
        assert shown.low is not None
        assert shown.low < 1 / 21


def test_a_map_without_differences_goes_in_an_order_of_its_own(many: tuple[Network, Tensor, Tensor]) -> None:
    network, inputs, targets = many
    flat = torch.ones(2, 6, 6)
    found = removal(network, inputs[:2], targets[:2], lambda *_: flat)
    for one in range(2):
        assert not np.isclose(found.random.areas[one], found.deletion.areas[one]).any()


def test_the_right_map_is_better_than_all_random_orders(many: tuple[Network, Tensor, Tensor]) -> None:
    network, inputs, targets = many
    random = random_orders(network, inputs, targets)
    found = removal(network, inputs, targets, contributions, random=random)
    assert found.deletion.better_than.mean() > 0.999
    assert found.insertion.better_than.mean() > 0.999
    assert found.deletion.shown.value == found.insertion.shown.value == 1
    wrong = removal(network, inputs, targets, lambda *some: -contributions(*some), random=random)
    assert wrong.deletion.better_than.max() == 0
    assert wrong.deletion.chance.min() == 1
    assert wrong.insertion.gains == pytest.approx(-found.deletion.gains, abs=0.05)


def test_areas_and_chances_are_counted(many: tuple[Network, Tensor, Tensor]) -> None:
    network, inputs, targets = many
    found = removal(network, inputs[:3], targets[:3], random_maps)
    for curves, sign in ((found.deletion, 1), (found.insertion, -1)):
        for one in range(3):
            points = curves.probabilities[one]
            area = sum(
                (points[i] + points[i + 1]) / 2 * (curves.shares[i + 1] - curves.shares[i])
                for i in range(len(points) - 1)
            )
            assert curves.areas[one] == pytest.approx(area)
            worse = [sign * (random - area) > 0 for random in found.random.areas[one]]
            assert curves.better_than[one] == pytest.approx(np.mean(worse))
            assert curves.chance[one] == pytest.approx((1 + 20 - sum(worse)) / 21)
    assert found.random.areas.shape == (3, 20)


def test_the_seed_decides_the_orders(many: tuple[Network, Tensor, Tensor]) -> None:
    network, inputs, targets = many
    first, again, other = (
        random_orders(network, inputs[:2], targets[:2], plan=RemovalPlan(seed=seed)).areas
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.isclose(first, other).any()
    assert len(set(np.ravel(first).tolist())) == 40  # no order is drawn twice


def test_sentences() -> None:
    one = removal(TINY, PICTURE, FIRST, contributions, plan=RemovalPlan(block=1, steps=4, orders=50))
    down, _ = one.sentences()
    area, random = one.deletion.areas[0], one.random_area
    assert random.value == pytest.approx(one.random.areas.mean())
    assert down.startswith(f"Deletion: area {area:.3f}, that of 50 random orders {random.value:.2f} (")
    worse, chance = one.deletion.better_than[0], one.deletion.chance[0]
    assert down.endswith(f"lower than {100 * worse:.0f} % of them (p = {chance:.3f}).")
    two = removal(TINY, torch.cat([PICTURE, PICTURE * 2]), torch.tensor([0, 0]), contributions, plan=SINGLY)
    assert "random orders" in two.sentences()[1]
    assert "; higher by" in two.sentences()[1]
    assert two.sentences()[0].endswith("n = 2).")
    told = two.to_dict()
    assert told["deletion"]["area"]["value"] == pytest.approx(two.deletion.areas.mean())
    assert (told["block"], told["steps"], told["random_orders"], told["fill"]) == (1, 4, 20, "mean")


def test_plans_outside_their_range_are_refused() -> None:
    refused = {
        "fill": ("grey", "There is no fill 'grey'; Allowed: mean, blur."),
        "block": (0, "block=0: a block is at least 1 pixel wide; leave it out for a sixteenth."),
        "steps": (1, "steps=1: a curve takes at least 2 steps; 16 are common."),
        "orders": (19, "orders=19: fewer than 20 random orders cannot show that a map is better."),
        "seed": (-1, "seed=-1: a seed is a whole number from 0 to 2⁶³ - 1."),
    }
    for field, (value, sentence) in refused.items():
        with pytest.raises(UsageError) as caught:
            RemovalPlan(**{field: value})  # pyright: ignore[reportArgumentType]
        assert str(caught.value) == sentence


def test_maps_and_targets_that_do_not_fit_are_refused() -> None:
    for wrong in (torch.tensor([2]), torch.tensor([-1])):
        with pytest.raises(ModelError, match="is no class of the network, whose classes are 0 to 1"):
            removal(TINY, PICTURE, wrong, random_maps)
    with pytest.raises(UsageError, match="There are 1 images and 2 targets"):
        removal(TINY, PICTURE, torch.tensor([0, 1]), random_maps)
    with pytest.raises(UsageError, match="There are 0 images and 0 targets"):
        removal(TINY, PICTURE[:0], FIRST[:0], random_maps)
    with pytest.raises(UsageError, match=r"has the shape 1 × 1 × 2 × 2; .* one value a pixel, 1 × 2 × 2"):
        removal(TINY, PICTURE, FIRST, lambda *some: some[1])
    with pytest.raises(UsageError, match="The maps of 1 of 1 images hold values that are not finite"):
        removal(TINY, PICTURE, FIRST, lambda *some: some[1][:, 0] / 0)
    random = random_orders(TINY, PICTURE, FIRST, plan=SINGLY)
    with pytest.raises(UsageError, match="The random orders are of other images or of another plan"):
        removal(TINY, PICTURE, FIRST, random_maps, random=random)

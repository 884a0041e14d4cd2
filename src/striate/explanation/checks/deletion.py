"""Deletion and insertion: Petsiuk, Das & Saenko 2018, RISE: randomized input sampling for explanation, section 4.2.

What a map calls important is taken out of the picture first, and what the network still believes is followed. The
same with the picture put back from nothing. Any order of removal does something, so each area stands beside those of
random orders: a map that knows nothing is as good as half of them.

With one fill for both, the pictures of a random order of deletion are those of the reversed order of insertion, and
the areas are equal. Random orders are therefore gone through once for both.
"""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from striate.errors import UsageError
from striate.explanation.checks.curves import Curves, RandomOrders, Removal
from striate.explanation.checks.explainers import Explain, maps_of, picture_noise
from striate.explanation.checks.plan import RemovalPlan
from striate.explanation.gradient import at_once, require_targets
from striate.explanation.methods import in_evaluation
from striate.models import Network

DEFAULT_PLAN = RemovalPlan()


def removal(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " targets"],
    explain: Explain,
    *,
    plan: RemovalPlan = DEFAULT_PLAN,
    random: RandomOrders | None = None,
) -> Removal:
    """How the target's probability falls and rises while blocks of pixels go and come in the order of the map.

    >>> from striate.explanation.checks.explainers import random_maps
    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32))
    >>> found = removal(network, torch.randn(2, 3, 32, 32), torch.tensor([3, 5]), random_maps)
    >>> found.side, found.deletion.probabilities.shape, found.deletion.random_areas.shape
    (2, (2, 17), (2, 20))

    Blocks of equal mean go in a random order, so that a map without differences is a random order. An image takes
    `(orders + 2) · (steps - 1) + 2` forward passes, batched; `random` are the orders of an earlier call with the
    same network, images and plan, which then cost nothing. Raises UsageError for maps that cannot be ordered and for
    random orders of other images or another plan, ModelError for targets that are no class.
    """
    maps = maps_of(explain, network, inputs, targets)
    return removal_by_maps(network, inputs, targets, maps, plan=plan, random=random)


def removal_by_maps(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " targets"],
    maps: Float[Tensor, "batch height width"],
    *,
    plan: RemovalPlan = DEFAULT_PLAN,
    random: RandomOrders | None = None,
) -> Removal:
    """As `removal`, of maps that are there already."""
    random = random or random_orders(network, inputs, targets, plan=plan)
    if random.plan != plan or len(random.probabilities) != len(inputs):
        raise UsageError(
            "The random orders are of other images or of another plan; leave them out, or give what they were made of."
        )
    side = plan.side(inputs.shape[2], inputs.shape[3])
    ranks = [map_ranks(one, image, side, plan.seed)[None] for one, image in zip(maps, inputs, strict=True)]
    down = _curves(network, inputs, targets, ranks, plan, inserting=False)
    up = _curves(network, inputs, targets, ranks, plan, inserting=True)
    return Removal(
        side=side,
        deletion=Curves(random.shares, down[:, 0], random.areas, lower_is_better=True),
        insertion=Curves(random.shares, up[:, 0], random.areas, lower_is_better=False),
        random=random,
    )


def random_orders(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " targets"],
    *,
    plan: RemovalPlan = DEFAULT_PLAN,
) -> RandomOrders:
    """What removing blocks in random orders does to each image: what any map has to be better than.

    The orders belong to the picture and to the plan's seed: those of an image do not depend on the others.
    """
    blocks = _blocks(inputs, plan)
    drawn = []
    for image in inputs:
        noise = picture_noise(image, plan.seed)
        ranks = [noise.permutation(blocks) for _ in range(plan.orders)]
        drawn.append(torch.from_numpy(np.stack(ranks)))
    shares = plan.counts(blocks) / blocks
    return RandomOrders(plan, shares, _curves(network, inputs, targets, drawn, plan, inserting=False))


def map_ranks(
    one: Float[Tensor, "height width"], image: Float[Tensor, "channel height width"], side: int, seed: int
) -> Int64[Tensor, " blocks"]:
    """When each block of a picture goes, by the map's mean over it: 0 for the largest.

    >>> one = torch.tensor([[1.0, 1.0, 5.0, 7.0], [1.0, 1.0, 6.0, 6.0]])
    >>> map_ranks(one, torch.zeros(1, 2, 4), side=2, seed=0).tolist()
    [1, 0]

    Blocks at the lower and right border may be smaller. Where means are equal, chance decides.
    """
    means = F.avg_pool2d(one[None, None], side, ceil_mode=True).flatten().cpu().numpy()
    # a generator of its own, or a map without differences would repeat the first random order
    order = np.lexsort((picture_noise(image, seed + 1).permutation(len(means)), -means))
    ranks = np.empty(len(means), np.int64)
    ranks[order] = np.arange(len(means))
    return torch.from_numpy(ranks)


def _blocks(inputs: Tensor, plan: RemovalPlan) -> int:
    height, width = inputs.shape[2:]
    side = plan.side(height, width)
    return -(-height // side) * -(-width // side)


def _curves(
    network: Network,
    inputs: Tensor,
    targets: Tensor,
    ranks: list[Tensor],
    plan: RemovalPlan,
    *,
    inserting: bool,
) -> Float64[np.ndarray, "images orders points"]:
    """The target's probability at every point of the curve, of each image under each of its orders."""
    counts = torch.from_numpy(plan.counts(_blocks(inputs, plan)))
    filled = plan.filling(inputs)
    found = []
    with in_evaluation(network), torch.no_grad():
        require_targets(targets, network(inputs[:1]).expand(len(inputs), -1))
        for image, fill, target, orders in zip(inputs, filled, targets, ranks, strict=True):
            shown = _shown(orders, counts, inserting)
            pictures = _pictures(image, fill, shown, plan.side(image.shape[1], image.shape[2]))
            said = torch.cat([network(some).double().softmax(dim=1)[:, target] for some in pictures])
            # the whole picture and the empty one are the same for every order
            ends, between = said[:2], said[2:].view(len(orders), len(counts) - 2)
            first, last = ends.flip(0) if inserting else ends
            sides = (first.expand(len(orders), 1), between, last.expand(len(orders), 1))
            found.append(torch.cat(sides, dim=1).cpu().numpy())
    return np.stack(found)


def _shown(orders: Tensor, counts: Tensor, inserting: bool) -> Tensor:
    """Which blocks are to be seen: all, none, then the points between of the first order, of the second and so on."""
    gone = orders[:, None, :] < counts[1:-1, None]
    between = gone if inserting else ~gone
    ends = torch.tensor([[True], [False]]).expand(2, orders.shape[1])
    return torch.cat([ends, between.flatten(0, 1)])


def _pictures(image: Tensor, fill: Tensor, shown: Tensor, side: int) -> Iterator[Tensor]:
    """The picture where it is shown and the fill elsewhere, as many at a time as fit."""
    _, height, width = image.shape
    for some in shown.to(image.device).split(at_once(image)):
        grid = some.view(len(some), 1, -(-height // side), -(-width // side))
        pixels = grid.repeat_interleave(side, dim=2).repeat_interleave(side, dim=3)[..., :height, :width]
        yield torch.where(pixels, image, fill)

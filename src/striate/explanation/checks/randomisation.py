"""Weight randomisation from the top down: Adebayo et al. 2018, Sanity checks for saliency maps, section 3.

The head is given fresh weights, then the last stage as well, and so on down to the first; after each the map is made
again. A map that stays as it was with no learned weight left does not show what was learned. Sixt, Granz & Landgraf
2020 find that guided backpropagation is of that kind.
"""

import copy
from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from striate.errors import ModelError
from striate.explanation.checks.explainers import Explain, maps_of
from striate.explanation.checks.likeness import (
    LEVEL,
    rank_correlations,
    shifted_limits,
    structural_similarities,
    unrelated_pictures,
)
from striate.explanation.checks.randomised import Randomisation, RandomisedStep
from striate.models import Layer, Network, initialise

SATURATING = (nn.Tanh, nn.Sigmoid)
FEWEST_PICTURES = 10
"""Of so many, 90 pairs of unrelated pictures say where their 95 % lie."""


def randomisation(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " targets"],
    explain: Explain,
    *,
    seed: int = 0,
) -> Randomisation:
    """How alike the maps stay while the network loses what it has learned, from the head down to the first stage.

    >>> from striate.explanation.checks.explainers import edge_maps
    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32))
    >>> found = randomisation(network, torch.randn(2, 3, 32, 32), torch.tensor([3, 5]), edge_maps)
    >>> [step.part for step in found.steps], found.verdict
    (['head', 'stage3', 'stage2', 'stage1', 'stem'], 'does not change')

    Works on a copy. Raises ModelError for a network without parameters, and what `explain` raises.
    """
    before = maps_of(explain, network, inputs, targets).cpu().numpy()
    steps = []
    for part, randomised in cascade(network, seed):
        after = maps_of(explain, randomised, inputs, targets).cpu().numpy()
        steps.append(_compared(part, before, after))
    if not steps:
        raise ModelError("The network has no parameters, so there is nothing that it could have learned.")
    return Randomisation(tuple(steps), seed)


def cascade(network: Network, seed: int) -> Iterator[tuple[str, Network]]:
    """A copy of the network, given fresh weights part by part, from the head down; always the same copy.

    >>> from striate.models import create_model
    >>> network = create_model("lenet5", classes=10)
    >>> [name for name, _ in cascade(network, seed=0)]
    ['head', 'c5', 'c3', 'c1']

    Parts without parameters are passed over. Weights are He's, or Xavier's where a network has no rectifier but
    saturates; normalisation begins anew, with no statistics of what it has seen.
    """
    randomised = copy.deepcopy(network).eval()
    rule = "xavier" if _saturates(network) else "he"
    parts = {"head": randomised.head} | dict(reversed(list(randomised.stages.items())))
    for number, (name, part) in enumerate(parts.items()):
        if any(True for _ in part.parameters()):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed + number)
                forget(part, rule)
            yield name, randomised


def forget(part: nn.Module, rule: str) -> None:
    """Give every parameter of a part a fresh value: by the rule, else as its layer begins, else by chance.

    A parameter of a layer that says neither is drawn from a normal distribution of its own mean and deviation.
    """
    with torch.no_grad():
        for layer in part.modules():
            if callable(reset := getattr(layer, "reset_parameters", None)):
                reset()
            elif not (isinstance(layer, Layer) and layer.fans is not None):
                for values in layer.parameters(recurse=False):
                    values.normal_(float(values.mean()), float(values.std(correction=0)))
    initialise(part, rule)


def _compared(part: str, before: np.ndarray, after: np.ndarray) -> RandomisedStep:
    pictures = None
    if len(before) >= FEWEST_PICTURES:
        pictures = float(np.quantile(unrelated_pictures(before, after), LEVEL))
    return RandomisedStep(
        part=part,
        signed=rank_correlations(before, after),
        absolute=rank_correlations(np.abs(before), np.abs(after)),
        structure=structural_similarities(before, after),
        places=float(shifted_limits(before, after).mean()),
        pictures=pictures,
    )


def _saturates(network: Network) -> bool:
    kinds = [type(layer) for layer in network.modules()]
    return any(issubclass(kind, SATURATING) for kind in kinds) and nn.ReLU not in kinds

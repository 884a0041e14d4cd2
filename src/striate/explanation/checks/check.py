"""All checks of one explanation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from striate.explanation.checks.curves import RandomOrders, Removal
from striate.explanation.checks.deletion import DEFAULT_PLAN, removal_by_maps
from striate.explanation.checks.explainers import Explain, maps_of
from striate.explanation.checks.masks import Agreement, agreement
from striate.explanation.checks.plan import RemovalPlan
from striate.explanation.checks.randomisation import randomisation
from striate.explanation.checks.randomised import Randomisation
from striate.models import Network


@dataclass(frozen=True, eq=False)
class Checks:
    """What the checks find of one way to explain; without masks there is no agreement."""

    removal: Removal
    randomisation: Randomisation
    agreement: Agreement | None = None

    def sentences(self) -> tuple[str, ...]:
        """Each check in a sentence."""
        agrees = () if self.agreement is None else (self.agreement.sentence(),)
        return (*self.removal.sentences(), self.randomisation.sentence(), *agrees)

    def to_dict(self) -> dict[str, Any]:
        """Numbers ready for JSON, and the sentences."""
        return {
            "sentences": list(self.sentences()),
            "removal": self.removal.to_dict(),
            "randomisation": self.randomisation.to_dict(),
            "agreement": None if self.agreement is None else self.agreement.to_dict(),
        }


def check(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " targets"],
    explain: Explain,
    *,
    plan: RemovalPlan = DEFAULT_PLAN,
    masks: Bool[np.ndarray, "masks rows columns"] | None = None,
    tolerance: float | int = 0,
    random: RandomOrders | None = None,
) -> Checks:
    """Deletion, insertion and weight randomisation of one way to explain, and its agreement with masks.

    >>> import torch
    >>> from striate.explanation.checks.explainers import explainer
    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32))
    >>> found = check(network, torch.randn(1, 3, 32, 32), torch.tensor([3]), explainer("gradcam"))
    >>> len(found.sentences()), found.randomisation.steps[-1].pictures
    (3, None)

    `plan.seed` is also that of the fresh weights; `tolerance` is the pointing game's, in pixels. The network is left
    as it was. Raises what the checks raise.
    """
    maps = maps_of(explain, network, inputs, targets)
    return Checks(
        removal=removal_by_maps(network, inputs, targets, maps, plan=plan, random=random),
        randomisation=randomisation(network, inputs, targets, explain, seed=plan.seed),
        agreement=None if masks is None else agreement(maps.cpu().numpy(), masks, tolerance=tolerance),
    )

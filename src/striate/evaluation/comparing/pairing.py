"""What one run has over another on the same images: which images, how much, how sure, class by class."""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Float64

from striate.evaluation.comparing.differences import Differences, Ground, group_differences, image_differences
from striate.evaluation.comparing.paired import Agreement, McNemar, agreement, flip_p, holm, mcnemar
from striate.evaluation.comparing.paired_auc import AucDifference, auc_difference
from striate.evaluation.intervals import CONFIDENCE, Number


@dataclass(frozen=True, eq=False)
class Answers:
    """What one run said of the images: which it has right, -ln p of the truth, and every probability."""

    name: str
    right: Bool[np.ndarray, " images"]
    losses: Float64[np.ndarray, " images"]
    probabilities: Float[np.ndarray, "images classes"]


@dataclass(frozen=True, kw_only=True)
class ClassDifference:
    """Recall of one class under two runs, and how they rank it against the rest.

    `p` is McNemar's over the images of the class or, with groups, that of sign flips of whole groups; `adjusted` is
    Holm's over the classes, as is `auc_adjusted` of the p in `auc`.
    """

    class_name: str
    agreement: Agreement
    recall: Number
    p: float | None
    adjusted: float | None
    auc: AucDifference
    auc_adjusted: float | None

    def to_dict(self) -> dict[str, object]:
        """Plain numbers or None, with the reason where something is undefined."""
        return {
            "class": self.class_name,
            "support": self.agreement.n,
            "agreement": self.agreement.to_dict(),
            "recall": told(self.recall),
            "p": self.p,
            "p_holm": self.adjusted,
            "auc": {
                "reference": self.auc.reference,
                "other": self.auc.other,
                "difference": told(self.auc.difference),
                "p": self.auc.p,
                "p_holm": self.auc_adjusted,
            },
        }


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """What `other` has over `reference`; every difference is other minus reference.

    `p` is what the verdict rests on: McNemar's exact p or, with groups, that of sign flips of whole groups; `adjusted`
    is Holm's over all pairs compared.
    """

    reference: str
    other: str
    agreement: Agreement
    differences: Differences
    mcnemar: McNemar
    p: float
    per_class: tuple[ClassDifference, ...]
    adjusted: float = math.nan

    @property
    def shown(self) -> bool:
        """Whether a difference of accuracy is shown: the adjusted p is under 0.05, and the interval is off zero."""
        low, high = self.differences.accuracy.low, self.differences.accuracy.high
        apart = low is not None and high is not None and (low > 0 or high < 0)
        return apart and self.adjusted < 1 - CONFIDENCE

    def to_dict(self) -> dict[str, object]:
        """The pairing as plain values for JSON."""
        return {
            "reference": self.reference,
            "other": self.other,
            "shown": self.shown,
            "agreement": self.agreement.to_dict(),
            "accuracy": told(self.differences.accuracy),
            "accuracy_bootstrap": told(self.differences.bootstrap),
            "balanced_accuracy": told(self.differences.balanced_accuracy),
            "log_loss": told(self.differences.log_loss),
            "p": self.p,
            "p_holm": self.adjusted,
            "mcnemar": {"exact": self.mcnemar.exact, "mid_p": self.mcnemar.mid},
            "per_class": [one.to_dict() for one in self.per_class],
        }


def told(number: Number) -> dict[str, float | int | str | None]:
    """A number for JSON, with the reason where there is one."""
    return {**number.to_dict(), **({"reason": number.reason} if number.reason else {})}


def pair_up(ground: Ground, reference: Answers, other: Answers) -> Pairing:
    """Compare two runs on the same images."""
    counts = agreement(reference.right, other.right)
    gain, worse = other.right.astype(np.float64) - reference.right, other.losses - reference.losses
    if ground.groups is None:
        differences = image_differences(ground, reference.right, other.right, worse)
    else:
        differences = group_differences(ground, gain, worse)
    return Pairing(
        reference=reference.name,
        other=other.name,
        agreement=counts,
        differences=differences,
        mcnemar=mcnemar(counts),
        p=_chance(ground, reference, other, np.ones(len(gain), dtype=bool)),
        per_class=_classes(ground, reference, other, differences),
    )


def adjusted_for_all(pairings: list[Pairing]) -> tuple[Pairing, ...]:
    """The pairings, each with Holm's p over all of them."""
    chances = holm([one.p for one in pairings])
    return tuple(replace(one, adjusted=p) for one, p in zip(pairings, chances, strict=True) if p is not None)


def _classes(
    ground: Ground, reference: Answers, other: Answers, differences: Differences
) -> tuple[ClassDifference, ...]:
    masks = [ground.truth == index for index in range(len(ground.classes))]
    chances = [_chance(ground, reference, other, mask) if mask.any() else None for mask in masks]
    areas = [
        auc_difference(reference.probabilities[:, index], other.probabilities[:, index], mask, ground.groups)
        for index, mask in enumerate(masks)
    ]
    # Of two classes the second one's curve is the first one's mirror image: one test, not two.
    tests = [area.p for area in areas] if len(masks) > 2 else [areas[0].p]
    adjusted, auc_adjusted = holm(chances), holm(tests) * (1 if len(masks) > 2 else 2)
    return tuple(
        ClassDifference(
            class_name=name,
            agreement=agreement(reference.right[mask], other.right[mask]),
            recall=differences.recalls[index],
            p=chances[index],
            adjusted=adjusted[index],
            auc=areas[index],
            auc_adjusted=auc_adjusted[index],
        )
        for index, (name, mask) in enumerate(zip(ground.classes, masks, strict=True))
    )


def _chance(ground: Ground, reference: Answers, other: Answers, mask: Bool[np.ndarray, " images"]) -> float:
    """The p that the verdict rests on, over some of the images."""
    if ground.groups is None:
        return mcnemar(agreement(reference.right[mask], other.right[mask])).exact
    gains = other.right[mask].astype(np.int64) - reference.right[mask]
    sums = np.bincount(ground.groups[mask], weights=gains)
    return flip_p(np.rint(sums).astype(np.int64))

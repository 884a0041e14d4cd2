"""Runs compared on the same images, every difference with its interval, as plain data and in sentences."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from striate.drawing.differences import chance, points
from striate.errors import UsageError, suggestion
from striate.evaluation import metrics
from striate.evaluation.comparing.differences import FEW_GROUPS, Ground, group_rates
from striate.evaluation.comparing.pairing import Answers, Pairing, adjusted_for_all, pair_up, told
from striate.evaluation.intervals import CONFIDENCE, Number
from striate.evaluation.resampling import RESAMPLES
from striate.evaluation.units import numbered_groups

MOST_WITH_ALL_PAIRS = 4
"""Up to so many runs every pair is compared; more are compared with the reference alone."""
METHODS = {
    "difference of accuracy, of recall": "Tango's score interval for paired proportions",
    "difference of accuracy, bootstrap": "BCa, paired, images drawn with replacement",
    "difference of balanced accuracy": "MOVER over the score interval of each class (Zou and Donner 2008)",
    "difference of log loss": "BCa, paired, images drawn with replacement",
    "difference of AUC": "DeLong, paired",
    "p": "McNemar, exact and two-sided; of several, Holm's",
}
METHODS_BY_GROUP = {
    "difference of accuracy, of recall, of balanced accuracy, of log loss": "BCa, paired, whole groups drawn with "
    "replacement, at levels widened for few groups (Hesterberg 2015); Tango's score interval with one image a group, "
    "or where few groups differ and all lean one way",
    "difference of AUC": "DeLong, paired, with Obuchowski's variance for clusters",
    "p": "exact, two-sided, runs swapped for whole groups; of several, Holm's",
    "mcnemar": "ignores the groups",
}


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One run by itself on the images compared; `about` says what is known of it."""

    name: str
    accuracy: Number
    balanced_accuracy: Number
    log_loss: Number
    about: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """The run's name, its numbers, and what is known of it."""
        numbers = ("accuracy", "balanced_accuracy", "log_loss")
        return {"name": self.name, **{name: told(getattr(self, name)) for name in numbers}, **self.about}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What is known of the difference between runs.

    `groups` is the number of groups, None where images are taken as independent. `notes` say which images took part and
    what limits the conclusion; `recipes` has, for a pair of names, the recipe fields in which they differ.
    """

    images: int
    groups: int | None
    classes: tuple[str, ...]
    contenders: tuple[Contender, ...]
    pairings: tuple[Pairing, ...]
    seed: int
    notes: tuple[str, ...] = ()
    recipes: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    source: str = ""

    @property
    def methods(self) -> dict[str, str]:
        """How each interval and p was made."""
        return METHODS if self.groups is None else METHODS_BY_GROUP

    def to_dict(self) -> dict[str, object]:
        """The comparison as plain values for JSON; a value that is undefined is None, beside its reason."""
        return {
            "images": self.images,
            "groups": self.groups,
            "source": self.source,
            "classes": list(self.classes),
            "sentences": self.sentences(),
            "runs": [one.to_dict() for one in self.contenders],
            "pairs": [
                {**one.to_dict(), "recipes": list(self.recipes.get((one.reference, one.other), ()))}
                for one in self.pairings
            ],
            "notes": list(self.notes),
            "confidence": CONFIDENCE,
            "seed": self.seed,
            "resamples": RESAMPLES,
            "methods": self.methods,
        }

    def sentences(self) -> list[str]:
        """One sentence a pair: whether a difference is shown, how large it is, and on what that stands."""
        return [self.sentence(one) for one in self.pairings]

    def sentence(self, one: Pairing) -> str:
        """The verdict on one pair.

        >>> truth = np.array([0, 1] * 40)
        >>> right, wrong = np.where(truth[:, None] == [0, 1], 0.8, 0.2), np.full((80, 2), [0.8, 0.2])
        >>> print(compare_predictions(truth, {"a": wrong, "b": right}, ("cat", "owl")).sentences()[0])
        b is 50 points better than a (39 to 61, n = 80; McNemar p < 0.001).
        """
        value, low, high = points(one.differences.accuracy)
        size = f"n = {one.agreement.n:,}" + (
            "" if self.groups is None else f" in {self.groups:,} group{'s' * (self.groups > 1)}"
        )
        test = "McNemar p" if self.groups is None else "p by groups"
        several = f", Holm's of {len(self.pairings)}" if len(self.pairings) > 1 else ""
        between = f"{low} to {high}" if one.differences.accuracy.low is not None else "no interval"
        stands_on = f"({between}, {size}; {test} {chance(one.adjusted)}{several})"
        difference = one.differences.accuracy.value or 0.0
        better = "better" if difference > 0 else "worse"
        measured = f"{one.other} is {value.lstrip('−')} points {better} than {one.reference}"
        if difference == 0:
            measured = f"{one.other} and {one.reference} are right equally often"
        if one.shown:
            return f"{measured} {stands_on}."
        if self.too_few_groups:
            groups = "1 group is" if self.groups == 1 else f"{self.groups} groups are"
            return f"{groups} too few to show a difference: {measured} {stands_on}."
        return f"No difference is shown: {measured} {stands_on}."

    @property
    def too_few_groups(self) -> bool:
        """Whether no p by groups could be small enough, whatever the runs say: 2 / 2^groups is the least."""
        return self.groups is not None and len(self.pairings) * 2.0 ** (1 - self.groups) >= 1 - CONFIDENCE


def compare_predictions(
    truth: Int[np.ndarray, " images"],
    probabilities: Mapping[str, Float[np.ndarray, "_images _classes"]],
    classes: tuple[str, ...],
    *,
    against: str | None = None,
    groups: Shaped[np.ndarray, " images"] | None = None,
    seed: int = 0,
) -> Comparison:
    """Compare what runs said of the same images, the columns of all being the same classes.

    Up to four runs are compared in all pairs, the earlier of a pair being its reference; more, or with `against`, all
    others with that one run (the first, unless named). `groups` names what belongs together; '' stands alone. Every
    number depends on the order of the images by nothing but rounding, and is the same for the same seed.

    >>> truth = np.array([0, 0, 1, 1])
    >>> said = {"old": np.full((4, 2), 0.5), "new": np.where(truth[:, None] == [0, 1], 0.9, 0.1)}
    >>> found = compare_predictions(truth, said, ("cat", "owl")).pairings[0]
    >>> found.agreement.only_other, found.differences.accuracy.value, found.mcnemar.exact
    (2, 0.5, 0.5)

    Raises UsageError for fewer than two runs and for an unknown reference; StriateError where the arrays do not fit
    together.
    """
    if len(probabilities) < 2:
        raise UsageError("A comparison needs at least two runs.")
    for said in probabilities.values():
        metrics.check(truth, said)
    numbered = None if groups is None else numbered_groups(groups)
    ground = Ground(truth, classes, numbered, seed)
    answers = {name: _answers(name, truth, said) for name, said in probabilities.items()}
    pairings = [pair_up(ground, answers[one], answers[two]) for one, two in pairs(list(answers), against)]
    count = None if numbered is None else int(numbered.max()) + 1
    return Comparison(
        images=len(truth),
        groups=count,
        classes=classes,
        contenders=tuple(_contender(ground, one) for one in answers.values()),
        pairings=adjusted_for_all(pairings),
        seed=seed,
        notes=_limits(count),
    )


def pairs(names: list[str], against: str | None = None) -> list[tuple[str, str]]:
    """Which runs are compared with which, the reference first.

    >>> pairs(["a", "b", "c"]), pairs(["a", "b", "c"], against="b")
    ([('a', 'b'), ('a', 'c'), ('b', 'c')], [('b', 'a'), ('b', 'c')])
    """
    if against is not None and against not in names:
        raise UsageError(f"against={against}: {suggestion(against, names)}")
    if against is None and len(names) <= MOST_WITH_ALL_PAIRS:
        return list(combinations(names, 2))
    reference = against or names[0]
    return [(reference, name) for name in names if name != reference]


def _answers(
    name: str, truth: Int[np.ndarray, " images"], said: Float[np.ndarray, "images classes"]
) -> Answers:
    return Answers(name, said.argmax(axis=1) == truth, metrics.losses(truth, said), said)


def _contender(ground: Ground, one: Answers) -> Contender:
    if ground.groups is None:
        truth, said = ground.truth, one.probabilities
        rates = (
            metrics.accuracy(truth, said),
            metrics.balanced_accuracy(truth, said),
            metrics.log_loss(truth, said),
        )
    else:
        rates = group_rates(ground, one.right, one.losses)
    return Contender(name=one.name, accuracy=rates[0], balanced_accuracy=rates[1], log_loss=rates[2])


def _limits(groups: int | None) -> tuple[str, ...]:
    """What limits the conclusion, in sentences."""
    fixed = "Compared are these trained networks, not their recipes: another seed would give other networks."
    if groups is None:
        return (
            fixed,
            "Images are taken as independent; several of one patient or one part make intervals too narrow.",
        )
    whole = (
        f"Images belong to {groups:,} groups, which are resampled and swapped whole; "
        "McNemar's own p is given beside it and ignores the groups."
    )
    few = f"So few groups ({groups:,}) make intervals uncertain, as a rule too narrow."
    return (fixed, whole, *([few] if groups < FEW_GROUPS else []))

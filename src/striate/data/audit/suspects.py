"""Labels that a quick fit to the other images strongly contradicts, and how many labels are wrong in all.

The scores of a fit to other images become probabilities by a temperature t, and a share ε of the labels is taken to be
drawn at random: p(label) = (1 − ε) softmax(t · score) + ε / classes. The chance that a label is one of the random ones
is then (ε / classes) / p(label). How large ε is, the likelihood says; images are suspected by the least ε that it does
not refute, so that a fit that is merely poor suspects nobody. Images that are odd rather than mislabelled still count:
no fit can tell them from mistakes. The thresholds of confident learning (Northcutt, Jiang and Chuang 2021) take the fit
at its word, and suspect a fifth of CIFAR-10 at the accuracy that a quick fit has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int

from striate.data.audit.finding import Finding, plural
from striate.data.audit.fits import Scores
from striate.data.audit.material import Material
from striate.drawing import numbers
from striate.evaluation.intervals import Number

LISTED = 0.3
"""Images are listed whose label is wrong with at least this chance."""
NOTABLE = 0.005
FITTED_ON = 10_000
QUANTILE = 3.841
"""Of chi-squared with one degree of freedom, at 95 %."""


@dataclass(frozen=True, eq=False)
class Doubt:
    """The least chance that each label is wrong, the class that fits best, and the share of wrong labels in all."""

    wrong: Float64[np.ndarray, " image"]
    best: Int[np.ndarray, " image"]
    share: Number


def doubt(scores: Scores, labels: Int[np.ndarray, " image"], seed: int = 0) -> Doubt:
    """How much each label is to be doubted, from scores by a fit that has not seen it.

    >>> lean = np.linspace(-1, 1, 600)
    >>> given = (lean > 0).astype(int)
    >>> given[:18] = 1
    >>> found = doubt(np.stack([-lean, lean], axis=1), given)
    >>> round(found.share.value, 2), found.best[0].item(), bool(found.wrong[0] > 0.9), bool(found.wrong[18] < 0.1)
    (0.03, 0, True, True)

    The interval of the share is that of the profile likelihood, at 95 %.
    """
    chosen = np.random.default_rng(seed).permutation(len(scores))[:FITTED_ON]
    surprise = _surprise(scores[chosen], labels[chosen])
    shares = _interval(surprise)
    fitted = [_wrong(scores, labels, share, surprise(share)[1]) for share in shares]
    value, low, high = (float(wrong.mean()) for wrong in fitted)
    return Doubt(
        fitted[1], scores.argmax(axis=1), Number(value, min(low, value), max(high, value), len(labels))
    )


def _surprise(scores: Scores, labels: Int[np.ndarray, " image"]) -> Callable[[float], tuple[float, float]]:
    """Minus the log likelihood at a share of random labels, and the temperature that makes it least."""
    from scipy.optimize import minimize_scalar

    classes = scores.shape[1]

    def at(share: float) -> tuple[float, float]:
        def loss(log: float) -> float:
            likely = _softmax(scores, float(np.exp(log)))[np.arange(len(labels)), labels]
            return float(-np.log((1 - share) * likely + share / classes + 1e-300).sum())

        found: Any = minimize_scalar(loss, bounds=(-1.0, 7.0), method="bounded", options={"xatol": 1e-3})
        return float(found.fun), float(np.exp(found.x))

    return at


def _interval(surprise: Callable[[float], tuple[float, float]]) -> tuple[float, float, float]:
    """The likeliest share of random labels, and the least and the greatest that the likelihood does not refute."""
    from scipy.optimize import minimize_scalar

    inner: Any = minimize_scalar(
        lambda log: surprise(float(np.exp(log)))[0], bounds=(np.log(1e-5), np.log(0.9)), method="bounded"
    )
    least, value = min((surprise(0.0)[0], 0.0), (float(inner.fun), float(np.exp(inner.x))))
    limit = least + QUANTILE / 2

    def edge(inside: float, outside: float) -> float:
        if surprise(outside)[0] <= limit:
            return outside
        for _ in range(10):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if surprise(middle)[0] <= limit else (inside, middle)
        return inside

    return value, edge(value, 0.0), edge(value, 0.9)


def _wrong(
    scores: Scores, labels: Int[np.ndarray, " image"], share: float, temperature: float
) -> Float64[np.ndarray, " image"]:
    """The chance that each label is wrong: that it is one of the random ones, and not right by luck."""
    likely = _softmax(scores, temperature)[np.arange(len(labels)), labels]
    noise = (share / scores.shape[1]) / ((1 - share) * likely + share / scores.shape[1] + 1e-300)
    return noise * (1 - likely)


def suspects(
    material: Material, scores: Scores, judged: Int[np.ndarray, " judged"], accuracy: Number
) -> list[Finding]:
    """The images whose label is probably wrong, the worst first; `scores` are of the judged images alone."""
    if (accuracy.low or 0.0) <= 1 / max(2, len(np.unique(material.labels[judged]))):
        return []
    found = doubt(scores, material.labels[judged], material.seed)
    order = np.argsort(-found.wrong, kind="stable")
    order = order[(found.wrong[order] >= LISTED) & (found.best[order] != material.labels[judged[order]])]
    cases = tuple(
        material.case(
            int(judged[index]),
            f"wrong with a chance of {100 * found.wrong[index]:.0f} %",
            other=material.classes[int(found.best[index])],
        )
        for index in order.tolist()
    )
    among = float(found.wrong[order].sum())
    listed = f"{plural(len(order), 'label is', 'labels are')} suspect, of which an estimated {among:,.0f} are wrong"
    return [
        Finding(
            kind="label-suspects",
            severity="warning" if len(order) and (found.share.low or 0.0) >= NOTABLE else "note",
            sentence=f"{listed if len(order) else 'No label is suspect'}; of all labels an estimated "
            f"{numbers.percent(found.share)}.",
            count=len(order),
            unit="label",
            advice="Look at each: the suggestion is another class that fits better, not the truth. The figures hold "
            "where mistakes fall at random; odd images, and classes that look alike as 0 and O do, swell them. The fit "
            f"reaches {numbers.percent(accuracy)} balanced accuracy, and finds only part of the mistakes.",
            cases=cases,
            numbers={
                "judged": len(judged),
                "expected_wrong_among_listed": among,
                "wrong": found.share.to_dict(),
                "balanced_accuracy": accuracy.to_dict(),
            },
        )
    ]


def _softmax(scores: Scores, temperature: float) -> Scores:
    scaled = scores * temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)

"""The two findings that need a fit: shortcuts and suspects share their folds, their features and one fit."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Int

from striate.data.audit.features import picture_features
from striate.data.audit.finding import Finding
from striate.data.audit.fits import FOLDS, balanced_accuracy, folds, kernel_scores
from striate.data.audit.material import Material
from striate.data.audit.shortcuts import CONFIDENCE, balanced, probes, shortcuts
from striate.data.audit.suspects import suspects

LEAST = 100


def quick_fit(material: Material, step: Callable[[], None] = lambda: None) -> list[Finding]:
    """Shortcut probes and label suspects, of the classes that have something to learn from in every fold."""
    judged = _judged(material)
    left_out = len(material) - len(judged)
    if len(judged) < LEAST or len(np.unique(material.labels[judged])) < 2:
        return [_too_few(len(judged), left_out)]
    labels, together = material.labels[judged], material.together[judged]
    fold = folds(labels, together, material.seed)
    features = picture_features(material, step)[judged]
    scores = kernel_scores(features, labels, fold, len(material.classes), material.seed)
    del features
    step()
    picture = balanced_accuracy(balanced(scores, labels), labels, together, CONFIDENCE)
    found = [
        *suspects(material, scores, judged, picture),
        *shortcuts(material, probes(material, judged, fold), picture, len(judged)),
    ]
    return [*found, *([_partly(left_out)] if left_out else [])]


def _judged(material: Material) -> Int[np.ndarray, " judged"]:
    """The images of classes with at least as many independent units as there are folds."""
    pairs = np.unique(np.stack([material.labels, material.together]), axis=1)
    units = np.bincount(pairs[0], minlength=len(material.classes))
    return np.flatnonzero(units[material.labels] >= FOLDS)


def _too_few(judged: int, left_out: int) -> Finding:
    return Finding(
        kind="not-probed",
        severity="note",
        sentence=f"Shortcuts and labels were not probed: that needs {LEAST} images in two classes of {FOLDS} "
        f"independent images (or groups) each, and there are {judged:,}.",
        count=left_out + judged,
        numbers={"probed": 0},
    )


def _partly(left_out: int) -> Finding:
    return Finding(
        kind="not-probed",
        severity="note",
        sentence=f"{left_out:,} images were not probed: their classes have fewer than {FOLDS} independent images "
        "(or groups).",
        count=left_out,
    )

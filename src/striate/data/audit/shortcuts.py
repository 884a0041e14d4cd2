"""What predicts the class without showing the thing: size, mode, format, brightness, contrast, the border.

A network learns the easiest thing that works. Where hospitals, cameras or days differ between classes, that is how the
files were made, and the verdict on images from elsewhere will be a disappointment (Zech and others 2018).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int, Shaped

from striate.data.audit.features import learn_projection
from striate.data.audit.finding import Finding, Severity
from striate.data.audit.fits import balanced_accuracy, kernel_scores
from striate.data.audit.likeness import SIDE, small
from striate.data.audit.material import Material
from striate.drawing import numbers
from striate.evaluation.intervals import Number, wilson

CONFIDENCE = 0.99
"""Six questions are asked at once: at 95 % one set of good images in four would be accused of something."""
FEW_CENTRES = 500
BORDER = 3
"""Pixels of 32, at each side."""
STRONG = 0.5
"""Of what the whole picture gives above chance."""
GIVEN_AWAY = 0.8
"""The share of a class that is called so for certain, less that of the others; CIFAR-10 and MNIST have 0.67 at most."""
TELLING = 0.2
"""In standard deviations: a smaller difference between the means explains nothing."""
VALUES = {"mean": "brightness", "deviation": "deviation", "low": "least value", "high": "largest value"}
Columns = dict[str, Float64[np.ndarray, " image"]]

ASKED = ("size", "mode", "format", "brightness", "contrast", "border")
PLAIN = {
    "size": "the size in pixels",
    "mode": "the mode and depth of the file",
    "format": "the format of the file",
    "brightness": "the mean brightness",
    "contrast": "the spread of values (deviation, least and largest)",
    "border": "the outer tenth of the picture",
}
CONTENT = frozenset({"brightness", "contrast", "border"})
"""What may honestly go with the class: ships have the sea around them. The others are only how files were made."""


@dataclass(frozen=True, eq=False)
class Probe:
    """How well one thing alone predicts the class, and the class that it gives away most.

    `recognised` is the share of that class's images that it alone gives to the class, at least `certain` of them, and
    `mistaken` that of the others: where one class of many is marked, the mean over classes hardly shows it.
    """

    name: str
    accuracy: Number
    culprit: str
    told: str
    recognised: float
    mistaken: float
    certain: float

    @property
    def gives_away(self) -> bool:
        """Whether a class is as good as named by it."""
        return self.certain - self.mistaken >= GIVEN_AWAY


def probes(
    material: Material, judged: Int[np.ndarray, " judged"], fold: Int[np.ndarray, " judged"]
) -> list[Probe]:
    """Every probe that has something to go by; what is the same in all images is left out."""
    facts, labels = material.facts[judged], material.labels[judged]
    found = []
    for name in ASKED[:-1]:
        columns = _columns(name, facts)
        if columns:
            predicted = _tree(np.stack(list(columns.values()), axis=1), labels, fold, material.seed)
            found.append(_probe(material, judged, name, predicted, columns))
    features = _border(material, judged)
    scores = kernel_scores(features, labels, fold, len(material.classes), material.seed, most=FEW_CENTRES)
    found.append(_probe(material, judged, "border", balanced(scores, labels), {}))
    return found


def balanced(
    scores: Float64[np.ndarray, "image class"], labels: Int[np.ndarray, " image"]
) -> Int[np.ndarray, " image"]:
    """The class whose score is highest for its frequency, so that rare classes are called as readily as others."""
    frequency = np.bincount(labels, minlength=scores.shape[1]) / max(1, len(labels))
    shares = np.divide(scores, frequency, out=np.full(scores.shape, -np.inf), where=frequency > 0)
    return shares.argmax(axis=1)


def shortcuts(material: Material, found: Sequence[Probe], picture: Number, judged: int) -> list[Finding]:
    """A finding for each probe that beats chance for certain, and one that lists them all."""
    chance = 1 / max(1, len(np.unique(material.labels)))
    table = {probe.name: probe.accuracy.to_dict() for probe in found}
    flagged = [probe for probe in found if (probe.accuracy.low or 0.0) > chance]
    summary = Finding(
        kind="shortcut-probe",
        severity="note",
        sentence=f"Of {len(found)} things that should not tell the class, {len(flagged)} "
        f"{'does' if len(flagged) == 1 else 'do'} so better than chance ({100 * chance:.1f} %); "
        f"the whole picture reaches {numbers.percent(picture)}.",
        count=len(flagged),
        unit="probe",
        advice=f"Balanced accuracy, five-fold, of quick fits to {judged:,} images; intervals at 99 %.",
        numbers={"chance": chance, "whole_picture": picture.to_dict(), "probes": table},
    )
    return [*(_finding(probe, chance, picture) for probe in flagged), summary]


def _finding(probe: Probe, chance: float, picture: Number) -> Finding:
    reach = ((picture.value or chance) - chance) or 1e-9
    part = max(0.0, ((probe.accuracy.low or 0.0) - chance) / max(reach, 1e-9))
    content = probe.name in CONTENT
    severity: Severity = "note" if content and part < STRONG and not probe.gives_away else "warning"
    weak = "one class is told" if probe.gives_away else "the class is weakly told"
    told = "the class is strongly told" if part >= STRONG else weak
    advice = (
        "It may honestly go with the class, as the sea goes with ships; if not, the classes were recorded differently."
        if content
        else "It says how the files were made, not what they show: bring all classes to one kind, or record them anew."
    )
    return Finding(
        kind=f"shortcut-{probe.name}",
        severity=severity,
        sentence=f"By {PLAIN[probe.name]} alone {told}: balanced accuracy "
        f"{numbers.percent(probe.accuracy)}, where chance is {100 * chance:.1f} % and the whole picture gives "
        f"{numbers.percent(picture)}. Most given away: {probe.culprit}; {100 * probe.recognised:.0f} % of its images "
        f"and {100 * probe.mistaken:.0f} % of the others are called so{probe.told}.",
        count=1,
        unit="probe",
        advice=advice,
        numbers={
            "balanced_accuracy": probe.accuracy.to_dict(),
            "chance": chance,
            "share_of_whole_picture": part,
            "culprit": probe.culprit,
            "culprit_recognised": probe.recognised,
            "others_taken_for_it": probe.mistaken,
        },
    )


def _columns(name: str, facts: Shaped[np.ndarray, " image"]) -> Columns:
    """The numbers that a probe may use, constant ones left out, each with its name."""
    if name == "size":
        height, width = facts["height"].astype(float), facts["width"].astype(float)
        made = {
            "height": height,
            "width": width,
            "width / height": width / np.maximum(height, 1),
            "area": height * width,
        }
    elif name in ("mode", "format"):
        fields = ("mode", "channels", "bits", "depth") if name == "mode" else ("format",)
        made = {
            f"{field} {kind}": (facts[field] == kind).astype(float)
            for field in fields
            for kind in np.unique(facts[field])
        }
    else:
        fields = ("mean",) if name == "brightness" else ("deviation", "low", "high")
        made = {VALUES[field]: facts[field].astype(float) for field in fields}
    return {title: column for title, column in made.items() if len(column) and np.ptp(column) > 0}


def _tree(
    columns: Float64[np.ndarray, "image column"],
    labels: Int[np.ndarray, " image"],
    fold: Int[np.ndarray, " image"],
    seed: int,
) -> Int[np.ndarray, " image"]:
    """Predictions of a small decision tree, classes weighted alike, for the images of the fold it has not seen."""
    from sklearn.tree import DecisionTreeClassifier

    predicted = np.empty(len(labels), np.int64)
    leaf = max(5, len(labels) // 500)
    for held in np.unique(fold).tolist():
        tree = DecisionTreeClassifier(class_weight="balanced", min_samples_leaf=leaf, random_state=seed)
        tree.fit(columns[fold != held], labels[fold != held])
        predicted[fold == held] = tree.predict(columns[fold == held])
    return predicted


def _border(
    material: Material, judged: Int[np.ndarray, " judged"]
) -> Float32[np.ndarray, "judged component"]:
    """The four sides of each picture, averaged across their width, in at most 60 main directions."""
    parts = []
    for start in range(0, len(judged), 2048):
        pictures = small(material.pictures(judged[start : start + 2048]))
        sides = [
            pictures[:, :BORDER].mean(axis=1),
            pictures[:, SIDE - BORDER :].mean(axis=1),
            pictures[:, :, :BORDER].mean(axis=2),
            pictures[:, :, SIDE - BORDER :].mean(axis=2),
        ]
        parts.append(np.concatenate([side.reshape(len(pictures), -1) for side in sides], axis=1))
    table = np.concatenate(parts)
    return learn_projection(table[:5000], 60, 1.0)(table)


def _probe(
    material: Material,
    judged: Int[np.ndarray, " judged"],
    name: str,
    predicted: Int[np.ndarray, " judged"],
    columns: Columns,
) -> Probe:
    labels = material.labels[judged]
    accuracy = balanced_accuracy(predicted, labels, material.together[judged], CONFIDENCE)
    shares = {
        label: (
            float((predicted[labels == label] == label).mean()),
            float((predicted[labels != label] == label).mean()),
        )
        for label in np.unique(labels).tolist()
    }
    culprit = max(shares, key=lambda label: shares[label][0] - shares[label][1])
    told = _contrast(columns, labels == culprit)
    of_it = predicted[labels == culprit] == culprit
    certain = wilson(int(of_it.sum()), len(of_it), CONFIDENCE).low or 0.0
    return Probe(name, accuracy, material.classes[culprit], told, *shares[culprit], certain)


def _contrast(columns: Columns, mine: Bool[np.ndarray, " image"]) -> str:
    """The column in which a class lies furthest from the others, with its mean in both; '' if none is far."""
    distance = {
        title: abs(column[mine].mean() - column[~mine].mean()) / column.std()
        for title, column in columns.items()
    }
    if not distance or max(distance.values()) < TELLING:
        return ""
    title = max(distance, key=lambda one: distance[one])
    own, others = columns[title][mine].mean(), columns[title][~mine].mean()
    if set(np.unique(columns[title]).tolist()) <= {0.0, 1.0}:
        return f" ({title}: {100 * own:.0f} % of it, {100 * others:.0f} % of the others)"
    return f" (mean {title} {own:,.4g}, of the others {others:,.4g})"

"""The list of images to look at again, from probabilities by networks that were not given them.

Three parts, and no image in two of them: labels that are probably wrong, other answers that are surely wrong, and
images that lie between two classes. The list has the columns of an audit's table, and is read back as one.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, Int

from striate.data.audit.finding import Case, Finding, plural
from striate.data.audit.material import Material
from striate.data.audit.suspects import suspects
from striate.data.audit.table import audit_csv
from striate.evaluation.intervals import Number
from striate.files import write_atomically

MOST = 100
"""Images in each of the two parts whose length no evidence limits."""
SECOND = 0.1
"""An image lies between two classes where the second has at least this probability."""

Probabilities = Float64[np.ndarray, "image class"]


@dataclass(frozen=True, eq=False)
class Review:
    """Findings of the kinds label-suspects, worst-errors and most-uncertain, in this order."""

    findings: tuple[Finding, ...]
    title: str
    material: Material

    def of_kind(self, kind: str) -> Finding:
        """The finding of a kind."""
        return next(finding for finding in self.findings if finding.kind == kind)

    def csv(self) -> bytes:
        """One row an image, with room for a decision; see `apply_decisions`."""
        return audit_csv(self.findings)

    def to_html(self) -> str:
        """The list with its pictures as one HTML file: no script, nothing fetched."""
        from striate.data.audit.review_page import review_page

        return review_page(self)

    def write(self, folder: Path) -> None:
        """Writes review.csv and review.html into a folder, each whole or not at all."""
        write_atomically(folder / "review.csv", self.csv())
        write_atomically(folder / "review.html", self.to_html().encode("utf-8", errors="backslashreplace"))


def review_images(material: Material, probabilities: Probabilities, balanced_accuracy: Number) -> Review:
    """What should be looked at again, by what networks said of images that they were not trained on.

    `balanced_accuracy` is that of the probabilities: where it is not shown to be above chance, no label is doubted.
    """
    doubted = doubts(material, probabilities, balanced_accuracy)
    listed = marked(doubted, len(material))
    wrong = worst(material, probabilities, ~listed)
    listed |= marked(wrong, len(material))
    between = uncertain(material, probabilities, ~listed)
    return Review((doubted, wrong, between), material.images.source.location, material)


def marked(finding: Finding, count: int) -> Bool[np.ndarray, " image"]:
    """Which of `count` images a finding lists."""
    found = np.zeros(count, dtype=bool)
    found[[case.image for case in finding.cases]] = True
    return found


def doubts(material: Material, probabilities: Probabilities, balanced_accuracy: Number) -> Finding:
    """The labels that are probably wrong, with the chance of that and the class that fits better."""
    scores = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    found = suspects(material, scores, np.arange(len(material)), balanced_accuracy)
    if found:
        return found[0]
    return Finding(
        kind="label-suspects",
        severity="note",
        sentence="No label is doubted: the networks are not shown to do better than chance, so what they say against a "
        "label tells nothing.",
        count=0,
        unit="label",
    )


def worst(material: Material, probabilities: Probabilities, among: Bool[np.ndarray, " image"]) -> Finding:
    """The wrong answers that gave the image's own class the least probability."""
    said, labels = probabilities.argmax(axis=1), material.labels
    own, top = probabilities[np.arange(len(labels)), labels], probabilities.max(axis=1)
    wrong = np.flatnonzero((said != labels) & among)
    order = wrong[np.argsort(own[wrong], kind="stable")]
    cases = tuple(
        material.case(
            image,
            f"{percent(float(top[image]))} for that, {percent(float(own[image]))} for its own class",
            other=material.classes[int(said[image])],
        )
        for image in order[:MOST].tolist()
    )
    extent = f"; the worst {MOST} are listed" if len(order) > MOST else ""
    return Finding(
        kind="worst-errors",
        severity="note",
        sentence=f"{plural(len(order), 'other image is', 'other images are')} taken for another class{extent}.",
        count=len(order),
        advice="What do they have in common? Too dark, cut off, two things in one picture, a kind of which there are "
        "few: that is what more data, or another preparation, should mend.",
        cases=cases,
        numbers={"wrong": len(order), "listed": len(cases)},
    )


def uncertain(material: Material, probabilities: Probabilities, among: Bool[np.ndarray, " image"]) -> Finding:
    """The images with a probable second class, those first whose two most probable ones lie nearest to each other."""
    ranked = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
    first, second = (np.take_along_axis(probabilities, ranked[:, [one]], axis=1)[:, 0] for one in (0, 1))
    free = np.flatnonzero(among & (second >= SECOND))
    order = free[np.argsort((first - second)[free], kind="stable")]
    wrong = int((ranked[order, 0] != material.labels[order]).sum())
    extent = f"; the {MOST} nearest are listed" if len(order) > MOST else ""
    return Finding(
        kind="most-uncertain",
        severity="note",
        sentence=f"{plural(len(order), 'other image gets', 'other images get')} at least {percent(SECOND)} for a "
        f"second class, and {wrong:,} of these answers {'is' if wrong == 1 else 'are'} wrong{extent}.",
        count=len(order),
        advice="Where a person hesitates too, the classes need a clearer rule, or a class for what is neither.",
        cases=tuple(
            between(material, int(image), ranked[image], probabilities[image]) for image in order[:MOST]
        ),
        numbers={"uncertain": len(order), "wrong": wrong, "listed": min(len(order), MOST)},
    )


def between(
    material: Material, image: int, two: Int[np.ndarray, " 2"], probabilities: Float64[np.ndarray, " class"]
) -> Case:
    """An image with its two most probable classes; the one that is not its label stands beside it."""
    names = [material.classes[one] for one in two.tolist()]
    chances = probabilities[two].tolist()
    said = " or ".join(f"{name} ({percent(chance)})" for name, chance in zip(names, chances, strict=True))
    other = names[1] if two[0] == material.labels[image] else names[0]
    return material.case(image, said, other=other)


def percent(probability: float) -> str:
    """A probability in per cent; what is not certain is not written as if it were.

    >>> percent(0.48214), percent(0.99999), percent(0.00001), percent(0.1)
    ('48.2 %', 'over 99.9 %', 'under 0.1 %', '10 %')
    """
    if 0.9995 <= probability < 1:
        return "over 99.9 %"
    return "under 0.1 %" if 0 < probability < 0.0005 else f"{round(100 * probability, 1):g} %"

"""The list of images to look at again: planted label errors found, each image once, read back as an audit's table."""

import csv
import io
import re

import numpy as np
import pytest
from sklearn.datasets import load_digits

from striate import FoldsVerdict, Images, Number, Recipe, cross_validate
from striate.classifier.folds.reviewing import review_of
from striate.classifier.material import table_of
from striate.data import Pack, pack_source
from striate.data.audit.material import Material
from striate.data.audit.review import MOST, SECOND, Review, review_images
from striate.data.audit.table import COLUMNS
from striate.data.images import PseudonymousSource

WRONG = 0.03
SURE = Number(0.9, 0.85, 0.95, 1000)


class Planted:
    """All 1,797 digits with 3 % of the labels replaced by another class, and a review of them."""

    def __init__(self, recipe: Recipe, folds: int, seed: int = 1) -> None:
        X, self.truth = load_digits(return_X_y=True)
        random = np.random.default_rng(seed)
        self.bad = np.sort(random.choice(len(X), round(WRONG * len(X)), replace=False))
        self.given = self.truth.copy()
        self.given[self.bad] = (self.truth[self.bad] + random.integers(1, 10, len(self.bad))) % 10
        self.images = table_of((X.reshape(-1, 8, 8) * 15).astype(np.uint8), self.given)
        self.verdict: FoldsVerdict = cross_validate(self.images, recipe, folds=folds)
        _, pack = pack_source(self.images.source)
        self.review = review_of(self.verdict, self.images.with_pack(pack), pack)
        self.rows = rows_of(self.review.csv())

    def listed(self, kind: str) -> list[int]:
        """The images of a part of the list, by their place among the digits."""
        names = {name: place for place, name in enumerate(self.images.names)}
        return [names[row["source"]] for row in self.rows if row["finding"] == kind]


@pytest.fixture(scope="module")
def planted() -> Planted:
    return Planted(Recipe(model="mlp", epochs=5, batch_size=32), folds=2)


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def decided(rows: list[dict[str, str]]) -> bytes:
    """A table as a spreadsheet saves it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


# Planted errors


def found_of(planted: Planted) -> tuple[float, float, float]:
    """Recall and precision of the suspects, and of those rightly suspected the share with the true class beside."""
    suspects, bad = set(planted.listed("label-suspects")), set(planted.bad.tolist())
    found = suspects & bad
    suggested = {row["source"]: row["other"] for row in planted.rows}
    right = [suggested[planted.images.names[place]] == str(planted.truth[place]) for place in found]
    return len(found) / len(bad), len(found) / len(suspects), float(np.mean(right))


def test_planted_errors_are_found_and_little_else_is_suspected(planted: Planted) -> None:
    recall, precision, right = found_of(planted)
    assert recall >= 0.8
    assert precision >= 0.8
    assert right >= 0.8


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_default_recipe_finds_nearly_all_planted_errors(seed: int) -> None:
    assert min(found_of(Planted(Recipe(), folds=5, seed=seed))) >= 0.85


def test_guessing_by_errors_alone_is_not_as_good(planted: Planted) -> None:
    """The bar of the test above is one that a list of all wrong answers does not pass."""
    answers = planted.verdict.out_of_fold
    wrong = set(np.flatnonzero(answers.probabilities.argmax(axis=1) != answers.truth).tolist())
    assert len(wrong & set(planted.bad.tolist())) / len(wrong) < 0.5


def test_the_share_of_wrong_labels_is_estimated(planted: Planted) -> None:
    said = planted.review.to_html().replace("\u00a0", " ")
    found = re.search(r"labels are suspect.*?of all labels an estimated (\d\.\d+) %", said)
    assert found is not None
    assert abs(float(found[1]) - 100 * WRONG) < 1.5


def test_no_image_is_listed_twice_and_nothing_is_decided_yet(planted: Planted) -> None:
    sources = [row["source"] for row in planted.rows]
    assert len(sources) == len(set(sources))
    assert {row["action"] + row["new_label"] for row in planted.rows} == {""}
    assert tuple(planted.rows[0]) == COLUMNS
    assert [*dict.fromkeys(row["finding"] for row in planted.rows)] == [
        "label-suspects",
        "worst-errors",
        "most-uncertain",
    ]
    for row in planted.rows:
        assert row["other"] != row["label"]


def test_corrections_are_read_back_and_change_the_labels(planted: Planted) -> None:
    before = planted.images
    rows = [dict(row) for row in planted.rows]
    for row in rows:
        if row["finding"] == "label-suspects":
            row["action"], row["new_label"] = "relabel", row["other"]
        elif row["finding"] == "worst-errors":
            row["action"] = "drop"
    after = before.decided(decided(rows))
    suspects, dropped = planted.listed("label-suspects"), planted.listed("worst-errors")
    assert len(after) == len(before) - len(dropped)
    labels = {name: after.classes[label] for name, label in zip(after.names, after.labels, strict=True)}
    for place in suspects:
        name = before.names[place]
        assert labels[name] == next(row["other"] for row in rows if row["source"] == name)
    right = np.mean(
        [
            labels[name] == str(planted.truth[place])
            for place, name in enumerate(before.names)
            if name in labels
        ]
    )
    assert right > 1 - WRONG / 3


# The parts, by hand


def material_of(classes: int, count: int) -> Material:
    """Small pictures, class by class in turn."""
    pixels = np.random.default_rng(0).integers(0, 255, (count, 4, 4), dtype=np.uint8)
    images = table_of(pixels, np.arange(count) % classes)
    _, pack = pack_source(images.source)
    return material_from(images.with_pack(pack), pack)


def material_from(images: Images, pack: Pack) -> Material:
    return Material(images, pack.pixels, pack.facts[images.rows], 0, str)


def answers(labels: np.ndarray, classes: int, own: np.ndarray) -> np.ndarray:
    """Probabilities that give the own class so much, the next one the rest but a little."""
    given = np.full((len(labels), classes), 1e-3)
    places = np.arange(len(labels))
    given[places, labels] = own
    given[places, (labels + 1) % classes] = 1 - own - 1e-3 * (classes - 2)
    return given


def test_worst_errors_come_first_and_uncertain_ones_by_how_near_the_classes_lie() -> None:
    material = material_of(3, 300)
    own = np.full(300, 0.99)
    own[[5, 17, 60]] = 0.2, 0.001, 0.1  # wrong, 17 most
    own[[30, 31, 90]] = 0.55, 0.51, 0.8  # right, 31 hardly
    chances = answers(material.labels, 3, own)
    review = review_images(
        material, chances, Number(0.34, 0.2, 0.5, 300)
    )  # no better than chance: nothing doubted
    doubted, wrong, between = review.findings
    assert (doubted.kind, doubted.count, doubted.cases) == ("label-suspects", 0, ())
    assert "not shown to do better than chance" in doubted.sentence
    assert [case.image for case in wrong.cases] == [17, 60, 5]
    assert wrong.cases[0].detail == "99.8 % for that, 0.1 % for its own class"
    assert [case.image for case in between.cases] == [31, 30, 90]
    assert between.cases[0].detail.startswith(f"{material.label(31)} (51 %) or ")
    assert {case.other for case in between.cases}.isdisjoint({""})
    second = np.sort(chances, axis=1)[:, -2]
    expected = set(np.flatnonzero(second >= SECOND).tolist()) - {17, 60, 5}
    assert {case.image for case in between.cases} == expected


def test_long_lists_are_cut_and_say_so() -> None:
    material = material_of(3, 600)
    own = np.where(np.arange(600) < 250, 0.3, 0.6)
    review = review_images(material, answers(material.labels, 3, own), Number(0.34, 0.2, 0.5, 600))
    _, wrong, between = review.findings
    assert (wrong.count, len(wrong.cases)) == (250, MOST)
    assert f"250 other images are taken for another class; the worst {MOST} are listed" in wrong.sentence
    assert len(between.cases) == MOST
    assert "Shown: 48 of 100; review.csv lists them all." in review.to_html()


def test_a_review_of_sure_and_right_answers_is_empty_and_says_so() -> None:
    material = material_of(3, 60)
    review = review_images(material, answers(material.labels, 3, np.full(60, 0.99)), SURE)
    assert [finding.cases for finding in review.findings] == [(), (), ()]
    assert rows_of(review.csv()) == []
    page = review.to_html()
    assert "0 other images are taken for another class" in page
    assert "<img" not in page


# Names


def hostile() -> Review:
    """A review of pictures whose names and classes are formulas, markup and worse."""
    from striate.data import load_images
    from striate.data.sources.arrays import ArraySource

    labels = np.array(["=cmd|' /C calc'!A0", "<script>alert(1)</script>"] * 30)
    pixels = np.random.default_rng(0).integers(0, 255, (60, 4, 4), dtype=np.uint8)
    source = ArraySource(pixels, labels)
    source.names = [f"=HYPERLINK({number})\u202e<img>.png" for number in range(60)]
    images = load_images(source)
    _, pack = pack_source(images.source)
    material = material_from(images.with_pack(pack), pack)
    own = np.where(np.arange(60) < 5, 0.2, 0.99)
    return review_images(material, answers(material.labels, 2, own), SURE)


def test_names_are_escaped_on_the_page_and_guarded_in_the_table() -> None:
    review = hostile()
    page = review.to_html()
    assert "<script" not in page
    assert "<img>" not in page
    assert "\u202e" not in page
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    rows = rows_of(review.csv())
    assert len(rows) == 5
    for row in rows:
        assert row["source"].startswith("'=HYPERLINK")
        assert not row["label"].startswith("=")
        row["action"] = "drop"
    assert len(review.material.images.decided(decided(rows))) == 55


def test_pseudonyms_stand_for_names_and_are_read_back(planted: Planted) -> None:
    hidden = planted.images.pseudonymised()
    assert isinstance(hidden.source, PseudonymousSource)
    _, pack = pack_source(hidden.source)
    review = review_of(planted.verdict, hidden.with_pack(pack), pack)
    assert b"array/" not in review.csv()
    assert "array/" not in review.to_html()
    rows = rows_of(review.csv())
    assert len(rows) == len(planted.rows)
    rows[0]["action"] = "drop"
    assert len(hidden.decided(decided(rows))) == len(hidden) - 1

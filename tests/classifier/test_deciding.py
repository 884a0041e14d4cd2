"""What a run decides is chosen on held-back validation images, kept, gone by at every door, and judged on others."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from striate import Classifier, Recipe, RunError, StriateError, UsageError, judge, load_images, verdict_text
from striate.classifier.decisions.deciding import Wishes, held_back
from striate.classifier.judging import Asked, own_images
from striate.evaluation.decisions.decided import rates_of
from striate.evaluation.decisions.operating import choose_threshold, wish_of
from striate.evaluation.units import by_unit

WISHES = {
    "operate": ("8: sensitivity>=0.95", "f1"),
    "positive": "3",
    "abstain": "coverage>=0.8",
    "sets": 0.9,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on digits."""
    folder = tmp_path_factory.mktemp("deciding") / "run"
    Classifier(Recipe(model="mlp", epochs=3)).fit(load_images("digits"), out=folder)
    return folder


@pytest.fixture
def classifier(run: Path) -> Classifier:
    return Classifier.load(run)


def held(classifier: Classifier) -> tuple[np.ndarray, np.ndarray]:
    """Truth and probabilities of the validation images that no temperature was fitted to."""
    table = load_images("digits").with_splits_from(classifier.splits_)
    images, _, _ = table.packed()
    half = images.of_split("validation").halves(0)[1]
    return half.labels.astype(np.int64), classifier.predict_proba(half)


def test_thresholds_are_chosen_on_the_other_half_of_validation(classifier: Classifier) -> None:
    truth, chances = held(classifier)
    decision = classifier.decide(**WISHES)
    eight, three = decision.operating
    assert (eight.positive, eight.wish, three.positive, three.wish) == ("8", "sensitivity>=0.95", "3", "f1")
    assert eight.threshold == choose_threshold(wish_of("sensitivity>=0.95"), chances[:, 8], truth == 8)
    assert three.reached == rates_of(chances[:, 3], truth == 3, three.threshold)
    assert decision.images == len(truth)
    assert decision.sets is not None
    assert decision.sets.images == len(truth)
    assert decision.abstention is not None
    assert decision.abstention.coverage.value >= 0.8
    assert any("chose among 3 epochs" in caveat for caveat in decision.caveats)


def test_every_door_goes_by_the_decision(
    classifier: Classifier, tmp_path: Path, pictures_of_digits: Path
) -> None:
    classifier.decide(**WISHES)
    classifier.save(tmp_path / "kept")
    again = Classifier.load(tmp_path / "kept")
    assert again.decision_ == classifier.decision_
    answers = list(again.answers([pictures_of_digits]))
    ones = [again.predict_one(pictures_of_digits / Path(answer.source).name) for answer in answers]
    for many, one in zip(answers, ones, strict=True):
        assert (many.label, many.probabilities, many.operating, many.abstained, many.classes) == (
            (one.label, one.probabilities, one.operating, one.abstained, one.classes)
        )
        eight, three = again.decision_.operating
        chances = many.probabilities
        assert many.operating == {"8": chances["8"] >= eight.threshold, "3": chances["3"] >= three.threshold}
        assert many.classes == tuple(
            name for name in chances if chances[name] >= again.decision_.sets.threshold
        )
        assert many.abstained == (max(chances.values()) < again.decision_.abstention.threshold)
        assert many.to_dict()["class"] == (None if many.abstained else many.label)
        if not any(many.operating.values()):
            assert many.label == max((name for name in chances if name not in "83"), key=chances.__getitem__)
        else:
            assert many.operating[many.label]
    pixels = np.stack([striate_pixels(path) for path in sorted(pictures_of_digits.iterdir())])
    assert again.predict(pixels).tolist() == [answer.label for answer in answers]
    assert {answer.abstained for answer in answers} == {True, False}
    assert {
        answer.label == max(answer.probabilities, key=answer.probabilities.get) for answer in answers
    } >= {True}


def striate_pixels(path: Path) -> np.ndarray:
    from striate import read_image

    return read_image(path)[:, :, 0]


@pytest.fixture(scope="module")
def pictures_of_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty test digits and twenty pictures of noise, as files."""
    from PIL import Image
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (20, 8, 8)).astype(np.uint8)
    digits = (load_digits().images[:60] * 15).astype(np.uint8)
    for number, pixels in enumerate([*digits, *noise]):
        Image.fromarray(pixels).save(folder / f"{number:03d}.png")
    return folder


def test_the_test_images_judge_what_validation_chose(classifier: Classifier) -> None:
    decision = classifier.decide(**WISHES)
    test = load_images("digits").with_splits_from(classifier.splits_).of_split("test")
    truth, chances = test.labels.astype(np.int64), classifier.predict_proba(test)
    verdict = classifier.evaluate(prevalence=0.02)
    found = verdict.decided
    assert found is not None
    assert found.operating[0].rates == rates_of(
        chances[:, 8], truth == 8, decision.operating[0].threshold, prevalence=0.02
    )
    assert found.operating[0].counts.true_positives == int(
        (chances[truth == 8, 8] >= decision.operating[0].threshold).sum()
    )
    answered = chances.max(axis=1) >= decision.abstention.threshold
    assert found.abstention.coverage.value == answered.mean()
    assert found.abstention.error.value == (chances.argmax(axis=1) != truth)[answered].mean()
    inside = chances[np.arange(len(truth)), truth] >= decision.sets.threshold
    assert found.sets.coverage.value == inside.mean()
    assert json.dumps(verdict.to_dict(), allow_nan=False)
    assert (
        classifier.evaluate(split="validation").decided.decision.caveats[-1].startswith("Judged on the split")
    )


def test_without_a_calibration_all_of_validation_decides() -> None:
    recipe = Recipe(model="mlp", epochs=2, calibrate="none", keep="last")
    classifier = Classifier(recipe).fit(load_images("digits"))
    decision = classifier.decide(sets=0.8)
    assert decision.images == len(classifier.images_.of_split("validation"))
    assert decision.caveats == ()
    assert (
        classifier.decide(sets=0.8, seen=True)
        .caveats[0]
        .startswith("The test images of this run had been judged")
    )


@pytest.mark.parametrize("sureness", [pytest.param("energy", marks=pytest.mark.slow), "mahalanobis"])
def test_other_measures_of_sureness_reach_the_answers(
    classifier: Classifier, sureness: str, tmp_path: Path, pictures_of_digits: Path
) -> None:
    classifier.decide(abstain="coverage>=0.9", sureness=sureness)
    classifier.save(tmp_path)
    again = Classifier.load(tmp_path)
    mine = [answer.abstained for answer in classifier.answers([pictures_of_digits])]
    theirs = [answer.abstained for answer in again.answers([pictures_of_digits])]
    assert mine == theirs
    known, noise = np.mean(mine[:60]), np.mean(mine[60:])
    assert noise > known
    share = classifier.evaluate().decided.abstention.coverage.value
    assert 0.75 < share <= 1.0
    if sureness == "mahalanobis":
        assert [path.name for path in tmp_path.glob("distances-*")] == [
            json.loads((tmp_path / "decision.json").read_text())["distances"]
        ]


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        ({"operate": ("sensitivity>=2",), "positive": "8"}, "is no wish for an operating point"),
        ({"operate": ("f1",)}, "needs a class of interest"),
        ({"operate": ("f1",), "positive": "eight"}, "There is no class 'eight'"),
        ({"operate": ("8: f1", "8: youden")}, "same class"),
        ({"abstain": "error<=0.5%"}, "is no wish for abstaining"),
        ({"sets": 1.5}, "a share between 0 and 1"),
        ({"sets": 0.9999}, "need at least 9999 images"),
        ({"sureness": "guess"}, "Allowed: probability, energy, mahalanobis"),
        ({"by": "patient"}, "by='patient'"),
        ({"operate": ("f1",), "positive": "8", "by": "group"}, "needs to know what belongs together"),
    ],
)
def test_wishes_that_cannot_be_are_refused_in_a_sentence(
    classifier: Classifier, wishes: dict[str, object], says: str
) -> None:
    with pytest.raises(StriateError, match=says):
        classifier.decide(**wishes)
    assert classifier.decision_ is None


def test_a_decision_is_bound_to_its_run(run: Path, classifier: Classifier, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(run, tmp_path / "run"))
    classifier.decide(abstain="coverage>=0.9", sureness="mahalanobis")
    classifier.save_decision(folder)
    path = folder / "decision.json"
    good = path.read_text()
    path.write_text(good.replace('"coverage>=0.9"', '"coverage>=0.8"'))
    with pytest.raises(RunError, match="not the file that was written"):
        Classifier.load(folder)
    path.write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        Classifier.load(folder)
    path.write_text(good)
    for distances in folder.glob("distances-*"):
        distances.unlink()
    with pytest.raises(RunError, match="is missing or not the file"):
        Classifier.load(folder)
    other = tmp_path / "other"
    Classifier(Recipe(model="mlp", epochs=1)).fit(load_images("digits"), out=other)
    classifier.decide(sets=0.9)
    classifier.save_decision(folder)
    shutil.copy(path, other / "decision.json")
    with pytest.raises(RunError, match="decided for other weights"):
        Classifier.load(other)
    (other / "decision.json").unlink()
    assert Classifier.load(other).decision_ is None


@pytest.mark.slow
def test_groups_are_judged_as_units(tmp_path: Path) -> None:
    images = grouped_digits(tmp_path)
    classifier = Classifier(Recipe(model="mlp", epochs=2)).fit(images)
    test = classifier.images_.of_split("test")
    chances = classifier.predict_proba(test)
    for by, rule in (("group", "mean"), ("group-max", "max")):
        verdict = classifier.evaluate(by=by)
        names, truth, of_groups = by_unit(test.labels.astype(np.int64), chances, test.groups, rule)
        wanted = judge(truth, of_groups, classifier.class_names_)
        assert (verdict.unit, verdict.images, verdict.groups) == ("group", len(names), None)
        assert verdict.accuracy == wanted.accuracy
        assert verdict.confusion_matrix == wanted.confusion_matrix
        assert verdict.uncalibrated is not None
    assert "groups are classified correctly" in verdict.sentence()
    decision = classifier.decide(operate=("f1",), positive="even", by="group")
    half = classifier.images_.of_split("validation").halves(0)[1]
    assert decision.images == len(set(half.groups.tolist()))
    assert classifier.evaluate().unit == "group"  # as decided
    assert classifier.evaluate().decided is not None
    assert classifier.evaluate(by="image").decided is None
    answer = classifier.predict_one(np.zeros((8, 8), np.uint8))
    assert answer.operating is None
    assert "about groups of images" in classifier.notes_[0]
    with pytest.raises(UsageError, match="leave sureness out"):
        Wishes(by="group", abstain="coverage>=0.9", sureness="energy")


def grouped_digits(folder: Path):
    """Odd and even digits as a table, four images a group, each group of one kind."""
    from PIL import Image
    from sklearn.datasets import load_digits

    found = load_digits()
    rows = ["file,label,patient,site"]
    counts = [0, 0]
    for number, (pixels, digit) in enumerate(zip(found.images[:1200], found.target[:1200], strict=True)):
        odd = int(digit) % 2
        name = f"{number:04d}.png"
        Image.fromarray((pixels * 15).astype(np.uint8)).save(folder / name)
        rows.append(
            f"{name},{('even', 'odd')[odd]},{odd}-{counts[odd] // 4},{('north', 'south')[number % 2]}"
        )
        counts[odd] += 1
    (folder / "table.csv").write_text("\n".join(rows) + "\n")
    return load_images(folder / "table.csv", group="patient")


@pytest.mark.slow
def test_subgroups_and_unknown_pictures(tmp_path: Path, pictures_of_digits: Path) -> None:
    images = grouped_digits(tmp_path)
    classifier = Classifier(Recipe(model="mlp", epochs=2)).fit(images)
    test = classifier.images_.of_split("test")
    verdict = classifier.evaluate(subgroups="site", unknown=pictures_of_digits)
    assert verdict.subgroups_by == "site"
    assert {one.value for one in verdict.subgroups} == {"north", "south"}
    assert sum(one.verdict.images for one in verdict.subgroups) == verdict.images == len(test)
    site = np.array(images.source.column("site"))[test.rows]
    right = classifier.predict_proba(test).argmax(axis=1) == test.labels
    for one in verdict.subgroups:
        assert one.verdict.accuracy.value == pytest.approx(right[site == one.value].mean())
    assert [one.value for one in classifier.evaluate(subgroups="size").subgroups] == ["8×8"]
    assert len(classifier.evaluate(subgroups="group").subgroups) > 2
    found = verdict.unknown
    assert found is not None
    assert (found.images, sum(found.called.values()), found.unreadable) == (80, 80, ())
    assert [one.score for one in found.scores] == ["probability", "energy", "mahalanobis", "neighbour"]
    with pytest.raises(StriateError, match="--subgroups age: there is no such column"):
        classifier.evaluate(subgroups="age")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(StriateError, match="--unknown: no picture in"):
        classifier.evaluate(unknown=empty)
    with pytest.raises(UsageError, match="between 0 and 1"):
        classifier.evaluate(prevalence=2.0)


def test_groups_named_later_do_not_move_the_halves(tmp_path: Path) -> None:
    """The images that decide are never those that the temperature was fitted to."""
    grouped = grouped_digits(tmp_path)
    out = tmp_path / "run"
    plain = Classifier(Recipe(model="mlp", epochs=1)).fit(load_images(tmp_path / "table.csv"), out=out)
    half, rest = plain.images_.of_split("validation").halves(0)
    again = Classifier.load(out)
    again.about_["data"]["source"] = str(tmp_path / "table.csv")
    decision = again.decide(sets=0.9, grouping=("patient", None))
    assert decision.images == len(rest)
    named, pack = own_images(again, Asked(split="validation", grouping=("patient", None)))
    held_images = held_back(again, named, pack, seen=False).images
    assert set(held_images.names) == set(rest.names)
    assert not set(held_images.names) & set(half.names)
    assert grouped.groups is not None


def test_measures_by_distance_are_missed_aloud(tmp_path: Path, pictures_of_digits: Path) -> None:
    """A run whose training images have gone judges other images by two measures, and says why not by four."""
    grouped_digits(tmp_path)
    Classifier(Recipe(model="mlp", epochs=1)).fit(load_images(tmp_path / "table.csv"), out=tmp_path / "run")
    again = Classifier.load(tmp_path / "run")
    (tmp_path / "table.csv").rename(tmp_path / "moved.csv")
    verdict = again.evaluate(tmp_path / "moved.csv", leaks="accept", unknown=pictures_of_digits)
    assert verdict.unknown is not None
    assert [one.score for one in verdict.unknown.scores] == ["probability", "energy"]
    assert verdict.unknown.left_out == "no distances: the run's own training images are not at hand"
    assert verdict.unknown.left_out in verdict_text(verdict)
    assert verdict.to_dict()["unknown"]["left_out"] == verdict.unknown.left_out

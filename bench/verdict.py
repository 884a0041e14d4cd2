"""What a verdict promises, kept or missed on real images: calibration, sets, unknown pictures, thresholds, groups.

Each is one training by the public API on a part of CIFAR-10, judged once on test images.
"""

import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

import striate
from striate import Images, Number, Recipe

HELD_OUT = ("deer", "truck")
UNKNOWN = 2_000


def lines(data: Path) -> Iterator[str]:
    """All parts, each a line or a few."""
    images = striate.load_images(data / "cifar10.zip")
    yield from overconfident(images)
    yield from one_against_nine(images)
    yield from unknown(images, data)
    yield from random_labels()


def overconfident(images: Images) -> Iterator[str]:
    """A network trained until it is sure of itself: its calibration error before and after, and its sets at 90 %."""
    recipe = Recipe(model="lesson", epochs=16, translation=0, dropout=0.0, keep="last", weight_decay=0.0)
    table = shared_out(images, train=10_000, validation=12_000)
    classifier = striate.Classifier(recipe).fit(table)
    classifier.decide(sets=0.9)
    found = classifier.evaluate()
    before, after, sets = found.uncalibrated, found.calibration, found.decided and found.decided.sets
    assert before
    assert before.reliability
    assert after
    assert sets
    yield (
        f"lesson on 10,000 images, 16 epochs, nothing against overfitting: accuracy {percent(found.accuracy)};"
        f" {before.calibration['kind']} {before.calibration['value']:.2f} of {before.images:,} validation images"
    )
    yield (
        f"  calibration error {percent(before.reliability.error)} before, {percent(after.error)} after;"
        f" {before.changed} of {found.images:,} images changed class;"
        f" log loss {before.log_loss.value:.3f} before, {found.log_loss.value:.3f} after"
    )
    decision = classifier.decision_
    assert decision
    yield (
        f"  sets of 90 %, calibrated on {decision.images:,} other images: cover {percent(sets.coverage)},"
        f" {sets.mean_size:.2f} classes on average"
    )


def one_against_nine(images: Images) -> Iterator[str]:
    """One class against the rest, 1 : 9: a threshold for a sensitivity of 95 %, chosen on validation, judged once."""
    table = shared_out(images, train=15_000, validation=5_000)
    names = ["cat" if table.classes[label] == "cat" else "no cat" for label in table.labels]
    classifier = striate.Classifier(Recipe(model="lesson", epochs=8)).fit(table.relabelled(names))
    classifier.decide(operate=("sensitivity>=0.95",), positive="cat")
    decided = classifier.evaluate(prevalence=0.02).decided
    assert decided
    here = decided.operating[0]
    there = here.point.reached
    yield (
        f"cat against the rest, {here.point.wish} chosen on {here.point.chosen_on}: threshold"
        f" {here.point.threshold:.4f};"
        f" sensitivity {percent(there['sensitivity'])} there, {percent(here.rates['sensitivity'])} on test:"
        f" {here.outcome()}; specificity {percent(there['specificity'])} there,"
        f" {percent(here.rates['specificity'])} on test; PPV at a prevalence of 2 % {percent(here.rates['ppv'])}"
    )


def unknown(images: Images, data: Path) -> Iterator[str]:
    """Eight classes of CIFAR-10; pictures of the two others, and MNIST's digits, are to be told from them."""
    table = shared_out(images, train=20_000, validation=5_000)
    kept = np.array([table.classes[label] not in HELD_OUT for label in table.labels])
    known = table.select(kept).relabelled([table.classes[label] for label in table.labels[kept]])
    classifier = striate.Classifier(Recipe(model="compact", epochs=8)).fit(known)
    with tempfile.TemporaryDirectory() as folder:
        places = {
            "CIFAR-10's deer and trucks": unpacked(
                data / "cifar10.zip", Path(folder, "held"), [f"cifar10/test/{name}/" for name in HELD_OUT]
            ),
            "MNIST's digits": unpacked(data / "mnist.zip", Path(folder, "mnist"), ["mnist/test/"]),
        }
        for number, (name, place) in enumerate(places.items()):
            verdict = classifier.evaluate(unknown=place)
            found, curve = verdict.unknown, verdict.coverage
            assert found
            assert curve
            if not number:
                yield (
                    f"compact on eight classes: accuracy {percent(verdict.accuracy)}; area under the error-coverage"
                    f" curve {percent(curve.area)}, best possible {100 * curve.least:.1f} %, in random order"
                    f" {100 * curve.chance:.1f} %; error at 80 % coverage {100 * error_at(curve, 0.8):.1f} %"
                )
            each = "; ".join(
                f"{one.score} AUROC {area(one.auc)}, taken for known at 95 % {percent(one.taken)}"
                for one in found.scores
            )
            yield f"  {found.images:,} of {name}: {each}"


def random_labels() -> Iterator[str]:
    """Labels that mean nothing, eight pictures a patient: apart by patient, and with patients straddling the splits."""
    generator = np.random.default_rng(0)
    patients, each = 240, 8
    base = generator.integers(0, 256, (patients, 1, 16, 16))
    noisy = np.clip(base + generator.normal(0, 12, (patients, each, 16, 16)), 0, 255).astype(np.uint8)
    kinds = generator.permutation(np.arange(patients) % 2)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "scans")
        for patient, kind in enumerate(kinds.tolist()):
            home = place / ("ill", "well")[kind]
            home.mkdir(parents=True, exist_ok=True)
            for number, pixels in enumerate(noisy[patient]):
                Image.fromarray(pixels).save(home / f"p{patient:03d}-{number}.png")
        recipe = Recipe(model="compact", epochs=10, translation=0)
        images = striate.load_images(place, group_from=r"p(\d+)-")
        apart = striate.Classifier(recipe).fit(images).evaluate()
        alone = striate.load_images(place)
        careless = striate.Classifier(recipe).fit(alone)
        flattering = careless.evaluate()
        yield (
            f"random labels, {patients} patients with {each} pictures each: apart by patient"
            f" {percent(apart.accuracy)} (chance 50 %); split by picture {percent(flattering.accuracy)}"
        )
        splits = Path(folder, "splits.csv")
        splits.write_bytes(careless.splits_)
        heard = Heard()
        named = striate.Classifier(recipe.changed(epochs=1)).fit(images, splits=splits, events=(heard,))
        said = next(note for note in heard.notes if "group leak" in note)
        yield f'  the split by picture with its patients named: "{said}"'
        try:
            named.evaluate()
        except striate.SourceError as error:
            yield f'  and evaluate refuses: "{error}"'


class Heard(striate.Events):
    """What is said while a network is trained."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def said(self, text: str) -> None:
        self.notes.append(text)


def shared_out(images: Images, *, train: int, validation: int) -> Images:
    """So many training and validation images of CIFAR-10's own training part, and all its test images."""
    generator = np.random.default_rng(0)
    own = generator.permutation(np.flatnonzero(images.splits == "train"))[: train + validation]
    test = np.flatnonzero(images.splits == "test")
    marks = np.repeat(["train", "validation", "test"], [train, validation, len(test)]).astype("U10")
    return replace(images.select(np.concatenate([own, test])), splits=marks)


def unpacked(archive: Path, folder: Path, beginnings: list[str]) -> Path:
    """Pictures of an archive whose names begin so, evenly taken, as files."""
    with zipfile.ZipFile(archive) as found:
        names = [
            name for name in found.namelist() if name.startswith(tuple(beginnings)) and not name.endswith("/")
        ]
        for name in [names[at] for at in np.linspace(0, len(names) - 1, UNKNOWN).astype(int)]:
            found.extract(name, folder)
    return folder


def error_at(curve: object, share: float) -> float:
    """The error among the surest share of images."""
    return 1 - float(np.interp(share, curve.coverage, curve.accuracy))  # pyright: ignore[reportAttributeAccessIssue]


def percent(number: Number) -> str:
    """`97.0 % (96.2–97.6)`."""
    assert number.value is not None
    within = (
        ""
        if number.low is None or number.high is None
        else f" ({100 * number.low:.1f}–{100 * number.high:.1f})"
    )
    return f"{100 * number.value:.1f} %{within}"


def area(number: Number) -> str:
    """`0.974 (0.970–0.978)`."""
    return f"{number.value:.3f} ({number.low:.3f}–{number.high:.3f})"

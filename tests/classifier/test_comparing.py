"""Which images runs are compared on, and that runs of every kind can be compared."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_task import QUICK, Arrays

import striate
from doors import write_pictures
from striate import Classifier, Images, RunError, SourceError, UsageError
from striate.classifier.comparison.comparing import compare_runs, distinct
from striate.classifier.judging import Asked
from striate.data import ArraySource


@pytest.fixture(scope="module")
def table() -> Images:
    return striate.load_images("digits")


@pytest.fixture
def small(digits: Arrays) -> Images:
    """400 of them as arrays, no two alike."""
    return striate.load_images(ArraySource(*digits))


@pytest.fixture(scope="module")
def pair(table: Images, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs on one split: of other networks, sizes and lengths."""
    folder = tmp_path_factory.mktemp("pair")
    Classifier(QUICK.changed(epochs=1)).fit(table, out=folder / "short")
    Classifier(QUICK.changed(size=16, epochs=2)).fit(table, out=folder / "long")
    return folder / "short", folder / "long"


def with_groups(images: Images, per_group: int) -> Images:
    """The same images as arrays, so many neighbours a group."""
    groups = [f"p{row // per_group}" for row in range(len(images))]
    return replace(images, groups=np.array(groups))


def test_the_numbers_are_those_of_evaluate(pair: tuple[Path, Path]) -> None:
    found = striate.compare(pair)
    assert [one.name for one in found.contenders] == ["short", "long"]
    for one, run in zip(found.contenders, pair, strict=True):
        verdict = Classifier.load(run).evaluate()
        assert one.accuracy == verdict.accuracy
        assert one.balanced_accuracy == verdict.balanced_accuracy
        assert one.log_loss.value == pytest.approx(verdict.log_loss.value)
        assert found.images == verdict.images
    assert found.notes[0] == f"All {found.images:,} test images of short and long are compared."
    assert "No run was trained on any of these images" in found.notes[1]
    assert found.recipes["short", "long"][0] == "epochs: 1, 2"
    assert {one.about["input"] for one in found.contenders} == {"1×8×8", "1×16×16"}


def test_every_file_says_the_same(pair: tuple[Path, Path], tmp_path: Path) -> None:
    found = striate.compare(pair, out=tmp_path / "out", command="striate compare …")
    told = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert {name: told[name] for name in found.to_dict()} == json.loads(json.dumps(found.to_dict()))
    with (tmp_path / "out" / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found.images
    cells = [(row["short: right"], row["long: right"]) for row in rows]
    counts = found.pairings[0].agreement
    assert (cells.count(("wrong", "right")), cells.count(("right", "wrong"))) == (
        counts.only_other,
        counts.only_reference,
    )
    for row in rows[:50]:
        assert (row["long"] == row["truth"]) == (row["long: right"] == "right")
    page = (tmp_path / "out" / "comparison.html").read_text()
    assert found.sentences()[0].split(" (")[0] in page
    assert page.count("data:image/png") == min(48, sum(row["short"] != row["long"] for row in rows))


@pytest.mark.slow
def test_other_splits_leave_out_what_one_was_trained_on(table: Images, pair: tuple[Path, Path]) -> None:
    other = Classifier(QUICK.changed(epochs=1, seed=5)).fit(table)
    compared = compare_runs([pair[0], other], None, None, 0, Asked())
    short = Classifier.load(pair[0])
    tests = [set(test_digests(one)) for one in (short, other)]
    kept = compared.sides[0].images.select(compared.shared.places[0]).digests.tolist()
    seen = [
        set(one.images_.digests[np.isin(one.images_.splits, ("train", "validation"))].tolist())
        for one in (other,)
    ]
    assert set(kept) == tests[0] & tests[1]
    assert not set(kept) & seen[0]
    said = compared.comparison.notes[0]
    assert said.startswith(
        f"{len(kept):,} of {len(tests[0]):,} test images of short are compared; left out: "
    )
    assert "trained on by classifier 2" in said
    assert any("--splits RUN/splits.csv" in note for note in compared.comparison.notes)


def test_digests(classifier: Classifier) -> list[bytes]:
    rows = csv.DictReader(classifier.splits_.decode().splitlines())
    return [row["digest"].encode() for row in rows if row["split"] == "test"]


test_digests.__test__ = False


def test_classes_in_another_order_are_matched_by_name(digits: Arrays) -> None:
    X, y = digits
    keep = y < 3
    names = np.array(["b", "a", "c"])[y[keep]]
    first = Classifier(QUICK).fit(X[keep][:80], names[:80])
    second = Classifier(QUICK.changed(seed=1)).fit(X[keep][:80], names[:80])
    data = striate.load_images(ArraySource(X[keep][80:], names[80:]))
    plain = striate.compare([first, second], data)
    order = [2, 0, 1]
    second.class_names_ = tuple(second.class_names_[index] for index in order)
    layer = second.network_.state_dict()
    last = [name for name in layer if name.startswith("head.")][-2:]
    for name in last:
        layer[name].copy_(layer[name][order].clone())
    second._predictor = None
    turned = striate.compare([first, second], data)
    assert turned.contenders[1].accuracy == plain.contenders[1].accuracy
    assert turned.pairings[0].agreement == plain.pairings[0].agreement


def test_images_given_lose_what_any_run_was_trained_on(digits: Arrays) -> None:
    X, y = digits
    first, second = Classifier(QUICK).fit(X[:200], y[:200]), Classifier(QUICK).fit(X[50:300], y[50:300])
    twice = np.concatenate([X[290:], X[395:]]), np.concatenate([y[290:], y[395:]])
    found = striate.compare([first, second], striate.load_images(ArraySource(*twice)))
    assert found.images == 100
    assert "100 of 115 images of" in found.notes[0]
    assert "10 trained on by classifier 2" in found.notes[0]
    assert "5 copies of another, with the same pixels" in found.notes[0]
    with pytest.raises(
        SourceError, match=r"no image to compare the runs on: 0 of 50 images of .* with --data"
    ):
        striate.compare([first, second], striate.load_images(ArraySource(X[:50], y[:50])))


def test_a_group_that_one_run_was_trained_on_is_left_out_whole(small: Images) -> None:
    grouped = with_groups(small, 4).with_splits(0)
    kept_whole = Classifier(QUICK.changed(epochs=1)).fit(grouped)
    tested = np.flatnonzero(grouped.splits == "test")
    moved = grouped.splits.copy()
    moved[tested[0]] = "train"
    torn = Classifier(QUICK.changed(epochs=1)).fit(replace(grouped, groups=None, splits=moved))
    found = compare_runs([kept_whole, torn], None, None, 0, Asked())
    assert found.comparison.images == len(tested) - 4
    assert grouped.groups[tested[0]] not in found.shared.groups.tolist()
    assert "left out: 3 of a group trained on by classifier 2; 1 trained on by" in found.comparison.notes[0]


def test_groups_are_the_unit_where_they_are_known(small: Images) -> None:
    grouped = with_groups(small, 4).with_splits(0)
    one = Classifier(QUICK.changed(epochs=1)).fit(grouped)
    two = Classifier(QUICK.changed(epochs=2, seed=1)).fit(grouped)
    found = striate.compare([one, two])
    assert found.groups == len(set(grouped.of_split("test").groups.tolist()))
    assert f"nor on another of their {found.groups:,} groups" in found.notes[1]
    assert f"in {found.groups:,} groups; p by groups" in found.sentences()[0]


def test_runs_that_cannot_be_compared(pair: tuple[Path, Path], tmp_path: Path, digits: Arrays) -> None:
    short, long = pair
    with pytest.raises(UsageError, match="at least two runs, such as"):
        striate.compare([short])
    with pytest.raises(UsageError, match="at least two runs"):
        striate.compare(str(short))
    with pytest.raises(UsageError, match="short is given twice"):
        striate.compare([short, long, short.parent / "." / "short"])
    with pytest.raises(RunError, match="not a run folder"):
        striate.compare([short, tmp_path])
    shutil.copytree(short, tmp_path / "copy")
    with pytest.raises(UsageError, match="short and copy have the same weights"):
        striate.compare([short, tmp_path / "copy"])
    with pytest.raises(UsageError, match="did you mean short"):
        striate.compare(pair, against="shrt")
    X, y = digits
    fewer = Classifier(QUICK).fit(X[y < 4], y[y < 4])
    with pytest.raises(SourceError, match=r"different classes: short alone knows 4, 5, 6, 7, 8, 9\. "):
        striate.compare([short, fewer])
    with pytest.raises(SourceError, match=r"classifier 2 has no test images of its own.* --data"):
        striate.compare([short, Classifier(QUICK).fit(X, y)])
    with pytest.raises(UsageError, match="no regular expression"):
        striate.compare(pair, grouping=(None, "("))
    with pytest.raises(SourceError, match="--group patient: digits is no table with such a column"):
        striate.compare(pair, grouping=("patient", None))


@pytest.mark.slow
def test_a_reference_by_its_path(pair: tuple[Path, Path]) -> None:
    found = striate.compare(pair, against=pair[1])
    assert [(one.reference, one.other) for one in found.pairings] == [("long", "short")]
    assert list(distinct([Path("x/run"), Path("y/run")])) == ["x/run", "y/run"]


def test_names_of_ones_own(pair: tuple[Path, Path]) -> None:
    named = {"as it was": pair[0], "another seed": Classifier.load(pair[1])}
    found = striate.compare(named, against="another seed")
    assert [one.name for one in found.contenders] == ["as it was", "another seed"]
    assert [(one.reference, one.other) for one in found.pairings] == [("another seed", "as it was")]
    with pytest.raises(UsageError, match="given twice"):
        striate.compare({"one": pair[0], "other": pair[0]})


def test_one_picture_under_two_classes_is_left_out(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    folder = write_pictures(tmp_path / "data", each=6)
    runs = [
        Classifier(QUICK.changed(seed=seed)).fit(striate.load_images(folder), out=tmp_path / str(seed))
        for seed in (0, 1)
    ]
    assert runs
    other = write_pictures(tmp_path / "more", each=9)
    for number in range(6):
        for kind in ("bright", "dark", "striped"):
            (other / kind / f"{number:03d}.png").unlink()
    shutil.copy(other / "bright" / "007.png", other / "dark" / "again.png")
    found = striate.compare([tmp_path / "0", tmp_path / "1"], other)
    assert found.images == 8
    assert "1 given more than one class" in found.notes[0]

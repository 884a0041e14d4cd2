"""The table of images: selection, counts, splits to a csv and back."""

import csv

import numpy as np
import pytest
from made_pictures import write_pictures

from striate.data import ArraySource, load_images, pack_source
from striate.errors import SourceError


def test_a_folder_becomes_a_table(pictures):
    images = load_images(pictures)
    assert (len(images), images.classes) == (60, ("cat", "dog", "owl"))
    assert images.counts() == {"": {"cat": 20, "dog": 20, "owl": 20}}
    assert images.labels.dtype == np.int32
    assert images.names[20] == "dog/1.png"
    assert images.digests is None


def test_classes_count_as_people_do():
    assert load_images(ArraySource(np.zeros((3, 2, 2)), [10, 9, 100])).classes == ("9", "10", "100")


def test_a_split_covers_every_image_once(pictures):
    images = load_images(pictures)
    train, validation, test = images.split(seed=3)
    names = train.names + validation.names + test.names
    assert sorted(names) == sorted(images.names)
    for part in (train, validation, test):
        assert set(part.labels) == {0, 1, 2}
        assert [part.classes[label] for label in part.labels] == [name.split("/")[0] for name in part.names]


def test_a_larger_set_keeps_the_split_of_the_smaller(tmp_path):
    first = load_images(write_pictures(tmp_path / "first", count=60)).with_splits(0)
    larger = load_images(write_pictures(tmp_path / "larger", count=180)).with_splits(0)
    assert first.notes == larger.notes == ()
    place = dict(zip(larger.digests, larger.splits, strict=True))
    assert [place[digest] for digest in first.digests] == first.splits.tolist()


def test_ready_made_splits_are_kept(tmp_path):
    write_pictures(tmp_path / "set" / "train", count=40)
    write_pictures(tmp_path / "set" / "test", count=5)
    images = load_images(tmp_path / "set").with_splits(0)
    counts = images.counts()
    assert sum(counts["test"].values()) == 15
    assert 0 < sum(counts["validation"].values()) < 40
    leaks = images.straddling()
    assert leaks[0][0].split("/")[0] != leaks[0][1].split("/")[0]


def test_no_leak_in_a_split_of_our_own(pictures):
    for name in ("1", "2", "3"):
        (pictures / "cat" / f"copy{name}.png").write_bytes((pictures / "cat" / f"{name}.png").read_bytes())
    images = load_images(pictures).with_splits(0)
    assert len(images) == 63
    assert images.straddling() == []


def test_unreadable_pictures_leave_the_table_and_are_named(pictures, tmp_path):
    (pictures / "dog" / "3.png").write_bytes(b"")
    images = load_images(pictures).with_splits(0)
    assert images.unreadable == (("dog/3.png", "the file is empty (0 bytes)"),)
    assert len(images) == 59
    assert "dog/3.png" not in images.names
    images.write_splits(tmp_path / "splits.csv")
    rows = list(csv.DictReader((tmp_path / "splits.csv").read_text().splitlines()))
    assert len(rows) == 60
    assert rows[-1] == {"source": "dog/3.png", "label": "dog", "split": "unreadable", "digest": ""}


def test_splits_go_to_a_csv_and_back(pictures, tmp_path):
    (pictures / "dog" / "3.png").write_bytes(b"")
    (pictures / "dog" / 'od"d, näme.png').write_bytes((pictures / "dog" / "4.png").read_bytes())
    images = load_images(pictures).with_splits(7)
    path = tmp_path / "splits.csv"
    images.write_splits(path)
    again = load_images(pictures).with_splits_from(path)
    assert (again.splits == images.splits).all()
    again.write_splits(tmp_path / "again.csv")
    assert path.read_bytes() == (tmp_path / "again.csv").read_bytes()


def test_a_csv_by_hand_needs_source_and_split_only(pictures, tmp_path):
    names = load_images(pictures).names
    path = tmp_path / "mine.csv"
    path.write_text("source,split\n" + "".join(f"{n},{'test' if 'owl' in n else 'train'}\n" for n in names))
    images = load_images(pictures).with_splits_from(path)
    assert images.counts()["test"]["owl"] == 20


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows[:-2], r"2 in the images only \(owl/19.png, owl/20.png\)"),
        (lambda rows: [*rows, ["cat/99.png", "cat", "test", ""]], r"1 in the file only \(cat/99.png\)"),
        (lambda rows: [["cat/1.png", "dog", *rows[0][2:]], *rows[1:]], r"1 with another label \(cat/1.png\)"),
        (lambda rows: [[*rows[0][:3], "0" * 32], *rows[1:]], r"1 with other pixels \(cat/1.png\)"),
        (lambda rows: [[*rows[0][:2], "unreadable", ""], *rows[1:]], r"1 readable now but not then"),
        (lambda rows: [[*rows[0][:2], "tset", ""], *rows[1:]], "did you mean test"),
        (lambda rows: [rows[0], *rows], "1 images more than once"),
    ],
)
def test_a_csv_about_other_images_is_refused(pictures, tmp_path, change, words):
    path = tmp_path / "splits.csv"
    images = load_images(pictures).with_splits(0)
    images.write_splits(path)
    head, *rows = csv.reader(path.read_text().splitlines())
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([head, *change(rows)])
    with pytest.raises(SourceError, match=words):
        images.with_splits_from(path)


def test_a_picture_that_broke_since_is_said(pictures, tmp_path):
    path = tmp_path / "splits.csv"
    load_images(pictures).with_splits(0).write_splits(path)
    (pictures / "cat" / "1.png").write_bytes(b"broken")
    with pytest.raises(SourceError, match=r"1 no longer readable \(cat/1.png\)"):
        load_images(pictures).with_splits_from(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [("name,split\n", "no column source"), ("", "no column source"), (None, "cannot be read")],
)
def test_what_is_no_csv_of_splits(pictures, tmp_path, text, words):
    path = tmp_path / "splits.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SourceError, match=words):
        load_images(pictures).with_splits_from(path)


def test_a_class_with_two_pictures_is_named(pictures):
    for number in range(3, 21):
        (pictures / "owl" / f"{number}.png").unlink()
    with pytest.raises(SourceError, match=r"each class needs 3 distinct readable pictures.*'owl' has 2"):
        load_images(pictures).split()


def test_selection_keeps_columns_together(pictures):
    images = load_images(pictures)
    images = images.with_pack(pack_source(images.source)[1])
    some = images.select(np.array([3, 50]))
    assert some.names == [images.names[3], images.names[50]]
    assert (some.digests == images.digests[[3, 50]]).all()
    assert len(images.of_split("test")) == 0


def test_arrays_without_labels_are_no_table():
    with pytest.raises(SourceError, match="has no labels"):
        load_images(ArraySource(np.zeros((3, 2, 2))))


def test_a_table_of_many_rows_stays_columnar():
    X = np.zeros((100_000, 1, 1), np.uint8)
    images = load_images(ArraySource(X, np.arange(100_000) % 7))
    assert images.select(images.labels == 3).counts() == {"": {str(n): 14_286 * (n == 3) for n in range(7)}}

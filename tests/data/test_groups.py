"""Groups: where they come from, and that they never straddle splits."""

import re
import zipfile

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_pictures import write_pictures

from striate.data import ArraySource, assign_splits, load_images
from striate.data.groups import matched
from striate.data.split import assign_folds
from striate.data.stratify import stratified
from striate.data.units import units
from striate.errors import SourceError, UsageError


def digests(numbers) -> np.ndarray:
    return np.array([f"{number:032x}" for number in numbers], dtype="S32")


rows = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["", *"abcdefghij"]), st.integers(0, 2)),
    min_size=1,
    max_size=60,
)


@settings(deadline=None, max_examples=80)
@given(rows)
def test_units_are_the_connected_components_of_pixels_and_groups(table):
    pixels, groups, _ = zip(*table, strict=True)
    found = units(digests(pixels), np.array(groups))
    graph = networkx.Graph()
    graph.add_nodes_from(("image", row) for row in range(len(table)))
    for row, (pixel, group, _) in enumerate(table):
        graph.add_edge(("image", row), ("pixel", pixel))
        if group:
            graph.add_edge(("image", row), ("group", group))
    for component in networkx.connected_components(graph):
        members = [node[1] for node in component if node[0] == "image"]
        assert len(set(found.of_image[members].tolist())) == 1
        names = sorted(node[1] for node in component if node[0] == "group")
        least = digests([min(node[1] for node in component if node[0] == "pixel")])[0]
        assert found.keys[found.of_image[members[0]]] == (b"group " + names[0].encode() if names else least)
    assert len(found.keys) == networkx.number_connected_components(graph)


@settings(deadline=None, max_examples=80)
@given(rows, st.integers(0, 99), st.booleans())
def test_no_group_and_no_pixels_straddle_splits(table, seed, stratify):
    pixels, groups, labels = (np.array(column) for column in zip(*table, strict=True))
    try:
        splits, _ = assign_splits(
            digests(pixels), labels, np.full(len(table), ""), seed, groups=groups, stratify=stratify
        )
    except SourceError:
        return
    for known in (pixels, groups[groups != ""]):
        column = pixels if known is pixels else groups
        for value in np.unique(known):
            assert len(set(splits[column == value].tolist())) == 1
    for label in np.unique(labels):
        assert set(splits[labels == label].tolist()) == {"train", "validation", "test"}


def test_new_groups_move_none_of_the_others():
    groups = np.array([f"patient {number // 5}" for number in range(1000)])
    known, labels = digests(range(1000)), np.zeros(1000, int)
    blank = np.full(1000, "", "U10")
    few, _ = assign_splits(known[:600], labels[:600], blank[:600], 0, groups=groups[:600])
    many, _ = assign_splits(known, labels, blank, 0, groups=groups)
    assert few.tolist() == many[:600].tolist()


def test_ready_made_training_is_cut_by_groups():
    ready = np.array(["train"] * 300 + ["test"] * 100, "U10")
    groups = np.array([str(number // 10) for number in range(400)])
    splits, _ = assign_splits(digests(range(400)), np.zeros(400, int), ready, 0, groups=groups)
    validation = set(groups[splits == "validation"].tolist())
    assert 0 < len(validation) < 30
    assert not validation & set(groups[splits == "train"].tolist())
    assert (splits[300:] == "test").all()


def test_too_few_groups_are_named_as_groups():
    with pytest.raises(SourceError, match=r"needs 3 distinct readable groups.*'cat' has 2.*add groups"):
        assign_splits(
            digests(range(20)),
            np.zeros(20, int),
            np.full(20, ""),
            0,
            classes=("cat",),
            groups=np.array(["ann"] * 10 + ["bob"] * 10),
        )


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=5), st.integers(0, 99))
def test_stratified_shares_are_exact_to_one_image(sizes, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    places = np.random.default_rng(seed).random(len(labels))
    shares = np.array([0.7, 0.15, 0.15])
    part = stratified(np.arange(len(labels)), labels, places, shares)
    for label, size in enumerate(sizes):
        counts = np.bincount(part[labels == label], minlength=3)
        assert (np.abs(counts - shares * size) <= 1).all()


def test_stratified_groups_are_balanced_better_than_by_chance():
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), generator.integers(1, 30, 60))
    labels = (groups % 3 == 0).astype(int)
    blank = np.full(len(groups), "")
    exact, _ = assign_splits(
        digests(range(len(groups))), labels, blank, 0, groups=groups.astype(str), stratify=True
    )
    for label in (0, 1):
        shares = [(exact[labels == label] == name).mean() for name in ("train", "validation", "test")]
        np.testing.assert_allclose(shares, [0.7, 0.15, 0.15], atol=0.03)


@pytest.mark.parametrize("stratify", [False, True])
def test_folds_cover_everything_once_and_keep_groups(stratify):
    groups = np.array([str(number // 4) for number in range(400)])
    folds = assign_folds(digests(range(400)), np.arange(400) % 2, 5, 0, groups=groups, stratify=stratify)
    assert set(folds.tolist()) == set(range(5))
    for group in np.unique(groups):
        assert len(set(folds[groups == group].tolist())) == 1


def test_impossible_folds_and_fractions_are_refused():
    known, labels, blank = digests(range(3)), np.zeros(3, int), np.full(3, "")
    with pytest.raises(UsageError, match="1 folds: there must be at least 2"):
        assign_folds(known, labels, 1, 0)
    with pytest.raises(SourceError, match="4 folds cannot be made of 3 different pictures"):
        assign_folds(known, labels, 4, 0)
    for wrong in ((0.5, 0.5, 0.5), (0.0, 0.5, 0.5), (1.2, -0.1, -0.1), (float("nan"), 0.5, 0.5)):
        with pytest.raises(UsageError, match=r"fractions .*for example 0\.7,0\.15,0\.15"):
            assign_splits(known, labels, blank, 0, fractions=wrong)


def test_a_split_without_validation_images():
    blank = np.full(1000, "", "U10")
    splits, _ = assign_splits(digests(range(1000)), np.zeros(1000, int), blank, 0, fractions=(0.5, 0.0, 0.5))
    assert set(splits.tolist()) == {"train", "test"}
    assert abs((splits == "test").mean() - 0.5) < 0.05


def test_folds_as_tables(pictures):
    tables = load_images(pictures, group_from=r"(\d)\.png").folds(3, seed=1)
    tested = [name for table in tables for name in table.of_split("test").names]
    assert sorted(tested) == sorted(tables[0].names)
    for table in tables:
        assert table.straddling() == table.straddling_groups() == []
        assert len(table.of_split("validation"))


def test_groups_from_file_names(pictures):
    images = load_images(pictures, group_from=r"(\d+)\.png")
    assert images.groups is not None
    assert images.groups[:3].tolist() == ["1", "2", "3"]
    table = images.with_splits(0)
    assert table.straddling_groups() == []
    assert table.splits_csv().splitlines()[0] == b"source,label,split,digest,group"
    assert load_images(pictures).with_splits(0).splits_csv().splitlines()[0] == b"source,label,split,digest"


def test_what_an_expression_takes():
    names = ["a/C33P1thinF.png", "a/C4P22.png", "b/none.png"]
    assert matched(names, r"C\d+P\d+", "set") == ["C33P1", "C4P22", ""]
    assert matched(names, r"C(\d+)P(\d+)", "set") == ["33/1", "4/22", ""]
    with pytest.raises(UsageError, match="no regular expression: missing"):
        matched(names, "(", "set")
    with pytest.raises(
        SourceError, match=r"finds nothing in any of the 3 names of set; the first is 'a/C33P1thinF.png'"
    ):
        matched(names, "patient", "set")


def test_pictures_without_a_group_are_counted(pictures):
    images = load_images(pictures, group_from=r"cat/(\d+)")
    assert images.notes == ("40 of 60 pictures have no group; each of them stands alone",)


def test_wrong_ways_to_name_a_group(pictures):
    with pytest.raises(UsageError, match="exclude each other"):
        load_images(pictures, group="patient", group_from="x")
    with pytest.raises(
        SourceError, match=r"--group patient: .* is no table .* take the group from the file names"
    ):
        load_images(pictures, group="patient")


def test_a_random_split_is_a_group_leak_once_the_group_is_named(pictures, tmp_path):
    load_images(pictures).with_splits(0).write_splits(tmp_path / "splits.csv")
    named = load_images(pictures, group_from=r"(\d+)\.png").with_splits_from(tmp_path / "splits.csv")
    leaks = dict(named.straddling_groups())
    expected = {}
    for name, split in zip(named.names, named.splits.tolist(), strict=True):
        expected.setdefault(re.search(r"(\d+)\.png", name)[1], set()).add(split)
    assert {group: set(splits) for group, splits in leaks.items()} == {
        group: splits for group, splits in expected.items() if len(splits) > 1
    }
    assert leaks


def test_groups_return_from_the_csv(pictures, tmp_path):
    first = load_images(pictures, group_from=r"(\d+)\.png").with_splits(0)
    first.write_splits(tmp_path / "splits.csv")
    again = load_images(pictures).with_splits_from(tmp_path / "splits.csv")
    assert again.groups is not None
    assert again.groups.tolist() == first.groups.tolist()
    assert again.splits.tolist() == first.splits.tolist()


def test_dropped_rows_of_a_csv_leave_images_out(pictures, tmp_path):
    path = tmp_path / "splits.csv"
    lines = load_images(pictures).with_splits(0).splits_csv().decode().splitlines()
    fields = lines[5].split(",")
    lines[5] = ",".join([*fields[:2], "dropped", ""])
    path.write_text("\n".join(lines))
    images = load_images(pictures).with_splits_from(path)
    assert len(images) == 59
    assert images.dropped == ((fields[0], "as in the run"),)
    assert f"{fields[0]},{fields[1]},dropped," in images.splits_csv().decode()
    again = load_images(pictures).with_splits_from(images.splits_csv())
    assert again.splits_csv() == images.splits_csv()


def test_a_run_s_own_labels_are_taken_only_when_asked(pictures):
    table = load_images(pictures).with_splits(0)
    changed = table.splits_csv().replace(b"cat/2.png,cat", b"cat/2.png,owl")
    with pytest.raises(SourceError, match=r"1 with another label \(cat/2.png\)"):
        load_images(pictures).with_splits_from(changed)
    images = load_images(pictures).with_splits_from(changed, as_was=True)
    assert images.classes[images.labels[images.names.index("cat/2.png")]] == "owl"


def test_pictures_of_an_array_have_no_columns():
    source = ArraySource(np.zeros((4, 2, 2), np.uint8), [0, 1, 0, 1])
    with pytest.raises(SourceError, match="is no table with such a column"):
        load_images(source, group="patient")


def test_groups_of_a_zip(tmp_path):
    write_pictures(tmp_path / "set", count=9)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for path in sorted((tmp_path / "set").rglob("*.png")):
            archive.write(path, path.relative_to(tmp_path))
    images = load_images(tmp_path / "set.zip", group_from=r"(\d+)\.png")
    assert len(set(images.groups.tolist())) == 9

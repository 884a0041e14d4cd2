"""What folders mean, from names alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.data.sources.layout import read_layout
from striate.data.sources.order import natural_key, natural_order
from striate.errors import SourceError


def read(*names: str, look_through: bool = True):
    return read_layout(sorted(names, key=natural_key), "/somewhere/set", look_through=look_through)


def test_class_folders_at_any_depth():
    layout = read("cat/a/1.png", "cat/2.png", "dog/b/c/3.png")
    assert layout.labels == ["cat", "cat", "dog"]
    assert layout.splits is None


@pytest.mark.parametrize("validation", ["val", "valid", "validation", "VAL"])
def test_split_folders_by_all_their_names(validation):
    layout = read("Training/cat/1.png", f"{validation}/dog/1.png", "testing/cat/1.png")
    assert dict(zip(layout.splits, layout.labels, strict=True)) == {
        "train": "cat",
        "validation": "dog",
        "test": "cat",
    }


def test_a_wrapping_folder_is_looked_through():
    layout = read("a/b/train/cat/1.png", "a/b/test/dog/1.png")
    assert layout.prefix == "a/b/"
    assert layout.names == ["test/dog/1.png", "train/cat/1.png"]
    with pytest.raises(SourceError, match="one class only, 'a'"):
        read("a/b/train/cat/1.png", "a/b/test/dog/1.png", look_through=False)


def test_a_lone_split_folder_is_no_split():
    layout = read("train/cat/1.png", "train/dog/1.png", look_through=False)
    assert layout.splits is None
    assert layout.labels == ["cat", "dog"]


def test_a_class_of_trains_beside_buses():
    layout = read("bus/1.png", "train/1.png")
    assert layout.labels == ["bus", "train"]
    assert layout.notes == ["train is taken for a class, since no other split folder stands beside it"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "holds no pictures"),
        (["cat/1.png", "cat/2.png"], "one class only, 'cat'; a classifier needs at least two"),
        (["1.png", "cat/2.png", "dog/3.png"], r"has 1 picture outside any class folder \(1.png\)"),
        (["train/1.png", "train/cat/1.png", "test/cat/1.png"], "outside any class folder"),
        (["train/a/1.png", "test/b/1.png", "cat/1.png"], r"class folders \(cat\) beside split folders"),
        (["val/a/1.png", "test/b/1.png"], "none to train on"),
    ],
)
def test_refused_layouts_say_what_is_expected(names, words):
    with pytest.raises(SourceError, match=words) as caught:
        read(*names)
    if "class" in words and "beside" not in words:
        assert "set/<class>/picture.png" in str(caught.value)


def counted(name: str) -> tuple[list[str | int], str]:
    """The order by its definition: texts and whole numbers in turn, then the name itself."""
    parts: list[str | int] = list(re.split(r"([0-9]+)", name))
    parts[1::2] = map(int, parts[1::2])
    return parts, name


NAMES = st.text(st.sampled_from("aB-./ 012379é\U0001f600\x01"), max_size=12) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8
)


@given(st.lists(NAMES, max_size=12))
def test_the_quick_order_is_the_order_by_definition(names):
    expected = sorted(range(len(names)), key=lambda index: counted(names[index]))
    assert natural_order(names) == expected
    assert sorted(names, key=natural_key) == sorted(names, key=counted)


@pytest.mark.parametrize(
    "names", [[], ["a"], ["1", "01", "001"], ["a\0" + "2", "a\0" + "10"], ["9" * 5000, "8"]]
)
def test_orders_at_the_edges(names):
    assert sorted(natural_order(names)) == list(range(len(names)))
    assert [names[index] for index in natural_order(names)] == sorted(names, key=natural_key)


def test_equal_numbers_are_told_apart_by_the_name():
    names = ["a1", "a001", "a01", "a2", "a01"]
    assert [names[index] for index in natural_order(names)] == ["a001", "a01", "a01", "a1", "a2"]

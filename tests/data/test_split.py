"""The split is a pure function of seed and pixels."""

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from striate.data import assign_splits
from striate.data.split import half_of
from striate.errors import SourceError

BLANK = ""


def digests(*numbers: int) -> np.ndarray:
    return np.array([f"{number:032x}" for number in numbers], dtype="S32")


def assigned(known, labels, ready=None, seed=0, **options):
    given_splits = np.full(len(known), BLANK, "U10") if ready is None else np.array(ready, "U10")
    return assign_splits(known, np.asarray(labels), given_splits, seed, **options)


def test_proportions_are_about_right():
    splits, notes = assigned(digests(*range(20_000)), np.arange(20_000) % 10)
    shares = [(splits == name).mean() for name in ("train", "validation", "test")]
    np.testing.assert_allclose(shares, [0.7, 0.15, 0.15], atol=0.01)
    assert notes == []


def test_seeds_differ_and_repeat():
    known, labels = digests(*range(300)), np.zeros(300, int)
    assert (assigned(known, labels, seed=1)[0] == assigned(known, labels, seed=1)[0]).all()
    assert (assigned(known, labels, seed=1)[0] != assigned(known, labels, seed=2)[0]).any()


@settings(deadline=None, max_examples=40)
@given(st.integers(300, 400), st.integers(1, 100), st.integers(0, 2**40), st.randoms(use_true_random=False))
def test_adding_images_moves_none_of_the_others(count, added, seed, random):
    numbers = list(range(count + added))
    labels = [number % 2 for number in numbers]
    before, notes = assigned(digests(*numbers[:count]), labels[:count], seed=seed)
    order = numbers[:]
    random.shuffle(order)
    after, _ = assigned(digests(*order), [labels[number] for number in order], seed=seed)
    place = dict(zip(order, after.tolist(), strict=True))
    assert notes == []
    assert [place[number] for number in range(count)] == before.tolist()


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), min_size=20, max_size=80), st.integers(0, 99)
)
def test_equal_pixels_share_a_split_and_every_class_has_all_three(rows, seed):
    known, labels = digests(*(number for number, _ in rows)), np.array([label for _, label in rows])
    try:
        splits, _ = assigned(known, labels, seed=seed)
    except SourceError as error:
        event(str(error)[:10])  # too small, or too many shared: refused, not split badly
        return
    for digest in np.unique(known):
        assert len(set(splits[known == digest])) == 1
    for label in np.unique(labels):
        assert set(splits[labels == label]) == {"train", "validation", "test"}


@pytest.mark.parametrize("seed", range(20))
def test_three_pictures_are_enough_and_topping_up_is_said(seed):
    splits, notes = assigned(digests(1, 2, 3), [0, 0, 0], seed=seed, classes=("cat",))
    assert sorted(splits) == ["test", "train", "validation"]
    assert all(note.startswith("class 'cat' had no picture for ") for note in notes)


def test_the_picture_nearest_to_the_boundary_is_taken():
    from striate.data.split import _places

    known = np.unique(digests(*range(40)))
    places = _places(known.tolist(), 0)
    training = known[places < 0.7][:6]
    splits, notes = assigned(training, np.zeros(6, int))
    order = np.argsort(_places(training.tolist(), 0))
    assert splits[order[-2:]].tolist() == ["test", "validation"] or set(splits[order[-2:]]) == {
        "test",
        "validation",
    }
    assert (splits[order[:4]] == "train").all()
    assert len(notes) == 2


def test_a_class_too_small_is_named_with_its_count():
    with pytest.raises(SourceError, match=r"'owl' has 2; add pictures or leave the class out"):
        assigned(digests(1, 2, 3, 4, 4, 5), [0, 0, 0, 1, 1, 1], classes=("cat", "owl"))


def test_classes_that_share_every_picture():
    known, labels = digests(1, 2, 3, 1, 2, 4, 1, 3, 4, 2, 3, 4), np.repeat(np.arange(4), 3)
    with pytest.raises(SourceError, match="identical pictures with other classes"):
        assigned(known, labels)


def test_ready_made_splits_are_kept_and_validation_cut_from_training():
    ready = ["train"] * 1000 + ["test"] * 100
    splits, notes = assigned(digests(*range(1100)), np.arange(1100) % 2, ready)
    assert (splits[1000:] == "test").all()
    assert 60 < (splits == "validation").sum() < 140
    assert notes == []


def test_a_set_without_test_keeps_that():
    ready = ["train"] * 10 + ["validation"] * 10
    splits, _ = assigned(digests(*range(20)), np.arange(20) % 2, ready)
    assert splits.tolist() == ready


def test_ready_made_splits_that_lack_a_class():
    ready = ["train", "train", "validation", "validation", "test"]
    _, notes = assigned(digests(*range(5)), [0, 1, 0, 1, 0], ready, classes=("cat", "dog"))
    assert notes == ["the ready-made test split has no picture of class 'dog'"]
    with pytest.raises(SourceError, match="training split has no picture of class 'dog'"):
        assigned(
            digests(*range(4)), [0, 0, 1, 0], ["train", "validation", "test", "test"], classes=("cat", "dog")
        )


def test_half_given_splits_are_refused():
    with pytest.raises(SourceError, match="1 of 3 images have no split"):
        assigned(digests(1, 2, 3), [0, 0, 0], ["train", "test", ""])


@given(st.integers(0, 2**31), st.integers(2, 60), st.integers(1, 5))
def test_halves_share_no_pixels_and_no_group(seed: int, images: int, classes: int) -> None:
    generator = np.random.default_rng(seed)
    digests = np.array([f"{number:032x}" for number in generator.integers(0, images, images)], dtype="S32")
    groups = generator.integers(0, max(2, images // 3), images).astype("U4")
    groups[generator.random(images) < 0.3] = ""
    labels = generator.integers(0, classes, images)
    first = half_of(digests, labels, seed, groups=groups)
    assert not set(digests[first].tolist()) & set(digests[~first].tolist())
    assert not (set(groups[first].tolist()) & set(groups[~first].tolist())) - {""}
    order = generator.permutation(images)  # no matter in which order they come
    assert (half_of(digests[order], labels[order], seed, groups=groups[order]) == first[order]).all()


def test_halves_share_out_every_class() -> None:
    digests = np.array([f"{number:032x}" for number in range(300)], dtype="S32")
    labels = np.repeat([0, 1, 2], [200, 90, 10])
    first = half_of(digests, labels, seed=3)
    assert np.bincount(labels[first]).tolist() == [100, 45, 5]

"""A large pack is read from its file; the pictures are those of the mapping."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.data import channel_statistics
from striate.data.packing import mapped
from striate.data.packing.mapped import mapped_blocks, place_of
from striate.data.packing.stream import gather

COUNT = 20


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    path = tmp_path_factory.mktemp("pack") / "pixels.npy"
    values = np.random.default_rng(0).integers(0, 2**16, (COUNT, 3, 4, 2), dtype=np.uint16)
    np.save(path, values)
    return np.asarray(np.load(path, mmap_mode="r"))


@pytest.fixture
def all_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "LARGE", 0)


@settings(deadline=None, max_examples=50)
@given(wanted=st.lists(st.lists(st.integers(-COUNT, COUNT - 1), max_size=9), max_size=4))
def test_blocks_are_those_of_the_mapping(pack: np.ndarray, wanted: list[list[int]]) -> None:
    lists = [np.array(rows, np.int64) for rows in wanted]
    place = place_of(pack)
    assert place is not None
    for rows, block in zip(lists, mapped.read_blocks(pack, place, lists), strict=True):
        np.testing.assert_array_equal(block, pack[rows])
        assert block.dtype == pack.dtype


@pytest.mark.usefixtures("all_large")
def test_masks_and_slices_are_taken_as_numpy_takes_them(pack: np.ndarray) -> None:
    mask = np.arange(COUNT) % 3 == 1
    for block, key in zip(gather(pack, [mask, slice(2, 9, 3)]), [mask, slice(2, 9, 3)], strict=True):
        np.testing.assert_array_equal(block, pack[key])
    with pytest.raises(IndexError, match="there are 20 images; row 20 is none of them"):
        list(gather(pack, [[20]]))


@pytest.mark.usefixtures("all_large")
def test_statistics_are_the_same(pack: np.ndarray) -> None:
    rows = np.arange(3, COUNT)
    assert channel_statistics(pack, rows) == channel_statistics(np.array(pack), rows)


def test_a_view_is_read_where_it_lies(pack: np.ndarray) -> None:
    part = pack[5:12]
    place = place_of(part)
    assert place is not None
    (block,) = mapped.read_blocks(part, place, [[0, 6, -1]])
    np.testing.assert_array_equal(block, pack[[5, 11, 11]])
    assert place_of(pack[::2]) is None
    assert place_of(np.array(pack)) is None


def test_what_can_be_written_stays_mapped(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 1, 1, 1), np.uint8))
    changed = np.load(tmp_path / "a.npy", mmap_mode="c")
    changed[:] = 7
    assert place_of(changed) is None
    assert [block.tolist() for block in mapped_blocks(changed, [[1]])] == [[[[[7]]]]]


@pytest.mark.usefixtures("all_large")
def test_a_file_that_became_shorter_is_an_error(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((9, 8, 8, 1), np.uint8))
    pixels = np.asarray(np.load(tmp_path / "a.npy", mmap_mode="r"))
    with (tmp_path / "a.npy").open("r+b") as file:
        file.truncate(300)
    with pytest.raises(OSError, match=r"a\.npy is shorter than it was"):
        list(gather(pixels, [[8]]))


@pytest.mark.usefixtures("all_large")
def test_a_file_that_is_gone_is_read_from_the_mapping(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full((2, 1, 1, 1), 5, np.uint8))
    pixels = np.asarray(np.load(tmp_path / "a.npy", mmap_mode="r"))
    (tmp_path / "a.npy").unlink()
    assert [block.ravel().tolist() for block in gather(pixels, [[0, 1]])] == [[5, 5]]

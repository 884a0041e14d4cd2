"""What a parity report counts, and that nothing escapes it: not a wrong answer, not one that is no number."""

import json
from collections.abc import Iterable

import numpy as np
import pytest

from striate.export.parity import TOGETHER, VALUES, Answers, Example, batched, compare


def example(name: str, shape: tuple[int, int, int] = (4, 4, 1), full: float = 255.0) -> Example:
    return Example(
        name=name,
        pixels=np.ones(shape, np.float32),
        full_scale=full,
        depth="uint8",
        prepared=np.full((1, 2, 2), 2.0, np.float32),
        probabilities=np.array([0.7, 0.3]),
    )


def saying(first: float, prepared: float = 2.0) -> object:
    def ask(pixels: np.ndarray, full: float) -> Answers:
        said = np.tile(np.array([first, 1 - first], np.float32), (len(pixels), 1))
        return Answers(said, np.full((len(pixels), 1, 2, 2), prepared, np.float32))

    return ask


def told(ask: object, examples: Iterable[Example]):
    return compare(ask, examples)[0]  # pyright: ignore[reportArgumentType]


def test_counts_and_differences() -> None:
    pictures = [example("a"), example("b", (3, 5, 3)), example("c", (3, 5, 3), 65535.0)]
    parity = told(saying(0.70005, 2.5), pictures)
    assert parity.probability == pytest.approx(5e-5, rel=1e-2)
    assert parity.prepared == pytest.approx(0.25)
    assert parity.passed
    assert (parity.images, parity.agreed) == (3, 3)
    assert parity.sizes == {"3×5": 2, "4×4": 1}
    assert parity.modes == {"uint8, 3 channels": 2, "uint8, 1 channel": 1}
    assert parity.batches == {"1": 3}


@pytest.mark.parametrize("first", [0.7002, 0.2, float("nan"), float("inf")])
def test_beyond_the_tolerance_is_a_failure_with_names(first: float) -> None:
    parity = told(saying(first), [example("owl\n.png"), example("cat.png")])
    assert not parity.passed
    assert [name for name, _ in parity.apart] == ["owl\n.png", "cat.png"]
    assert "2 of 2 pictures differ by more than 1e-04: owl\\n.png (" in parity.sentence()
    json.dumps(parity.to_dict(), allow_nan=False)


def test_many_apart_are_counted_and_the_worst_come_first() -> None:
    worse = Example(**{**vars(example("worst")), "probabilities": np.array([0.1, 0.9])})
    parity = told(saying(0.8), [*(example(f"{number}") for number in range(14)), worse])
    assert parity.apart[0][0] == "worst"
    assert parity.sentence().endswith(" and 5 more")
    assert parity.agreed == 14


def test_no_picture_is_no_proof() -> None:
    assert not told(saying(0.7), []).passed


def test_batches_are_of_one_size_and_keep_every_picture() -> None:
    shapes = [(4, 4, 1), (2, 9, 3), (4, 4, 3)]
    given = [example(str(number), shapes[number % 3], (255.0, 65535.0)[number % 2]) for number in range(200)]
    batches = list(batched(given))
    assert sorted(place for batch in batches for place, _ in batch) == list(range(200))
    for batch in batches:
        assert len(batch) <= TOGETHER
        assert len({(one.pixels.shape, one.full_scale) for _, one in batch}) == 1
    assert len(batches[0]) == 1


def test_large_pictures_are_asked_about_one_by_one() -> None:
    side = int((VALUES // 2) ** 0.5) + 1
    large = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), (side, side, 1), (0, 0, 0))
    given = [Example(**{**vars(example(str(number))), "pixels": large}) for number in range(3)]
    assert [len(batch) for batch in batched(given)] == [1, 1, 1]


def test_probabilities_come_back_in_the_order_of_the_pictures() -> None:
    def ask(pixels: np.ndarray, full: float) -> Answers:
        first = pixels[:, 0, 0, 0] / 1000
        return Answers(np.stack([first, 1 - first], axis=1), np.zeros((len(pixels), 1, 2, 2), np.float32))

    given = []
    for number in range(50):
        one = example(str(number), ((4, 4, 1), (3, 3, 1))[number % 2])
        given.append(Example(**{**vars(one), "pixels": one.pixels * number}))
    said = compare(ask, given)[1]
    assert np.allclose(said[:, 0] * 1000, np.arange(50))

"""Many askers, one thread: every answer reaches whoever asked, and what fails fails for those alone."""

import asyncio
import time

import pytest

from striate.serving.answering.batching import Batcher


def test_every_answer_reaches_its_asker_and_company_is_batched() -> None:
    sizes: list[int] = []

    def doubled(numbers: list[int]) -> list[int]:
        time.sleep(0.002)
        return [2 * number for number in numbers]

    async def ask() -> list[list[int]]:
        batcher = Batcher(doubled, 16, sizes.append)
        found = await asyncio.gather(*(batcher.ask([n, -n]) for n in range(500)))
        batcher.close()
        return found

    assert asyncio.run(ask()) == [[2 * n, -2 * n] for n in range(500)]
    assert max(sizes) == 16
    assert sum(sizes) == 1000
    assert len(sizes) < 100


def test_what_fails_fails_for_its_batch_alone() -> None:
    def picky(numbers: list[int]) -> list[int]:
        if 13 in numbers:
            raise ValueError("thirteen")
        return numbers

    async def ask() -> list[object]:
        batcher = Batcher(picky, 1)
        found = await asyncio.gather(*(batcher.ask([n]) for n in (1, 13, 2)), return_exceptions=True)
        batcher.close()
        return found

    first, second, third = asyncio.run(ask())
    assert (first, third) == ([1], [2])
    assert isinstance(second, ValueError)


def test_whoever_leaves_costs_the_others_nothing() -> None:
    async def ask() -> tuple[list[int], int]:
        asked: list[int] = []

        def slow(numbers: list[int]) -> list[int]:
            time.sleep(0.05)
            asked.extend(numbers)
            return numbers

        batcher = Batcher(slow, 8)
        first = asyncio.create_task(batcher.ask([1]))
        await asyncio.sleep(0.01)
        leaving = asyncio.create_task(batcher.ask([2]))
        staying = asyncio.create_task(batcher.ask([3]))
        await asyncio.sleep(0.01)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        found = [*await first, *await staying]
        batcher.close()
        return found, asked.count(2)

    assert asyncio.run(ask()) == ([1, 3], 0)

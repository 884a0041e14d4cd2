"""One ahead: the same items, errors where they belong, and no thread left behind."""

import threading
from collections.abc import Generator
from contextvars import ContextVar

import pytest

from striate.data.ahead import ahead

WHO = ContextVar("who", default="nobody")


def counted(until: int, made: list[int], breaks_at: int | None = None) -> Generator[int]:
    try:
        for number in range(until):
            if number == breaks_at:
                raise OSError("the disk is gone")
            made.append(number)
            yield number
    finally:
        made.append(-1)


def test_items_come_in_order_and_all() -> None:
    made: list[int] = []
    assert list(ahead(counted(50, made))) == list(range(50))
    assert made == [*range(50), -1]
    assert list(ahead(counted(0, []))) == []


def test_the_next_item_is_made_while_the_reader_is_busy() -> None:
    second = threading.Event()

    def items() -> Generator[int]:
        yield 1
        second.set()
        yield 2

    reader = ahead(items())
    assert next(reader) == 1
    assert second.wait(10)  # without a thread it would be made only when asked for
    assert list(reader) == [2]


def test_an_error_comes_where_its_item_would_have() -> None:
    reader = ahead(counted(5, [], breaks_at=2))
    assert [next(reader), next(reader)] == [0, 1]
    with pytest.raises(OSError, match="the disk is gone"):
        next(reader)


def test_a_reader_that_stops_closes_the_maker_and_ends_the_thread() -> None:
    made: list[int] = []
    before = threading.active_count()
    maker = counted(1000, made)
    reader = ahead(maker)
    next(reader)
    reader.close()
    assert made[-1] == -1  # although somebody still holds the maker
    assert maker.gi_frame is None
    assert len(made) <= 4
    assert threading.active_count() == before


def test_the_maker_sees_the_context_of_its_reader() -> None:
    def items() -> Generator[str]:
        yield WHO.get()

    token = WHO.set("reader")
    assert list(ahead(items())) == ["reader"]
    WHO.reset(token)

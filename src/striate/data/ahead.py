"""Things made one ahead: the next one in a thread, while whoever asked for the last one is busy with it."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Generator[T]) -> Iterator[T]:
    """The same items in the same order; each is made while the reader is busy with the one before it.

    >>> list(ahead(number * number for number in range(4)))
    [0, 1, 4, 9]

    What the generator raises is raised where its item would have come. A reader may stop early: the generator is
    closed then, after the item that it is at.
    """
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        try:
            coming = thread.submit(copy_context().run, next, items, end)
            while (item := coming.result()) is not end:
                coming = thread.submit(copy_context().run, next, items, end)
                yield item  # pyright: ignore[reportReturnType]
        finally:
            thread.submit(items.close).result()

"""Many requests, one forward pass: pictures that came while the last batch was worked on make up the next."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")

AT_ONCE = 4
"""Answers given out before the event loop looks at whatever else is asked: whether the service lives, for one."""


@dataclass(eq=False)
class _Waiting(Generic[Asked, Answered]):
    asked: Asked
    answer: asyncio.Future[Answered]


class Batcher(Generic[Asked, Answered]):
    """Collects what is asked at the same time and has it answered by one thread, at most `most` at once.

    Nothing waits for company: a batch is what came while the batch before was worked on, so one request alone is
    answered at once. `together` is given a list and returns its answers in the same order. `seen` is told the size
    of every batch.
    """

    def __init__(
        self,
        together: Callable[[list[Asked]], Sequence[Answered]],
        most: int,
        seen: Callable[[int], None] = lambda size: None,
    ) -> None:
        self._together, self._most, self._seen = together, most, seen
        self._waiting: deque[_Waiting[Asked, Answered]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="answers")
        self._working: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    async def ask(self, every: Sequence[Asked]) -> list[Answered]:
        """The answers, when they are there."""
        loop = asyncio.get_running_loop()
        mine = [_Waiting(one, loop.create_future()) for one in every]
        self._waiting.extend(mine)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        try:
            return list(await asyncio.gather(*(one.answer for one in mine)))
        finally:
            for one in mine:
                one.answer.cancel()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = self._next()
            if not batch:
                continue
            self._seen(len(batch))
            try:
                answers = await loop.run_in_executor(
                    self._thread, self._together, [one.asked for one in batch]
                )
            except Exception as error:
                for one in batch:
                    if not one.answer.done():
                        one.answer.set_exception(error)
                continue
            for number, (one, answer) in enumerate(zip(batch, answers, strict=True)):
                if not one.answer.done():
                    one.answer.set_result(answer)
                if number % AT_ONCE == AT_ONCE - 1:
                    await asyncio.sleep(0)

    def _next(self) -> list[_Waiting[Asked, Answered]]:
        """The next batch: those whose askers have not left meanwhile."""
        batch = []
        while self._waiting and len(batch) < self._most:
            one = self._waiting.popleft()
            if not one.answer.done():
                batch.append(one)
        return batch

    def close(self) -> None:
        """Let the thread end when it is done."""
        self._thread.shutdown(wait=True, cancel_futures=True)

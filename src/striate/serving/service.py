"""What every route stands on: the run, its answers, and bounded places to work at."""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import striate
from striate.serving.answering.batching import Batcher
from striate.serving.answering.golden import require_golden
from striate.serving.guarding.journal import log_error
from striate.serving.metrics import Metrics
from striate.serving.refusals import Refusal, busy
from striate.serving.settings import Settings

if TYPE_CHECKING:
    import numpy as np

Result = TypeVar("Result")
STATES = ("none", "training", "loading", "ready", "failed")
SOON = 2.0
"""Seconds between two looks at a run that is still trained."""
START = "Start the service with a finished run: striate serve RUN"


class Service:
    """A run that is served, or none.

    `state` is "none" (no run was given), "training" (the run is not finished: it is looked for again and again),
    "loading", "ready" (loaded, and the golden test passed), or "failed", with `reason`. No picture outlives the
    request that brought it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.run = settings, settings.run
        self.classifier: striate.Classifier | None = None
        self.responder: striate.Responder | None = None
        self.state = "none" if self.run is None else "loading"
        self.reason: str | None = None
        self.metrics = Metrics()
        self.draining = False
        cores = os.cpu_count() or 1
        self._decoders = ThreadPoolExecutor(cores, thread_name_prefix="decoding")
        self._workers = ThreadPoolExecutor(1, thread_name_prefix="work")
        self._answers: Batcher[tuple[str, np.ndarray], striate.Answer] | None = None
        self._pictures = self._tasks = self._held = 0
        self._starting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to load the run; the service answers meanwhile."""
        if self.run is not None:
            self._starting = asyncio.create_task(self._load(self.run))

    async def close(self) -> None:
        """Let every thread end."""
        if self._starting:
            self._starting.cancel()
        for pool in (self._decoders, self._workers):
            pool.shutdown(wait=True, cancel_futures=True)
        if self._answers:
            self._answers.close()

    async def _load(self, run: Path) -> None:
        while not (run / "manifest.json").exists():
            self.state = "training"
            await asyncio.sleep(SOON)
        self.state = "loading"
        loop = asyncio.get_running_loop()
        try:
            classifier, responder = await loop.run_in_executor(
                self._workers, opened, run, self.settings.engine
            )
        except striate.StriateError as error:
            self.state, self.reason = "failed", str(error)
            return
        except Exception as error:
            number = log_error(error)
            self.state, self.reason = "failed", f"it cannot be loaded; the log says more under {number}."
            return
        self.classifier, self.responder = classifier, responder
        self._answers = Batcher(responder.answers, self.settings.batch, self.metrics.batch.observe)
        self.state = "ready"

    def require_classifier(self) -> striate.Classifier:
        """The classifier; Refusal 409 where there is no run, and 503 where it is not ready yet."""
        if self.state == "ready" and self.classifier is not None:
            return self.classifier
        if self.state == "none":
            raise Refusal(409, "This service was started without a run.", advice=START)
        if self.state == "failed":
            raise Refusal(503, f"The run cannot be served: {self.reason}", advice=START)
        waits = "is still being trained" if self.state == "training" else "is being loaded"
        raise Refusal(
            503,
            f"The run {waits}.",
            advice="Ask again when /health/ready says so.",
            headers={"Retry-After": "2"},
        )

    def require_responder(self) -> striate.Responder:
        """What prepares and answers; refuses as `require_classifier`."""
        self.require_classifier()
        assert self.responder is not None, "a run that is ready has one"
        return self.responder

    def hold(self, size: int) -> None:
        """Make room for bytes of a request; Refusal 503 where there is none."""
        if self._held + size > self.settings.max_held:
            raise busy("The service holds as many bytes of requests as it may.")
        self._held += size

    def release(self, size: int) -> None:
        """Give back what `hold` took."""
        self._held -= size

    async def decode(self, data: bytes, *, draft: tuple[int, int] | None = None) -> striate.Picture:
        """A picture of a file's bytes, whatever kind it is; Refusal 422 where it cannot be read."""
        try:
            return await self._on(self._decoders, partial(striate.read_picture, data, draft=draft))
        except striate.ImageError as error:
            raise unreadable(error) from error

    async def prepare(self, image: "bytes | np.ndarray") -> "np.ndarray":
        """A file's bytes or decoded pixels as the run prepares them; Refusal 422 where they cannot be read."""
        responder = self.require_responder()
        try:
            return await self._on(self._decoders, responder.prepare, image)
        except (striate.ImageError, striate.SourceError) as error:
            raise unreadable(error) from error

    async def prepare_all(self, images: "Sequence[bytes | np.ndarray]") -> "list[np.ndarray | Refusal]":
        """As `prepare`, for many: a share of them for each thread; a Refusal stands for one that cannot be read."""
        prepare = self.require_responder().prepare
        size = max(1, -(-len(images) // (os.cpu_count() or 1)))
        shares = [images[start : start + size] for start in range(0, len(images), size)]
        made = await asyncio.gather(
            *(self._on(self._decoders, each_prepared, prepare, one) for one in shares)
        )
        return [one for share in made for one in share]

    async def answer(self, pictures: "Sequence[tuple[str, np.ndarray]]") -> list[striate.Answer]:
        """Answers to prepared pictures, in one batch with whatever else is asked."""
        self.require_responder()
        assert self._answers is not None, "a run that is ready has it"
        return await self._answers.ask(pictures)

    def enter(self, pictures: int) -> None:
        """Make room for pictures to be decoded and answered; Refusal 503 where there is none."""
        if self._pictures + pictures > self.settings.queue:
            raise busy("As many pictures wait as may.")
        self._pictures += pictures
        self.metrics.waiting.set(self._pictures)

    def leave(self, pictures: int) -> None:
        """Give back what `enter` took."""
        self._pictures -= pictures
        self.metrics.waiting.set(self._pictures)

    async def at_work(self, function: Callable[..., Result], *args: Any) -> Result:
        """The result of heavy work, done one after the other; Refusal 503 where too much waits."""
        if self._tasks >= self.settings.tasks:
            raise busy("As much work waits as may.")
        self._tasks += 1
        try:
            return await self._on(self._workers, function, *args)
        finally:
            self._tasks -= 1

    async def _on(self, pool: ThreadPoolExecutor, function: Callable[..., Result], *args: Any) -> Result:
        try:
            async with asyncio.timeout(self.settings.timeout):
                return await asyncio.get_running_loop().run_in_executor(pool, function, *args)
        except TimeoutError:
            raise busy(f"There was no answer within {self.settings.timeout:g} s.") from None


def opened(run: Path, engine: str) -> "tuple[striate.Classifier, striate.Responder]":
    """A run's classifier and what answers for it, after the golden test."""
    classifier = striate.Classifier.load(run)
    responder = classifier.responder(engine)
    require_golden(classifier, responder)
    return classifier, responder


def each_prepared(
    prepare: "Callable[[Any], np.ndarray]", images: "Sequence[bytes | np.ndarray]"
) -> "list[np.ndarray | Refusal]":
    """Every picture prepared, or why it is not."""
    made: list[np.ndarray | Refusal] = []
    for image in images:
        try:
            made.append(prepare(image))
        except (striate.ImageError, striate.SourceError) as error:
            made.append(unreadable(error))
    return made


def unreadable(error: striate.StriateError) -> Refusal:
    """422: a picture that cannot be read."""
    return Refusal(422, f"The picture cannot be read: {error}.")

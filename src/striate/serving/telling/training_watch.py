"""The progress of a training for the page: as one answer, and as server-sent events that follow it."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import striate
from striate.serving.refusals import busy

EVERY, STILL_HERE = 0.5, 10.0
"""Seconds between two looks at the folder, and between two signs of life where nothing has changed."""
MOST = 32
"""Listeners at once."""
SHOWN = (
    "model",
    "epochs",
    "batch_size",
    "optimiser",
    "learning_rate",
    "schedule",
    "seed",
    "keep",
    "weights",
    "freeze",
)
SAID = {
    "not begun": "Training has not begun: the folder holds no epoch yet.",
    "running": "Training is running.",
    "interrupted": "Training was interrupted: no process on this machine works in the folder.",
    "finished": "Training is finished.",
    "none": "No run is served.",
}
TRY = {
    "not begun": "striate train SOURCE --out RUN",
    "interrupted": "striate train SOURCE --out RUN --resume",
    "none": "striate serve RUN",
}


class Watch:
    """Looks at a run's folder, at most twice a second however many listen."""

    def __init__(self, run: Path | None, ended: Callable[[], bool]) -> None:
        self.run, self.ended = run, ended
        self.listeners = 0
        self._looked = -EVERY
        self._seen: striate.TrainingProgress | None = None
        self._looking = asyncio.Lock()

    async def progress(self) -> "striate.TrainingProgress":
        """How far the run has come; half a second old at most."""
        async with self._looking:
            if self._seen is None or time.monotonic() - self._looked >= EVERY:
                self._seen = await asyncio.to_thread(look, self.run)
                self._looked = time.monotonic()
            return self._seen

    async def events(self, last: str | None) -> AsyncIterator[str]:
        """What changes, until training is finished: `begin` with every epoch, `epoch`, `state`, and `end`.

        The identity of an event says how many epochs had been sent and which; whoever comes back with it is sent only
        those after it, or all of them where the run has become another one.
        """
        self.listeners += 1
        known, told, spoken = last, "", time.monotonic()
        try:
            while not self.ended():
                progress = await self.progress()
                for text, now in news(list(progress.history), known):
                    yield text
                    known = now
                state = event("state", summary(progress))
                if state != told or time.monotonic() - spoken > STILL_HERE:
                    yield state if state != told else ": still here\n\n"
                    told, spoken = state, time.monotonic()
                if progress.state == "finished":
                    yield event("end", {})
                    return
                await asyncio.sleep(EVERY)
        finally:
            self.listeners -= 1

    def require_room(self) -> None:
        """Refusal 503 where as many listen as may."""
        if self.listeners >= MOST:
            raise busy(f"{MOST} pages listen already, and no more may.")


def look(run: Path | None) -> "striate.TrainingProgress":
    """The progress of a run, or of none."""
    return striate.TrainingProgress(state="none") if run is None else striate.training_progress(run)


def summary(progress: "striate.TrainingProgress") -> dict[str, Any]:
    """Everything but the epochs, in plain values and words."""
    last = progress.history[-1] if progress.history else None
    left = progress.seconds_left
    return {
        "state": progress.state,
        "said": SAID[progress.state],
        "try": TRY.get(progress.state),
        "epochs": progress.epochs,
        "done": len(progress.history),
        "kept_epoch": progress.kept_epoch,
        "under_way": progress.under_way,
        "learning_rate": last and last["learning_rate"],
        "images_per_s": last and last["train"]["images_per_s"],
        "seconds_an_epoch": progress.seconds_an_epoch,
        "seconds_left": None if left is None else round(left),
        "recipe": recipe_shown(progress.recipe),
        "notes": progress.notes,
    }


def recipe_shown(recipe: dict[str, Any] | None) -> dict[str, Any] | None:
    """The fields that one asks for first; of a path the last part alone."""
    if recipe is None:
        return None
    shown = {name: recipe[name] for name in SHOWN if name in recipe}
    if isinstance(shown.get("weights"), str):
        shown["weights"] = Path(shown["weights"]).name
    return shown


def news(history: list[dict[str, Any]], known: str | None) -> list[tuple[str, str]]:
    """What brings a listener up to date who has what `known` identifies; each event with what it leaves known.

    >>> [known for _, known in news([{"epoch": 1}, {"epoch": 2}], identity([{"epoch": 1}]))] == [
    ...     identity([{"epoch": 1}, {"epoch": 2}])]
    True
    """
    count = counted(known)
    if known is None or known != identity(history[:count]):
        whole = identity(history)
        return [(event("begin", {"history": history}, whole), whole)]
    grown = [identity(history[: place + 1]) for place in range(count, len(history))]
    records = history[count:]
    return [(event("epoch", {"record": one}, now), now) for one, now in zip(records, grown, strict=True)]


def event(kind: str, content: dict[str, Any], identity: str | None = None) -> str:
    """One server-sent event (WHATWG HTML, section 9.2).

    >>> event("epoch", {"n": 1}, "1-ab")
    'id: 1-ab\\nevent: epoch\\ndata: {"n": 1}\\n\\n'
    """
    first = f"id: {identity}\n" if identity else ""
    return f"{first}event: {kind}\ndata: {json.dumps(content, allow_nan=False)}\n\n"


def identity(history: list[dict[str, Any]]) -> str:
    """How many epochs, and a digest of them: another run of as many epochs has another one."""
    digest = hashlib.sha256(json.dumps(history).encode()).hexdigest()
    return f"{len(history)}-{digest[:12]}"


def counted(identity: str | None) -> int:
    """The number of epochs in an identity, 0 where it is none.

    >>> counted("12-ab34"), counted("x"), counted(None)
    (12, 0, 0)
    """
    number = (identity or "").partition("-")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 8 else 0

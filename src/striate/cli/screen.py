"""What `train` shows while it works: a bar on a terminal, a line an epoch elsewhere, or JSON lines."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

import striate
from striate.cli.border import drop_output


class Screen(striate.Events):
    """A listener that shows nothing, and can be taken off the screen at any time."""

    def close(self) -> None:
        """Leave the screen as a prompt expects it; safe to call twice."""


class Lines(Screen):
    """A line an epoch on standard output; notes go to standard error."""

    def began(self, plan: Any, network: Any) -> None:
        self.epochs = plan.epochs

    def said(self, text: str) -> None:
        print(f"note: {text}", file=sys.stderr, flush=True)

    def epoch(self, record: Any, outcome: Any, network: Any) -> None:
        show(epoch_line(record, self.epochs))


class JsonLines(Screen):
    """One JSON object a line on standard output."""

    def said(self, text: str) -> None:
        emit({"event": "note", "text": text})

    def epoch(self, record: Any, outcome: Any, network: Any) -> None:
        emit({"event": "epoch", **record})


class Bar(Screen):
    """A progress bar with images a second, loss and time left, and a line for each finished epoch."""

    def __init__(self, preparing: str = "decoding") -> None:
        self.preparing = preparing
        self.console = Console()
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
        )
        self.task: TaskID | None = None

    def said(self, text: str) -> None:
        self.bar.console.print(f"note: {text}", style="yellow", markup=False, highlight=False)

    def packing(self, done: int, total: int) -> None:
        if self.task is None:
            self.task = self.start(self.preparing, total)
        self.bar.update(self.task, completed=done)
        if done >= total:
            self.close()

    def began(self, plan: Any, network: Any) -> None:
        self.plan = plan
        self.close()
        self.task = self.start("training", plan.epochs * plan.steps)
        self.bar.update(self.task, completed=plan.first_epoch * plan.steps + plan.first_step)

    def step(self, progress: Any, loss: float, rate: float) -> None:
        if self.task is not None:
            measures = progress.running.measures()
            self.bar.update(
                self.task,
                completed=progress.epoch * self.plan.steps + progress.step,
                description=f"epoch {progress.epoch + 1}/{self.plan.epochs}",
                detail=f"loss {measures['loss']:.4f} · {measures['images_per_s']:,.0f} images/s",
            )

    def epoch(self, record: Any, outcome: Any, network: Any) -> None:
        self.bar.console.print(epoch_line(record, self.plan.epochs), highlight=False)

    def finished(self, progress: Any) -> None:
        self.close()

    def start(self, description: str, total: int) -> TaskID:
        self.bar.start()
        return self.bar.add_task(description, total=total, detail="")

    def close(self) -> None:
        if self.task is not None:
            self.bar.remove_task(self.task)
            self.task = None
        self.bar.stop()


@contextmanager
def packing_bar(*, quiet: bool, doing: str = "decoding") -> Iterator[Callable[[int, int], None] | None]:
    """What a verb that decodes pictures passes on: a progress bar on a terminal, nothing elsewhere."""
    if quiet or not sys.stdout.isatty():
        yield None
        return
    bar = Bar(doing)
    try:
        yield bar.packing
    finally:
        bar.close()


def choose(*, as_json: bool, quiet: bool) -> Screen:
    """The listener that fits where the output goes."""
    if as_json:
        return JsonLines()
    if quiet:
        return Screen()
    return Bar() if sys.stdout.isatty() else Lines()


def epoch_line(record: dict[str, Any], epochs: int) -> str:
    """One finished epoch in words and aligned figures."""
    train, validation = record["train"], record["validation"]
    return (
        f"epoch {record['epoch']:>{len(str(epochs))}}/{epochs}"
        f"   loss {train['loss']:.4f}   accuracy {train['accuracy']:7.2%}"
        f"   validation loss {validation['loss']:.4f}   accuracy {validation['accuracy']:7.2%}"
        f"   {train['images_per_s']:,.0f} images/s"
    )


def emit(content: dict[str, Any]) -> None:
    """One JSON object on a line of its own."""
    show(json.dumps(content, ensure_ascii=False, allow_nan=False))


def show(line: str) -> None:
    """A line on standard output; training goes on when nobody reads it any more."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        drop_output()

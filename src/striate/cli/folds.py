"""What `train --folds` shows while it works, and how it ends."""

import sys
from pathlib import Path
from typing import Any

import striate
from striate.cli.screen import Bar, JsonLines, Lines, Screen, emit, show


class FoldScreen(Screen):
    """A listener that shows nothing, and is told of the folds."""

    folds = 0
    current = 1

    def fold_done(self, fold: Any) -> None:
        """A network was judged on the fold that it was not given."""
        self.current = fold.number + 1


class FoldLines(FoldScreen, Lines):
    """A line a fold on standard output; notes go to standard error."""

    def epoch(self, record: Any, outcome: Any, network: Any) -> None:
        pass

    def fold_done(self, fold: Any) -> None:
        show(striate.fold_line(fold, self.folds))
        super().fold_done(fold)


class FoldJson(FoldScreen, JsonLines):
    """One JSON object a line on standard output, an epoch with its fold."""

    def epoch(self, record: Any, outcome: Any, network: Any) -> None:
        emit({"event": "epoch", "fold": self.current, **record})

    def fold_done(self, fold: Any) -> None:
        emit({"event": "fold", **fold.to_dict()})
        super().fold_done(fold)


class FoldBar(FoldScreen, Bar):
    """A progress bar for each fold, and a line for each that is done."""

    def step(self, progress: Any, loss: float, rate: float) -> None:
        super().step(progress, loss, rate)
        if self.task is not None:
            epoch = f"epoch {progress.epoch + 1}/{self.plan.epochs}"
            self.bar.update(self.task, description=f"fold {self.current}/{self.folds} {epoch}")

    def epoch(self, record: Any, outcome: Any, network: Any) -> None:
        pass

    def fold_done(self, fold: Any) -> None:
        self.bar.console.print(striate.fold_line(fold, self.folds), highlight=False, markup=False)
        super().fold_done(fold)


def choose(folds: int, *, as_json: bool, quiet: bool) -> FoldScreen:
    """The listener that fits where the output goes."""
    shown = FoldBar if sys.stdout.isatty() else FoldLines
    screen = FoldJson() if as_json else FoldScreen() if quiet else shown()
    screen.folds = folds
    return screen


def cross_validate(
    images: striate.Images, recipe: striate.Recipe, screen: Screen, **options: Any
) -> striate.FoldsVerdict:
    """The cross-validation that a screen of folds was chosen for."""
    assert isinstance(screen, FoldScreen)
    return striate.cross_validate(images, recipe, folds=screen.folds, fold_done=screen.fold_done, **options)


def ending(verdict: striate.FoldsVerdict, folder: Path, *, as_json: bool, quiet: bool) -> None:
    """The last words of a cross-validation: the pooled verdict and where the files are."""
    if as_json:
        whole = verdict.to_dict()
        emit({"event": "done", "run": str(folder), **{key: whole[key] for key in whole if key != "folds"}})
    elif not quiet:
        show(f"\n{striate.folds_text(verdict)}")
        show(f"\nfolds:    {folder / 'folds.html'}\nto check: {folder / 'review.html'}")
        show(f"next: decide in {folder / 'review.csv'}, then striate train … --audit {folder / 'review.csv'}")

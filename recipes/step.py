"""One training and its verdict: the words of a shell and the calls in Python, from the same few fields."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import striate

OPTIONS = ("model", "weights", "freeze", "epochs")
"""Fields of the recipe that `striate train` has an option of its own for."""


@dataclass(frozen=True)
class Cut:
    """Files that say which images of a source take part: an edited audit.csv, a splits.csv, either or both."""

    audit: Path | None = None
    splits: Path | None = None


Cutter = Callable[[str, int, Path], Cut]
"""From a source, a seed and a folder to write into; the source itself is only read."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """`striate train SOURCE …`, then `striate evaluate RUN`.

    `settings` are fields of the recipe; `smoke` replaces some of them in the form that runs in seconds, or is None
    where that form leaves the step out. `weights` names the step whose run this one begins with. `cut` leaves images
    of the source out.
    """

    name: str
    source: str
    settings: Mapping[str, Any]
    smoke: Mapping[str, Any] | None = field(default_factory=dict)
    group_from: str | None = None
    weights: str | None = None
    cut: Cutter | None = None

    def recipe(self, seed: int, folder: Path, *, smoke: bool) -> "striate.Recipe":
        """The recipe of one seed, for runs that lie in a folder."""
        settings = dict(self.settings)
        if smoke:
            heads = {"head_epochs": 1} if "head_epochs" in settings else {}
            settings |= {"epochs": 1 + len(heads), **heads, **(self.smoke or {})}
        if self.weights:
            settings["weights"] = str(folder / self.weights)
        return striate.Recipe(**settings, seed=seed)

    def words(
        self, seed: int, source: str, folder: Path, cut: Cut, *, smoke: bool = False
    ) -> list[list[str]]:
        """What to type instead, word by word: the training, then the verdict."""
        recipe = self.recipe(seed, folder, smoke=smoke)
        given = {
            name: value for name, value in recipe.model_dump().items() if name in recipe.model_fields_set
        }
        options = [f"--{name}={given.pop(name)}" for name in (*OPTIONS, "seed") if name in given]
        options += [f"--set={name}={plain(value)}" for name, value in given.items()]
        if self.group_from:
            options.append(f"--group-from={self.group_from}")
        options += [f"--{name}={path}" for name, path in vars(cut).items() if path]
        run = str(folder / self.name)
        return [["striate", "train", source, *options, f"--out={run}"], ["striate", "evaluate", run]]

    def fitted(
        self, seed: int, source: str, folder: Path, cut: Cut, *, smoke: bool = False, resume: bool = False
    ) -> "striate.Classifier":
        """Train as the first of the words would."""
        images = striate.load_images(source, group_from=self.group_from)
        return striate.Classifier(self.recipe(seed, folder, smoke=smoke)).fit(
            images if cut.audit is None else images.decided(cut.audit),
            splits=cut.splits,
            out=folder / self.name,
            resume=resume,
            command=shlex.join(self.words(seed, source, folder, cut, smoke=smoke)[0]),
        )


def plain(value: Any) -> str:
    """A field's value as `--set` takes it.

    >>> plain(None), plain(True), plain(0.1)
    ('none', 'true', '0.1')
    """
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

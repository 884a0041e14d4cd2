"""What a linear probe found, stage by stage: as text, as a dictionary, and as four files."""

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from striate.classifier.provenance import versions
from striate.drawing.depth import DepthSeries, depth_figure, depth_png, depth_svg
from striate.drawing.numbers import percent, percent_parts
from striate.drawing.text import visible
from striate.evaluation.intervals import Number
from striate.evaluation.reporting.text import aligned, cell
from striate.files import write_atomically, write_json
from striate.training.recipe import Recipe

HEADINGS = ("stage", "output", "features", "accuracy %", "untrained %")
COLUMNS = ("accuracy", "low", "high", "n", "untrained", "untrained_low", "untrained_high")


@dataclass(frozen=True)
class ProbedStage:
    """One stage: what leaves it for an image, how many numbers of that were used, and what a probe reads from them.

    `untrained` is the same stage with weights drawn by the recipe's seed; `strength` and `untrained_strength` are
    the weights of the penalty that cross-validation chose.
    """

    name: str
    output_shape: tuple[int, ...]
    features: int
    accuracy: Number
    untrained: Number
    strength: float
    untrained_strength: float

    def to_dict(self) -> dict[str, Any]:
        """The same as plain lists and numbers, ready for JSON."""
        return {
            "stage": self.name,
            "output_shape": list(self.output_shape),
            "features": self.features,
            "accuracy": self.accuracy.to_dict(),
            "untrained": self.untrained.to_dict(),
            "strength": self.strength,
            "untrained_strength": self.untrained_strength,
        }


@dataclass(frozen=True, eq=False)
class Probe:
    """The accuracy of a linear probe on each stage of a network, on validation images.

    `recipe` says which network and weights; without weights the accuracies are those of the untrained network.
    `guessing` is the accuracy of always saying the commonest class of the training images. `images` are the numbers
    of images of each split that were used; those of the test split are 0.
    """

    recipe: Recipe
    source: str
    classes: tuple[str, ...]
    stages: tuple[ProbedStage, ...]
    guessing: Number
    images: dict[str, int]
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> ProbedStage:
        """The stage with the highest accuracy, the earlier one where two are equal."""
        return max(self.stages, key=lambda stage: stage.accuracy.value or 0.0)

    def sentence(self) -> str:
        """The finding: the highest accuracy, and what it has to be measured against."""
        untrained = max(self.stages, key=lambda stage: stage.untrained.value or 0.0)
        guessed = f"always the commonest class: {_plain(self.guessing)}"
        if self.recipe.weights is None:
            return (
                f"Untrained, {visible(untrained.name)} is highest: {percent(untrained.untrained)}; {guessed}."
            )
        beside = f"untrained, {visible(untrained.name)} is: {_plain(untrained.untrained)}; {guessed}"
        return f"{visible(self.best.name)} is highest: {percent(self.best.accuracy)}; {beside}."

    def to_text(self) -> str:
        """The finding, and a table with a line a stage."""
        trained = self.recipe.weights is not None
        rows: list[tuple[str, ...]] = [HEADINGS if trained else (*HEADINGS[:3], HEADINGS[4])]
        for stage in self.stages:
            numbers = (stage.accuracy, stage.untrained) if trained else (stage.untrained,)
            cells = [cell(number, *percent_parts(number)) for number in numbers]
            shape = " × ".join(map(str, stage.output_shape))
            rows.append((visible(stage.name), shape, f"{stage.features:,}", *cells))
        used = self.images
        about = (
            f"{len(self.classes)} classes, fitted to {used['train']:,} training images, judged on "
            f"{used['validation']:,} validation images; test images had no part. Intervals are 95 %."
        )
        return "\n\n".join([f"{self.title()}. {self.sentence()}", aligned(rows), about])

    def title(self) -> str:
        """The network, its weights and the images in a few words."""
        weights = "untrained" if self.recipe.weights is None else f"weights of {self.recipe.weights}"
        return visible(f"{self.recipe.model}, {weights}, on {Path(self.source).name}")

    def to_dict(self) -> dict[str, Any]:
        """The same as plain lists, numbers and strings, ready for JSON."""
        return {
            "model": self.recipe.model,
            "weights": self.recipe.weights,
            "weights_sha256": self.recipe.weights_sha256,
            "source": self.source,
            "classes": list(self.classes),
            "seed": self.recipe.seed,
            "images": self.images,
            "guessing": self.guessing.to_dict(),
            "best": self.best.name,
            "sentence": self.sentence(),
            "stages": [stage.to_dict() for stage in self.stages],
            "notes": list(self.notes),
        }

    def to_csv(self) -> str:
        """A line a stage: its name, shape, features, and both accuracies with their intervals."""
        target = io.StringIO()
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(("stage", "output", "features", *COLUMNS))
        for stage in self.stages:
            accuracy, untrained = stage.accuracy, stage.untrained
            shape = "x".join(map(str, stage.output_shape))
            numbers = (accuracy.value, accuracy.low, accuracy.high, accuracy.n)
            more = (untrained.value, untrained.low, untrained.high)
            writer.writerow((stage.name, shape, stage.features, *numbers, *more))
        return target.getvalue()

    def write(self, folder: Path, command: str | None = None) -> None:
        """Write probe.json, probe.csv, probe.svg and probe.png, each whole or not at all."""
        about = {
            "recipe": self.recipe.model_dump(),
            "versions": versions(),
            "command": command or "probe_stages in Python",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_json(folder / "probe.json", {**self.to_dict(), **about})
        write_atomically(folder / "probe.csv", self.to_csv().encode("utf8", errors="backslashreplace"))
        series = [DepthSeries("untrained", [stage.untrained for stage in self.stages])]
        if self.recipe.weights is not None:
            series.insert(0, DepthSeries("these weights", [stage.accuracy for stage in self.stages]))
        names = [stage.name for stage in self.stages]
        figure = depth_figure(names, series, self.guessing, f"{self.title()}. {self.sentence()}")
        drawn = depth_svg(figure, f"{self.title()}. {self.sentence()}")
        write_atomically(folder / "probe.svg", drawn.encode("utf8", errors="backslashreplace"))
        write_atomically(folder / "probe.png", depth_png(figure))


def _plain(number: Number) -> str:
    return f"{percent_parts(number)[0]} %"

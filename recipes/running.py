"""Running a recipe: every step of every seed, a line each, and the log that a promise rests on."""

import hashlib
import json
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import striate
from recipes.cost import BASIS, training_cost
from recipes.entry import Entry
from recipes.machine import machine
from recipes.promise import Line
from recipes.stand_ins import STAND_INS
from recipes.step import Cut, Step

SHOWN = Path("runs") / "recipes"
"""Where runs lie in the words of a log, wherever they really lay."""


@dataclass(frozen=True)
class Place:
    """Where sources are found and runs are made; without `data` the small stand-ins are used."""

    work: Path
    data: Path | None
    resume: bool = False

    @property
    def smoke(self) -> bool:
        """Whether this is the form that runs in seconds."""
        return self.data is None

    def source(self, name: str) -> str:
        """A source by its name; a stand-in is made when first asked for."""
        if self.data is not None:
            return str(self.data / name)
        folder = self.work / "stand-ins" / name
        return str(folder) if folder.exists() else STAND_INS[name](folder)


def run_seed(name: str, entry: Entry, seed: int, place: Place, say: Callable[[str], None]) -> Line:
    """Run every step of one seed, and compare; returns the line of the log."""
    entry = entry.small() if place.smoke else entry
    folder = place.work / name / str(seed)
    folder.mkdir(parents=True, exist_ok=True)
    runs: dict[str, dict[str, Any]] = {}
    about: dict[str, Any] = {}
    for step in entry.steps:
        began = time.perf_counter()
        source = place.source(step.source)
        cut = step.cut(source, seed, folder) if step.cut else Cut()
        classifier = step.fitted(seed, source, folder, cut, smoke=place.smoke, resume=place.resume)
        verdict = classifier.report(folder / step.name)
        words = shown(step, seed, name, cut, smoke=place.smoke)
        taken = round(time.perf_counter() - began, 1)
        runs[step.name] = {
            **words,
            **facts(step, classifier, verdict),
            "seconds": None if place.resume else taken,  # of a run gone on with, some were spent before
        }
        about = classifier.about_["provenance"]
        say(f"seed {seed}  {step.name:<14} {in_words(verdict.accuracy)}  {taken:,.0f} s")
    comparisons = {}
    for reference, other in entry.pairs:
        pair = f"{other} - {reference}"
        comparisons[pair] = compared(folder / reference, folder / other)
        say(f"seed {seed}  {comparisons[pair]['sentence']}")
    return {
        "recipe": name,
        "seed": seed,
        "smoke": place.smoke,
        "machine": {**machine(), "threads": about["threads"]},
        "versions": about["versions"],
        "cost_basis": BASIS,
        "runs": runs,
        "comparisons": comparisons,
    }


def shown(step: Step, seed: int, name: str, cut: Cut, *, smoke: bool) -> dict[str, Any]:
    """The commands of a step as the log has them, without any folder of this machine."""
    folder = SHOWN / name / str(seed)
    named = {part: folder / path.name for part, path in vars(cut).items() if path}
    words = step.words(seed, step.source, folder, replace(Cut(), **named), smoke=smoke)
    return {"commands": [shlex.join(one) for one in words]}


def facts(step: Step, classifier: "striate.Classifier", verdict: "striate.Verdict") -> dict[str, Any]:
    """What a run and its verdict come to, as plain values."""
    counts = classifier.about_["data"]["counts"]
    images = {split: sum(classes.values()) for split, classes in counts.items()}
    shape = classifier.preparation_.input_shape()
    recipe = classifier.recipe_.model_dump()
    if step.weights:
        recipe["weights"] = step.weights
    summary = striate.summarize(classifier.network_, shape)
    return {
        "recipe": recipe,
        "images": images,
        "classes": len(classifier.classes_),
        "splits_sha256": classifier.about_["data"]["splits_sha256"],
        "input_shape": list(shape),
        "parameters": summary.parameters,
        "multiply_adds": summary.multiply_adds,
        "training_multiply_adds": training_cost(
            classifier.recipe_, classifier.network_, shape, images["train"]
        ),
        "kept_epoch": classifier.about_["kept_epoch"],
        "validation_accuracy": classifier.kept_["validation"]["accuracy"],
        "accuracy": verdict.accuracy.to_dict(),
        "balanced_accuracy": verdict.balanced_accuracy.to_dict(),
        "log_loss": verdict.log_loss.to_dict(),
        "leaks": verdict.leaks,
    }


def compared(reference: Path, other: Path) -> dict[str, Any]:
    """What is shown of the difference of two runs on their test images, other minus reference."""
    comparison = striate.compare([reference, other])
    pairing = comparison.pairings[0]
    return {
        **pairing.differences.accuracy.to_dict(),
        "p": pairing.adjusted,
        "agreement": pairing.agreement.to_dict(),
        "groups": comparison.groups,
        "sentence": comparison.sentences()[0],
    }


def in_words(number: "striate.Number") -> str:
    """`99.05 % (98.84–99.22, n = 10,000)`."""
    if number.value is None or number.low is None or number.high is None:
        return f"undefined: {number.reason}"
    return f"{100 * number.value:.2f} % ({100 * number.low:.2f}–{100 * number.high:.2f}, n = {number.n:,})"


def write_log(path: Path, lines: list[Line]) -> str:
    """Write a log, one seed a line; returns its SHA-256."""
    text = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf8")
    return hashlib.sha256(text.encode()).hexdigest()


def read_log(path: Path) -> tuple[list[Line], str]:
    """The lines of a log and its SHA-256."""
    data = path.read_bytes()
    return [json.loads(line) for line in data.decode("utf8").splitlines()], hashlib.sha256(data).hexdigest()

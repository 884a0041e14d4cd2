"""The page of all promises, written from the recipes' files and the logs that they name."""

from collections.abc import Iterator, Mapping
from typing import Any

from recipes.book import ENTRIES, log_of
from recipes.cost import BASIS
from recipes.entry import Entry
from recipes.promise import Figure
from recipes.running import read_log

HEAD = f"""\
# Recipes

One file per promised number; this page is written from them by `python -m recipes --table`, and a test holds both to
the logs in `logs/`.

```console
$ python -m recipes                              # every recipe and its promise
$ STRIATE_DATA=folder python -m recipes NAME     # run it again: three seeds, with the files it names in that folder
$ python -m recipes NAME --smoke                 # the same steps on a few small pictures, in seconds
```

Accuracy is that of the test images, judged once a seed: the mean over seeds and its range, then how far the seeds'
95 % intervals over test images reach. Everything was tuned on validation images. What one training costs is counted as
{BASIS}.
What a training begins with comes on top. Seconds are wall time, whatever else the machine did.
"""


COLUMNS = (
    "run",
    "test accuracy (range of the seeds)",
    "intervals reach",
    "test images",
    "parameters",
    "10⁹ multiply-adds of one training",
)


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(line for name, entry in ENTRIES.items() for line in section(name, entry))])


def section(name: str, entry: Entry) -> Iterator[str]:
    """One recipe: its commands as a log has them, its figures, and the machine."""
    lines = read_log(log_of(name))[0] if entry.promise.log_sha256 else []
    yield f"## {entry.title}\n"
    yield f"[`{name}.py`]({name}.py)" + (
        f", [`logs/{name}.jsonl`](logs/{name}.jsonl)" if lines else ", not run"
    )
    yield ""
    yield from figures(entry, lines[0]["runs"] if lines else {})
    yield ""
    if lines:
        yield from [f"- {sentence}" for sentence in differences(entry)]
        yield on_machine(lines)
        yield ""


def figures(entry: Entry, runs: Mapping[str, Any]) -> Iterator[str]:
    """A row for each run: accuracy where it was run, and what one training costs."""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    for step in entry.steps:
        figure, cost = entry.promise.accuracy.get(step.name), entry.promise.cost.get(step.name)
        stated = cells(figure) if figure else ["not run", "", ""]
        parameters = f"{runs[step.name]['parameters']:,}" if step.name in runs else ""
        row = [step.name, *stated, parameters, f"{cost / 1e9:,.1f}" if cost else ""]
        yield f"| {' | '.join(row)} |"


def cells(figure: Figure) -> list[str]:
    """Accuracy, reach of its intervals, and number of test images."""
    low, high = figure.reach
    return [figure.in_percent(), f"{100 * low:.2f}–{100 * high:.2f}", f"{figure.images:,}"]


def differences(entry: Entry) -> Iterator[str]:
    """A sentence for each comparison."""
    for pair, figure in entry.promise.difference.items():
        low, high = figure.reach
        reach = f"{100 * low:+.1f} to {100 * high:+.1f}"
        yield f"{pair}: {figure.in_points()}; the seeds' paired 95 % intervals reach from {reach}"


def on_machine(lines: list[Mapping[str, Any]]) -> str:
    """What it was run on, and how long where that is known."""
    machine, versions = lines[0]["machine"], lines[0]["versions"]
    told = (
        f"\n{machine['processor']}, {machine['cores']} cores, threads: {machine['threads']}, "
        f"torch {versions['torch']}"
    )
    each = [[run["seconds"] for run in line["runs"].values()] for line in lines]
    if any(None in seconds for seconds in each):
        return f"{told}."
    totals = [sum(seconds) for seconds in each]
    return f"{told}: {min(totals):,.0f} to {max(totals):,.0f} s a seed for all of these."

"""`python -m recipes [NAME]`: list what is promised, or run one recipe and write the log it rests on."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import striate
from recipes.book import ENTRIES, HERE, log_of
from recipes.promise import Line, Promise, literal, promised_by
from recipes.running import SHOWN, Place, run_seed, write_log
from recipes.table import page


def main() -> None:
    """List, write the page, or run."""
    asked = arguments()
    if asked.table:
        (HERE / "README.md").write_text(page(), encoding="utf8")
    elif asked.name is None:
        for name, entry in ENTRIES.items():
            print("\n".join([f"{name}: {entry.title}", *told(entry.promise)]))
    elif asked.smoke:
        with tempfile.TemporaryDirectory(prefix="striate-recipes-") as folder:
            place = Place(Path(folder), None)
            finish(asked.name, run(asked.name, asked.seeds, place), Path(folder) / "smoke.jsonl")
    else:
        data = os.environ.get("STRIATE_DATA")
        if data is None:
            needed = ", ".join(sorted({step.source for step in ENTRIES[asked.name].steps}))
            sys.exit(f"Set STRIATE_DATA to the folder that holds {needed}; or try it out with --smoke.")
        place = Place(SHOWN, Path(data), resume=asked.resume)
        finish(asked.name, run(asked.name, asked.seeds, place), log_of(asked.name))


def arguments() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="python -m recipes", description=__doc__)
    parser.add_argument("name", nargs="?", choices=ENTRIES, metavar="NAME", help="; ".join(ENTRIES))
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, … so many; 3 unless given")
    parser.add_argument("--smoke", action="store_true", help="the same steps on small pictures, in seconds")
    parser.add_argument("--resume", action="store_true", help="go on where a run was stopped")
    parser.add_argument("--table", action="store_true", help="write recipes/README.md from the promises")
    return parser.parse_args()


def run(name: str, seeds: int, place: Place) -> list[Line]:
    """Run a recipe with its first seeds."""
    return [
        run_seed(name, ENTRIES[name], seed, place, lambda said: print(said, flush=True))
        for seed in range(seeds)
    ]


def finish(name: str, lines: list[Line], path: Path) -> None:
    """Write the log, and print what it supports beside what is promised."""
    found = promised_by(lines, write_log(path, lines))
    print("\n".join(["", "found:", *told(found), "promised:", *told(ENTRIES[name].promise)]))
    if not lines[0]["smoke"]:
        print(f"\n{path} is written; what it supports, as recipes/{name}.py has it:\n\n{literal(found)}")


def told(promise: Promise) -> list[str]:
    """A promise in lines."""
    lines = [f"  {name}: {figure.in_percent()}" for name, figure in promise.accuracy.items()]
    lines += [f"  {name}: {figure.in_points()}" for name, figure in promise.difference.items()]
    if not promise.accuracy:
        lines += [
            f"  {name}: not run; {cost / 1e9:,.1f}·10⁹ multiply-adds" for name, cost in promise.cost.items()
        ]
    return lines


if __name__ == "__main__":
    try:
        main()
    except striate.StriateError as error:
        sys.exit(f"{error}")

"""Run lessons top to bottom, as `make lessons` does: `python lessons [NAME …] [--short] [--out FOLDER]`."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Every lesson in a process of its own; what it printed and drew stays in a folder, the seconds in a table."""
    parser = argparse.ArgumentParser(prog="lessons", description="Run lessons and say how long each took.")
    parser.add_argument("names", nargs="*", help="beginnings of names, such as 03; all without")
    parser.add_argument(
        "--short", action="store_true", help="few images and epochs: seconds instead of minutes"
    )
    parser.add_argument("--out", type=Path, default=Path("build/lessons"))
    given = parser.parse_args()
    lessons = [path for path in files() if not given.names or path.stem.startswith(tuple(given.names))]
    if not lessons:
        print(
            f"No lesson begins with {' or '.join(given.names)}; there are {', '.join(p.stem for p in files())}."
        )
        return 2
    given.out.mkdir(parents=True, exist_ok=True)
    failed = [path for path in lessons if not run(path, given.out, given.short)]
    return 1 if failed else 0


def files() -> list[Path]:
    """The lessons, in order, `break_it` last."""
    return [*sorted(HERE.glob("[0-9][0-9]_*.py")), HERE / "break_it.py"]


def run(path: Path, out: Path, short: bool) -> bool:
    """Run one lesson, keep its words beside its figures, and print a line; whether it came to its end."""
    log = out / f"{path.stem}.txt"
    begun = time.monotonic()
    command = [sys.executable, str(path), "--out", str(out), *(["--short"] if short else [])]
    with log.open("w", encoding="utf8") as words:
        code = subprocess.run(command, stdout=words, stderr=subprocess.STDOUT, check=False).returncode
    said = "ran" if code == 0 else f"FAILED with {code}, see {log}"
    print(f"{path.stem:<28} {time.monotonic() - begun:6.1f} s   {said}", flush=True)
    return code == 0


if __name__ == "__main__":
    sys.exit(main())

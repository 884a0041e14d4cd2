"""Run every command and every Python snippet of every page, in order, in a sandbox: `snippets.py FOLDER [PAGE …]`.

Epochs and repeats are cut down. Words that a page shows as output must come out, whatever their numbers; a snippet
that fails ends the build with its page and line. `exceptions.py` lists what is not run.
"""

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import background
import sandbox
from exceptions import EXCEPTIONS, MEASURED
from staging import ROOT, pages

EPOCHS, BATCH = 3, 16
FIRST = ("README.md", "docs/index.md", "docs/first-hour.md")
FENCE = re.compile(r"^```([\w{}-]*)\s*$")
NUMBER = re.compile(r"[-+−]?\d[\d,.]*(?:e[-+]?\d+)?")


@dataclass(frozen=True)
class Snippet:
    """A command with what the page shows of its output, or a block of Python."""

    page: str
    line: int
    kind: str
    text: str
    shown: str = ""


def main() -> int:
    """Run everything; 0 where all of it came out."""
    folder, begun, failures, passed, left = Path(sys.argv[1]).resolve(), time.monotonic(), 0, 0, 0
    sandbox.furnish(folder)
    os.chdir(folder)
    make_runs()
    only = sys.argv[2:]
    for page in in_order():
        name = page.relative_to(ROOT).as_posix()
        if only and name not in only:
            continue
        names: dict[str, object] = {"__name__": "snippet"}
        with background.Service() as service:
            for snippet in snippets_of(page):
                at = time.monotonic()
                reason, wrong = attempt(snippet, names, service)
                seconds = time.monotonic() - at
                left, passed, failures = (
                    left + bool(reason),
                    passed + (not reason and not wrong),
                    failures + bool(wrong),
                )
                if wrong:
                    print(
                        f"{name}:{snippet.line}: FAILED: {snippet.text.splitlines()[0]}\n{wrong}", flush=True
                    )
                elif seconds > 5:
                    print(
                        f"{name}:{snippet.line}: {seconds:.0f} s: {snippet.text.splitlines()[0]}", flush=True
                    )
    seconds = time.monotonic() - begun
    print(f"Snippets: {passed} ran, {left} were only checked, {failures} failed ({seconds:.0f} s).")
    return 1 if failures else 0


def make_runs() -> None:
    """The runs that pages take for granted."""
    for out, words in sandbox.RUNS.items():
        code, _, said = striate_here(cut(["striate", "train", *words, "--out", out]))
        if code:
            raise SystemExit(f"The sandbox could not train {out}: {said}")


def in_order() -> list[Path]:
    """The pages: those that begin with nothing first."""
    first = [ROOT / name for name in FIRST]
    return [*first, *(page for page in pages() if page not in first)]


def snippets_of(page: Path) -> Iterator[Snippet]:
    """Commands of the console blocks and the Python blocks of a page."""
    name, kind, block, start = page.relative_to(ROOT).as_posix(), "", [], 0
    for number, line in enumerate(page.read_text(encoding="utf8").splitlines(), 1):
        fence = FENCE.match(line)
        if not fence:
            block.append(line)
        elif kind:
            if kind == "python":
                yield Snippet(name, start + 1, "python", "\n".join(block))
            elif kind == "console":
                yield from commands(name, start + 1, block)
            kind = ""
        else:
            kind, block, start = fence[1] or "text", [], number


def commands(page: str, line: int, block: list[str]) -> Iterator[Snippet]:
    """Each command after a `$`, with the lines that it goes on in, and what is shown of its output."""
    at, command, shown = 0, "", []
    for number, text in enumerate([*block, "$ "], line):
        if text.startswith("$ "):
            if command:
                yield Snippet(page, at, "console", command, "\n".join(shown))
            at, command, shown = number, text[2:], []
        elif command.endswith("\\"):
            command = f"{command[:-1].rstrip()} {text.strip()}"
        elif command.count("'") % 2:
            command += f"\n{text}"
        else:
            shown.append(text)


def attempt(snippet: Snippet, names: dict[str, object], service: background.Service) -> tuple[str, str]:
    """Run a snippet: why it was not run, and what is wrong."""
    try:
        if snippet.kind == "python":
            code = compile(service.turned(snippet.text), f"{snippet.page}:{snippet.line}", "exec")
            with contextlib.redirect_stdout(io.StringIO()):
                exec(code, names)
            return "", ""
        return run(snippet, service)
    except (Exception, SystemExit):
        return "", traceback.format_exc(limit=-3)


def run(snippet: Snippet, service: background.Service) -> tuple[str, str]:
    """Run a command, or check one that is listed as an exception."""
    words = shlex.split(snippet.text, comments=True)
    plain = " ".join(words)
    for pattern, reason, check in EXCEPTIONS:
        if re.fullmatch(pattern, plain):
            return reason, check(words) or ""
    settings = {}
    while re.match(r"[A-Z_]+=", words[0]):
        name, _, value = words.pop(0).partition("=")
        settings[name] = value
    refused = snippet.shown.startswith("striate: ")
    if words[:2] == ["striate", "serve"] and not refused:
        code, out, err = service.start(words)
    elif words[0] == "striate":
        with patch.dict(os.environ, settings):
            code, out, err = striate_here(cut(words))
    else:
        turned = [service.turned(word) for word in words]
        done = subprocess.run(turned, capture_output=True, text=True, check=False, timeout=120)
        code, out, err = done.returncode, done.stdout, done.stderr
    if bool(code) != refused:
        return "", f"exit code {code}\n{out[-1500:]}\n{err[-3000:]}"
    if any(snippet.page == page and plain.startswith(begins) for page, begins, _ in MEASURED):
        return "", ""
    missing = not_said(snippet.shown, service.turned_back(f"{out}\n{err}"))
    return "", f"the page shows what did not come out: {missing}\n---\n{out}\n{err}" if missing else ""


def cut(words: list[str]) -> list[str]:
    """A command with few epochs and small batches, writing where it may write."""
    words = list(words)
    if words[1] == "train":
        out = Path(words[words.index("--out") + 1]) if "--out" in words else None
        if out and "--resume" not in words:
            shutil.rmtree(out, ignore_errors=True)
        alone = max([int(word[12:]) for word in words if word.startswith("head_epochs=")], default=0)
        asked = int(words[words.index("--epochs") + 1]) if "--epochs" in words else EPOCHS
        epochs = max(alone + 1, min(EPOCHS, asked))
        if "--epochs" in words:
            words[words.index("--epochs") + 1] = str(epochs)
        else:
            words += ["--epochs", str(epochs)]
        if not any(word.startswith("batch_size=") for word in words):
            words += ["--set", f"batch_size={BATCH}"]
    if words[1:3] == ["data", "split"]:
        out = Path(words[words.index("--out") + 1])
        for old in out.parent.glob(f"{out.stem}*{out.suffix}"):
            old.unlink()
    if "--all-methods" in words:
        words[words.index("--data") + 1] = "few"
    if words[1] == "curve":
        shutil.rmtree(
            words[words.index("--out") + 1] if "--out" in words else "runs/curve", ignore_errors=True
        )
        words += ["--epochs", "1", "--parts", "1/4,1/2,1", "--repeats", "2", "--set", f"batch_size={BATCH}"]
    return words


def striate_here(words: list[str]) -> tuple[int, str, str]:
    """A command of striate in this process, which has loaded torch already: exit code, output, errors."""
    import striate.cli
    from striate.evaluation import resampling

    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        patch.object(sys, "argv", words),
        patch.object(resampling, "RESAMPLES", 500),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            striate.cli.main()
        except SystemExit as leaving:
            code = leaving.code
    return (code if isinstance(code, int) else 1), out.getvalue(), err.getvalue()


def form(text: str) -> str:
    """A text without its numbers and its spacing."""
    return "".join(NUMBER.sub("#", text).split())


def not_said(shown: str, said: str) -> str:
    """The first piece of what a page shows, parted by `…`, that was not said in this order; "" where all was."""
    rest = form(said)
    for piece in filter(None, (part.strip() for part in form(shown).split("…"))):
        _, found, rest = rest.partition(piece)
        if not found:
            return piece
    return ""


if __name__ == "__main__":
    sys.exit(main())

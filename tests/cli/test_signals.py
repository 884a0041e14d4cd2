"""A terminal, Ctrl-C and SIGTERM: what is shown, what is saved, and how to go on."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import kill
from doors import QUICK, command, striate_here

# The terminal


def on_a_terminal(words: list[str], **environment: str) -> tuple[int, str]:
    """A command with a terminal for its output: its exit code and everything it wrote."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        words, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm", **environment}
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    return process.wait(), written.decode()


@pytest.mark.slow
def test_a_terminal_gets_a_bar_and_colours_only_where_they_are_wanted(tmp_path: Path) -> None:
    colour = re.compile(r"\x1b\[[0-9;]*[34][0-9][0-9;]*m")
    shown = {}
    for number, environment in enumerate(({}, {"NO_COLOR": "1"})):
        code, written = on_a_terminal(
            command("train", "digits", "--out", tmp_path / str(number), *QUICK, "--epochs", 2), **environment
        )
        assert code == 0, written
        assert "images/s" in written
        assert re.search(r"epoch 2/2 +loss", written)
        shown[number] = bool(colour.search(written))
    assert shown == {0: True, 1: False}


# Signals


def stopped(words: list[str], number: signal.Signals, cwd: Path) -> str:
    """Start a training, send it a signal after its first epoch, and return the command that it prints."""
    process = subprocess.Popen(words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while '"epoch"' not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    said = re.fullmatch(
        r"striate: Stopped in epoch \d+ after step \d+; the state is saved\. Go on with: (striate train .*)\n",
        error,
    )
    assert said is not None, error
    return said[1]


def pasted(line: str, cwd: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        line, shell=True, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["event"] == "done"


def test_ctrl_c_saves_and_the_printed_command_ends_as_if_nothing_had_been(tmp_path: Path) -> None:
    words = kill.train_command(tmp_path / "whole", 4, resume=False)
    assert striate_here(*words[3:]).code == 0
    at = words.index("--out")
    again = stopped([*words[:at], *words[at + 2 :]], signal.SIGINT, tmp_path)
    assert again.endswith("--out runs/digits --resume")
    assert not (tmp_path / "runs" / "digits" / "manifest.json").exists()
    pasted(again, tmp_path)
    assert kill.ending(tmp_path / "runs" / "digits") == kill.ending(tmp_path / "whole")


@pytest.mark.slow
def test_sigterm_saves_too_and_names_are_quoted_for_the_shell(tmp_path: Path) -> None:
    out = tmp_path / "a run"
    again = stopped(kill.train_command(out, 50, resume=False), signal.SIGTERM, tmp_path)
    assert f"--out '{out}'" in again
    assert list((out / "checkpoint").glob("*.safetensors"))


def test_before_the_first_step_a_signal_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("striate.classifier.fitting.decode", interrupt)
    outcome = striate_here("train", "digits", "--out", tmp_path / "run", *QUICK)
    assert (outcome.code, outcome.out) == (130, "")
    assert "striate: interrupted" in outcome.err
    assert not (tmp_path / "run").exists()
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before

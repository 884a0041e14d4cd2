"""`striate serve`: what it says when it listens, and everything that stops it, in one plain sentence."""

import importlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
import webbrowser
from pathlib import Path
from unittest.mock import patch

import pytest

from doors import Outcome, refused, striate_here

TOKEN = "a-token-of-some-length"


def said(*words: object) -> tuple[Outcome, str]:
    """What a service says that is opened in a browser: one that asks for its run, and has it end."""
    answers: list[str] = []

    def visit(url: str) -> None:
        answers.append(urllib.request.urlopen(f"{url}/model").read().decode())
        os.kill(os.getpid(), signal.SIGTERM)

    def browser(url: str) -> None:
        threading.Thread(target=visit, args=(url,)).start()

    with patch.object(webbrowser, "open", browser):
        outcome = striate_here("serve", *words, "--open")
    assert outcome.code == 0, outcome
    return outcome, answers[0]


def test_a_line_says_where_it_listens_and_the_log_has_a_line_a_request(digits_run: Path) -> None:
    outcome, answer = said(digits_run, "--port", 0)
    assert re.fullmatch(
        rf"http://127\.0\.0\.1:[0-9]+  serves {re.escape(str(digits_run))} by (onnxruntime|torch); ctrl-C ends it\n",
        outcome.out,
    )
    assert json.loads(answer)["classes"] == list("0123456789")
    assert re.fullmatch(r"\S+T\S+ method=GET route=/model status=200 ms=[0-9.]+\n", outcome.err)


def test_json_and_no_run() -> None:
    outcome, answer = said("--port", 0, "--json", "--quiet")
    told = json.loads(outcome.out)
    assert told["event"] == "ready"
    assert (told["run"], told["state"], told["engine"], outcome.err) == (None, "none", None, "")
    assert json.loads(answer)["run"] is None


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    refused(
        striate_here("serve", tmp_path / "none"), 1, "there is no such folder", "striate train digits --out"
    )
    (tmp_path / "a.txt").write_text("")
    refused(striate_here("serve", tmp_path), 1, "is not a run folder")


def test_a_run_that_cannot_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    refused(striate_here("serve", tmp_path, "--port", 0), 1, "cannot be served: ")


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = striate_here("serve", "--port", port)
    refused(outcome, 1, f"127.0.0.1:{port}: another program listens there", "--port 0")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--port", 70_000), 2, "ports go from 1 to 65535"),
        (("--port", -1), 2, "--port -1: it must be 0 or more"),
        (("--batch", 0), 2, "--batch 0: it must be 1 or more"),
        (("--timeout", "nan"), 2, "--timeout nan: it must be 0.1 or more"),
        (("--max-body", "1G"), 2, "all requests together may hold"),
        (("--host-name", "a b"), 2, "is no name of a host"),
        (("--host-name", "scan.example.org"), 2, "opens the service to other machines"),
        (("--host", "192.0.2.7"), 2, "needs a token of 16 characters or more"),
        (("--host", "0.0.0.0"), 2, "by which names it is asked for"),
        (("--host", "::"), 2, "by which names it is asked for"),
        (("--token-file", "none.txt"), 2, "none.txt: No such file"),
    ],
)
def test_what_does_not_fit(words: tuple[object, ...], code: int, said: str) -> None:
    refused(striate_here("serve", *words), code, said)


def test_sizes_that_are_none() -> None:
    outcome = striate_here("serve", "--max-body", "huge")
    assert outcome.code == 2
    assert "is no size" in outcome.err


@pytest.mark.parametrize("host", ["192.0.2.7", "no-such-host.invalid"])
def test_an_address_that_is_none_of_this_machine(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIATE_TOKEN", TOKEN)
    outcome = striate_here("serve", "--host", host, "--port", 0)
    refused(outcome, 1, "127.0.0.1")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"short", "the token has 5 characters, and needs 16 or more"),
        (b"\n", "is empty"),
        (b"\xff\xfe" * 20, "does not hold a line of text"),
        (b"two words of some length", "without spaces"),
        ("ä".encode() * 20, "signs of ASCII"),
    ],
)
def test_tokens_that_are_none(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(content)
    refused(striate_here("serve", "--token-file", tmp_path / "token", "--port", 0), 2, said)


def test_the_token_comes_from_the_environment_too_and_the_file_is_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from striate.serving.listening.starting import settings_of

    monkeypatch.setenv("STRIATE_TOKEN", TOKEN)
    (tmp_path / "token").write_text(f"{TOKEN}-of-a-file\n")
    assert settings_of(None, None, {}).token == TOKEN
    assert settings_of(None, tmp_path / "token", {}).token == f"{TOKEN}-of-a-file"


def test_no_option_takes_the_token_itself() -> None:
    assert "--token " not in striate_here("serve", "-h").out


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def missing(name: str, package: str | None = None) -> object:
        if name == "uvicorn":
            raise ModuleNotFoundError(name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", missing)
    refused(striate_here("serve", "--port", 0), 1, "uvicorn is not installed: pip install 'striate[serve]'")


def test_a_setting_that_does_not_exist() -> None:
    import striate

    with pytest.raises(
        striate.UsageError, match=r"there is no setting prot of a service\. Allowed: host, port"
    ):
        striate.serve(prot=1)


def test_help_and_wrong_usage_load_neither_torch_nor_fastapi() -> None:
    code = (
        "import sys; sys.argv = ['striate', 'serve', *sys.argv[1:]]; import striate.cli as c\n"
        "try: c.main()\nexcept SystemExit: pass\n"
        "print('loaded', sorted({'torch', 'fastapi', 'uvicorn', 'starlette', 'numpy'} & sys.modules.keys()))"
    )
    for words in (["-h"], ["--host", "0.0.0.0"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "loaded []"


def test_help_shows_an_example() -> None:
    outcome = striate_here("serve", "-h")
    assert outcome.code == 0
    assert "Example:  striate serve runs/first" in outcome.out

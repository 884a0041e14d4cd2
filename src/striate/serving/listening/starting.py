"""What must be right before a service listens: its numbers, its names, its token and its run."""

import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import striate
from striate.serving.guarding.authorities import EVERYWHERE, authority_of, is_loopback
from striate.serving.settings import Settings

SHORTEST = 16
"""Characters of a token: too many to be tried one by one."""
VARIABLE = "STRIATE_TOKEN"
MARKS = ("manifest.json", "recipe.json", ".lock")
"""What a run's folder has at least one of, from the moment that `train` takes it."""
LEAST = {"port": 0, "timeout": 0.1}
"""Of the settings that are numbers; the others are 1 or more."""


def settings_of(run: Path | None, token_file: Path | None, given: dict[str, Any]) -> Settings:
    """The settings of options by name.

    Raises:
        UsageError: a setting that does not exist or does not fit, or an address that others reach without a token.
        RunError: a run that is none.
    """
    allowed = [field.name for field in fields(Settings)]
    for name in given:
        if name not in allowed:
            raise striate.UsageError(
                f"there is no setting {name} of a service. Allowed: {', '.join(allowed)}."
            )
    if run is not None:
        require_run(run)
    settings = replace(Settings(**given), run=run)
    require_numbers(settings)
    require_names(settings)
    token = settings.token if token_file is None else text_of(token_file)
    settings = replace(settings, token=token or os.environ.get(VARIABLE) or None)
    require_token(settings)
    return settings


def require_run(run: Path) -> None:
    """RunError where there is no folder that `train` made, or is making."""
    if not run.is_dir():
        raise striate.RunError(
            f"{run}: there is no such folder. Make a run with: striate train digits --out {run}"
        )
    if any(run.iterdir()) and not any((run / name).exists() for name in MARKS):
        raise striate.RunError(f"{run} is not a run folder: none of {', '.join(MARKS)} is in it.")


def require_numbers(settings: Settings) -> None:
    """UsageError for a number that leaves the service nothing to do, or a port that cannot be."""
    for field in fields(settings):
        value, least = getattr(settings, field.name), LEAST.get(field.name, 1)
        if isinstance(value, int | float) and not value >= least:
            raise striate.UsageError(f"{option(field.name)} {value}: it must be {least} or more.")
    if settings.port > 65_535:
        raise striate.UsageError(
            f"--port {settings.port}: ports go from 1 to 65535; 0 stands for any that is free."
        )
    if settings.max_held < settings.max_body:
        raise striate.UsageError(
            f"--max-body {settings.max_body}: all requests together may hold {settings.max_held} bytes, so one may not "
            "be larger than that."
        )


def require_names(settings: Settings) -> None:
    """UsageError for a name that is none, and for an address of all the machine's own without a name of it."""
    for name in settings.host_names:
        if authority_of(name) is None:
            raise striate.UsageError(
                f"--host-name {name!r} is no name of a host. Give one such as scan.example.org or 192.168.0.7:8808."
            )
    if settings.host in EVERYWHERE and not settings.host_names:
        raise striate.UsageError(
            f"--host {settings.host} stands for all addresses of this machine, so the service must be told by which "
            "names it is asked for: --host-name scan.example.org, for one."
        )


def require_token(settings: Settings) -> None:
    """UsageError for a token that could be guessed or sent by no program, and for none where others may connect."""
    token = settings.token
    if token is None:
        if not is_loopback(settings.host) or settings.host_names:
            reached = f"--host {settings.host}" if not is_loopback(settings.host) else "--host-name"
            raise striate.UsageError(
                f"{reached} opens the service to other machines, which needs a token of {SHORTEST} characters or more: "
                f"--token-file FILE, or the environment variable {VARIABLE}."
            )
        return
    if len(token) < SHORTEST:
        raise striate.UsageError(
            f"the token has {len(token)} characters, and needs {SHORTEST} or more. "
            "A good one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise striate.UsageError(
            "the token must be letters, digits and signs of ASCII, without spaces between them."
        )


def text_of(path: Path) -> str:
    """The one line of a token's file; UsageError where there is none."""
    try:
        text = path.read_bytes()[:4096].decode("utf8").strip()
    except UnicodeDecodeError:
        raise striate.UsageError(f"--token-file {path} does not hold a line of text.") from None
    except OSError as error:
        raise striate.UsageError(f"--token-file {path}: {error.strerror}.") from None
    if not text:
        raise striate.UsageError(f"--token-file {path} is empty.")
    return text


def option(name: str) -> str:
    """A setting as the command line calls it."""
    return f"--{name.replace('_', '-')}"

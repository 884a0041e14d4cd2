"""`striate serve`: a run as an HTTP service with a page, until ctrl-C or SIGTERM."""

import logging
import re
import sys
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer

from striate.cli.border import in_plain_words
from striate.cli.sources import Quiet

SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def size_of(text: str) -> int:
    """Bytes of a size with a unit or without.

    >>> size_of("64M"), size_of("1000")
    (67108864, 1000)
    """
    found = re.fullmatch(r"([0-9]+)\s*([kmg]?)b?", text.strip().lower())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no size. Give bytes, or a number with K, M or G, such as 64M.")
    return int(found[1]) * SIZES[found[2]]


Size = Annotated[int, typer.Option(parser=size_of, metavar="SIZE", help="Bytes of one request.")]


@in_plain_words
def serve(
    run: Annotated[
        Path | None, typer.Argument(help="A run folder; without one, the page's kernels alone.")
    ] = None,
    port: Annotated[int, typer.Option(help="0 for any that is free.")] = 8808,
    host: Annotated[
        str, typer.Option(help="Address to listen on; this machine alone reaches the default.")
    ] = "127.0.0.1",
    host_name: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name that others reach the service by; repeatable."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the token that requests must have.  [default: environment STRIATE_TOKEN]"
        ),
    ] = None,
    engine: Annotated[str, typer.Option(metavar="NAME", help="auto, onnxruntime or torch.")] = "auto",
    batch: Annotated[int, typer.Option(help="Pictures answered at once.")] = 64,
    queue: Annotated[int, typer.Option(help="Pictures that may wait; above that, 503.")] = 512,
    max_body: Size = "32M",  # pyright: ignore[reportArgumentType]
    max_pixels: Annotated[int, typer.Option(help="Pixels of one picture.")] = 20_000_000,
    timeout: Annotated[float, typer.Option(help="Seconds for a request to come, and for an answer.")] = 30.0,
    browse: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say where it listens as one JSON object.")] = False,
    quiet: Quiet = False,
) -> None:
    """Serve a run over HTTP, with a page, until ctrl-C or SIGTERM.

    \b
    Other machines reach it by --host, a --host-name and a token only. The log has one line a request.
    Example:  striate serve runs/first
              striate serve runs/first --host 0.0.0.0 --host-name scan.example.org --token-file token.txt
    """
    import striate

    def ready(told: dict[str, Any]) -> None:
        from striate.cli.screen import emit, show

        if as_json:
            emit({"event": "ready", **told})
        elif not quiet:
            show(ready_line(told))
        if browse:
            webbrowser.open(told["url"])

    if not quiet:
        log_to_errors()
    striate.serve(
        run,
        ready=ready,
        token_file=token_file,
        port=port,
        host=host,
        host_names=tuple(host_name or ()),
        engine=engine,
        batch=batch,
        queue=queue,
        max_body=max_body,
        max_pixels=max_pixels,
        timeout=timeout,
    )


def ready_line(told: dict[str, Any]) -> str:
    """Where the page is, and what it shows."""
    what = {
        "none": "kernels, without a run",
        "training": f"{told['run']}, which is not finished yet",
        "ready": f"{told['run']} by {told['engine']}",
    }
    return f"{told['url']}  serves {what[told['state']]}; ctrl-C ends it"


def log_to_errors() -> None:
    """The service's log, a line a request, on the error stream."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    log = logging.getLogger("striate.serving")
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)

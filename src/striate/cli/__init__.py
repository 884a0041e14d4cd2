"""The command line: one file a verb; each parses, makes one or two calls of the package, and prints."""

import atexit
import io
import os
import sys
import threading

import typer

from striate.cli import compare, curve, data, evaluate, explain, export, models, predict, probe, serve, train
from striate.cli import filter as filter_verb

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="""From images to a verdict you can check.

    \b
    striate train digits --out runs/digits     train on a folder, a zip, or the embedded digits
    striate evaluate runs/digits               an honest verdict on images it never saw, and a report
    striate predict runs/digits photo.png      classes and probabilities
    striate explain runs/digits photo.png      where the network looked
    striate compare runs/a runs/b              which is better on the same images, and how sure that is
    striate export runs/digits --to onnx       one file for other programs, compared with the run
    striate serve runs/digits                  the same answers over HTTP, and a page
    striate models                             the networks
    striate probe runs/digits digits           what each stage of a network knows of the classes
    striate curve digits                       what twice the images would give
    striate filter a.png -k blur --out b.png   kernels and pooling on one picture, or worked for one cell
    striate data audit photos.zip              what is wrong with images, before training on them

    For research; not a medical device.""",
)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("predict")(predict.predict)
app.command("explain")(explain.explain)
app.command("compare")(compare.compare)
app.command("export")(export.export)
app.command("serve")(serve.serve)
app.command("models")(models.models)
app.command("probe")(probe.probe)
app.command("curve")(curve.curve)
app.command("filter")(filter_verb.filter_)
app.add_typer(data.app, name="data")


def version(wanted: bool) -> bool:
    """Print the version and leave, where that is wanted."""
    if wanted:
        from importlib.metadata import version as installed

        print(f"striate {installed('striate')}")
        raise typer.Exit
    return wanted


@app.callback()
def root(
    _version: bool = typer.Option(
        False, "--version", callback=version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Options that stand before a verb."""


def yield_cores() -> None:
    """Let threads that wait for each other give their core away after a moment, instead of spinning on it.

    GNU's OpenMP, which torch computes with, spins 300,000 times by default: harmless on an idle machine, but where
    another program wants a core, training then slows several times over (`bench crowded`). It reads the setting when
    torch is loaded. A setting of the user's own stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def command() -> None:
    """`main` in a process of its own, left at once: taking torch apart, module by module, would take half a second.

    What asked to be called at the end is called, and everything said is written first. Where a thread is still at work,
    or nobody reads the output any more, Python ends as it always does.
    """
    try:
        main()
        code: int | str | None = 0
    except SystemExit as end:
        code = end.code
    if isinstance(code, str) or threading.active_count() > 1:
        sys.exit(code)
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(code)
    os._exit(code or 0)


def main() -> None:
    """The `striate` command: exit code 0 done, 1 the work failed, 2 wrong usage, 130 interrupted."""
    yield_cores()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name that is not UTF-8 is shown with escapes
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="striate")
    except KeyboardInterrupt:
        print("striate: interrupted.", file=sys.stderr)
        sys.exit(130)

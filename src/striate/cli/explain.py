"""`striate explain`: where a network looked on pictures, and what it has learned."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli.border import command_line, fail, in_plain_words
from striate.cli.sources import Pseudonyms, Quiet

if TYPE_CHECKING:
    import striate

METHODS = (
    "gradcam",
    "gradcam_plus_plus",
    "layercam",
    "occlusion",
    "saliency",
    "gradient_input",
    "guided_backpropagation",
    "deconvnet",
    "integrated_gradients",
    "smooth_grad",
)
"""Written out, so that help loads no torch; a test holds it against the table."""
FIGURES = "--filters, --maps, --channel, --class-map or --all-methods"
OF_IMAGES = ("--channel", "--class-map", "--all-methods")


@in_plain_words
def explain(
    run: Annotated[Path, typer.Argument(help="A run folder that `striate train` made.")],
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Pictures, DICOM files, folders of them, zips or tars.")
    ] = None,
    method: Annotated[
        str | None, typer.Option(help=f"{', '.join(METHODS)}.  [default: {METHODS[0]}]")
    ] = None,
    stage: Annotated[
        str | None, typer.Option(help="The stage to look at.  [default: the deepest that says where]")
    ] = None,
    label: Annotated[
        str | None, typer.Option("--class", help="The class to explain.  [default: the predicted one]")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An option of the method; repeatable."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Test whether the map can be believed.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the checks, and of t-SNE.")] = 0,
    filters: Annotated[
        bool, typer.Option("--filters", help="Instead: the filters of the first layer, or of --stage.")
    ] = False,
    maps: Annotated[
        Path | None, typer.Option(metavar="PHOTO", help="Instead: what the stages make of a picture.")
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(metavar="STAGE:17", help="Instead: what of --data excites a channel most; repeatable."),
    ] = None,
    class_map: Annotated[
        bool,
        typer.Option("--class-map", help="Instead: where the classes of --data lie; --method pca, tsne."),
    ] = False,
    all_methods: Annotated[
        bool,
        typer.Option(
            "--all-methods", help="Instead: every method under every check, on 24 images of --data."
        ),
    ] = False,
    data: Annotated[str | None, typer.Option(help="Labelled images, as for `train`.")] = None,
    pseudonyms: Pseudonyms = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the files.  [default: explanations]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    quiet: Quiet = False,
) -> None:
    """Show where a network looked to give pictures their class, or what it has learned.

    \b
    Of a picture: the overlay, the map as numbers and as 16-bit PNG, explanation.json; a folder each for several.
    Example:  striate explain runs/first photo.png
              striate explain runs/first photo.png --method saliency --check --out why
              striate explain runs/first --channel stage2:17 --data digits
    """
    import striate

    classifier = striate.Classifier.load(run)
    of_pictures = {"--method": method, "--class": label, "--set": settings, "--check": check}
    figures = {"--filters": filters, "--maps": maps, "--channel": channel, "--class-map": class_map}
    figures |= {"--all-methods": all_methods}
    if class_map:
        del of_pictures["--method"]
    require_one_question(bool(paths), figures, of_pictures, data)
    if paths:
        reasons = striate.explain_pictures(
            classifier,
            paths,
            out,
            method=method or METHODS[0],
            stage=stage,
            label=label,
            settings=settings or (),
            check=check,
            seed=seed,
            pseudonymous=pseudonyms,
            command=command_line(),
        )
        show_reasons(reasons, as_json=as_json, quiet=quiet)
        return
    folder = out or Path("explanations")
    if filters:
        show(striate.write_filters(classifier, folder, stage), as_json=as_json, quiet=quiet)
    if maps:
        written = striate.write_feature_maps(classifier, maps, folder, stage, pseudonymous=pseudonyms)
        show(written, as_json=as_json, quiet=quiet)
    if channel and data:
        written = striate.write_strongest(classifier, channel, data, folder, pseudonymous=pseudonyms)
        show(written, as_json=as_json, quiet=quiet)
    if class_map and data:
        plane = {"method": method or "pca", "seed": seed, "pseudonymous": pseudonyms}
        show(striate.write_class_map(classifier, data, folder, **plane), as_json=as_json, quiet=quiet)
    if all_methods and data:
        table = striate.write_method_table(classifier, data, folder, stage=stage, seed=seed)
        show(table, as_json=as_json, quiet=quiet)


def require_one_question(
    pictures: bool, figures: dict[str, object], of_pictures: dict[str, object], data: str | None
) -> None:
    """UsageError where nothing is asked, or what does not go together."""
    import striate

    asked = [name for name, value in figures.items() if value]
    if pictures + len(asked) != 1:
        raise striate.UsageError(
            f"give pictures to explain, or one of {FIGURES}"
            + (
                f"; given were {', '.join(['pictures'] * pictures + asked)}."
                if pictures + len(asked)
                else "."
            )
        )
    wrong = [name for name, value in of_pictures.items() if value]
    if asked and wrong:
        raise striate.UsageError(f"{wrong[0]} is about pictures to explain; leave it out with {asked[0]}.")
    needs = bool(asked and asked[0] in OF_IMAGES)
    if needs and data is None:
        raise striate.UsageError(f"{asked[0]} looks through images: add --data SOURCE.")
    if data is not None and not needs:
        raise striate.UsageError(f"--data goes with {', '.join(OF_IMAGES)}; leave it out.")


def show_reasons(reasons: Iterable["striate.Explained"], *, as_json: bool, quiet: bool) -> None:
    """A row a picture, and what could not be read at the end."""
    total = unread = 0
    for one in reasons:
        show(one, as_json=as_json, quiet=quiet and one.error is None)
        total += 1
        unread += one.error is not None
    if unread:
        fail(f"{unread} of {total} pictures could not be read; each is named above with the reason.", 1)


def show(one: "striate.Explained | striate.Figure", *, as_json: bool, quiet: bool) -> None:
    """One result as a line of JSON, as text, or not at all."""
    if as_json:
        print(json.dumps(one.to_dict(), ensure_ascii=False, allow_nan=False))
    elif not quiet:
        print(one.to_text())

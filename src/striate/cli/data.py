"""`striate data`: images before anything is trained on them; one file a verb."""

import typer

from striate.cli import data_audit, data_download, data_inspect, data_pack, data_split

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Look at images, audit them, split them, before anything is trained on them.

    \b
    striate data inspect FOLDER           counts, sizes, a contact sheet of every class
    striate data audit FOLDER             what is wrong with them: duplicates, leaks, shortcuts, wrong labels
    striate data split FOLDER --out FILE  training, validation and test as a file
    striate data pack FOLDER              decode them once, ahead of training
    striate data download NAME            known data sets, from where they are published""",
)
app.command("inspect")(data_inspect.inspect)
app.command("audit")(data_audit.audit)
app.command("split")(data_split.split)
app.command("pack")(data_pack.pack)
app.command("download")(data_download.download)

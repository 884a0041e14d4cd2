"""`python -m striate`, the same as the `striate` command."""

from striate.cli import command

command()

"""What must outlive a cache: downloaded data sets and the key of pseudonyms."""

import os
from pathlib import Path


def home_folder() -> Path:
    """$STRIATE_HOME, or striate in $XDG_DATA_HOME, or ~/.local/share/striate.

    A cache may be deleted at any time; hundreds of megabytes should not have to be fetched again, and under a new key
    every pseudonym would change.
    """
    given = os.environ.get("STRIATE_HOME")
    if given:
        return Path(given).expanduser().absolute()
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser().absolute() / "striate"

"""The family of errors a user can meet: what was given, what was allowed, what to try.

Every error that striate raises on purpose is a `StriateError`. The command line prints its text as one plain
sentence and leaves with its `exit_code`; a traceback that reaches a user is a defect.

>>> nearest("resnet81", ["resnet18", "lenet5"])
'resnet18'
>>> suggestion("lenet", ["lenet5", "mlp"])
'did you mean lenet5? Allowed: lenet5, mlp.'
"""

import difflib
from collections.abc import Iterable


class StriateError(Exception):
    """Work that cannot be done, in words for the person who asked for it."""

    exit_code = 1


class UsageError(StriateError):
    """An option, field or value that does not exist or does not fit."""

    exit_code = 2


class ImageError(StriateError):
    """One picture that cannot be read to the last pixel."""


class SourceError(StriateError):
    """A folder, archive or table that is no usable source of images."""


class ModelError(UsageError):
    """A network that does not exist or cannot be built at this size."""


class RunError(StriateError):
    """A run folder or checkpoint that is missing, altered or of another kind."""


class TrainingError(StriateError):
    """Training that cannot go on, such as a loss that is no longer finite."""


class Interrupted(StriateError):
    """Training that was asked to stop, and has saved."""

    exit_code = 130


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """The allowed word nearest to the one given, or None when nothing is near."""
    matches = difflib.get_close_matches(word, list(allowed), n=1, cutoff=0.5)
    return matches[0] if matches else None


def suggestion(word: str, allowed: Iterable[str]) -> str:
    """The second half of an error about an unknown word: the nearest one, then all of them."""
    names = list(allowed)
    near = nearest(word, names)
    return (f"did you mean {near}? " if near else "") + f"Allowed: {', '.join(names)}."

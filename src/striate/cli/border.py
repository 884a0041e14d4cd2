"""Where errors become sentences: what a verb raises on purpose never ends in a traceback."""

import functools
import os
import shlex
import sys
from collections.abc import Callable
from typing import NoReturn, ParamSpec, TypeVar

import typer

P = ParamSpec("P")
R = TypeVar("R")

NO_MEMORY = (
    "there is not enough memory for this. Try smaller images or batches: --set size=64, --set batch_size=32."
)


def in_plain_words(verb: Callable[P, R]) -> Callable[P, R]:
    """Run a verb so that what it raises on purpose ends as one sentence and an exit code, never a traceback."""

    @functools.wraps(verb)
    def wrapped(*arguments: P.args, **options: P.kwargs) -> R:
        import striate

        try:
            result = verb(*arguments, **options)
            if sys.stdout:
                sys.stdout.flush()  # a reader that has left is noticed here, not while Python shuts down
            return result
        except striate.StriateError as error:
            fail(str(error), error.exit_code)
        except KeyboardInterrupt:
            fail("interrupted; nothing that was there before has changed.", 130)
        except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
            drop_output()
            raise typer.Exit(0) from None
        except MemoryError:
            fail(NO_MEMORY, 1)
        except RuntimeError as error:
            if "allocate memory" not in str(error):  # how torch says it
                raise
            fail(NO_MEMORY, 1)
        except OSError as error:
            fail(f"{error.filename or 'the system'}: {error.strerror or error}.", 1)

    return wrapped


def drop_output() -> None:
    """Send what is still to be printed nowhere, once nobody reads it any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(sentence: str, code: int) -> NoReturn:
    """Say what went wrong on the error stream and leave with a code."""
    print(f"striate: {sentence}", file=sys.stderr)
    raise typer.Exit(code)


def command_line(*more: str) -> str:
    """The command as it was typed, with more options added, ready to be pasted."""
    return shlex.join(["striate", *sys.argv[1:], *(word for word in more if word not in sys.argv)])

"""Nothing that a DICOM tag says leaves this room in an error, a warning or a line of a log.

Errors of a library may quote a value, and so may its warnings. Both are dropped here, and what goes out are
sentences of our own, made of numbers and of the standard's words alone. They carry neither cause nor context.
"""

import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from striate.errors import ImageError, StriateError

Result = TypeVar("Result")

_LIBRARY = "pydicom"
# The filters of `warnings` belong to the whole process, so only one thread at a time may set them aside.
_ONE_AT_A_TIME = threading.RLock()


def guarded(work: Callable[[], Result]) -> Result:
    """What `work` gives; whatever goes wrong in it becomes an ImageError that quotes no tag.

    >>> guarded(lambda: int("DOE^JANE"))
    Traceback (most recent call last):
        ...
    striate.errors.ImageError: its DICOM header or its pixel data are damaged (ValueError); export it again
    """
    kind: type[StriateError] = ImageError
    try:
        return work()
    except StriateError as error:
        kind, reason = type(error), str(error)
    except MemoryError:
        reason = "there is not enough memory to decode it"
    except RecursionError:
        reason = "its DICOM sequences are nested too deeply"
    except Exception as error:  # its words may be a patient's; the name of its kind is not
        reason = f"its DICOM header or its pixel data are damaged ({type(error).__name__}); export it again"
    # Outside the handlers, so that the error of the library is no context of this one.
    raise kind(reason)


@contextmanager
def silenced() -> Iterator[None]:
    """No warning and no line of a log by the DICOM library while the block runs, in this thread alone."""
    own = threading.get_ident()

    def foreign(record: logging.LogRecord) -> bool:
        return record.thread != own

    logger = logging.getLogger(_LIBRARY)
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.addFilter(foreign)
        try:
            yield
        finally:
            logger.removeFilter(foreign)

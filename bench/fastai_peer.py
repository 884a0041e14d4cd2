"""The epoch of `lesson` against fastai, alternating on the same files.

`STRIATE_FASTAI` names the interpreter of an environment with fastai (`pip install fastai`); without it this bench says
so and measures nothing.
"""

from collections.abc import Iterator
from pathlib import Path

from bench.keras_peer import against


def lines(data: Path) -> Iterator[str]:
    """Images a second of the second epoch, data included, ours and theirs, and the ratio."""
    yield from against(data, words="fastai", variable="STRIATE_FASTAI", script="fastai_lesson.py")

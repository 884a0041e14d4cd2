"""Answers for a stream of pictures: large ones decoded ahead by threads, a bounded number at a time."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice

import numpy as np

from striate.classifier.answer import Answer
from striate.classifier.prediction import Predictor
from striate.data import list_pictures
from striate.data.pseudonyms import pseudonyms, secret_key
from striate.errors import ImageError
from striate.pixels import Preparation
from striate.pixels.picture import Picture
from striate.training.allocator import keep_memory

Prepared = np.ndarray | str
"""Pixels as the network's preparation wants them, or the reason why there are none."""
QUICK = 0.0005
"""Seconds to prepare a picture, below which handing it to a thread costs more than it saves."""


def stream(
    predictor: Predictor,
    paths: Iterable[str | os.PathLike],
    *,
    pseudonymous: bool = False,
    digests: bool = False,
) -> Iterator[Answer]:
    """One answer a picture, in the order of the listing."""
    keep_memory()
    pictures = list_pictures(paths, predictor.preparation.draft_size())
    if pseudonymous:
        key = secret_key()
        pictures = ((pseudonyms([name], kind="image", key=key)[0], read) for name, read in pictures)
    return predictor.answers(decoded_ahead(predictor, pictures), digests=digests)


def decoded_ahead(
    predictor: Predictor, pictures: Iterator[tuple[str, Callable[[], Picture]]]
) -> Iterator[tuple[str, Prepared]]:
    """Pictures prepared as they are asked for, or by as many threads as there are cores, at most two batches ahead.

    By threads while a picture takes longer than `QUICK`: the same pictures, and the same pixels.
    """
    waiting: deque[tuple[str, Callable[[], tuple[Prepared, float]]]] = deque()
    pace = 0.0
    with ThreadPoolExecutor(os.cpu_count()) as threads:

        def enqueue(count: int) -> None:
            for name, read in islice(pictures, count):
                work = partial(timed, read, predictor.preparation)
                waiting.append((name, threads.submit(work).result if pace > QUICK else work))

        enqueue(1)
        while waiting:
            name, wait = waiting.popleft()
            made, seconds = wait()
            pace = 0.9 * pace + 0.1 * seconds if pace else seconds
            yield name, made
            enqueue(2 * predictor.batch_size - len(waiting) if pace > QUICK else 1)


def timed(read: Callable[[], Picture], preparation: Preparation) -> tuple[Prepared, float]:
    """One picture prepared, and the seconds it took."""
    started = time.perf_counter()
    return prepared(read, preparation), time.perf_counter() - started


def prepared(read: Callable[[], Picture], preparation: Preparation) -> Prepared:
    """One picture decoded and prepared, or the reason why it cannot be."""
    try:
        picture = read()
        return preparation.pixels(picture.pixels, window=picture.description.window)
    except ImageError as error:
        return str(error)

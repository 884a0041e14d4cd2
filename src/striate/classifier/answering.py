"""Answers for a stream of pictures: decoded ahead by threads, a bounded number at a time."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np

from striate.classifier.answer import Answer
from striate.classifier.prediction import Predictor
from striate.data import list_pictures
from striate.data.pseudonyms import pseudonyms, secret_key
from striate.errors import ImageError
from striate.pixels import Preparation
from striate.pixels.picture import Picture

Prepared = np.ndarray | str
"""Pixels as the network's preparation wants them, or the reason why there are none."""


def stream(
    predictor: Predictor,
    paths: Iterable[str | os.PathLike],
    *,
    pseudonymous: bool = False,
    digests: bool = False,
) -> Iterator[Answer]:
    """One answer a picture, in the order of the listing."""
    pictures = list_pictures(paths, predictor.preparation.draft_size())
    if pseudonymous:
        key = secret_key()
        pictures = ((pseudonyms([name], kind="image", key=key)[0], read) for name, read in pictures)
    return predictor.answers(decoded_ahead(predictor, pictures), digests=digests)


def decoded_ahead(
    predictor: Predictor, pictures: Iterator[tuple[str, Callable[[], Picture]]]
) -> Iterator[tuple[str, Prepared]]:
    """Pictures prepared by as many threads as there are cores, at most two batches ahead of their reader."""
    waiting: deque[tuple[str, Future[Prepared]]] = deque()
    with ThreadPoolExecutor(os.cpu_count()) as threads:

        def enqueue(count: int) -> None:
            for name, read in islice(pictures, count):
                waiting.append((name, threads.submit(prepared, read, predictor.preparation)))

        enqueue(2 * predictor.batch_size)
        while waiting:
            name, future = waiting.popleft()
            yield name, future.result()
            enqueue(1)


def prepared(read: Callable[[], Picture], preparation: Preparation) -> Prepared:
    """One picture decoded and prepared, or the reason why it cannot be."""
    try:
        picture = read()
        return preparation.pixels(picture.pixels, window=picture.description.window)
    except ImageError as error:
        return str(error)

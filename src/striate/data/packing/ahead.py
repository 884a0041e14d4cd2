"""A pack begun before it is needed: its workers decode while this process still imports what trains on it."""

from contextlib import suppress
from threading import Thread
from typing import Any

from striate.data.packing.pack import pack_source
from striate.data.packing.workers import Progress
from striate.data.sources.door import Source
from striate.errors import StriateError


def begin_packing(source: Source, progress: Progress | None = None, **options: Any) -> Thread | None:
    """Begins what `pack_source` will be asked for with the same options, in a thread that ends with the process.

    Whoever asks meanwhile waits for the pack to be whole, and then opens it. What goes wrong is not said here: the one
    who asks meets it again. None for a source in memory, and for a stream, which keep nothing that could be found.
    """
    if source.in_memory or options.get("stream"):
        return None

    def work() -> None:
        with suppress(StriateError, OSError, MemoryError):
            pack_source(source, progress=progress, **options)

    thread = Thread(target=work, name="packing ahead", daemon=True)
    thread.start()
    return thread

"""TensorBoard's event files, written in the thread that trains, whole record by whole record."""

import io
import os
import socket
import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard.writer import FileWriter, SummaryWriter

from striate.files import explain


class EventFile:
    """One event file; every event is on its way to the disk when `add_event` returns.

    TensorBoard's own writer has a thread, in which a full disk ends as a traceback, and a kill loses what is queued.

    Raises:
        StriateError: the file cannot be written; says how much was needed.
    """

    def __init__(self, folder: Path) -> None:
        name = f"events.out.tfevents.{time.time():017.6f}.{socket.gethostname()}.{os.getpid()}"
        self.path = folder / name  # read in the order of names: the time comes first

    def add_event(self, event: Event) -> None:
        """Append one event."""
        record = io.BytesIO()
        RecordWriter(record).write(event.SerializeToString())
        content = record.getvalue()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(content)
        except OSError as error:
            raise explain(error, self.path, len(content)) from error

    def flush(self) -> None:
        """Nothing is ever held back."""

    def close(self) -> None:
        """Nothing is ever open."""


class Plain(FileWriter):
    """torch's writer of events, over an `EventFile`."""

    def __init__(self, folder: Path) -> None:
        self.event_writer = EventFile(folder)


class Writer(SummaryWriter):
    """torch's writer of summaries, over an `EventFile`; `purge_step` drops what was written from that step on."""

    def _get_file_writer(self) -> FileWriter:
        if self.file_writer is None:
            self.file_writer = Plain(Path(self.log_dir))
            self.all_writers = {self.log_dir: self.file_writer}
            self.file_writer.add_event(Event(file_version="brain.Event:2"), self.purge_step or 0)
            if self.purge_step is not None:
                start = Event(session_log=SessionLog(status=SessionLog.START))
                self.file_writer.add_event(start, self.purge_step)
        return self.file_writer

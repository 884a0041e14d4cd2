"""`striate serve`, which runs until it is stopped: started when a page shows it, stopped when the page ends."""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request

SHOWN = "127.0.0.1:8808"
PATIENCE = 120.0


class Service:
    """The service of one page, behind a free port in place of the one that the page shows."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.address = SHOWN

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, words: list[str]) -> tuple[int, str, str]:
        """Begin the command, wait until it is ready, and give what it said so far."""
        self.stop()
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{one.getsockname()[1]}"
        command = [sys.executable, "-m", *words, "--port", self.address.rpartition(":")[2]]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://{self.address}/health/ready") as answer,
            ):
                if answer.status == 200 and self.process.stdout:
                    return 0, self.process.stdout.readline(), ""
            time.sleep(0.2)
        return 1, "", f"the service did not come up within {PATIENCE:.0f} s"

    def stop(self) -> None:
        """End it, if there is one."""
        if self.process is not None:
            self.process.terminate()
            self.process.communicate(timeout=30)
            self.process = None

    def turned(self, text: str) -> str:
        """A text of the page with the address that the service has here."""
        return text.replace(SHOWN, self.address).replace('"http://localhost:8808', f'"http://{self.address}')

    def turned_back(self, text: str) -> str:
        """What was said, with the address that the page shows."""
        return text.replace(self.address, SHOWN)

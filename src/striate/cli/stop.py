"""Ctrl-C and SIGTERM, turned into a question that the training loop asks after every step."""

import signal
from types import FrameType
from typing import Any

import striate


class StopRequest(striate.Events):
    """Ctrl-C and SIGTERM as a question that the training loop asks after every step.

    Before the first step, and at a second signal, they end the process at once; else the step is finished first.
    """

    def __init__(self) -> None:
        self.armed = False
        self.asked = False
        self.before = {
            number: signal.signal(number, self.receive) for number in (signal.SIGINT, signal.SIGTERM)
        }

    def close(self) -> None:
        """Give the signals back to whoever had them before."""
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def receive(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked or not self.armed:
            raise KeyboardInterrupt
        self.asked = True

    def began(self, plan: Any, network: Any) -> None:
        self.armed = True

    def __call__(self) -> bool:
        return self.asked

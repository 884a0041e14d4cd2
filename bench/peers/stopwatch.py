"""What every timed example shares: its command line, its data and its clock. Run by other interpreters: numpy alone.

python NAME.py ARRAYS.npz [--began SECONDS] [--epochs N] [--until ACCURACY]   prints one JSON object an epoch
"""

import argparse
import json
import time
from collections.abc import Callable

import numpy as np


class Stopwatch:
    """Prints after every epoch how long the process has worked and what share of the test images is right.

    The clock starts when the bench started the process (`--began`, of the monotonic clock that all processes share),
    so importing the framework counts. Judging the test images does not: the example would do so once, not each epoch.
    """

    def __init__(self, epochs: int) -> None:
        parser = argparse.ArgumentParser()
        parser.add_argument("arrays", help="npz with train_images, train_labels, test_images, test_labels")
        parser.add_argument(
            "--began", type=float, default=time.monotonic(), help="when the process was started"
        )
        parser.add_argument(
            "--epochs", type=int, default=epochs, help="fewer than the example's own, for a trial"
        )
        parser.add_argument(
            "--until", type=float, default=1.0, help="stop after the epoch that reaches this accuracy"
        )
        options = parser.parse_args()
        self.epochs = min(options.epochs, epochs)
        self.left_out, self.began, self.until = 0.0, options.began, options.until
        self.epoch, self.done, self.path = 0, False, options.arrays

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Images (uint8, image height width channel) and labels: of training, then of the test."""
        with np.load(self.path) as data:
            return tuple(
                data[name] for name in ("train_images", "train_labels", "test_images", "test_labels")
            )

    def finished(self, judge: Callable[[], float]) -> bool:
        """Call after every epoch with what measures the accuracy; true once it is time to stop."""
        stopped = time.monotonic()
        seconds = stopped - self.began - self.left_out
        accuracy = float(judge())
        self.left_out += time.monotonic() - stopped
        self.epoch += 1
        print(json.dumps({"epoch": self.epoch, "seconds": seconds, "accuracy": accuracy}), flush=True)
        self.done = accuracy >= self.until or self.epoch >= self.epochs
        return self.done

"""What torch's compiler makes of an epoch: its rate beside the epoch as it is, and what compiling costs.

Every epoch is in a process of its own, in turns, in the precision of this machine; nothing compiled before is used
again. A run gains where what is saved an epoch, times its epochs, is more than compiling took; `--tune` reckons so.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import striate
from bench.measure import scratch, spread

ROUNDS, BATCH, STEPS = 3, 128, 50
NETWORKS = ("compact", "lesson", "resnet20")


def lines(data: Path) -> Iterator[str]:
    """A line a network, on images of 32 by 32."""
    for name in NETWORKS:
        turns = [
            (measured(data, name, compiled=False), measured(data, name, compiled=True)) for _ in range(ROUNDS)
        ]
        gains = [compiled["rate"] / plain["rate"] for plain, compiled in turns]
        taken = [compiled["first"] - plain["first"] for plain, compiled in turns]
        plain = spread([plain["rate"] for plain, _ in turns], 0)
        yield f"{name}: {plain} images/s as it is; compiled / as it is: {spread(gains, 2)}"
        yield f"{name}: compiling one size of batch takes {spread(taken, 1)} s"


def measured(data: Path, name: str, *, compiled: bool) -> dict[str, float]:
    """The rate of the third epoch, and the seconds of the first, of a process that has compiled nothing before."""
    with scratch() as empty:
        command = [sys.executable, "-m", "bench.compiled", str(data), name, str(compiled)]
        environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": empty}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout)


def main(data: str, name: str, compiled: str) -> None:
    """One such process: prints what it measured."""
    train, validation, _ = striate.load_images(Path(data) / "cifar10.zip").split(seed=0)
    few = validation.select(np.arange(0, len(validation), 20))
    train = train.select(np.random.default_rng(0).permutation(len(train))[: BATCH * STEPS])
    recipe = striate.Recipe(model=name, epochs=3, batch_size=BATCH, size=32, compile=compiled == "True")
    history = striate.Classifier(recipe).fit(train, validation=few).history_
    first = history[0]["seconds"]
    print(json.dumps({"rate": history[2]["train"]["images_per_s"], "first": first}))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What one product for the kernels of small maps gains: an epoch of networks that end in them against the bare step.

The bare step is torch's own convolution, forward and backward, on one resident batch, and has no images to fetch; what
lies above 1 is gained by the product. Weights by AdamW in both.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import striate
from bench.measure import seconds, spread

ROUNDS, BATCH, STEPS = 3, 256, 8
NETWORKS = (("compact", 1.0), ("compact", 2.0), ("compact", 3.0), ("resnet18_small", None), ("lesson", None))


def lines(data: Path) -> Iterator[str]:
    """A line a network, on images of 32 by 32."""
    train, validation, _ = striate.load_images(data / "cifar10.zip").split(seed=0)
    few = validation.select(np.arange(0, len(validation), 20))
    train = train.select(np.random.default_rng(0).permutation(len(train))[: BATCH * STEPS])
    for name, width in NETWORKS:
        pairs = [(epoch_rate(name, width, train, few), bare_rate(name, width)) for _ in range(ROUNDS)]
        said = name if width is None else f"{name}, width {width:g}"
        rates = spread([epoch for epoch, _ in pairs], 0)
        yield f"{said}: {rates} images/s; epoch / bare step: {spread([epoch / bare for epoch, bare in pairs], 2)}"


def epoch_rate(name: str, width: float | None, train: striate.Images, few: striate.Images) -> float:
    """Images a second over the second epoch; the first prepares kernels for each new shape."""
    recipe = striate.Recipe(
        model=name, width=width, epochs=2, batch_size=BATCH, size=32, optimiser="adamw", precision="bfloat16"
    )
    history = striate.Classifier(recipe).fit(train, validation=few).history_
    return history[1]["train"]["images_per_s"]


def bare_rate(name: str, width: float | None) -> float:
    """Images a second of forward, backward and optimiser step on one batch."""
    changes = striate.Changes(width=width)
    network = striate.create_model(name, classes=10, channels=3, size=(32, 32), changes=changes).train()
    network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
    inputs = torch.randn(BATCH, 3, 32, 32).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (BATCH,))

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(inputs)
        F.cross_entropy(logits.float(), labels).backward()
        optimiser.step()

    for _ in range(2):
        step()
    return BATCH * STEPS / seconds(lambda: [step() for _ in range(STEPS)])

"""What a reason costs, against what the answer costs: Grad-CAM and occlusion, in one process with plain passes.

Both by turns, round by round. Grad-CAM is `striate.attribute` from images to enlarged maps, in the same batches as the
forward passes beside it. Occlusion is one image, all its windows in batches, against as many passes of one image.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

import striate
from bench.measure import seconds, spread

ROUNDS, IMAGES, CLASSES = 5, 1_000, 10
CASES = (("compact", 32, 100), ("resnet18", 64, 50))
"""Network, side of the images, and how many go through it at once."""
SIDE, WINDOW, STRIDE, OCCLUSIONS = 224, 56, 8, 3


def lines(_data: Path) -> Iterator[str]:
    """A ratio a network, then the windows of one image in batches against one by one."""
    torch.manual_seed(0)
    for name, side, at_once in CASES:
        yield grad_cam_line(name, side, at_once)
    yield from occlusion_lines()


def grad_cam_line(name: str, side: int, at_once: int) -> str:
    """Grad-CAM of a thousand images against their forward passes; at most 3 is promised."""
    network, images = built(name, side), torch.randn(IMAGES, 3, side, side)
    batches = images.split(at_once)
    targets = torch.cat([forward(network, some) for some in batches]).argmax(dim=1)

    def plain() -> None:
        for some in batches:
            forward(network, some)

    def explained() -> None:
        for some, their in zip(batches, targets.split(at_once), strict=True):
            striate.attribute(network, some, their)

    explained()
    ratios, passes = by_turns(explained, plain, ROUNDS)
    what = f"Grad-CAM of {IMAGES:,} images of 3 × {side} × {side}, {name}"
    return f"{what}: / their forward pass {spread(ratios, 2)}; forward pass {spread(passes, 2)} s"


def occlusion_lines() -> Iterator[str]:
    """The seconds of one image and the ratio to as many passes of one image."""
    network, image = built("resnet18", SIDE), torch.randn(1, 3, SIDE, SIDE)
    target = forward(network, image).argmax(dim=1)
    places = -(-(SIDE - WINDOW) // STRIDE) + 1

    def together() -> None:
        striate.attribute(network, image, target, method="occlusion", window=WINDOW, stride=STRIDE)

    def one_by_one() -> None:
        for _ in range(places**2):
            forward(network, image)

    ratios, passes = by_turns(together, one_by_one, OCCLUSIONS)
    windows = f"{places**2} windows of {WINDOW} × {WINDOW} at stride {STRIDE}"
    what = f"occlusion of one image of 3 × {SIDE} × {SIDE}, resnet18, {windows}"
    yield f"{what}: {spread([ratio * one for ratio, one in zip(ratios, passes, strict=True)], 1)} s"
    yield f"{what}: / as many passes of one image {spread(ratios, 2)}"


def by_turns(
    work: Callable[[], object], beside: Callable[[], object], rounds: int
) -> tuple[list[float], list[float]]:
    """The ratios of two times taken one after the other, and the seconds of the second."""
    both = [(seconds(work), seconds(beside)) for _ in range(rounds)]
    return [one / other for one, other in both], [other for _, other in both]


def built(name: str, side: int) -> striate.Network:
    """A network with its first weights, in evaluation mode."""
    return striate.create_model(name, classes=CLASSES, channels=3, size=(side, side)).eval()


def forward(network: striate.Network, images: Tensor) -> Tensor:
    """The logits, without gradients."""
    with torch.inference_mode():
        return network(images)

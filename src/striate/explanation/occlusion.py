"""Occlusion sensitivity: Zeiler & Fergus 2014, Visualizing and understanding convolutional networks, section 4.2."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from striate.errors import ModelError, UsageError, suggestion
from striate.explanation.gradient import at_once, require_targets
from striate.explanation.method import Method
from striate.explanation.stages import default_stage
from striate.explanation.windows import Fill, Size, filling, windows_over
from striate.models import Network

Measure = Literal["probability", "logit"]
MEASURES = get_args(Measure)


def occlusion(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " batch"],
    *,
    stage: str | None = None,
    window: Size = None,
    stride: Size = None,
    fill: Fill = 0.0,
    measure: str = "probability",
) -> Float[Tensor, "batch channel height width"]:
    """How much the target loses when a window of the image is covered: at a pixel, the mean over the windows on it.

    >>> from striate.models import create_model
    >>> network = create_model("lenet5", classes=10).eval()
    >>> found = occlusion(network, torch.randn(2, 1, 28, 28), torch.tensor([3, 5]), window=8, stride=4)
    >>> tuple(found.shape)
    (2, 1, 28, 28)

    Signed: the target's probability before less that with the window covered, as in the paper, or the same of its
    `logit`. A window covers all channels, and they share the loss equally: their sum is the loss. `window` and
    `stride` are in pixels, or (rows, columns) of them: a quarter of each side and a third of the window where None,
    so 7 and 2 at 28×28, 56 and 18 at 224×224. Windows begin at the first pixel; the last one is cut off where the
    image ends. `fill` is in normalised units, one value, one a channel (`channel 1 1`) or one a pixel: 0 is the mean
    of the training images, black is `-mean / deviation`. Raises UsageError for a window, stride, fill or measure that
    cannot be, ModelError for a stage and for targets that are no class.
    """
    if stage is not None:
        raise ModelError(
            f"stage={stage!r}: occlusion covers pixels and watches the target, and knows no stages; leave stage out."
        )
    if measure not in MEASURES:
        raise UsageError(f"There is no measure {measure!r}; {suggestion(measure, MEASURES)}")
    windows = windows_over((inputs.shape[2], inputs.shape[3]), window, stride)
    value = filling(inputs, fill)
    with torch.no_grad():
        before = _scores(_checked_logits(network, inputs, targets), targets, measure)
        after = [
            torch.cat(
                [
                    _scores(network(some), target.expand(len(some)), measure)
                    for some in windows.covered(image, value)
                ]
            )
            for image, target in zip(inputs, targets, strict=True)
        ]
    losses = (before[:, None] - torch.stack(after)).unflatten(1, windows.grid)
    shared = windows.to_pixels(losses)[:, None] / inputs.shape[1]
    return shared.to(inputs.dtype).repeat(1, inputs.shape[1], 1, 1)


@dataclass(frozen=True, eq=False)
class OcclusionMaps:
    """What is left of a stage's activity, of the target and of the class with each window covered; figure 7.

    A cell of the maps is one place of the window, which has (rows, columns) pixels as has the stride. `activity` is
    the sum over that map of the stage that has the largest value for the whole image, `channel` (7b); `probability`
    is the target's, 0 to 1 (7d); `top_class` is the most probable class (7e).
    """

    stage: str
    window: tuple[int, int]
    stride: tuple[int, int]
    channel: Int64[Tensor, " batch"]
    activity: Float[Tensor, "batch down across"]
    probability: Float[Tensor, "batch down across"]
    top_class: Int64[Tensor, "batch down across"]


def occlusion_maps(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " batch"],
    *,
    stage: str | None = None,
    window: Size = None,
    stride: Size = None,
    fill: Fill = 0.0,
) -> OcclusionMaps:
    """The three maps of figure 7: the activity of a stage's strongest map, the target's probability, the top class.

    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32)).eval()
    >>> maps = occlusion_maps(network, torch.randn(1, 3, 32, 32), torch.tensor([3]), window=8, stride=4)
    >>> maps.stage, tuple(maps.top_class.shape)
    ('stage3', (1, 7, 7))

    The network is in evaluation mode. Window, stride, fill and errors are those of `occlusion`; without a stage it is
    the default one.
    """
    stage = stage or default_stage(network, (inputs.shape[1], inputs.shape[2], inputs.shape[3]))
    windows = windows_over((inputs.shape[2], inputs.shape[3]), window, stride)
    value = filling(inputs, fill)
    swept, channels = [], []
    with torch.no_grad():
        _checked_logits(network, inputs, targets)
        for image, target in zip(inputs, targets, strict=True):
            channel = network.run_to(image[None].clone(), stage)[0].flatten(1).amax(dim=1).argmax()
            parts = [
                _one_pass(network, some, stage, int(channel), int(target))
                for some in windows.covered(image, value)
            ]
            channels.append(channel)
            swept.append([torch.cat(part) for part in zip(*parts, strict=True)])
    activity, probability, top_class = (
        torch.stack(maps).unflatten(1, windows.grid) for maps in zip(*swept, strict=True)
    )
    return OcclusionMaps(
        stage, windows.window, windows.stride, torch.stack(channels), activity, probability, top_class
    )


def _one_pass(
    network: Network, images: Tensor, stage: str, channel: int, target: int
) -> tuple[Tensor, Tensor, Tensor]:
    maps = network.run_to(images, stage)
    activity = maps[:, channel].sum(dim=(1, 2))  # before a layer that works in place goes on with the maps
    logits = network.run_from(maps, stage)
    return activity, logits.softmax(dim=1)[:, target], logits.argmax(dim=1)


def _checked_logits(
    network: Network, inputs: Float[Tensor, "batch channel height width"], targets: Int64[Tensor, " batch"]
) -> Float[Tensor, "batch class"]:
    logits = torch.cat([network(some.clone()) for some in inputs.split(at_once(inputs[0]))])
    require_targets(targets, logits)
    return logits


def _scores(
    logits: Float[Tensor, "batch class"], targets: Int64[Tensor, " batch"], measure: str
) -> Float[Tensor, " batch"]:
    # in double precision: the loss is a small difference of them
    scores = logits.double()
    scores = scores.softmax(dim=1) if measure == "probability" else scores
    return scores.gather(1, targets[:, None])[:, 0]


OCCLUSION = Method(
    name="occlusion",
    title="Occlusion sensitivity",
    paper="Zeiler & Fergus 2014",
    function=occlusion,
    seam="input",
    signed=True,
)

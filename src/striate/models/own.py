"""A network of the user's own: taken over, checked, and known again when it is back."""

import copy
import difflib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from striate.errors import ModelError, RunError, UsageError
from striate.models.changes import Changes, change
from striate.models.entry import Entry
from striate.models.network import Network
from striate.models.seams import answer
from striate.models.wrapping import WHOLE, Wrapped, opened

OWN = "own"
"""What a recipe calls a network that was given in Python."""
TOLERANCE = 1e-3
"""How far the answers of the same network may lie apart between machines and versions of torch, by the norm."""
_LONGEST = 40  # lines of a difference
_SEED = 2026


def own_network(
    module: nn.Module,
    *,
    classes: int,
    channels: int,
    size: tuple[int, int],
    dropout: float | None = None,
    changes: Changes,
) -> Network:
    """A copy of a module as the network of a classifier, its stages found, its changes made; see `wrap`.

    >>> module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4 * 6 * 6, 7))
    >>> own_network(module, classes=3, channels=1, size=(8, 8), changes=Changes())
    Traceback (most recent call last):
    striate.errors.ModelError: The network given has 7 outputs, and the images have 3 classes: give it 3 outputs, or
    let head=linear replace its head.

    Raises UsageError for what is no module; ModelError for one that cannot be copied, is not float32 on the CPU, does
    not take such images, or has another number of outputs than there are classes.
    """
    network = opened(_copied(module), (channels, *size))
    if dropout is not None and changes.head != "mlp":
        raise ModelError(
            f"dropout={dropout}: a network of your own has the dropout that its layers have; set it there."
        )
    try:
        network = change(network, changes, classes=classes, input_shape=(channels, *size), dropout=dropout)
    except ModelError as error:
        raise ModelError(f"The network given cannot be changed so: {error}") from error
    steps = nn.Sequential(*network.stages.values(), network.head)
    _require_logits(answer(steps, torch.zeros(2, channels, *size)), classes)
    return network


def _refuse(**_: Any) -> Network:
    raise ModelError(
        "model=own stands for a network of your own, which only Python can give: "
        "striate.Classifier(recipe, network=module)."
    )


OWN_ENTRY = Entry(
    name=OWN,
    build=_refuse,
    summary="a network of your own",
    paper="given in Python",
    default_input=(3, 224, 224),
    dropout=0.0,
)


def _copied(module: nn.Module) -> nn.Module:
    if not isinstance(module, nn.Module):
        raise UsageError(f"network= must be a torch.nn.Module; got {type(module).__name__}.")
    for name, weight in module.named_parameters():
        if nn.parameter.is_lazy(weight):
            raise ModelError(f"{name} has no shape yet: run the network on one batch of images first.")
        if weight.dtype != torch.float32 or weight.device.type != "cpu":
            raise ModelError(
                f"{name} is {str(weight.dtype).removeprefix('torch.')} on {weight.device.type}; striate trains float32"
                " on the CPU: give module.float().cpu()."
            )
    try:
        return copy.deepcopy(module)
    except Exception as error:  # a stranger's attributes may refuse to be copied in any way
        raise ModelError(f"The network given cannot be copied: {error}") from error


def _require_logits(answered: object, classes: int) -> None:
    if not isinstance(answered, Tensor) or answered.ndim != 2:
        shape = f" of shape {tuple(answered.shape)}" if isinstance(answered, Tensor) else ""
        raise ModelError(
            f"The network given answers two images with a {type(answered).__name__}{shape}; striate needs one row of"
            " logits an image."
        )
    if answered.shape[1] != classes:
        raise ModelError(
            f"The network given has {answered.shape[1]:,} outputs, and the images have {classes:,} classes: give it"
            f" {classes:,} outputs, or let head=linear replace its head."
        )
    if bool((answered >= 0).all()) and bool(torch.isclose(answered.sum(1), torch.ones(2), atol=1e-5).all()):
        raise ModelError(
            "The network given answers with probabilities, which add to 1; striate needs logits, and takes the"
            " softmax itself: leave the last softmax out."
        )


@dataclass(frozen=True)
class NetworkFacts:
    """What a run keeps of a network whose code it does not hold, so that the network is known again.

    `made_of` is the class of the module that was given, `layers` a line a layer, `logits` the answer to a fixed image
    of noise, from a counter-based generator, so that anyone has the same. Raises TypeError or ValueError for a file's
    content that is nothing of the kind.
    """

    made_of: str
    layers: list[str]
    input_shape: list[int]
    logits: list[float]

    def __post_init__(self) -> None:
        if not isinstance(self.made_of, str) or len(self.input_shape) != 3:
            raise ValueError(f"network is of {self.made_of!r} for images of shape {self.input_shape!r}")
        if not all(isinstance(number, float | int) for number in [*self.input_shape, *self.logits]):
            raise TypeError("network has logits or a shape that are no numbers")
        if not all(isinstance(layer, str) for layer in self.layers):
            raise TypeError("network has layers that are no text")


def facts_of(network: Network, made_of: str, input_shape: tuple[int, int, int]) -> dict[str, Any]:
    """The facts of a trained network, ready for JSON."""
    return asdict(
        NetworkFacts(made_of, layers_of(network), list(input_shape), answer_to_noise(network, input_shape))
    )


def class_name(module: nn.Module) -> str:
    """`module.Class` of a module, of what was wrapped where it is wrapped.

    >>> class_name(nn.Linear(2, 2))
    'torch.nn.modules.linear.Linear'
    """
    inside = module.stages[WHOLE] if isinstance(module, Wrapped) else module
    return f"{type(inside).__module__}.{type(inside).__qualname__}"


def layers_of(network: nn.Module) -> list[str]:
    """A line a module: where it stands, its class, what it says of itself."""
    lines = [f"{path}: {_layer(part)}" for path, part in network.named_modules() if path]
    return [re.sub(r" at 0x[0-9a-f]+", "", " ".join(line.split())) for line in lines]


def _layer(part: nn.Module) -> str:
    said = [part.extra_repr()]
    if not type(part).__module__.startswith("torch.nn."):  # torch's own say their sizes
        said += [
            f"{name} {'×'.join(map(str, held.shape))}" for name, held in part.named_parameters(recurse=False)
        ]
    return f"{type(part).__name__}({', '.join(filter(None, said))})"


def answer_to_noise(network: Network, input_shape: tuple[int, int, int]) -> list[float]:
    """The logits for one fixed image."""
    noise = np.random.Generator(np.random.Philox(key=_SEED)).standard_normal(input_shape, dtype=np.float32)
    answered = answer(network, torch.from_numpy(noise)[None])
    assert isinstance(answered, Tensor), "a network answers with a tensor"
    return answered[0].tolist()


def require_same_network(network: Network, known: NetworkFacts, folder: object) -> None:
    """Refuse a network that, with the run's weights, does not answer as the run's did.

    Raises RunError, with the layers that differ like a diff.
    """
    channels, height, width = known.input_shape
    found = torch.tensor(answer_to_noise(network, (channels, height, width)))
    expected = torch.tensor(known.logits)
    if found.shape == expected.shape:
        apart = float(torch.linalg.vector_norm(found - expected))
        if apart <= TOLERANCE * float(torch.linalg.vector_norm(expected)):
            return
    lines = difference(known.layers, layers_of(network))
    raise RunError(
        f"{folder} was made by another network: with the run's weights, the one given does not answer as it did"
        + (
            f" (- the run's layers, + those given):\n{lines}"
            if lines
            else ", though its layers are the same."
        )
    )


def difference(known: Sequence[str], found: Sequence[str]) -> str:
    """Lines that only one side has, marked - and +, 40 at most."""
    lines = [line for line in difflib.ndiff(known, found) if line[:2] in ("- ", "+ ")]
    more = [f"… and {len(lines) - _LONGEST} lines more"] if len(lines) > _LONGEST else []
    return "\n".join([*lines[:_LONGEST], *more])

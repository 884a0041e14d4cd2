"""What trains and answers: a GPU where there is one, else the processor."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

from striate.errors import UsageError
from striate.training.recipe import Recipe

WORDS = {
    "cuda": "a GPU that torch reaches through CUDA or ROCm",
    "mps": "Apple's GPU",
    "cpu": "the processor",
}


def devices() -> tuple[str, ...]:
    """The kinds of device that are here, the fastest first; the last one is the processor."""
    there = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    return (*(kind for kind, here in there.items() if here()), "cpu")


def chosen_device(recipe: Recipe) -> torch.device:
    """The device that a recipe is trained on; "auto" is the fastest kind that is here.

    >>> chosen_device(Recipe(device="cpu"))
    device(type='cpu')

    Raises UsageError for one that is not here.
    """
    here = devices()
    kind = here[0] if recipe.device == "auto" else recipe.device
    if kind not in here:
        raise UsageError(
            f"device={kind}: this needs {WORDS[kind]}, and torch {torch.__version__} finds none; here is "
            f"{' and '.join(here)}. Leave device out to train on what is here; where there is such a GPU, install "
            "its driver and a torch that was built for it."
        )
    return device_of_kind(kind)


def answering_device(recipe: Recipe) -> torch.device:
    """The device that a trained network answers on: the one it was trained on where that is here, else the processor.

    >>> answering_device(Recipe(device="cpu"))
    device(type='cpu')
    """
    here = devices()
    kind = here[0] if recipe.device == "auto" else recipe.device
    return device_of_kind(kind if kind in here else "cpu")


def device_of_kind(kind: str) -> torch.device:
    """The device of a kind that is in use."""
    return torch.device(kind, torch.cuda.current_device()) if kind == "cuda" else torch.device(kind)


def device_of(network: nn.Module) -> torch.device:
    """The device that a network's weights are on; the processor for one that has none.

    >>> device_of(nn.Linear(2, 3)), device_of(nn.ReLU())
    (device(type='cpu'), device(type='cpu'))
    """
    return next((parameter.device for parameter in network.parameters()), torch.device("cpu"))


def device_name(device: torch.device) -> str:
    """What a run's provenance calls a device: a GPU by its maker's name.

    >>> device_name(torch.device("cpu"))
    'cpu'
    """
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def reproducible(device: torch.device) -> AbstractContextManager[None]:
    """A block in which a GPU's convolutions take the same way every time, and float32 is float32.

    By itself cuDNN may choose another algorithm from run to run, with sums in an order of their own, and rounds the
    factors of float32 convolutions to TF32's 10 bits of mantissa.
    """
    if device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)


def own_seeds(device: torch.device) -> AbstractContextManager[None]:
    """A block whose random numbers leave those of the caller as they were, on the processor and on the device."""
    return torch.random.fork_rng(devices=[device.index or 0] if device.type == "cuda" else [])

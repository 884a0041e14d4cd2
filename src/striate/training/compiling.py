"""A step's forward pass and its way back, translated by torch's compiler where a recipe asks for that.

On a GPU the translated kernels are replayed as CUDA graphs. It takes some ten seconds for each size of batch, so it is
no default: `--tune` times it, and takes it where a run is long enough to win them back.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from striate.errors import TrainingError
from striate.training.device import device_of
from striate.training.recipe import Recipe

SHAPES = 64
"""Sizes of batches and frozen stages that steps of one training are translated for, before that is an error."""

SAID = "Steps are compiled first, once for each size of batch; the first epoch waits for that."
"""What a run says, whose first step takes so long."""


def stepped(network: nn.Module, recipe: Recipe) -> nn.Module:
    """What steps of a recipe run: the network itself, or its translation, which has the same weights.

    >>> network = nn.Linear(4, 2)
    >>> stepped(network, Recipe()) is network, type(stepped(network, Recipe(compile=True))).__name__
    (True, 'Compiled')

    What this process compiled before is forgotten, and the memory of its graphs free: it is compiled again if called.
    """
    if not recipe.compile:
        return network
    torch.compiler.reset()
    return Compiled(network)


class Compiled(nn.Module):
    """A network whose `all_logits` are translated at their first use, for each size of batch anew.

    It has the network's parameters and buffers, not copies; the network itself, and what looks into it, stays as it
    is. Values are the network's up to rounding; dropout draws other numbers, which the seed decides too.

    Raises TrainingError where torch's compiler does not get through, such as without a compiler for C++.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.auxiliary_weight: float = getattr(network, "auxiliary_weight", 0.0)
        mode = "reduce-overhead" if device_of(network).type == "cuda" else None
        forward = getattr(network, "all_logits", lambda inputs: (network(inputs),))
        self._translated = torch.compile(forward, dynamic=False, mode=mode)

    def all_logits(self, inputs: Float[Tensor, "images ..."]) -> tuple[Tensor, ...]:
        """The network's logits, then those of its auxiliary heads."""
        from torch._dynamo import config, exc  # two seconds, for who asked for it

        limits = {"recompile_limit": SHAPES, "fail_on_recompile_limit_hit": True}
        try:
            with config.patch(limits):  # pyright: ignore[reportAttributeAccessIssue]
                return self._translated(inputs)
        except exc.FailOnRecompileLimitHit as error:
            raise stopped(f"{SHAPES} forms of its steps are compiled already.") from error
        except exc.TorchDynamoException as error:
            raise stopped(first_line(error)) from error


def stopped(reason: str) -> TrainingError:
    """The error for a network that is not compiled."""
    return TrainingError(
        f"compile=true: torch's compiler stopped at this network: {reason} "
        "Leave compile out: the step is then taken as it is, and gives the same up to rounding."
    )


def first_line(error: BaseException) -> str:
    """What an error of the compiler says, without the many lines that follow."""
    found = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return found.strip().rstrip(".") + "."

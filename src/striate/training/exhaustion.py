"""Steps that go on when memory runs out: the batch is taken again, in twice as many parts."""

import gc
from collections.abc import Callable

import torch
from jaxtyping import Float32
from torch import Tensor, nn

from striate.errors import TrainingError
from striate.training.material import Batch
from striate.training.optimiser import Optimiser
from striate.training.recipe import Recipe
from striate.training.recomputing import copies, put
from striate.training.step import Taken, fewest_images, normalises_batches, take_step

SIGNS = ("DefaultCPUAllocator", "MPS backend out of memory", "could not create a memory", "Cannot allocate")
"""What stands in the errors of allocators that have no class of their own."""


def take_step_that_fits(
    network: nn.Module,
    optimiser: Optimiser,
    recipe: Recipe,
    batch: Batch,
    class_weights: Float32[Tensor, " classes"] | None = None,
    *,
    seed: int,
    look: bool = True,
    said: Callable[[str], None] = lambda text: None,
) -> tuple[Taken, Recipe]:
    """One step, and the recipe that the next ones are to be taken by: the same, or with a greater `accumulate`.

    Where memory runs out, what the attempt left is cleared away and the step begins anew, under the same seed and
    with the running statistics that it began with, in twice as many parts; `said` is told. Raises TrainingError
    where the smallest part does not fit.
    """
    buffers = list(network.buffers())
    before = copies(buffers)
    while True:
        begin_draws(seed, batch.inputs.device)
        try:
            return take_step(network, optimiser, recipe, batch, class_weights, look=look), recipe
        except (MemoryError, RuntimeError) as error:
            if not ran_out(error):
                raise
        # only here, where the error is gone, is what its frames held free again
        optimiser.zero_grad(set_to_none=True)
        put(buffers, before)
        release(batch.inputs.device)
        recipe = halved(network, recipe, len(batch.labels))
        said(in_parts(network, recipe.accumulate))


def begin_draws(seed: int, device: torch.device) -> None:
    """Seed the random numbers of a step; `torch.manual_seed` looks for devices each time, a hundred times as long."""
    if device.type == "cpu":
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


def halved(network: nn.Module, recipe: Recipe, images: int) -> Recipe:
    """The recipe with twice as many parts a batch; TrainingError where a part has no image to give away."""
    accumulate = 2 * recipe.accumulate
    if accumulate > images // fewest_images(network):
        further = "" if recipe.recompute else ", --set recompute=true"
        raise TrainingError(
            f"Memory ran out in a step of {images} images taken in {recipe.accumulate} parts, and smaller parts there "
            f"are not. Try smaller images with --set size=…, a smaller network{further}, or a machine with more memory."
        )
    return recipe.changed(accumulate=accumulate)


def in_parts(network: nn.Module, accumulate: int) -> str:
    """What is said when memory ran out."""
    return f"Memory ran out: from here on a batch is taken in {accumulate} parts. {consequence(network)}"


def consequence(network: nn.Module) -> str:
    """What parts change in the result."""
    if normalises_batches(network):
        return "Batch normalisation then takes its statistics of a part, so the result is another one."
    if drops_out(network):
        return "Dropout draws anew for each part; but for that the result is the same up to rounding."
    return "The result is the same up to rounding."


def drops_out(network: nn.Module) -> bool:
    """Whether training sets numbers to zero at random.

    >>> drops_out(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))), drops_out(nn.Dropout(0.0))
    (True, False)
    """
    kinds = nn.modules.dropout._DropoutNd  # pyright: ignore[reportPrivateUsage]
    return any(isinstance(module, kinds) and module.training and module.p > 0 for module in network.modules())


def ran_out(error: BaseException) -> bool:
    """Whether an error says that there is no memory left.

    >>> ran_out(torch.OutOfMemoryError("CUDA out of memory")), ran_out(RuntimeError("shapes differ"))
    (True, False)
    """
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        sign in str(error) for sign in SIGNS
    )


def release(device: torch.device) -> None:
    """Give memory back that nothing uses any more."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()

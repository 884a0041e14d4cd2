"""One step of gradient descent: forward, loss, backward, update."""

import math
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, Int64
from torch import Tensor, nn

from striate.training.material import Batch
from striate.training.optimiser import Optimiser
from striate.training.precision import computing
from striate.training.recipe import Recipe
from striate.training.recomputing import run_recomputed
from striate.training.small_maps import small_maps_at_once


class NotFiniteError(Exception):
    """A loss or a gradient's norm is not a finite number."""

    def __init__(self, loss: float, norm: float) -> None:
        super().__init__(loss, norm)
        self.loss, self.norm = loss, norm


@dataclass(frozen=True, eq=False)
class Taken:
    """What a step found, on the device that took it: to read one of these numbers is to wait for the device."""

    loss: Float32[Tensor, ""]
    norm: Float32[Tensor, ""]
    """Of all gradients together."""
    correct: Int64[Tensor, ""]
    """How many images were right before the step."""


def take_step(
    network: nn.Module,
    optimiser: Optimiser,
    recipe: Recipe,
    batch: Batch,
    class_weights: Float32[Tensor, " classes"] | None = None,
    *,
    look: bool = True,
) -> Taken:
    """One step of gradient descent.

    With `look` loss and norm are read before the weights are changed: NotFiniteError, and no weight is, where one of
    them is not finite. Without, nothing waits for the device, and whoever reads what was taken must look.
    """
    optimiser.zero_grad(set_to_none=True)
    loss, correct = add_gradients(network, recipe, batch, class_weights)
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    norm = total_norm(gradients)
    if look and not (math.isfinite(loss.item()) and math.isfinite(norm.item())):
        raise NotFiniteError(loss.item(), norm.item())
    optimiser.step()
    return Taken(loss, norm, correct)


def add_gradients(
    network: nn.Module,
    recipe: Recipe,
    batch: Batch,
    class_weights: Float32[Tensor, " classes"] | None = None,
) -> tuple[Float32[Tensor, ""], Int64[Tensor, ""]]:
    """Forward and backward over a batch, in as many parts as `recipe.accumulate`; its loss, and how many were right.

    Each part counts by its share of the batch, so loss and gradients are those of the whole batch up to rounding;
    but batch normalisation takes its statistics of a part, and dropout draws anew for each.
    """
    count = parts_of(network, recipe, len(batch.labels))
    inputs, labels = batch.inputs.tensor_split(count), batch.labels.tensor_split(count)
    losses, right = list[Tensor](), list[Tensor]()
    for some_inputs, some_labels in zip(inputs, labels, strict=True):
        device = batch.inputs.device
        with computing(recipe.precision, device), small_maps(network, recipe, device):
            logits, *aside = all_logits(network, some_inputs, recompute=recipe.recompute)
        loss = loss_of(logits, some_labels, recipe, class_weights)
        share: float = getattr(network, "auxiliary_weight", 0.0)
        for more in aside:  # GoogLeNet's auxiliary classifiers (Szegedy et al. 2015, section 5)
            loss = loss + share * loss_of(more, some_labels, recipe, class_weights)
        if count > 1:
            loss = loss * (
                total_weight(some_labels, class_weights) / total_weight(batch.labels, class_weights)
            )
        loss.backward()
        if recipe.compile and count > 1 and not losses:
            own_gradients(network.parameters())
        losses.append(loss.detach())
        right.append((logits.argmax(dim=1) == some_labels).sum())
    return (losses[0], right[0]) if count == 1 else (torch.stack(losses).sum(), torch.stack(right).sum())


def small_maps(network: nn.Module, recipe: Recipe, device: torch.device) -> AbstractContextManager[object]:
    """The context in which convolutions over small maps learn faster; torch's compiler has ways of its own."""
    return nullcontext() if recipe.compile else small_maps_at_once(network, recipe.precision, device)


def own_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Move gradients into memory of their own: what a CUDA graph wrote is overwritten when it is replayed.

    >>> weight = nn.Parameter(torch.zeros(2))
    >>> weight.sum().backward()
    >>> before = weight.grad
    >>> own_gradients([weight])
    >>> weight.grad is before, weight.grad.tolist()
    (False, [1.0, 1.0])
    """
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad = parameter.grad.clone()


def total_norm(gradients: Sequence[Tensor]) -> Float32[Tensor, ""]:
    """The length of all gradients together, as one vector.

    >>> total_norm([torch.full((2, 2), 3.0), torch.tensor([8.0])])
    tensor(10.)

    On a processor by dot products, which read with all threads: two thirds of the time of `get_total_norm`, which takes
    over where squares are beyond float32.
    """
    if all(gradient.device.type == "cpu" and is_dense(gradient) for gradient in gradients):
        vectors = [gradient.as_strided((gradient.numel(),), (1,)) for gradient in gradients]
        norm = torch.stack([torch.dot(vector, vector) for vector in vectors]).sum().sqrt()
        if math.isfinite(norm.item()):
            return norm
    return nn.utils.get_total_norm(gradients)


def is_dense(tensor: Tensor) -> bool:
    """Whether a tensor's numbers lie in one piece of memory, in whatever order."""
    return tensor.is_contiguous() or (
        tensor.ndim == 4 and tensor.is_contiguous(memory_format=torch.channels_last)
    )


def parts_of(network: nn.Module, recipe: Recipe, images: int) -> int:
    """How many parts a batch is taken in: those of the recipe, as long as each has enough images.

    >>> parts_of(nn.Linear(4, 2), Recipe(accumulate=4), 128), parts_of(nn.BatchNorm1d(4), Recipe(accumulate=100), 128)
    (4, 64)
    """
    return 1 if recipe.accumulate == 1 else max(1, min(recipe.accumulate, images // fewest_images(network)))


def fewest_images(network: nn.Module) -> int:
    """The images that a forward pass of training needs: two where batch normalisation takes a deviation, or one."""
    return 2 if normalises_batches(network) else 1


def normalises_batches(network: nn.Module) -> bool:
    """Whether training takes statistics over the images that a network is given together."""
    kinds = nn.modules.batchnorm._BatchNorm  # pyright: ignore[reportPrivateUsage]
    return any(isinstance(module, kinds) and module.training for module in network.modules())


def loss_of(
    logits: Float[Tensor, "images classes"],
    labels: Int64[Tensor, " images"],
    recipe: Recipe,
    class_weights: Float32[Tensor, " classes"] | None,
) -> Float32[Tensor, ""]:
    """The mean cross-entropy, each image counting as much as its class."""
    smoothing = recipe.label_smoothing
    return F.cross_entropy(logits.float(), labels, weight=class_weights, label_smoothing=smoothing)


def total_weight(
    labels: Int64[Tensor, " images"], class_weights: Float32[Tensor, " classes"] | None
) -> Float32[Tensor, ""] | int:
    """What some images count together, by which their mean cross-entropy is divided."""
    return len(labels) if class_weights is None else class_weights[labels].sum()


def all_logits(network: nn.Module, inputs: Tensor, *, recompute: bool = False) -> tuple[Tensor, ...]:
    """What training learns from: the network's logits, then those of its auxiliary heads where it has any.

    With `recompute` no stage keeps what lies inside it; a module without stages keeps all.
    """
    every = getattr(network, "all_logits", None)
    if every is None:
        return (network(inputs),)
    return every(inputs, run_recomputed) if recompute else every(inputs)

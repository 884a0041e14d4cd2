"""First weights from elsewhere: found, read without running code, and fitted to the network of a recipe."""

from pathlib import Path
from typing import Any

from striate.classifier.keeping import on_preparation
from striate.classifier.origins import Origin, from_file, from_run, from_torchvision, from_zoo
from striate.errors import RunError, UsageError, nearest
from striate.models import Network, fit_weights
from striate.models.fitting import HEAD_TAKEN, HeadRule
from striate.models.published import PUBLISHED_FILES
from striate.models.zoo import ZOO
from striate.pixels import Preparation
from striate.training.events import Events
from striate.training.recipe import Recipe

__all__ = ["Origin", "adopted", "begin_with", "find_weights"]
TORCHVISION = "torchvision:"


def find_weights(recipe: Recipe, events: Events | None = None) -> Origin | None:
    """The weights that a recipe begins with, or None where they are drawn anew.

    `recipe.weights` is a run folder, a file of weights (safetensors, or torch's .pth), or torchvision:NAME or
    timm:NAME, which is downloaded if it is not there yet; nothing else uses the network. `events` is told of a
    download.

    Raises RunError for weights that cannot be read, are not those of `recipe.weights_sha256` or cannot be
    downloaded; UsageError for a name that stands for none, or for weights of another network than `recipe.model`.
    """
    if recipe.weights is None:
        if recipe.weights_sha256:
            raise UsageError(f"weights_sha256={recipe.weights_sha256}: weights must say where they are.")
        return None
    origin = _found(recipe, recipe.weights, events or Events())
    if recipe.weights_sha256 not in (None, origin.sha256):
        raise RunError(
            f"The weights {recipe.weights} are not those that the recipe names: their SHA-256 is {origin.sha256},"
            f" and {recipe.weights_sha256} is expected. Bring those back, or leave weights_sha256 out."
        )
    return origin


def _found(recipe: Recipe, text: str, events: Events) -> Origin:
    if text.startswith(TORCHVISION):
        return from_torchvision(recipe, text.removeprefix(TORCHVISION), events)
    if text.startswith(ZOO):
        return from_zoo(recipe, text, events)
    path = Path(text)
    if text and path.is_dir():
        return from_run(recipe, path)
    if path.is_file():
        return from_file(recipe, path)
    near = nearest(text, [TORCHVISION + name for name in PUBLISHED_FILES])
    raise UsageError(
        f"weights={text}: there is no such run folder or file"
        + (f"; did you mean {near}?" if near else ".")
        + f" Published weights are {TORCHVISION}NAME, with NAME one of {', '.join(PUBLISHED_FILES)}."
    )


def adopted(recipe: Recipe, origin: Origin) -> Recipe:
    """The recipe with what it leaves open taken from its first weights: network, changes of it, patch, digest.

    The head stays the recipe's own: it is made for the classes at hand.
    """
    taken: dict[str, Any] = {"model": origin.model or recipe.model, "weights_sha256": origin.sha256}
    if origin.recipe:
        fields = type(recipe).model_fields
        taken |= {
            name: value
            for name, value in origin.recipe.changing().items()
            if name != "head" and getattr(recipe, name) == fields[name].default
        }
        if recipe.size is None and recipe.patch is None:
            taken["patch"] = origin.recipe.patch
    return recipe.changed(**taken)


def begin_with(
    network: Network, origin: Origin, recipe: Recipe, preparation: Preparation, classes: tuple[str, ...]
) -> list[str]:
    """Fill a network with the weights found; says in sentences what was adapted, and what keeps its first weights.

    The head of a run is taken only where it is of the same kind and has the same classes in the same order; that of
    a file, which does not say its classes, where it has as many.

    Raises RunError where the stages do not fit; nothing is changed then.
    """
    rule, reason = _head_rule(origin, recipe.head, classes)
    fitted = list(fit_weights(network, origin.tensors, origin.source, head=rule))
    if HEAD_TAKEN in fitted and not origin.classes:
        fitted.append(
            f"It has as many classes, {len(classes):,}; whether they are these, {origin.source} does not say."
        )
    return [
        f"The network begins with the weights of {origin.source}, {origin.about}.",
        *fitted,
        *reason,
        *_on_changes(origin, recipe),
        *origin.notes,
        on_preparation(origin.preparation, preparation, origin.source),
    ]


def _head_rule(origin: Origin, head: str, classes: tuple[str, ...]) -> tuple[HeadRule, list[str]]:
    if not origin.classes:
        return ("hidden" if origin.published else "whole"), []
    if origin.classes != classes:
        return "none", [f"The head is new: the classes of {origin.source} are others, or in another order."]
    kind = origin.recipe.head if origin.recipe else head
    if kind != head:
        return "none", [f"The head is new: it is {head}, and that of {origin.source} is {kind}."]
    return "whole", []


def _on_changes(origin: Origin, recipe: Recipe) -> list[str]:
    if origin.recipe is None:
        return []
    theirs, fields = origin.recipe.changing(), type(recipe).model_fields
    same = [
        f"{name}={value}"
        for name, value in recipe.changing().items()
        if name != "head" and value == theirs[name] != fields[name].default
    ]
    return [f"The network is changed as that of {origin.source} is: {', '.join(same)}."] if same else []

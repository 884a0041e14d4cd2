"""First weights from elsewhere: found, read without running code, and fitted to the network of a recipe."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from striate.errors import UsageError
from striate.files import sha256_of
from striate.models import Network
from striate.models.weights import fill
from striate.pixels import Preparation
from striate.run import WEIGHTS, load_run
from striate.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Origin:
    """Weights that a training begins with, and what is known of the network that they were learned in."""

    source: str
    """As the recipe names it."""
    sha256: str
    """Of the file that holds the tensors."""
    tensors: Mapping[str, Tensor]
    """By the names of striate's network, the head's included."""
    model: str | None = None
    classes: tuple[str, ...] = ()
    """Classes of its head, in order; empty where nobody says."""
    preparation: Preparation | None = None
    """How pictures reached it; a training with these weights keeps its size, mean and deviation."""
    recipe: Recipe | None = None
    """How it was trained, where it comes from a run."""


def find_weights(recipe: Recipe) -> Origin | None:
    """The weights that a recipe begins with, or None where they are drawn anew.

    Raises RunError for weights that cannot be read, UsageError for a name that stands for none.
    """
    if recipe.weights is None:
        return None
    path = Path(recipe.weights)
    if not path.is_dir():
        raise UsageError(f"weights={recipe.weights}: there is no such run.")
    run = load_run(path)
    return Origin(
        source=recipe.weights,
        sha256=sha256_of(path / WEIGHTS),
        tensors=run.network.state_dict(),
        model=run.recipe.model,
        classes=run.classes,
        preparation=run.preparation,
        recipe=run.recipe,
    )


def begin_with(network: Network, origin: Origin, classes: tuple[str, ...]) -> list[str]:
    """Fill a network with the weights found; says in sentences what was adapted, and what keeps its first weights.

    The head is taken over only where it has the same classes in the same order.

    Raises RunError where the stages do not fit; nothing is changed then.
    """
    own = network.state_dict()
    same = origin.classes == classes
    found = {name: tensor for name, tensor in origin.tensors.items() if same or not name.startswith("head.")}
    if same:
        notes = [f"The weights of {origin.source}, its head included: the classes are the same."]
    else:
        found |= {name: tensor for name, tensor in own.items() if name.startswith("head.")}
        notes = [f"The stages begin with the weights of {origin.source}; the head is new."]
    fill(network, found, origin.source)
    return notes

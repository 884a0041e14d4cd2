"""Where first weights come from: a run, a file of weights, or torchvision by name."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from striate.data.home import home_folder
from striate.data.named.fetching import NotFetchedError, fetch, held, verify
from striate.data.named.registry import NamedFile
from striate.data.packing.cache import cache_root
from striate.errors import RunError, SourceError, UsageError
from striate.files import sha256_of
from striate.models import (
    create_model,
    from_timm,
    model_entry,
    published_scaling,
    read_published,
    weights_bytes,
)
from striate.models.published import PUBLISHED_AT, PUBLISHED_CLASSES, published_file
from striate.models.recognition import in_our_names, library_of, recognised
from striate.models.timm_names import TIMM_NAMES
from striate.models.weights import read_weights
from striate.models.zoo import ZOO, timm_weights
from striate.pixels import Preparation
from striate.run import MANIFEST, WEIGHTS, read_facts
from striate.training.events import Events
from striate.training.recipe import Recipe

FOLDER = "weights"
"""Below the data home, what was downloaded; below the cache, what was converted."""


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
    published: bool = False
    """Whether the names are torchvision's or timm's; hidden layers of such a head serve other classes too."""
    about: str = "weights"
    """What they are, in a few words."""
    notes: tuple[str, ...] = ()
    """What else should be said of them."""


def from_run(recipe: Recipe, folder: Path) -> Origin:
    """The weights of a finished run, its files checked against their digests."""
    run = read_facts(folder)
    source = recipe.weights or str(folder)
    require_model(recipe, source, run.recipe.model)
    return Origin(
        source=source,
        sha256=sha256_of(folder / WEIGHTS),
        tensors=read_weights(folder / WEIGHTS),
        model=run.recipe.model,
        classes=run.classes,
        preparation=run.preparation,
        recipe=run.recipe,
        about=f"a run of {run.recipe.model} on {len(run.classes):,} classes",
    )


def from_torchvision(recipe: Recipe, name: str, events: Events) -> Origin:
    """Weights that torchvision has published under a network's name, downloaded if they are not there yet."""
    file = published_file(name)
    require_model(recipe, f"torchvision:{name}", name)
    if recipe.size:  # too small is said before hundreds of megabytes are fetched
        create_model(name, classes=PUBLISHED_CLASSES, size=(recipe.size, recipe.size), weights=False)
    return from_file(recipe.changed(model=name), downloaded(file, events))


def from_file(recipe: Recipe, path: Path) -> Origin:
    """The tensors of a file, with striate's, torchvision's or timm's names, for the network they fit."""
    source = recipe.weights or str(path)
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise RunError(f"The weights {path} could not be read: {error.strerror or error}.") from error
    state = read_published(path, cache=cache_root() / FOLDER)
    library = library_of(state)
    model = recipe.model if recipe.model != "auto" else recognised(state, source)
    tensors = in_our_names(model, state)
    if library == "striate":
        return Origin(
            source, digest, tensors, model, about=f"striate's {model} alone", notes=_on_folder(path)
        )
    known = _imagenet(model) if _classes(tensors) == PUBLISHED_CLASSES else None
    about = f"{library}'s {model}" + (f" of ImageNet's {PUBLISHED_CLASSES:,} classes" if known else "")
    return Origin(source, digest, tensors, model, preparation=known, published=True, about=about)


def from_zoo(recipe: Recipe, text: str, events: Events) -> Origin:
    """Weights that timm publishes as `timm:NAME`, for its own network or for ours of the same name and layers."""
    name = text.removeprefix(ZOO)
    architecture = name.partition(".")[0]
    ours = recipe.model == architecture and architecture in TIMM_NAMES
    require_model(recipe, text, recipe.model if ours else text)
    events.said(f"timm fetches the weights of {name}, unless it has them already.")
    found = timm_weights(text)
    return Origin(
        text,
        hashlib.sha256(weights_bytes(found.published)).hexdigest(),
        from_timm(architecture, found.published) if ours else found.tensors,
        recipe.model if ours else text,
        preparation=Preparation(
            height=found.size[0],
            width=found.size[1],
            channels=3,
            depth="uint8",
            mean=found.scaling.mean,
            std=found.scaling.deviation,
        ),
        published=True,
        about=f"timm's {name} of {found.classes:,} classes",
    )


def require_model(recipe: Recipe, source: str, model: str) -> None:
    """UsageError where the recipe asks for another network than its weights are of."""
    if recipe.model not in ("auto", model):
        model_entry(recipe.model)  # one that does not exist is said to be so
        raise UsageError(
            f"weights={source} are those of {model}, and model={recipe.model} is asked for;"
            f" leave the model out, or take weights of {recipe.model}."
        )


def downloaded(name: str, events: Events) -> Path:
    """A file that torchvision has published, in the data home: fetched if need be, verified by its digest.

    Raises RunError for a file that is not the published one, and where it cannot be fetched: says from where, and
    where to put it.
    """
    folder = home_folder() / FOLDER
    path, url = folder / name, PUBLISHED_AT + name
    digits = path.stem.rpartition("-")[2]
    file = NamedFile(name, (url,), (f"sha256:{digits}",))
    try:
        with held(folder):
            if path.is_file():
                verify(file, path, folder, removed=False)
            else:
                events.said(f"Downloading {url} to {path}.")
                fetch(file, file.urls, folder, None)
    except NotFetchedError as error:
        raise RunError(
            f"{name} could not be downloaded ({error}): fetch {url} by other means as {path}, and the same command"
            " will verify and use it."
        ) from error
    except SourceError as error:
        raise RunError(f"{error}.") from error
    return path


def _imagenet(model: str) -> Preparation:
    """How ImageNet's pictures were prepared for the published weights of a network."""
    _, height, width = model_entry(model).default_input
    mean, deviation = published_scaling(model)
    return Preparation(height=height, width=width, channels=3, depth="uint8", mean=mean, std=deviation)


def _classes(tensors: Mapping[str, Tensor]) -> int:
    output = tensors.get("head.output.weight")
    return len(output) if output is not None else 0


def _on_folder(path: Path) -> tuple[str, ...]:
    if path.name != WEIGHTS or not (path.parent / MANIFEST).is_file():
        return ()
    return (
        f"The run folder {path.parent}, named instead of its file, would bring its classes and preparation too.",
    )

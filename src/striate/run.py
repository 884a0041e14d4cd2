"""A saved run: one folder that needs nothing else, checked by digest, and loading it runs no code.

model.safetensors   the weights                       history.jsonl     one epoch a line
model.json          network, classes, preparation,    splits.csv        every image and its split
                    provenance, versions              data.json         where they were, what was left out
recipe.json         how it was trained                manifest.json     SHA-256 of each file above
decision.json       operating points, thresholds,     checkpoint/, tensorboard/
                    sets; made later by `evaluate`

Images are named in splits.csv and data.json alone: model.json, recipe.json and the weights can be passed on without
telling whose pictures they were trained on.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from striate.errors import RunError, UsageError
from striate.files import sha256_of, write_atomically, write_json
from striate.models.catalogue import create_model
from striate.models.changes import Changes
from striate.models.network import Network
from striate.models.own import OWN, NetworkFacts, own_network, require_same_network
from striate.models.weights import load_weights, weights_bytes
from striate.pixels.preparation import Preparation
from striate.training.history import Record, history_lines, read_history
from striate.training.recipe import Recipe

FORMAT = 2
"""Version of the run folder's format; a run of a newer one is refused."""
WEIGHTS, MODEL, RECIPE, HISTORY, SPLITS, DATA, MANIFEST = (
    "model.safetensors",
    "model.json",
    "recipe.json",
    "history.jsonl",
    "splits.csv",
    "data.json",
    "manifest.json",
)
FILES = (WEIGHTS, MODEL, RECIPE, HISTORY, SPLITS, DATA)


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What a run folder says of a trained network, its files checked against their digests."""

    folder: Path
    classes: tuple[str, ...]
    preparation: Preparation
    recipe: Recipe
    history: list[Record]
    about: dict[str, Any]
    """`model.json` as written, with `data.json` as its field "data"."""
    known: NetworkFacts | None = None
    """By what a network is known again that is not of striate's making."""

    @property
    def splits(self) -> Path:
        """The table of images and their splits."""
        return self.folder / SPLITS


@dataclass(frozen=True, kw_only=True)
class Run(RunFacts):
    """A trained network with what its run folder says of it."""

    network: Network


def save_run(
    folder: Path,
    network: Network,
    about: dict[str, Any],
    recipe: Recipe,
    history: list[Record],
    splits: bytes,
) -> None:
    """Write a run; the manifest comes last, so a run that has one is whole.

    Raises:
        StriateError: the folder cannot be written or the disk is full.
    """
    write_atomically(folder / SPLITS, splits)
    write_json(folder / RECIPE, recipe.model_dump())
    write_atomically(folder / HISTORY, history_lines(history))
    write_json(folder / DATA, about["data"])
    model = {name: value for name, value in about.items() if name != "data"}
    write_json(folder / MODEL, {"format": FORMAT, **model})
    write_atomically(folder / WEIGHTS, weights_bytes(network.state_dict()))
    write_json(folder / MANIFEST, {name: sha256_of(folder / name) for name in FILES})


def load_run(folder: Path, network: nn.Module | None = None) -> Run:
    """Read a run folder after checking every file against the manifest.

    `network` is the module that a run of a network of one's own was trained with: its code is in no run folder.

    Raises:
        RunError: the folder is no finished run, a file is missing or altered, or its format is newer; its network is
            the user's own, and none or another one is given.
        StriateError: its network is timm's, which is not installed.
    """
    facts = read_facts(folder)
    model, known = facts.about["model"], facts.known
    if model == OWN and network is None:
        name = known.made_of.rpartition(".")[2] if known else "MyNetwork"
        raise RunError(
            f"{folder} holds a network of your own, {name}: a run keeps its weights and not its code, and striate runs"
            f" no code from it. In Python: striate.Classifier.load({str(folder)!r}, network={name}(…))."
        )
    if model != OWN and network is not None:
        raise UsageError(f"{folder} holds {model}, which striate builds itself: leave network out.")
    channels, height, width = facts.preparation.input_shape()
    wanted: dict[str, Any] = {
        "classes": len(facts.classes),
        "channels": channels,
        "size": (height, width),
        "dropout": facts.recipe.dropout,
        "changes": Changes(**facts.recipe.changing()),
    }
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, and overwritten
        try:
            built = own_network(network, **wanted) if network is not None else create_model(model, **wanted)
        except UsageError as error:
            raise RunError(f"The network of {folder} cannot be built: {error}") from error
    load_weights(built, folder / WEIGHTS)
    if known:
        require_same_network(built, known, folder)
    built.eval()
    return Run(**vars(facts), network=built)


def read_facts(folder: Path) -> RunFacts:
    """What a run folder says, without its network; raises RunError as `load_run` does."""
    check_manifest(folder)
    about = read_json(folder / MODEL)
    if about.get("format") != FORMAT:
        raise RunError(
            f"{folder} is a run of format {about.get('format')}; this striate reads format {FORMAT}. Update striate."
        )
    about["data"] = read_json(folder / DATA)
    try:
        recipe = Recipe(**read_json(folder / RECIPE))
        preparation = Preparation(**about["preparation"])
        classes = tuple(about["classes"])
        if not isinstance(about["model"], str):
            raise TypeError(f"model is {about['model']!r}")
        known = NetworkFacts(**about["network"]) if "network" in about else None
        history = read_history(folder / HISTORY)
        if not 1 <= about["kept_epoch"] <= len(history):
            raise ValueError(f"kept_epoch is {about['kept_epoch']}, of {len(history)} epochs")
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise RunError(
            f"{folder} was not written by this striate: {error}. Train again, or update striate."
        ) from error
    return RunFacts(
        folder=folder,
        classes=classes,
        preparation=preparation,
        recipe=recipe,
        history=history,
        about=about,
        known=known,
    )


def is_finished(folder: Path) -> bool:
    """Whether a folder holds a run that was trained to its end."""
    return (folder / MANIFEST).is_file()


def check_manifest(folder: Path) -> None:
    """Every file is there and is the one that was written, or a RunError names it."""
    if not folder.is_dir():
        raise RunError(f"{folder} is not a run folder: there is no such folder. `striate train` makes one.")
    if not is_finished(folder):
        if (folder / "fold-1").is_dir():
            raise RunError(
                f"{folder} holds a cross-validation, a run a fold: name one, such as {folder / 'fold-1'}."
            )
        unfinished = (folder / RECIPE).is_file()
        raise RunError(
            f"{folder} holds a run that is not finished. Go on with the same `striate train` command and --resume."
            if unfinished
            else f"{folder} is not a run folder: it has no {MANIFEST}. `striate train` makes one."
        )
    stated = read_json(folder / MANIFEST)
    if stated.keys() == set(FILES) - {DATA}:
        raise RunError(
            f"{folder} is a run of an older format: its manifest lists no {DATA}. "
            "Train it again, or use the striate that made it."
        )
    for name in FILES:
        path = folder / name
        if not path.is_file():
            raise RunError(
                f"{folder} lacks {name}, which its manifest lists. Restore it from a copy or train again."
            )
        if sha256_of(path) != stated.get(name):
            raise RunError(
                f"{path} is not the file that was saved: its SHA-256 differs from the manifest's. "
                "Restore it from a copy or train again."
            )


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file, or a RunError that names it."""
    try:
        content = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path} cannot be read: {error}.") from error
    if not isinstance(content, dict):
        raise RunError(f"{path} is not a JSON object.")
    return content

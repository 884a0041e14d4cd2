"""What a run says about itself: network, classes, preparation, data, versions, machine, command."""

import hashlib
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import torch

from striate.classifier.building import Built
from striate.classifier.labels import label_type
from striate.classifier.material import Decoded
from striate.data.packing.stream import StreamedPixels
from striate.models import summarize
from striate.models.own import OWN, facts_of
from striate.models.zoo import ZOO
from striate.pixels import Preparation
from striate.training.device import chosen_device, device_name
from striate.training.history import Progress
from striate.training.recipe import Recipe

LIBRARIES = ("striate", "torch", "numpy", "pillow", "scikit-learn", "scipy")


def describe(
    decoded: Decoded,
    table: bytes,
    built: Built,
    recipe: Recipe,
    progress: Progress,
    calibration: dict[str, Any],
    command: str | None,
) -> dict[str, Any]:
    """The content of `model.json`, less its format number; `table` are the splits as csv."""
    images, preparation = decoded.images, decoded.preparation
    summary = summarize(built.network, preparation.input_shape())
    kept = progress.best.epoch if progress.best and recipe.keep == "best" else len(progress.history)
    return {
        "model": recipe.model,
        "classes": list(images.classes),
        "label_type": label_type(decoded.labels),
        "preparation": preparation.model_dump(),
        "parameters": summary.parameters,
        "multiply_adds": summary.multiply_adds,
        **known_by(built, recipe, preparation),
        "weights": [recipe.weights, recipe.weights_sha256, *built.notes] if recipe.weights else [],
        "kept_epoch": kept,
        "calibration": calibration,
        "data": {
            "source": images.source.location,
            "splits_sha256": hashlib.sha256(table).hexdigest(),
            "counts": images.counts(),
            "unreadable": [list(pair) for pair in images.unreadable],
            "dropped": [list(pair) for pair in images.dropped],
            "grouping": list(images.grouping),
            "pseudonyms": images.pseudonymous,
            "stream": isinstance(decoded.pack.pixels, StreamedPixels),
            "notes": list(images.notes),
        },
        "provenance": {
            "command": command or "Classifier.fit in Python",
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seed": recipe.seed,
            "threads": torch.get_num_threads(),
            "machine": {
                "system": platform.platform(),
                "processor": platform.machine(),
                "cores": os.cpu_count(),
                "device": device_name(chosen_device(recipe)),
            },
            "versions": versions() | ({"timm": version("timm")} if recipe.model.startswith(ZOO) else {}),
        },
    }


def known_by(built: Built, recipe: Recipe, preparation: Preparation) -> dict[str, Any]:
    """The field `network` of a run whose network is not of striate's making: by what it is known again."""
    if recipe.model != OWN and not recipe.model.startswith(ZOO):
        return {}
    shape = preparation.input_shape()
    return {"network": facts_of(built.network, built.made_of or recipe.model, shape)}


def versions() -> dict[str, str]:
    """Versions of Python and of every library that has a part in the numbers."""
    return {"python": sys.version.split()[0], **{name: version(name) for name in LIBRARIES}}

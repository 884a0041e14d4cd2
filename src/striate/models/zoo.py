"""Networks of timm, PyTorch Image Models, under `timm:NAME`; needs the extra `zoo`."""

import importlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn

from striate.errors import ModelError, RunError, StriateError, nearest
from striate.models.entry import Entry
from striate.models.network import Network
from striate.models.published import Scaling
from striate.models.wrapping import opened

ZOO = "timm:"
_CLASSES = 1000


@dataclass(frozen=True, eq=False)
class ZooWeights:
    """Weights that timm publishes under a name, and how pictures reached the network that learned them."""

    published: Mapping[str, Tensor]
    """By timm's names."""
    tensors: Mapping[str, Tensor]
    """By the names of the network that `create_model("timm:NAME")` gives."""
    scaling: Scaling
    size: tuple[int, int]
    """(height, width) in pixels."""
    classes: int


@cache
def timm() -> Any:
    """The package timm; StriateError with the command that installs it where it is not there."""
    try:
        return importlib.import_module("timm")
    except ModuleNotFoundError as error:
        if error.name != "timm":
            raise StriateError(
                f"timm cannot be used: it needs {error.name}, which is not installed."
            ) from error
        raise StriateError(
            "Networks called timm:NAME need timm, which is not installed: pip install 'striate[zoo]'"
        ) from error
    except (ImportError, RuntimeError, AttributeError) as error:  # a torchvision that does not match torch
        raise StriateError(
            f"timm is installed and cannot be used ({error}): it brings torchvision, whose build must match torch's."
            " In an environment of its own, pip install 'striate[zoo]' chooses both."
        ) from error


@cache
def zoo_entry(name: str) -> Entry:
    """What timm knows of `timm:NAME`, as an entry of the catalogue.

    Raises ModelError for a name that timm has not, with the nearest one; StriateError where timm is not installed.
    """
    known = name.removeprefix(ZOO)
    if not timm().is_model(known):
        near = nearest(known, timm().list_models())
        raise ModelError(
            f"timm has no model {known!r};"
            + (f" did you mean {ZOO}{near}?" if near else "")
            + f" timm.list_models() lists all {len(timm().list_models()):,}."
        )
    config = timm().models.get_pretrained_cfg(known)
    channels, height, width = config.input_size if config else (3, 224, 224)
    return Entry(
        name=name,
        build=partial(_build, known),
        summary=f"timm's {known}"
        + (", for images of one size only" if config and config.fixed_input_size else ""),
        paper=f"timm {timm().__version__}",
        default_input=(channels, height, width),
        default_classes=config.num_classes if config else _CLASSES,
        dropout=0.0,
        departures=("Stages are the parts that timm's own module runs one after another, where it does.",),
    )


def timm_weights(name: str) -> ZooWeights:
    """The weights that timm publishes for `timm:NAME`; downloaded by timm, from where it keeps them.

    Raises ModelError for a name that timm has not or has no weights of; RunError where they cannot be had.
    """
    entry, known = zoo_entry(name), name.removeprefix(ZOO)
    config = timm().models.get_pretrained_cfg(known)
    if not (config and config.has_weights):
        raise ModelError(f"timm publishes no weights of {known}; train it from {name} without weights.")
    try:
        with torch.random.fork_rng(devices=[]):  # first weights are drawn, and overwritten
            module = timm().create_model(known, pretrained=True)
    except Exception as error:  # hubs fail in many ways
        where = config.hf_hub_id or config.url
        raise RunError(
            f"The weights of {name} could not be downloaded from {where}: {str(error).splitlines()[0]}. "
            "Where there is no network, download the file elsewhere and name it by --weights FILE."
        ) from error
    network = opened(module, entry.default_input)
    return ZooWeights(
        published=module.state_dict(),
        tensors=network.state_dict(),
        scaling=Scaling(tuple(config.mean), tuple(config.std)),
        size=entry.default_input[1:],
        classes=entry.default_classes,
    )


def _build(known: str, *, classes: int, channels: int, size: tuple[int, int], dropout: float) -> Network:
    without_memory = torch.empty(0).is_meta
    with torch.device("cpu"):  # stages are found by running the network
        network = opened(_module(known, classes, channels, size, dropout), (channels, *size))
    return network.to("meta") if without_memory else network


def _module(known: str, classes: int, channels: int, size: tuple[int, int], dropout: float) -> nn.Module:
    wanted: dict[str, Any] = {"num_classes": classes, "in_chans": channels}
    if dropout:
        wanted["drop_rate"] = dropout
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # timm's own, of what it means to change
            try:
                return timm().create_model(known, pretrained=False, **wanted, img_size=size)
            except TypeError as error:
                if "img_size" not in str(error):
                    raise
                return timm().create_model(known, pretrained=False, **wanted)
    except Exception as error:  # assertions, mostly, on sizes
        raise ModelError(
            f"timm's {known} cannot be built for {classes} classes and images of {channels} × {size[0]} × {size[1]}:"
            f" {(str(error).splitlines() or [type(error).__name__])[0]}"
        ) from error

"""A module followed once by `torch.export`, with batch, height, width and channels left open."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from striate.errors import ModelError
from striate.export.answering import Answering

INPUTS = ("pixels", "full_scale")
OUTPUTS = ("probabilities", "logits", "prepared")
AXES = ("batch", "height", "width", "channel")


def traced(answering: Answering) -> ExportedProgram:
    """The operations of a module as a graph.

    Raises ModelError for a network that torch.export cannot follow, with its reason.
    """
    example = torch.zeros(2, 37, 41, 3), torch.tensor(1.0)  # an axis of length 1 would be taken as fixed
    open_axes = {
        0: Dim("batch", min=1),
        1: Dim("height", min=1),
        2: Dim("width", min=1),
        3: Dim("channel", min=1, max=3),
    }
    return followed(answering, example, (open_axes, None))


def followed(module: nn.Module, example: tuple[Tensor, ...], axes: tuple[Any, ...]) -> ExportedProgram:
    """The operations of a module on an example, with some axes left open; raises ModelError as `traced` does."""
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad(), silenced():
            return torch.export.export(module, example, dynamic_shapes=axes, strict=False)
    except Exception as error:  # whatever a network's code raises when tensors have no values yet
        raise ModelError(
            f"The network cannot be exported: torch.export cannot follow it ({first_line(error)}). Its forward must"
            " take the same steps for every picture and for any number of pictures."
        ) from error
    finally:
        module.train(was_training)


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """While the block lasts, torch and its exporter keep their notes and deprecations to themselves."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "torch.fx", "onnxscript")]
    levels = [logger.level for logger in (*loggers, logging.getLogger())]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for logger in (*loggers, logging.getLogger()):
                logger.setLevel(logging.ERROR)
            yield
        finally:
            for logger, level in zip((*loggers, logging.getLogger()), levels, strict=True):
                logger.setLevel(level)


def first_line(error: BaseException) -> str:
    """What an error says, in a line, without the full stop that may close it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200].rstrip(".")

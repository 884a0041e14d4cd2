"""The part of a graph behind the preparation, for pictures that are prepared already: of any size, in one batch."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.export import Dim

from striate.export.answering import Answering
from striate.export.onnx_file import describe, graph_of, session_of, tidy
from striate.export.tracing import followed

INPUT, OUTPUTS = "prepared", ("probabilities", "logits")
Ask = Callable[
    [Float32[np.ndarray, "batch channel height width"]],
    tuple[Float32[np.ndarray, "batch class"], Float32[np.ndarray, "batch class"]],
]
"""Normalised pictures to probabilities and logits."""


class Served(nn.Module):
    """Prepared pictures in, calibrated probabilities and logits out."""

    def __init__(self, answering: Answering) -> None:
        super().__init__()
        self.answering = answering

    def forward(
        self, prepared: Float32[Tensor, "batch channel height width"]
    ) -> tuple[Float32[Tensor, "batch class"], Float32[Tensor, "batch class"]]:
        """Probabilities and logits."""
        return self.answering.of_prepared(prepared)


def write_served(
    answering: Answering, shape: tuple[int, int, int], path: Path, metadata: Mapping[str, Any]
) -> None:
    """Write the graph from prepared pictures `channel height width` to answers; ModelError as `write_onnx`."""
    example = torch.zeros(2, *shape)
    program = followed(Served(answering), (example,), ({0: Dim("batch", min=1)},))
    model = graph_of(program, [INPUT], OUTPUTS)
    tidy(model, ("batch", "channel", "height", "width"))
    describe(model, metadata)
    path.write_bytes(model.SerializeToString())


def ask_served(path: Path) -> Ask:
    """A function that asks such a graph, through onnxruntime on the processor."""
    session = session_of(path, threads=torch.get_num_threads())

    def ask(
        pictures: Float32[np.ndarray, "batch channel height width"],
    ) -> tuple[Float32[np.ndarray, "batch class"], Float32[np.ndarray, "batch class"]]:
        probabilities, logits = session.run(list(OUTPUTS), {INPUT: pictures})
        return np.asarray(probabilities), np.asarray(logits)

    return ask

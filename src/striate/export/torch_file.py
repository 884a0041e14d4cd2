"""A `torch.export` archive: the same graph as the ONNX file, for torch alone."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from striate.export.answering import Answering
from striate.export.parity import Answers
from striate.export.tracing import silenced, traced

ABOUT = "striate.json"
"""The file in the archive that holds the metadata."""


def write_torch(answering: Answering, path: Path, metadata: Mapping[str, Any]) -> None:
    """Write a module as an archive for `torch.export.load`, with its metadata as `striate.json` in it."""
    program = traced(answering)
    with silenced(), path.open("wb") as file:
        torch.export.save(program, file, extra_files={ABOUT: json.dumps(metadata, ensure_ascii=False)})


def torch_answers(
    path: Path,
) -> Callable[[Float32[np.ndarray, "batch height width channel"], float], Answers]:
    """A function that asks an archive."""
    with silenced(), path.open("rb") as file:
        module = torch.export.load(file).module()

    def answers(pixels: Float32[np.ndarray, "batch height width channel"], full_scale: float) -> Answers:
        with torch.inference_mode():
            said, _, prepared = module(torch.from_numpy(pixels), torch.tensor(full_scale))
        return Answers(said.numpy(), prepared.numpy())

    return answers

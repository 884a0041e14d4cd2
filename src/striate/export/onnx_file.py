"""ONNX: one file that holds everything from decoded pixels to calibrated probabilities, and how it answers."""

import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch.export import ExportedProgram

from striate.errors import ModelError, StriateError
from striate.export.answering import Answering
from striate.export.parity import Answers
from striate.export.tracing import AXES, INPUTS, OUTPUTS, first_line, silenced, traced

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
OPSET = 20
LARGEST = 2**31 - 1
"""Bytes that one protocol buffer can hold."""


def require_onnx() -> None:
    """StriateError, with the command that installs them, where one of the packages for ONNX is missing."""
    for name in PACKAGES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise StriateError(
                f"ONNX files need {', '.join(PACKAGES)}, and {name} is not installed: pip install 'striate[onnx]'"
            ) from error


def write_onnx(answering: Answering, path: Path, metadata: Mapping[str, Any], full_scale: float) -> None:
    """Write a module as one ONNX file; `full_scale` is what its input of that name is where nothing is given.

    Raises ModelError for a network that cannot be expressed in ONNX, or is too large for one file.
    """
    import onnx

    model = graph_of(traced(answering), INPUTS, OUTPUTS)
    tidy(model, AXES)
    default = onnx.numpy_helper.from_array(np.array(full_scale, np.float32), INPUTS[1])
    model.graph.initializer.append(default)
    describe(model, {**metadata, "opset": OPSET})
    path.write_bytes(model.SerializeToString())


def graph_of(program: ExportedProgram, inputs: Sequence[str], outputs: Sequence[str]) -> Any:
    """A followed module as an ONNX model; raises ModelError as `write_onnx` does."""
    try:
        with silenced(), torch.no_grad():
            made = torch.onnx.export(
                program,
                dynamo=True,
                external_data=False,
                input_names=list(inputs),
                output_names=list(outputs),
                opset_version=OPSET,
                verbose=False,
            )
    except Exception as error:  # an operation without a counterpart, in whatever words
        raise ModelError(
            f"The network cannot be exported to ONNX: {first_line(error)}. --to torch writes it for torch."
        ) from error
    assert made is not None, "the exporter returns its program"
    model = made.model_proto
    if model.ByteSize() > LARGEST:
        raise ModelError("The network is larger than the 2 GB that one ONNX file can hold: use --to torch.")
    return model


def tidy(model: Any, axes: Sequence[str]) -> None:
    """Names for the open axes of the first input, and none of the exporter's notes on our source files."""
    graph = model.graph
    names = {
        axis.dim_param: name
        for axis, name in zip(graph.input[0].type.tensor_type.shape.dim, axes, strict=True)
        if axis.dim_param
    }
    for value in (*graph.input, *graph.output):
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param in names:
                axis.dim_param = names[axis.dim_param]
    del graph.value_info[:]
    for part in (*graph.node, *graph.initializer, *graph.input, *graph.output, graph):
        del part.metadata_props[:]
        part.doc_string = ""


def describe(model: Any, metadata: Mapping[str, Any]) -> None:
    """Put what a user must know into a model's metadata: text as it is, anything else as JSON."""
    model.producer_name, model.producer_version = "striate", str(metadata["striate_version"])
    model.doc_string = str(metadata["notice"])
    del model.metadata_props[:]
    for key, value in metadata.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        model.metadata_props.add(key=key, value=text)


def onnx_answers(path: Path) -> Callable[[Float32[np.ndarray, "batch height width channel"], float], Answers]:
    """A function that asks an ONNX file, through onnxruntime on the processor."""
    session = session_of(path, threads=torch.get_num_threads())
    wanted = ["probabilities", "prepared"]

    def answers(pixels: Float32[np.ndarray, "batch height width channel"], full_scale: float) -> Answers:
        feed = {INPUTS[0]: pixels, INPUTS[1]: np.array(full_scale, np.float32)}
        said, prepared = (np.asarray(output) for output in session.run(wanted, feed))
        return Answers(said, prepared)

    return answers


def session_of(path: Path, *, threads: int) -> Any:
    """An ONNX file in onnxruntime, on the processor."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.add_session_config_entry(
        "session.intra_op.allow_spinning", "0"
    )  # other work on the machine goes on
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

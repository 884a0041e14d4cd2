"""Tensors of the Open Inference Protocol, version 2: as JSON lists, or in bytes behind the JSON (Triton's extension).

https://github.com/kserve/open-inference-protocol and Triton's extension_binary_data.md.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.serving.refusals import Refusal

KINDS: dict[str, str] = {
    "BOOL": "?",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "INT16": "<i2",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
"""The data types that are taken and given, besides BYTES, and how numpy writes them."""
PREFIX = 4
"""Bytes that say how long an element of BYTES is."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A named array of the protocol; of BYTES, an object array of `bytes`."""

    name: str
    kind: str
    values: np.ndarray


def read_request(body: bytes, header_length: str | None) -> tuple[dict[str, Any], bytes]:
    """The JSON part of a request and the bytes behind it; Refusal 400 where it is none."""
    length = len(body)
    if header_length is not None:
        if not header_length.isascii() or not header_length.isdigit() or int(header_length) > len(body):
            raise Refusal(
                400,
                "Inference-Header-Content-Length is not the length of the JSON part.",
                given=header_length[:40],
                allowed=f"0 to {len(body)}",
            )
        length = int(header_length)
    try:
        content = json.loads(body[:length])
    except (ValueError, RecursionError) as error:
        raise Refusal(
            400, "The request is not JSON.", advice=f"Send an object with inputs: {error}"[:200]
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("inputs"), list):
        raise Refusal(400, "The request has no list of inputs.", allowed='{"inputs": [{"name": …}]}')
    return content, body[length:]


def read_tensors(inputs: Sequence[Any], behind: bytes) -> dict[str, Tensor]:
    """The inputs by name; Refusal 400 for one that is not what it says."""
    found: dict[str, Tensor] = {}
    for one in inputs:
        tensor, behind = _read(one, behind)
        if tensor.name in found:
            raise Refusal(400, "An input is given twice.", given=tensor.name)
        found[tensor.name] = tensor
    if behind:
        raise Refusal(400, "There are bytes behind the last input.", given=f"{len(behind)} bytes")
    return found


def _read(one: Any, behind: bytes) -> tuple[Tensor, bytes]:
    if not isinstance(one, dict):
        raise Refusal(400, "An input is no object.", allowed="name, datatype, shape, data")
    name, kind = str(one.get("name"))[:80], one.get("datatype")
    shape = _shape(name, one.get("shape"))
    if kind != "BYTES" and kind not in KINDS:
        raise Refusal(
            400,
            f"Input {name} has another data type.",
            given=str(kind)[:40],
            allowed=", ".join([*KINDS, "BYTES"]),
        )
    parameters = one.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is None:
        return Tensor(name, kind, _from_json(name, kind, shape, one.get("data"))), behind
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= len(behind):
        raise Refusal(
            400,
            f"Input {name} has another binary_data_size.",
            given=str(size)[:40],
            allowed=f"0 to {len(behind)}",
        )
    return Tensor(name, kind, _from_bytes(name, kind, shape, behind[:size])), behind[size:]


def _shape(name: str, shape: Any) -> tuple[int, ...]:
    whole = isinstance(shape, list) and all(isinstance(n, int) and not isinstance(n, bool) for n in shape)
    if not whole or len(shape) > 8 or any(size < 0 for size in shape):
        raise Refusal(
            400,
            f"Input {name} has no shape.",
            given=str(shape)[:80],
            allowed="a list of whole numbers, at most 8",
        )
    return tuple(shape)


def _from_bytes(name: str, kind: str, shape: tuple[int, ...], data: bytes) -> np.ndarray:
    count = math.prod(shape)
    if kind == "BYTES":
        return _in_shape(name, shape, count, _objects(list(_elements(name, data))))
    values = np.dtype(KINDS[kind])
    if len(data) != count * values.itemsize:
        raise Refusal(
            400,
            f"Input {name} has another size than its shape.",
            given=f"{len(data)} bytes",
            allowed=f"{count * values.itemsize} bytes for {list(shape)} of {kind}",
        )
    return np.frombuffer(data, values).reshape(shape)


def _elements(name: str, data: bytes) -> Iterator[bytes]:
    """The elements of BYTES, each after its length."""
    at = 0
    while at < len(data):
        end = at + PREFIX + int.from_bytes(data[at : at + PREFIX], "little")
        if len(data) < max(end, at + PREFIX):
            raise Refusal(400, f"Input {name} ends within an element.")
        yield data[at + PREFIX : end]
        at = end


def _from_json(name: str, kind: str, shape: tuple[int, ...], data: Any) -> np.ndarray:
    if not isinstance(data, list):
        raise Refusal(
            400, f"Input {name} has no data.", allowed="a list, or binary_data_size and bytes behind"
        )
    count = math.prod(shape)
    if kind == "BYTES":
        flat = _flat(data)
        if not all(isinstance(one, str) for one in flat):
            raise Refusal(400, f"Input {name} is of BYTES, which JSON holds as texts.")
        return _in_shape(name, shape, count, _objects([one.encode("latin-1", "replace") for one in flat]))
    try:
        values = np.asarray(data)
        if values.dtype.kind not in "biuf":
            raise ValueError("not numbers")
        typed = values.astype(KINDS[kind])
    except (ValueError, OverflowError, TypeError) as error:
        raise Refusal(400, f"The data of input {name} are no numbers of one shape.", allowed=kind) from error
    if kind[0] in "UI" and not np.array_equal(values, typed):
        raise Refusal(400, f"The data of input {name} do not fit into {kind}.")
    return _in_shape(name, shape, count, typed.ravel())


def _in_shape(name: str, shape: tuple[int, ...], count: int, flat: np.ndarray) -> np.ndarray:
    if len(flat) != count:
        raise Refusal(
            400,
            f"Input {name} has another number of values than its shape.",
            given=f"{len(flat)}",
            allowed=f"{count} for {list(shape)}",
        )
    return flat.reshape(shape)


def _flat(data: Any) -> list[Any]:
    return [part for one in data for part in (_flat(one) if isinstance(one, list) else [one])]


def _objects(parts: Sequence[bytes]) -> np.ndarray:
    made = np.empty(len(parts), object)
    made[:] = parts
    return made


def write_response(
    head: Mapping[str, Any], tensors: Sequence[Tensor], binary: Mapping[str, bool]
) -> tuple[bytes, int | None]:
    """The body of an answer, and the length of its JSON part where bytes follow it.

    `binary` says of each tensor whether its values come as bytes.
    """
    outputs, behind = [], b""
    for tensor in tensors:
        told: dict[str, Any] = {
            "name": tensor.name,
            "datatype": tensor.kind,
            "shape": list(tensor.values.shape),
        }
        if binary.get(tensor.name):
            data = _to_bytes(tensor)
            told["parameters"] = {"binary_data_size": len(data)}
            behind += data
        else:
            flat = tensor.values.ravel().tolist()
            told["data"] = [one.decode("utf8") for one in flat] if tensor.kind == "BYTES" else flat
        outputs.append(told)
    text = json.dumps({**head, "outputs": outputs}, ensure_ascii=False, allow_nan=False).encode("utf8")
    return text + behind, len(text) if any(binary.get(one.name) for one in tensors) else None


def _to_bytes(tensor: Tensor) -> bytes:
    if tensor.kind == "BYTES":
        return b"".join(len(one).to_bytes(PREFIX, "little") + one for one in tensor.values.ravel())
    return np.ascontiguousarray(tensor.values.astype(KINDS[tensor.kind])).tobytes()

"""NumPy's .npy: an array `height width` or `height width channel` as it was saved, never unpickled.

Taken are bool (0 and 255), uint8, uint16, int16 and float32 as they are, float16 and float64 as float32. Channels
come last: 1, 3, or, for uint8 and uint16, 2 and 4, whose last is opacity and is laid on white.
"""

import io

import numpy as np

from striate.errors import ImageError
from striate.pixels.formats.colour import narrowed, on_white
from striate.pixels.formats.content import Content
from striate.pixels.limits import limits
from striate.pixels.picture import Description, ImageArray

_HEADER_BYTES = 1 << 14
_DEPTHS = {"b1": "uint8", "u1": "uint8", "u2": "uint16", "i2": "int16"} | dict.fromkeys(
    ("f2", "f4", "f8"), "float32"
)
_MODES = {1: "grey", 2: "grey+alpha", 3: "RGB", 4: "RGBA"}


def describe(content: Content) -> Description:
    """What the array will be; ImageError gives the reason why it is not taken."""
    (height, width, samples), _, dtype, _ = _header(content)
    bits = 1 if dtype.kind == "b" else 8 * dtype.itemsize
    channels = 1 if samples < 3 else 3
    return Description(height, width, channels, _DEPTHS[dtype.str[1:]], "NPY", _MODES[samples], bits)


def decode(data: bytes) -> ImageArray:
    """The values, all of them; ImageError gives the reason."""
    shape, by_columns, dtype, start = _header(Content(data))
    if len(data) - start < int(np.prod(shape)) * dtype.itemsize:
        raise ImageError("the array ends before its last value: it is cut short")
    values = np.frombuffer(data, dtype, int(np.prod(shape)), start)
    values = values.reshape(shape, order="F" if by_columns else "C")
    if dtype.kind == "b":
        # One byte each; any but zero is true.
        return np.ascontiguousarray(np.where(values.view(np.uint8) != 0, 255, 0).astype(np.uint8))
    values = narrowed(values) if dtype.kind == "f" else values.astype(_DEPTHS[dtype.str[1:]], copy=False)
    return on_white(values) if shape[2] in (2, 4) else np.ascontiguousarray(values)


def _header(content: Content) -> tuple[tuple[int, int, int], bool, np.dtype, int]:
    """Shape with channels, whether columns come first, kind of values, and where they start."""
    file = io.BytesIO(content[0:_HEADER_BYTES])
    try:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, by_columns, dtype = read[version](file)
    except Exception:
        raise ImageError("its header is not that of a NumPy array: it is damaged or cut short") from None
    if dtype.hasobject or dtype.str[1:] not in _DEPTHS:
        raise ImageError(
            f"its values are {dtype.name if dtype.names is None else 'records'}; "
            "save bool, uint8, uint16, int16, float16, float32 or float64"
        )
    full = _with_channels(tuple(shape), dtype)
    limits().check_image(full[0], full[1], full[2], dtype.itemsize)
    return full, by_columns, dtype, file.tell()


def _with_channels(shape: tuple[int, ...], dtype: np.dtype) -> tuple[int, int, int]:
    if any(size < 0 for size in shape):
        raise ImageError("its header is not that of a NumPy array: it is damaged or cut short")
    full = (*shape, 1) if len(shape) == 2 else shape
    whole = dtype.str[1:] in ("u1", "u2")
    if len(full) == 3 and (full[2] in (1, 3) or (whole and full[2] in (2, 4))):
        return full
    said = f"its shape is {' × '.join(map(str, shape)) or 'that of a single number'}"
    wanted = "height × width, or height × width × channel with 1 or 3 channels (2 or 4 with opacity in uint8 or uint16)"
    if len(full) == 3 and full[0] in (1, 3):
        raise ImageError(f"{said}; channels come last here: save array.transpose(1, 2, 0)")
    raise ImageError(f"{said}; {wanted} is taken, one image a file")

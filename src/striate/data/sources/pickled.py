"""Pickled dictionaries and arrays read as data: nothing is imported, called or built but plain values.

A pickle is a program for a small stack machine (Python's `pickletools` documents its opcodes). Only those are
known here that write dictionaries, lists, text, numbers and numpy's arrays; numpy's own constructors are
recognised by name and answered with records of what they were given. Any other name is refused.
"""

import codecs
import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Shaped

from striate.errors import SourceError

MARK = object()
# The largest CIFAR file takes some 250,000; each may ask for an object, so that their number bounds the memory.
STEPS = 4_000_000
KINDS = re.compile(r"[biuf][1248]")
RECONSTRUCT = {("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct")}
KNOWN = RECONSTRUCT | {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}


@dataclass(frozen=True)
class _Name:
    """What a pickle would import: its module and its name."""

    module: str
    name: str


@dataclass
class _Record:
    """A call that a pickle would make of one of numpy's constructors, and the state it would set."""

    name: str
    arguments: tuple[Any, ...]
    state: tuple[Any, ...] = field(default=())


class _RefusedError(Exception):
    """The pickle asks for what is not plain data; the text says for what."""


def read_pickle(data: bytes, name: str) -> Any:
    """The dictionaries, lists, text, bytes, numbers and arrays in a pickle of protocol 2 to 4.

    >>> import pickle
    >>> read_pickle(pickle.dumps({"labels": [6, 9]}, protocol=2), "data_batch_1")
    {'labels': [6, 9]}

    Text of Python 2 comes back as bytes where it is not ASCII. Raises SourceError, with `name`, for a pickle that
    would import or run anything, that uses other opcodes, or that is damaged.
    """
    machine = _Machine(data)
    try:
        return _plain(machine.run())
    except _RefusedError as error:
        raise SourceError(
            f"{name} is refused: {error}, which plain data never need; striate reads such files without running them"
        ) from None
    except (
        IndexError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        struct.error,
    ) as error:
        raise SourceError(
            f"{name} is a damaged pickle: it cannot be read as dictionaries and arrays"
        ) from error


class _Machine:
    """The stack, the memo and the place in the program."""

    def __init__(self, data: bytes) -> None:
        self.data = memoryview(data)
        self.at = 0
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        """The value at the program's end."""
        for _ in range(STEPS):
            code = self.data[self.at]
            self.at += 1
            if code == 0x2E:  # STOP
                return self.stack.pop()
            if code not in OPCODES:
                raise _RefusedError(f"it uses opcode {code:#04x}")
            OPCODES[code](self)
        raise _RefusedError(f"it takes more than {STEPS:,} steps")

    def take(self, count: int) -> memoryview:
        """The next bytes of the program."""
        if self.at + count > len(self.data):
            raise ValueError("cut short")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, form: str) -> Any:
        """The next number of the program, in a form of `struct`."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> str:
        """The program up to the next end of line."""
        end = bytes(self.data[self.at : self.at + 256]).index(b"\n")
        return str(self.take(end + 1)[:-1], "ascii")

    def above_mark(self) -> list[Any]:
        """What was pushed since the last mark, which is taken away."""
        mark = next((place for place in reversed(range(len(self.stack))) if self.stack[place] is MARK), None)
        if mark is None:
            raise ValueError("no mark")
        found = self.stack[mark + 1 :]
        del self.stack[mark:]
        return found

    def name(self, module: str, name: str) -> None:
        """Pushes a name that numpy's arrays use; every other is refused."""
        if (module, name) not in KNOWN:
            raise _RefusedError(f"it asks for {module}.{name}")
        self.stack.append(_Name(module, name))

    def call(self) -> None:
        """Answers the call of a known name with a record of it."""
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, _Name) or function.name == "ndarray":
            raise _RefusedError("it calls what is no constructor of arrays")
        if function.name == "encode":
            text, encoding = arguments
            if encoding != "latin1":
                raise _RefusedError(f"it encodes text as {encoding!r}")
            self.stack.append(codecs.latin_1_encode(text)[0])
        else:
            self.stack.append(_Record(function.name, tuple(arguments)))

    def build(self) -> None:
        """Keeps the state that an array or a type would be given."""
        state, record = self.stack.pop(), self.stack[-1]
        if not isinstance(record, _Record):
            raise _RefusedError("it sets the state of what is no array")
        record.state = tuple(state)


def _text(machine: _Machine, form: str, *, raw: bool) -> Any:
    data = bytes(machine.take(machine.number(form)))
    if raw:  # a string of Python 2: text where it can be, and bytes where it holds values
        return data.decode("ascii") if data.isascii() and len(data) < 4096 else data
    return data.decode("utf-8", "surrogatepass")


def _skip(count: int) -> Callable[[_Machine], None]:
    def skip(machine: _Machine) -> None:
        machine.take(count)

    return skip


def _push(read: Callable[[_Machine], Any]) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(read(machine))


def _extend(machine: _Machine) -> None:
    items = machine.above_mark()
    machine.stack[-1] += items


def _append(machine: _Machine) -> None:
    item = machine.stack.pop()
    machine.stack[-1].append(item)


def _set_items(machine: _Machine) -> None:
    items = machine.above_mark()
    machine.stack[-1].update(zip(items[::2], items[1::2], strict=True))


def _set_item(machine: _Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    machine.stack[-1][key] = value


def _tuple(count: int) -> Callable[[_Machine], None]:
    def push(machine: _Machine) -> None:
        items = machine.stack[len(machine.stack) - count :]
        del machine.stack[len(machine.stack) - count :]
        machine.stack.append(tuple(items))

    return push


def _remember(read: Callable[[_Machine], int]) -> Callable[[_Machine], None]:
    def put(machine: _Machine) -> None:
        machine.memo[read(machine)] = machine.stack[-1]

    return put


OPCODES: dict[int, Callable[[_Machine], None]] = {
    0x80: _skip(1),  # PROTO
    0x95: _skip(8),  # FRAME
    ord("("): _push(lambda machine: MARK),
    ord("N"): _push(lambda machine: None),
    0x88: _push(lambda machine: True),
    0x89: _push(lambda machine: False),
    ord("K"): _push(lambda machine: machine.number("<B")),
    ord("M"): _push(lambda machine: machine.number("<H")),
    ord("J"): _push(lambda machine: machine.number("<i")),
    0x8A: _push(lambda machine: int.from_bytes(machine.take(machine.number("<B")), "little", signed=True)),
    ord("G"): _push(lambda machine: machine.number(">d")),
    ord("U"): _push(lambda machine: _text(machine, "<B", raw=True)),
    ord("T"): _push(lambda machine: _text(machine, "<I", raw=True)),
    ord("C"): _push(lambda machine: bytes(machine.take(machine.number("<B")))),
    ord("B"): _push(lambda machine: bytes(machine.take(machine.number("<I")))),
    0x8E: _push(lambda machine: bytes(machine.take(machine.number("<Q")))),
    0x8C: _push(lambda machine: _text(machine, "<B", raw=False)),
    ord("X"): _push(lambda machine: _text(machine, "<I", raw=False)),
    ord("]"): _push(lambda machine: []),
    ord("}"): _push(lambda machine: {}),
    ord(")"): _push(lambda machine: ()),
    ord("t"): _push(lambda machine: tuple(machine.above_mark())),
    0x85: _tuple(1),
    0x86: _tuple(2),
    0x87: _tuple(3),
    ord("a"): _append,
    ord("e"): _extend,
    ord("s"): _set_item,
    ord("u"): _set_items,
    ord("q"): _remember(lambda machine: machine.number("<B")),
    ord("r"): _remember(lambda machine: machine.number("<I")),
    0x94: _remember(lambda machine: len(machine.memo)),
    ord("h"): _push(lambda machine: machine.memo[machine.number("<B")]),
    ord("j"): _push(lambda machine: machine.memo[machine.number("<I")]),
    ord("c"): lambda machine: machine.name(machine.line(), machine.line()),
    0x93: lambda machine: machine.name(*reversed((machine.stack.pop(), machine.stack.pop()))),
    ord("R"): _Machine.call,
    ord("b"): _Machine.build,
}
"""The opcodes that plain data and arrays are written in; `pickletools` has their names and meanings."""


def _plain(value: Any) -> Any:
    """The value itself, or the one that its dictionary holds, with records of arrays made arrays."""
    if isinstance(value, dict):
        return {_word(key): _array(entry) for key, entry in value.items()}
    return _array(value)


def _word(key: Any) -> Any:
    return key.decode("ascii") if isinstance(key, bytes) else key


def _array(value: Any) -> Any:
    if isinstance(value, _Name):
        raise _RefusedError(f"it keeps {value.module}.{value.name}")
    return _rebuilt(value) if isinstance(value, _Record) else value


def _rebuilt(record: _Record) -> Shaped[np.ndarray, "..."]:
    """The array that numpy would make of a record: its state is version, shape, type, order, values."""
    _, shape, kind, fortran, values = record.state
    spelt, order = kind.arguments[0], kind.state[1]
    if kind.name != "dtype" or not KINDS.fullmatch(spelt):
        raise _RefusedError("it holds an array of objects")
    dtype = np.dtype(spelt).newbyteorder(order)
    if not 1 <= len(shape) <= 4 or math.prod(shape) * dtype.itemsize != len(values):
        raise ValueError("the shape does not fit the values")
    if isinstance(values, str):
        values = values.encode("ascii")
    array = np.frombuffer(values, dtype)
    return array.reshape(shape, order="F" if fortran else "C").astype(dtype.newbyteorder("="), copy=False)

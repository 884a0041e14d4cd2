"""The options of a method of explanation: its own keyword parameters, checked by name and read from text."""

import inspect
import types
from collections.abc import Iterable
from typing import Any, Literal, Union, get_args, get_origin

import torch
from jaxtyping import AbstractArray

from striate.errors import UsageError, suggestion
from striate.explanation.method import Method

TRUTHS = {"true": True, "false": False}


def options_of(method: Method) -> dict[str, Any]:
    """The options that a method has, by name, each with the annotation of its values."""
    parameters = inspect.signature(method.function).parameters.values()
    return {
        one.name: one.annotation for one in parameters if one.kind is one.KEYWORD_ONLY and one.name != "stage"
    }


def require_options(method: Method, names: Iterable[str]) -> None:
    """UsageError, with the nearest one, for an option that the method has not."""
    known = options_of(method)
    for name in names:
        if name not in known:
            advice = suggestion(name, known) if known else "it has none."
            raise UsageError(f"{method.title} has no option {name!r}; {advice}")


def read_options(method: Method, settings: Iterable[str]) -> dict[str, Any]:
    """The options in `name=value` texts, as `--set` takes them, each read as the kind of value the method takes.

    >>> from striate.explanation import METHODS
    >>> read_options(METHODS["smooth_grad"], ["samples=8", "sigma=0.2"])
    {'samples': 8, 'sigma': 0.2}

    `none` is the absent value; two numbers are `3,5`; an array is one number, or one a channel. Raises UsageError for
    another name or another kind.
    """
    read: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = (part.strip() for part in setting.partition("="))
        if not (name and equals and text):
            raise UsageError(f"--set {setting}: write an option of the method and a value, such as steps=64.")
        require_options(method, [name])
        if name in read:
            raise UsageError(f"--set {name} is given twice; once is enough.")
        read[name] = _read(name, text, options_of(method)[name])
    return read


def plain(value: Any) -> Any:
    """An option as JSON can hold it."""
    return value.tolist() if isinstance(value, torch.Tensor) else value


def _read(name: str, text: str, annotation: Any) -> Any:
    kinds = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    for kind in kinds:
        try:
            return _read_as(kind, text)
        except ValueError:
            continue
    wanted = " or ".join(_in_words(kind) for kind in kinds)
    raise UsageError(f"--set {name}={text}: {name} is {wanted}.")


def _read_as(kind: Any, text: str) -> Any:
    """ValueError where the text is no such value."""
    if kind is type(None):
        if text.lower() == "none":
            return None
        raise ValueError(text)
    if kind is bool:
        if text.lower() in TRUTHS:
            return TRUTHS[text.lower()]
        raise ValueError(text)
    if get_origin(kind) is Literal:
        return get_args(kind)[[str(word) for word in get_args(kind)].index(text)]
    if get_origin(kind) is tuple:
        parts = text.split(",")
        if len(parts) != len(get_args(kind)):
            raise ValueError(text)
        return tuple(_read_as(one, part) for one, part in zip(get_args(kind), parts, strict=True))
    if isinstance(kind, type) and issubclass(kind, AbstractArray | torch.Tensor):
        return torch.tensor([float(part) for part in text.split(",")])[:, None, None]
    return kind(text)


def _in_words(kind: Any) -> str:
    if kind is type(None):
        return "none"
    if get_origin(kind) is Literal:
        return ", ".join(map(str, get_args(kind)))
    if get_origin(kind) is tuple:
        return ",".join(_in_words(one) for one in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, AbstractArray | torch.Tensor):
        return "a number, or one a channel such as 0.1,0.2,0.3"
    words = {int: "a whole number", float: "a number", bool: "true or false"}
    return words.get(kind, getattr(kind, "__name__", str(kind)))

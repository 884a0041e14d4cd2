"""Write the reference: every public name, fields, verbs and networks, all from the code itself."""

import ast
import importlib
import inspect
import itertools
import typing
from pathlib import Path
from types import ModuleType

from plain import inline, to_rst
from staging import write

import striate

THEMES: dict[str, tuple[str, tuple[str, ...]]] = {
    "classifier": (
        "Classifier, answers, runs",
        (
            "classifier", "classifier.exporting", "classifier.following", "classifier.responding",
            "classifier.folds.folding", "classifier.curve.learning", "classifier.comparison.comparing",
        ),
    ),
    "images": ("Images and their audit", ("data",)),
    "pictures": (
        "One picture: reading, preparing, writing",
        (
            "pixels", "pixels.reading", "pixels.raw", "pixels.picture", "pixels.preview", "pixels.working_copy",
            "pixels.writing", "pixels.examples",
        ),
    ),
    "convolution": (
        "Kernels, convolution, pooling, sizes",
        (
            "pixels.convolution", "pixels.pooling", "pixels.filtering", "pixels.properties", "pixels.steps",
            "pixels.showing", "pixels.results", "shapes",
        ),
    ),
    "training": ("Training", ("training",)),
    "networks": ("Networks", ("models",)),
    "verdict": ("The verdict", ("evaluation",)),
    "explanation": ("Reasons, and what was learned", ("explanation", "classifier.explaining", "classifier.probes")),
    "serving": ("Serving", ("serving",)),
    "errors": ("Errors", ("errors",)),
}  # fmt: skip
"""Title and homes of each page: a home is a module, or a room with all that is in it and on no other page."""
MODULES = {"kernels": "convolution", "activations": "convolution"}
VERBS = (
    "train", "evaluate", "predict", "explain", "compare", "export", "serve", "models", "probe", "curve", "filter",
    "data inspect", "data audit", "data split", "data pack", "data download",
)  # fmt: skip


def write_reference(folder: Path) -> None:
    """All generated pages, into `folder`."""
    for theme, names in names_by_theme().items():
        write(folder / f"{theme}.rst", theme_page(theme, names))
    write(folder / "recipe.rst", recipe_page())
    write(folder / "command-line.rst", command_page())
    write(folder / "list-of-networks.rst", networks_page())


def names_by_theme() -> dict[str, list[str]]:
    """Every public name under its page, classes first."""
    homes = {home: theme for theme, (_, homes) in THEMES.items() for home in homes}
    found: dict[str, list[str]] = {theme: [] for theme in THEMES}
    for name in striate.__all__:
        home = striate.HOMES[name].removeprefix("striate.")
        while home not in homes and "." in home:
            home = home.rpartition(".")[0]
        found[MODULES.get(name) or homes[home]].append(name)
    for names in found.values():
        names.sort(key=lambda name: (not name[0].isupper(), name))
    return found


def theme_page(theme: str, names: list[str]) -> str:
    """One page of public names."""
    title = THEMES[theme][0]
    lines = [title, "=" * len(title), "", ".. currentmodule:: striate", ""]
    return "\n".join([*lines, *(line for name in names for line in entry(name))]) + "\n"


def entry(name: str) -> list[str]:
    """What the reference says of one name."""
    value = getattr(striate, name)
    if isinstance(value, ModuleType):
        return module_entry(name, value)
    if inspect.isclass(value):
        return class_entry(name, value)
    if inspect.isfunction(value):
        return [f".. autofunction:: striate.{name}", ""]
    body = [f"   {line}" for line in to_rst(said_of_constant(name))]
    return [f".. py:data:: striate.{name}", "", *body, *constant_values(value), ""]


def class_entry(name: str, value: type) -> list[str]:
    """A class with its documented members; of the recipe the fields stand on a page of their own."""
    if not issubclass(value, BaseException) and hasattr(value, "model_fields"):
        own = [key for key, member in vars(value).items() if is_shown(key, member)]
        lines = [f".. autoclass:: striate.{name}(**fields)", f"   :members: {', '.join(own)}", ""]
        if name == "Recipe":
            lines += ["   Every field: :doc:`recipe`.", ""]
        return lines
    if issubclass(value, BaseException):
        return [f".. autoexception:: striate.{name}", "   :show-inheritance:", ""]
    return [f".. autoclass:: striate.{name}", "   :members:", ""]


def is_shown(key: str, member: object) -> bool:
    """Whether a member of a validated record is ours and documented."""
    return (
        not key.startswith(("_", "model_"))
        and bool(getattr(member, "__doc__", None))
        and (inspect.isroutine(member) or isinstance(member, property | classmethod))
    )


def module_entry(name: str, module: ModuleType) -> list[str]:
    """A public name that is a module: its words and its functions; of the kernels, each with its weights."""
    lines = [f".. py:module:: striate.{name}", "", f"striate.{name}", "-" * (len(name) + 8), ""]
    lines += [*to_rst(module.__doc__ or ""), ".. currentmodule:: striate", ""]
    for key, value in vars(module).items():
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not key.startswith("_"):
            lines += [f".. autofunction:: striate.{name}.{key}", ""]
    named = getattr(module, "NAMED", {})
    if named:
        lines += ["Named kernels", "~~~~~~~~~~~~~", ""]
        rows = [(f"``{one.name}``", inline(one.summary), inline(one.source)) for one in named.values()]
        lines += table(("name", "answers to", "source"), rows)
    return lines


def said_of_constant(name: str) -> str:
    """The text below an assignment, which Python itself does not keep."""
    path = Path(importlib.import_module(striate.HOMES[name]).__file__ or "")
    body = ast.parse(path.read_text(encoding="utf8")).body
    for node, after in itertools.pairwise(body):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
        if named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            return str(after.value.value)
    return ""


def constant_values(value: object) -> list[str]:
    """What a constant holds, where that is a few words."""
    words = list(value) if isinstance(value, dict | tuple | list) else []
    return [f"   It holds {', '.join(f'``{word}``' for word in words)}.", ""] if words else []


def recipe_page() -> str:
    """Every field of the recipe with its kind, its default and its meaning."""
    rows = []
    for name, field in striate.Recipe.model_fields.items():
        default = "none" if field.default is None else str(field.default)
        default = default.lower() if isinstance(field.default, bool) else default
        rows.append((f"``{name}``", kind(field), f"``{default}``", inline(field.description or "")))
    lines = [
        "Fields of the recipe", "====================", "",
        "Everything that decides how a network is trained: ``striate train … --set FIELD=VALUE``, in Python "
        ":py:obj:`striate.Recipe` with ``FIELD=VALUE``. ``none`` is the absent value.", "",
    ]  # fmt: skip
    return "\n".join([*lines, *table(("field", "allowed", "default", "meaning"), rows)]) + "\n"


def kind(field: typing.Any) -> str:
    """The values that a field may have, in words."""
    members = [field.annotation]
    if typing.get_origin(field.annotation) not in (None, typing.Literal):
        members = list(typing.get_args(field.annotation))
    words: list[str] = []
    for member in members:
        if typing.get_origin(member) is typing.Literal:
            words += [f"``{choice}``" for choice in typing.get_args(member)]
        elif member is type(None):
            words.append("``none``")
        else:
            plain = {int: "whole number", float: "number", str: "text", bool: "true or false"}
            words.append(plain.get(member, str(getattr(member, "__name__", member))))
    bounds = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    limits = [
        f"{sign} {getattr(rule, key)}"
        for rule in field.metadata
        for key, sign in bounds.items()
        if hasattr(rule, key)
    ]
    return ", ".join([*words, *limits])


def command_page() -> str:
    """What every verb says of itself."""
    from typer.testing import CliRunner

    from striate.cli import app

    lines = ["The command line", "================", "", "What ``--help`` says, verb by verb.", ""]
    for verb in ("", *VERBS):
        asked = CliRunner().invoke(app, [*verb.split(), "--help"], prog_name="striate", terminal_width=100)
        if asked.exit_code:
            raise SystemExit(f"striate {verb} --help failed: {asked.output}")
        title = f"striate {verb}".strip()
        lines += [title, "-" * len(title), "", ".. code-block:: text", ""]
        lines += [f"   {line}".rstrip() for line in asked.output.splitlines()] + [""]
    return "\n".join(lines)


def networks_page() -> str:
    """Every network of the catalogue, counted at its own input size."""
    rows, notes = [], []
    for name in striate.model_names():
        entry = striate.model_entry(name)
        channels, *size = entry.default_input
        network = striate.create_model(
            name, classes=entry.default_classes, channels=channels, size=tuple(size), weights=False
        )
        parameters = sum(one.numel() for one in network.parameters())
        shape = " × ".join(map(str, entry.default_input))
        rows.append((f"``{name}``", inline(entry.summary), shape, f"{parameters:,}"))
        notes += [name, "-" * len(name), "", f"{inline(entry.paper or entry.summary)}.", ""]
        notes += [f"- Departure: {inline(text)}" for text in entry.departures]
        notes += [f"- Disagreement: {inline(text)}" for text in entry.disagreements] + [""]
    lines = [
        "List of networks", "================", "",
        "``striate models NAME`` prints every layer; :py:obj:`striate.create_model` builds one. Parameters are counted "
        "at the input shape given, channel × height × width, and the entry's own number of classes. Speed and memory: "
        ":doc:`../networks`.", "",
    ]  # fmt: skip
    lines += table(("name", "what it is", "input", "parameters"), rows)
    return "\n".join([*lines, *notes]) + "\n"


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """A table whose cells are one line each."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in [heads, *rows]:
        lines += [f"   {'* -' if not number else '  -'} {cell}" for number, cell in enumerate(row)]
    return [*lines, ""]

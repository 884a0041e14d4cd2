"""The table of imports of DESIGN section 2, held by reading the source: left may import right, nothing else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "striate"
OPEN_TO_ALL = {"errors", "files", "shapes", "drawing"}
BELOW_CLASSIFIER = {"pixels", "data", "models", "training", "evaluation", "explanation", "run", "export"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "files": {"errors"},
    "shapes": set(),
    "drawing": set(),
    "pixels": OPEN_TO_ALL,
    "evaluation": OPEN_TO_ALL,
    "models": OPEN_TO_ALL,
    "data": OPEN_TO_ALL | {"pixels", "evaluation.intervals"},
    "training": OPEN_TO_ALL | {"evaluation"},
    "explanation": OPEN_TO_ALL | {"models", "evaluation.intervals"},
    "run": OPEN_TO_ALL | {"models", "pixels.preparation", "training.recipe", "training.history"},
    "export": OPEN_TO_ALL | {"run", "models", "pixels.preparation", "evaluation.intervals"},
    "classifier": OPEN_TO_ALL | BELOW_CLASSIFIER,
    "__init__": OPEN_TO_ALL | BELOW_CLASSIFIER | {"classifier", "serving"},
    "__main__": {"cli"},
    "serving": set(),
    "cli": set(),
}
ROOT_ONLY = {"cli", "serving"}
"""Rooms that use the package root alone: if they need more, the public API is too small."""
WITHOUT_TORCH = {"errors", "files", "shapes", "drawing", "pixels", "evaluation"}


def room_of(path: Path) -> str:
    """The room a file stands in: its folder below the package, or its own name."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, at any depth of the file, as an absolute dotted name."""
    package = ["striate", *path.relative_to(SOURCE).parts[:-1]] if path.is_relative_to(SOURCE) else ["bench"]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, node.module] if node.module else base)
            yield stem
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> set[str]:
    """What a file imports of ours, without the leading `striate.`, its own room left out."""
    names = {name.removeprefix("striate.") for name in imports(path) if name.startswith("striate.")}
    return {name for name in names if name.split(".")[0] != room_of(path)}


def modules_of_ours() -> set[str]:
    """Dotted names of all our modules and packages, without the leading `striate.`."""
    files = {path.relative_to(SOURCE).with_suffix("") for path in SOURCE.rglob("*.py")}
    dotted = {".".join(path.parts).removesuffix(".__init__") for path in files}
    return dotted | {name.split(".")[0] for name in dotted}


FILES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_arrows_point_one_way(path: Path) -> None:
    """Every import of ours is one that the table allows."""
    room = room_of(path)
    assert room in ALLOWED, f"{room} is a room that the table of imports does not know"
    modules = {name for name in own_imports(path) if name in modules_of_ours()}
    if room in ROOT_ONLY:
        assert not modules, f"{path.name} may use the package root only, not {sorted(modules)}"
    allowed = ALLOWED[room]
    refused = [
        name
        for name in modules
        if not any(
            name == free or name.startswith(f"{free}.") or free.startswith(f"{name}.") for free in allowed
        )
    ]
    assert not refused, f"{room} may not import {sorted(refused)}"


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if room_of(path) in WITHOUT_TORCH],
    ids=lambda path: str(path.relative_to(SOURCE)),
)
def test_rooms_without_torch(path: Path) -> None:
    """Pixels and evaluation are arrays in, numbers out: no torch, not even inside a function."""
    assert not [name for name in imports(path) if name.split(".")[0] == "torch"]


@pytest.mark.parametrize(
    "path",
    [
        path
        for room in ("bench", "recipes", "lessons")
        for path in sorted((SOURCE.parents[1] / room).rglob("*.py"))
    ],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_bench_recipes_and_lessons_use_the_package_root_alone(path: Path) -> None:
    """If a bench, a recipe or a lesson needs more than the public names, the public API is too small."""
    deeper = {f"striate.{name}" for name in modules_of_ours()}
    assert not deeper.intersection(imports(path))


def test_no_star_imports() -> None:
    """Public names are chosen one by one."""
    starred = [
        str(path)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8")))
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    ]
    assert not starred

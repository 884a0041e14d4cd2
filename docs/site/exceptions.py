"""What the pages show and the build does not run, each with the reason and the check that takes its place."""

import ast
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]


def target_exists(words: list[str]) -> str | None:
    """A target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf8")
    return None if re.search(rf"^{words[1]}:", makefile, re.M) else f"the Makefile has no target {words[1]}"


def options_exist(words: list[str]) -> str | None:
    """A verb of striate, and options that it has."""
    from typer.main import get_command

    from striate.cli import app

    verb = get_command(app).commands[words[1]]  # type: ignore[attr-defined]
    known = {name for parameter in verb.params for name in parameter.opts}
    unknown = [word for word in words if word.startswith("-") and word not in known]
    return f"{words[1]} has no option {', '.join(unknown)}" if unknown else None


def extras_exist(words: list[str]) -> str | None:
    """Extras that pyproject.toml has, and versions that constraints.txt pins."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"][
        "optional-dependencies"
    ]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf8").splitlines()
    for word in words:
        asked = re.fullmatch(r"(?:striate|\.)\[([\w,]+)\]", word)
        if asked and not set(asked[1].split(",")) <= set(extras):
            return f"there are no such extras: {asked[1]}"
        if "==" in word and word not in pins:
            return f"constraints.txt does not pin {word}"
    return None


def benches_exist(words: list[str]) -> str | None:
    """Names of `bench.__main__.BENCHES`."""
    tree = ast.parse((ROOT / "bench" / "__main__.py").read_text(encoding="utf8"))
    tables = [
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "BENCHES"
    ]
    known = {
        ast.literal_eval(key) for table in tables if isinstance(table, ast.Dict) for key in table.keys if key
    }
    unknown = set(words[words.index("bench") + 1 :]) - known
    return f"there is no bench {', '.join(sorted(unknown))}" if unknown else None


def recipe_exists(words: list[str]) -> str | None:
    """A recipe's file, NAME standing for any, and options that `python -m recipes` has."""
    options = set(re.findall(r'"(--\w+)"', (ROOT / "recipes" / "__main__.py").read_text(encoding="utf8")))
    for word in words[words.index("recipes") + 1 :]:
        known = word in options or word == "NAME" or (ROOT / "recipes" / f"{word}.py").exists()
        if not known:
            return f"recipes has no {word}"
    return None


def files_exist(words: list[str]) -> str | None:
    """Python files of the repository that are named."""
    missing = [word for word in words if word.endswith(".py") and not (ROOT / word).exists()]
    return f"there is no {', '.join(missing)}" if missing else None


def nothing(words: list[str]) -> str | None:
    """Nothing that could be checked without doing it."""
    return None


EXCEPTIONS: tuple[tuple[str, str, Callable[[list[str]], str | None]], ...] = (
    (r"make \w+", "checks, sets up or measures everything: minutes to hours", target_exists),
    (r"python3(\.\d+)? -m venv .*", "makes an environment", nothing),
    (r"(\S*/)?pip install .*", "needs a network", extras_exist),
    (r"striate train .*--weights torchvision:.*", "downloads published weights", options_exist),
    (r"striate serve .*--host 0\.0\.0\.0.*", "opens a service to other machines", options_exist),
    (r"tensorboard --logdir .*", "runs until it is stopped", nothing),
    (r"python -m bench .*", "measures for minutes to hours", benches_exist),
    (
        r"(\w+=\S+ )?python -m recipes.*",
        "trains for minutes to hours; tests/test_recipes.py runs all in small",
        recipe_exists,
    ),
    (r"python lessons/.*", "run by the build itself, as a page", files_exist),
    (r"\w+/bin/python bench/peers/.*", "needs another tool's environment", files_exist),
    (r"export \w+=.*", "names a folder of the reader's", nothing),
)
"""A pattern for the whole command, the reason, the check: None, or what is wrong."""

MEASURED: tuple[tuple[str, str, str], ...] = (
    ("docs/adapting.md", "striate probe", "which stage is highest depends on the images"),
    ("docs/adapting.md", "striate compare", "which run is better depends on the epochs"),
    (
        "docs/explaining.md",
        "striate explain runs/five deer.png",
        "what the checks find depends on the network",
    ),
    ("docs/verdict.md", "striate curve", "what the law says depends on the trainings"),
    ("docs/serving.md", "curl -F f=@seven.png", "the stage looked at depends on the network"),
)
"""Page, beginning of a command, and why its words, and not only its numbers, stand as they were measured once."""

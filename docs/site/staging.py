"""Lay out the source of the site: pages, lessons and pictures as copies, links turned so that they lead within it.

A page stays where a reader of the repository finds it, and its links are those of the repository. In the site the pages
of `docs/` stand at the top, everything else under the path that it has in the repository.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import striate

ROOT = Path(__file__).parents[2]
MORE_PAGES = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "recipes/README.md",
    "bench/peers/README.md",
    "lessons/README.md",
)
LINK = re.compile(r"(?<=\]\()(?!https?:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
FENCE = re.compile(r"^( {0,3})(```|~~~)")
NAME = re.compile(r"(?<!`)`striate\.(\w+)(\([^`]*\))?`(?!`)")


def stage(source: Path) -> None:
    """Fill `source` with everything that Sphinx reads but the reference; files that are as they were stay untouched."""
    wanted = {place_of(page): text_of(page) for page in pages()}
    wanted |= {place_of(lesson): lesson.read_text(encoding="utf8") for lesson in lesson_files()}
    for place, text in wanted.items():
        write(source / place, text)
    for left in [*source.rglob("*.md"), *source.glob("lessons/[0-9b]*.py")]:
        if PurePosixPath(left.relative_to(source).as_posix()) not in wanted:
            left.unlink()
    for picture in sorted((ROOT / "docs" / "images").glob("*")):
        copy(picture, source / "images" / picture.name)
    for path in linked():
        copy(path, source / place_of(path))
    for name in ("opening.py", "drawn.py"):
        copy(ROOT / "lessons" / name, source / "lessons" / name)


def pages() -> Iterator[Path]:
    """Every page of the site that is written by hand."""
    docs = ROOT / "docs"
    yield from sorted([*docs.glob("*.md"), *docs.glob("how-to/*.md")])
    yield from (ROOT / name for name in MORE_PAGES if (ROOT / name).exists())


def lesson_files() -> list[Path]:
    """The lessons in order, `break_it` last."""
    folder = ROOT / "lessons"
    return [*sorted(folder.glob("[0-9][0-9]_*.py")), *sorted(folder.glob("break_it.py"))]


def linked() -> set[Path]:
    """Files that some page links to and that are no pages."""
    found = {
        (page.parent / match[1]).resolve()
        for page in pages()
        for line in prose(page.read_text(encoding="utf8"))
        for match in LINK.finditer(line)
    }
    return {path for path in found if path.is_file() and path.suffix != ".md" and path not in lesson_files()}


def place_of(path: Path) -> PurePosixPath:
    """Where a file of the repository stands in the source of the site; Python that is no lesson, as text to be read."""
    inside = PurePosixPath(path.relative_to(ROOT).as_posix())
    if path.suffix == ".py" and path not in lesson_files():
        inside = inside.with_name(f"{path.name}.txt")
    return PurePosixPath(*inside.parts[1:]) if inside.parts[0] == "docs" else inside


def text_of(page: Path) -> str:
    """A page as the site has it: its links, public names as links to the reference, and the list of lessons."""
    lines = []
    for line, is_prose in told_apart(page.read_text(encoding="utf8")):
        lines.append(NAME.sub(name_link, LINK.sub(lambda m: turned(page, m), line)) if is_prose else line)
    text = "\n".join(lines) + "\n"
    if page.name == "lessons.md":
        entries = "\n".join(f"lessons/{lesson.stem}" for lesson in lesson_files())
        text += f"\n```{{toctree}}\n:maxdepth: 1\n\n{entries}\n```\n"
    return text


def turned(page: Path, match: re.Match[str]) -> str:
    """A link of the repository as a link of the site."""
    target = (page.parent / match[1]).resolve()
    if not target.exists() or not target.is_relative_to(ROOT):
        raise SystemExit(f"{page.relative_to(ROOT)}: the link {match[1]} leads nowhere.")
    if target.is_dir():
        target = target / "README.md" if (target / "README.md").exists() else ROOT / "docs" / "lessons.md"
    up = "../" * (len(place_of(page).parts) - 1)
    return f"{up}{place_of(target)}{match[2] or ''}"


def name_link(match: re.Match[str]) -> str:
    """A public name in code style as a link to where the reference explains it."""
    if match[1] not in striate.__all__:
        return match[0]
    return f"{{py:obj}}`striate.{match[1]}`"


def told_apart(text: str) -> Iterator[tuple[str, bool]]:
    """Every line, and whether it is prose: not within a fence, not indented as code."""
    fenced = False
    for line in text.splitlines():
        if FENCE.match(line):
            fenced = not fenced
            yield line, False
        else:
            yield line, not fenced and not line.startswith("    ")


def prose(text: str) -> Iterator[str]:
    """The lines that are prose."""
    return (line for line, is_prose in told_apart(text) if is_prose)


def write(path: Path, text: str) -> None:
    """Write a text file unless it says the same already, so that Sphinx reads anew what changed and nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf8") != text:
        path.write_text(text, encoding="utf8")


def copy(path: Path, target: Path) -> None:
    """Copy a file unless it is there already."""
    if not target.exists() or target.read_bytes() != path.read_bytes():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)

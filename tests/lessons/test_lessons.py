"""The lessons: their form, what they share, and that each runs to its end with nothing fetched."""

import ast
import os
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import striate

LESSONS = Path(__file__).parents[2] / "lessons"
sys.path.insert(0, str(LESSONS))

import drawn  # noqa: E402
import opening  # noqa: E402

FILES = [*sorted(LESSONS.glob("[0-9][0-9]_*.py")), LESSONS / "break_it.py"]
every_lesson = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
GUARD = """
import os, socket

def guarded(name):
    real = getattr(socket.socket, name)
    def connect(self, address):
        if self.family == socket.AF_UNIX or str(address[0]) in ("127.0.0.1", "::1", "localhost"):
            return real(self, address)
        with open(os.environ["REFUSED"], "a") as file:
            file.write(f"{address}\\n")
        raise OSError(f"no network in this test: {address}")
    setattr(socket.socket, name, connect)

guarded("connect")
guarded("connect_ex")
found = socket.getaddrinfo

def getaddrinfo(host, *rest, **more):
    if host not in (None, "", "127.0.0.1", "::1", "localhost", socket.gethostname()):
        with open(os.environ["REFUSED"], "a") as file:
            file.write(f"{host}\\n")
        raise OSError(f"no network in this test: {host}")
    return found(host, *rest, **more)

socket.getaddrinfo = getaddrinfo
"""


# ---- the form of a lesson


def notebook(path: Path) -> Any:
    """A lesson as Jupyter opens it."""
    jupytext = pytest.importorskip("jupytext")
    return jupytext.reads(path.read_text(encoding="utf8"), fmt="py:percent")


@every_lesson
def test_a_lesson_uses_the_package_root_alone(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf8"))
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    origins = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in (*imported, *origins) if name.startswith("striate.")]
    assert "striate" not in origins, "import striate, and call things striate.x: a reader sees what is ours"
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "striate"
    }
    assert used
    assert used <= set(striate.__all__), sorted(used - set(striate.__all__))


@every_lesson
def test_a_lesson_opens_as_a_notebook(path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    book = notebook(path)
    nbformat.validate(book)
    first = book.cells[0]
    number = path.stem[:2].lstrip("0")
    assert first.cell_type == "markdown", "the header needs jupyter: above jupytext: and kernelspec:"
    assert book.metadata.kernelspec.name == "python3"
    assert first.source.startswith(f"# {number}. " if number.isdigit() else "# Break it")
    assert f'open_lesson("{path.stem}"' in "".join(
        one.source for one in book.cells if one.cell_type == "code"
    )


@every_lesson
def test_a_lesson_says_how_long_it_takes_and_what_it_needs(path: Path) -> None:
    first = next(cell for cell in notebook(path).cells if cell.cell_type == "markdown")
    said = " ".join(first.source.split())
    assert re.search(r"(minutes?|seconds) on 2 cores", said)
    assert re.search(r"`--short` about \d+ seconds|in both forms", said)
    assert "Needs:" in said


@every_lesson
def test_every_exercise_of_a_lesson_has_its_solution(path: Path) -> None:
    cells = notebook(path).cells
    headed = [cell.source for cell in cells if cell.cell_type == "markdown" and "## Exercises" in cell.source]
    assert len(headed) == 1
    exercises = re.findall(r"^\d+\. ", headed[0].split("## Exercises")[1], flags=re.MULTILINE)
    hidden = [cell.source for cell in cells if "hide-cell" in cell.metadata.get("tags", [])]
    solutions = [source.splitlines()[0] for source in hidden if source.startswith("# Solution")]
    assert len(exercises) >= 2
    assert solutions == [f"# Solution {number}" for number in range(1, len(exercises) + 1)]


@every_lesson
def test_a_lesson_takes_images_of_its_readers_own(path: Path) -> None:
    assert re.search(r"lesson\.(picture\(|images\(|source\b)", path.read_text(encoding="utf8"))


def test_the_readme_tells_every_lesson() -> None:
    told = (LESSONS / "README.md").read_text(encoding="utf8")
    assert set(re.findall(r"^\| `(\w+)` \|", told, flags=re.MULTILINE)) == {path.stem for path in FILES}


# ---- opening.py


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A script's surroundings: no notebook, nothing asked for, nothing at hand, an empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    for name in ("STRIATE_LESSON", "STRIATE_LESSON_OUT", "STRIATE_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "argv", ["lesson.py"])
    return monkeypatch


def lesson_in(folder: Path, source: object = None, *, short: bool = True) -> opening.Lesson:
    return opening.Lesson("some", None if source is None else str(source), short, folder / "some")


def test_options_of_the_command_line(plain: pytest.MonkeyPatch) -> None:
    lesson = opening.open_lesson("some")
    assert (lesson.name, lesson.source, lesson.short, lesson.out) == (
        "some",
        None,
        False,
        Path("build/lessons/some"),
    )
    plain.setattr(sys, "argv", ["lesson.py", "--source", "owl.jpg", "--short", "--out", "figures"])
    lesson = opening.open_lesson("some")
    assert (lesson.source, lesson.short, lesson.out) == ("owl.jpg", True, Path("figures/some"))
    assert lesson.pick("full", "short") == "short"


def test_options_by_the_environment_and_by_arguments(plain: pytest.MonkeyPatch) -> None:
    plain.setenv("STRIATE_LESSON", "short")
    plain.setenv("STRIATE_LESSON_OUT", "elsewhere")
    lesson = opening.open_lesson("some", source="mine")
    assert (lesson.source, lesson.short, lesson.out) == ("mine", True, Path("elsewhere/some"))
    assert opening.open_lesson("some", short=False).pick("full", "short") == "full"


def test_an_unknown_option_is_wrong_usage(
    plain: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain.setattr(sys, "argv", ["lesson.py", "--sauce", "x"])
    with pytest.raises(SystemExit) as left:
        opening.open_lesson("some")
    assert left.value.code == 2
    assert "--sauce" in capsys.readouterr().err


@pytest.mark.usefixtures("plain")
def test_a_source_that_is_not_there_is_named_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(striate.StriateError, match=r"gone\.png") as told:
        lesson_in(tmp_path, "gone.png").picture()
    assert "\n" not in str(told.value)
    with pytest.raises(striate.StriateError, match="gone"):
        striate.load_images(lesson_in(tmp_path, "gone").images("digits"))


def test_a_notebook_is_known_and_reads_no_command_line(plain: pytest.MonkeyPatch) -> None:
    assert not opening.in_notebook()
    plain.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    plain.setattr(sys, "argv", ["kernel", "-f", "connection.json", "--short"])
    assert opening.in_notebook()
    assert opening.open_lesson("some").short is False


def test_a_notebook_shows_a_figure_with_its_sentence(
    plain: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []
    display = ModuleType("IPython.display")
    display.HTML, display.display = str, shown.append  # type: ignore[attr-defined]
    plain.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    plain.setitem(sys.modules, "IPython", ModuleType("IPython"))
    plain.setitem(sys.modules, "IPython.display", display)
    lesson_in(tmp_path).show(np.zeros((4, 4), np.uint8), "dark", 'It is <b>"dark"</b>.')
    assert 'alt="It is &lt;b&gt;&quot;dark&quot;&lt;/b&gt;."' in shown[0]
    assert "data:image/png;base64," in shown[0]
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("plain")
def test_a_script_writes_a_figure_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lesson_in(tmp_path).show(np.zeros((4, 4), np.uint8), "dark", "All is dark.")
    path = tmp_path / "some" / "some-dark.png"
    assert capsys.readouterr().out == f"All is dark.\n  → {path}\n"
    with Image.open(path) as picture:
        assert picture.size == (4, 4)


def test_png_of_every_kind_of_figure(tmp_path: Path) -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 6)
    file = tmp_path / "a.png"
    Image.fromarray(pixels).save(file)
    written = SimpleNamespace(files=(tmp_path / "a.svg", file))
    kinds = (pixels, pixels[..., None], Image.fromarray(pixels), file, str(file), written)
    for kind in kinds:
        assert np.array_equal(np.asarray(Image.open(BytesIO(opening.png_of(kind)))), pixels)
    colour = np.stack([pixels] * 3, axis=2)
    assert np.array_equal(np.asarray(Image.open(BytesIO(opening.png_of(colour)))), colour)
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1])
    assert opening.png_of(figure).startswith(b"\x89PNG")


@pytest.mark.usefixtures("plain")
def test_the_picture_of_a_lesson(tmp_path: Path) -> None:
    grey = tmp_path / "grey.png"
    Image.fromarray(np.linspace(0, 60_000, 37 * 53).astype(np.uint16).reshape(37, 53)).save(grey)
    own = lesson_in(tmp_path, grey).picture()
    assert (own.shape, own.dtype) == ((37, 53, 3), np.uint8)
    assert np.ptp(own) > 200
    assert lesson_in(tmp_path).picture("roof").shape == (200, 300, 3)
    drawn.draw_shapes(tmp_path / "shapes", ("ring", "star"), each=1, painters=2)
    assert lesson_in(tmp_path, tmp_path / "shapes").picture().shape == (32, 32, 3)


def test_the_images_of_a_lesson(plain: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert lesson_in(tmp_path, "mine.zip").images("mnist", "digits") == "mine.zip"
    assert lesson_in(tmp_path).images("mnist", "digits") == "digits"
    assert Path(lesson_in(tmp_path).images("cifar10", "shapes"), "star").is_dir()
    (tmp_path / "mnist.zip").touch()
    plain.setenv("STRIATE_DATA", str(tmp_path))
    full = lesson_in(tmp_path, short=False)
    assert full.images("mnist", "digits") == str(tmp_path / "mnist.zip")
    assert lesson_in(tmp_path).images("mnist", "digits") == "digits", "the short form takes what is embedded"
    assert full.images("chars74k", "digits") == "digits"
    with pytest.raises(striate.UsageError, match="chars74k is at hand; give a folder with --source"):
        full.images("chars74k")


def test_the_folder_of_a_lesson_is_empty_every_time(tmp_path: Path) -> None:
    folder = lesson_in(tmp_path).folder("run")
    folder.mkdir()
    (folder / "left").touch()
    again = lesson_in(tmp_path).folder("run")
    assert again == folder
    assert again.parent.is_dir()
    assert not again.exists()


# ---- drawn.py


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


def test_the_same_seed_draws_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        drawn.draw_shapes(tmp_path / name, ("ring", "star"), each=2, painters=3, seed=seed)
    one, same, other = (bytes_of(tmp_path / name) for name in "abc")
    assert one == same
    assert one.keys() == other.keys()
    assert all(one[name] != other[name] for name in one)


def test_counts_names_and_painters(tmp_path: Path) -> None:
    drawn.draw_shapes(tmp_path / "shapes", each=3, painters=4)
    images = striate.load_images(tmp_path / "shapes", group_from=r"p(\d+)")
    assert images.classes == drawn.SHAPES
    assert images.counts()[""] == dict.fromkeys(drawn.SHAPES, 12)
    assert images.groups is not None
    assert sorted(set(images.groups.tolist())) == ["00", "01", "02", "03"]
    assert all(re.fullmatch(r"(\w+)/\1-p\d\d-\d{3}\.png", name) for name in images.names)
    assert len(set(bytes_of(tmp_path / "shapes").values())) == len(images), "no picture is drawn twice"


def test_a_painter_has_a_hand_of_their_own() -> None:
    def colour(painter: int, number: int) -> np.ndarray:
        picture = drawn.draw_shape("square", painter, np.random.default_rng(number), noise=0.0)
        return np.asarray(picture).reshape(-1, 3)[:32].mean(axis=0)

    means = np.array([[colour(painter, number) for number in range(6)] for painter in range(4)])
    within, between = means.std(axis=1).mean(), means.mean(axis=1).std(axis=0).mean()
    assert between > within


def test_noise_is_in_grey_levels() -> None:
    quiet, loud = (
        np.asarray(drawn.draw_shape("ring", 0, np.random.default_rng(0), noise=noise), float)
        for noise in (0, 20)
    )
    assert 15 < (loud - quiet)[..., 0].std() < 25


# ---- running them


@pytest.fixture
def offline(tmp_path: Path) -> dict[str, str]:
    """An environment in which a connection to anything but this machine is refused, and written down."""
    guard = tmp_path / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(GUARD, encoding="utf8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STRIATE_")}
    own = {name: os.environ[name] for name in ("STRIATE_CACHE", "STRIATE_HOME")}
    return {**kept, **own, "PYTHONPATH": str(guard), "REFUSED": str(tmp_path / "refused.txt")}


def run_lesson(path: Path, out: Path, offline: dict[str, str], *more: object) -> None:
    """A lesson's short form to its end, with figures, and without a word to the network."""
    command = [sys.executable, str(path), "--short", "--out", str(out), *map(str, more)]
    done = subprocess.run(command, env=offline, cwd=out.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-1000:]}\n{done.stderr[-3000:]}"
    assert list(out.rglob("*.png")), "no figure was drawn"
    assert not Path(offline["REFUSED"]).exists(), Path(offline["REFUSED"]).read_text()


def test_the_guard_refuses_the_network(offline: dict[str, str]) -> None:
    asking = "import urllib.request as u\ntry: u.urlopen('http://192.0.2.1', timeout=1)\nexcept OSError as e: print(e)"
    done = subprocess.run(
        [sys.executable, "-c", asking], env=offline, capture_output=True, text=True, check=True
    )
    assert "no network in this test" in done.stdout
    assert "192.0.2.1" in Path(offline["REFUSED"]).read_text()


@pytest.mark.slow
@every_lesson
def test_the_short_form_runs_offline(path: Path, tmp_path: Path, offline: dict[str, str]) -> None:
    run_lesson(path, tmp_path / "out", offline)


@pytest.mark.slow
@pytest.mark.parametrize("number", ["01", "02", "03"])
def test_lessons_on_pictures_take_a_grey_one_of_16_bits(
    number: str, tmp_path: Path, offline: dict[str, str]
) -> None:
    levels = np.random.default_rng(0).integers(300, 40_000, (37, 53)).astype(np.uint16)
    Image.fromarray(levels).save(tmp_path / "odd.png")
    run_lesson(
        next(LESSONS.glob(f"{number}_*.py")), tmp_path / "out", offline, "--source", tmp_path / "odd.png"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("beginning", "classes"),
    [("04", 3), ("08", 3), ("12", 4), ("13", 3), ("break_it", 3)],
)
def test_lessons_on_images_take_a_small_folder(
    beginning: str, classes: int, tmp_path: Path, offline: dict[str, str]
) -> None:
    """Lesson 12 keeps every second class for later, so it needs four."""
    source = tmp_path / "own"
    drawn.draw_shapes(source, drawn.SHAPES[:classes], each=3, painters=10)
    run_lesson(next(LESSONS.glob(f"{beginning}*.py")), tmp_path / "out", offline, "--source", source)

"""`striate train --weights`: the same through every door, one sentence for what cannot be, the file untouched."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import striate
import theirs
from doors import Outcome, plain, refused, striate_apart, striate_here, tree, write_pictures
from hostile_weights import HOSTILE, write_hostile

QUICK = ("--epochs", "1", "--set", "batch_size=16")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures of two classes, a run of compact on three others, and files of weights."""
    folder = tmp_path_factory.mktemp("begun")
    write_pictures(folder / "two", each=12, classes=("dark", "striped"))
    write_pictures(folder / "three", each=12)
    outcome = striate_here("train", folder / "three", "--out", folder / "run", *QUICK)
    assert outcome.code == 0, outcome.err
    torch.manual_seed(0)
    for name, depths in (("resnet18", (2, 2, 2, 2)), ("resnet34", (3, 4, 6, 3)), ("odd", (2, 2, 2, 3))):
        torch.save(theirs.ResNet(depths, False, 5).state_dict(), folder / f"{name}.pth")
    return folder


def begin(folder: Path, out: Path, weights: object, *more: object) -> Outcome:
    return striate_here("train", folder / "two", "--out", out, "--weights", weights, *QUICK, *more)


def after_notes(outcome: Outcome) -> list[str]:
    """What the error stream has besides notes on the images."""
    return [line for line in outcome.err.splitlines() if not line.startswith("note: ")]


def test_a_run_is_begun_with_and_said(begun: Path, tmp_path: Path) -> None:
    run = begun / "run"
    outcome = begin(begun, tmp_path / "out", run, "--freeze", "all", "--head", "linear", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    notes = [line["text"] for line in lines if line["event"] == "note"]
    said = [
        f"The network begins with the weights of {run}, a run of compact on 3 classes.",
        f"The head is new: the classes of {run} are others, or in another order.",
        f"Pictures have 12 × 12 pixels, as those of {run} had; its mean and deviation are kept.",
    ]
    assert notes[-3:] == said
    about = json.loads((tmp_path / "out" / "model.json").read_text())
    recipe = json.loads((tmp_path / "out" / "recipe.json").read_text())
    assert about["weights"] == [str(run), recipe["weights_sha256"], *said]
    assert (recipe["model"], recipe["weights"], recipe["freeze"], recipe["head"]) == (
        "compact",
        str(run),
        "all",
        "linear",
    )
    before, after = (striate.Classifier.load(each).network_.state_dict() for each in (run, tmp_path / "out"))
    stages = [name for name in before if name.startswith("stages.")]
    assert all(torch.equal(before[name], after[name]) for name in stages)


@pytest.mark.parametrize(
    ("name", "freeze"),
    [
        ("run", "stem"),
        pytest.param("run/model.safetensors", "all", marks=pytest.mark.slow),
        pytest.param("resnet18.pth", "all", marks=pytest.mark.slow),
    ],
)
def test_python_and_the_command_line_give_the_same_bits(
    begun: Path, tmp_path: Path, name: str, freeze: str
) -> None:
    weights = str(begun / name)
    outcome = begin(begun, tmp_path / "out", weights, "--set", "size=32", "--freeze", freeze)
    assert outcome.code == 0, outcome.err
    recipe = striate.Recipe(weights=weights, size=32, freeze=freeze, epochs=1, batch_size=16)
    striate.Classifier(recipe).fit(striate.load_images(str(begun / "two")), out=tmp_path / "python")
    one, other = ((tmp_path / door / "model.safetensors").read_bytes() for door in ("out", "python"))
    assert one == other
    verdicts = [
        json.loads(striate_here("evaluate", tmp_path / door, "--json").out)["accuracy"]
        for door in ("out", "python")
    ]
    assert verdicts[0] == verdicts[1]


def test_options_of_two_kinds_are_one_recipe(begun: Path, tmp_path: Path) -> None:
    first = begin(begun, tmp_path / "first", begun / "run", "--freeze", "stem", "--head", "mlp")
    sets = [f"weights={begun / 'run'}", "freeze=stem", "head=mlp"]
    words = [word for text in sets for word in ("--set", text)]
    second = striate_here("train", begun / "two", "--out", tmp_path / "second", *QUICK, *words)
    assert (first.code, second.code) == (0, 0)
    one, other = ((tmp_path / name / "recipe.json").read_text() for name in ("first", "second"))
    assert one == other


def test_a_file_of_another_network_is_shown_like_a_diff(begun: Path, tmp_path: Path) -> None:
    path, out = begun / "resnet34.pth", tmp_path / "out"
    outcome = begin(begun, out, path, "--model", "resnet18", "--set", "size=32")
    refused(outcome, 1, "does not fit the network (- what the network has, + what the file has):")
    lines = after_notes(outcome)
    assert len(lines) == 9
    assert lines[1:3] == ["+ stages.stage1.block3  12 tensors", "+ stages.stage2.block3  12 tensors"]
    assert not out.exists()


@pytest.mark.parametrize(
    ("weights", "more", "code", "words"),
    [
        ("none", (), 2, "there is no such run folder or file"),
        ("torchvision:resnet81", (), 2, "did you mean resnet18?"),
        ("timn:resnet18", (), 2, "there is no such run folder or file"),
        ("run", ("--model", "compakt"), 2, "There is no model 'compakt'; did you mean compact?"),
        ("run", ("--model", "lenet5"), 2, "are those of compact, and model=lenet5 is asked for"),
        ("run", ("--freeze", "stage9"), 2, "Nothing to freeze is called 'stage9'"),
        ("run", ("--head", "big"), 2, "Recipe field head = 'big'"),
        ("run", ("--set", "size=4"), 2, "compact cannot be built for images of 4 × 4 pixels"),
        ("two", (), 1, "is not a run folder: it has no manifest.json"),
        ("resnet18.pth", ("--model", "compact"), 2, "torchvision publishes no weights that fit compact"),
        ("odd.pth", (), 1, "fits none of striate's networks"),
        ("resnet18.pth", ("--set", "weights_sha256=00"), 1, "are not those that the recipe names"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    begun: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    weights: str,
    more: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(begun)
    before = tree(begun)
    outcome = begin(begun, tmp_path / "out", weights, *more)
    refused(outcome, code, words)
    assert len(after_notes(outcome)) == 1
    assert not (tmp_path / "out").exists()
    assert tree(begun) == before


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_a_hostile_file_is_one_sentence_and_stays_as_it_is(
    begun: Path, tmp_path: Path, kind: str, ending: str
) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    write_hostile(kind, folder / f"x.{ending}", tmp_path / "marker")
    before = tree(folder)
    outcome = begin(begun, tmp_path / "out", folder / f"x.{ending}")
    refused(outcome, 1, str(folder / f"x.{ending}"))
    assert len(outcome.err.splitlines()) == 1
    assert tree(folder) == before
    assert not (tmp_path / "marker").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("damage", ["truncated", "altered", "wrong channels"])
def test_a_damaged_file_of_weights(begun: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "x.safetensors"
    content = (begun / "run" / "model.safetensors").read_bytes()
    if damage == "truncated":
        path.write_bytes(content[:-100])
    elif damage == "altered":
        path.write_bytes(content[:50] + b"\xff" + content[51:])
    else:
        state = striate.create_model("compact", classes=3, channels=4, size=(12, 12)).state_dict()
        save_file(state, path)
    before = tree(tmp_path)
    outcome = begin(begun, tmp_path / "out", path)
    words = "takes images of 4 channels" if damage == "wrong channels" else "is a damaged safetensors file"
    plain(outcome, words)
    assert outcome.code == 1
    assert tree(tmp_path) == before


def test_an_altered_run_is_refused(begun: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(begun / "run", tmp_path / "run"))
    content = bytearray((run / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (run / "model.safetensors").write_bytes(content)
    refused(begin(begun, tmp_path / "out", run), 1, "is not the file that was saved")


def test_a_resume_with_other_weights_is_refused(begun: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "x.safetensors", tmp_path / "out"
    state = load_file(begun / "run" / "model.safetensors")
    save_file(state, path)
    words = ("--freeze", "all", "--model", "compact")
    assert begin(begun, out, path, *words).code == 0
    (out / "manifest.json").unlink()  # as if it had not been finished
    again = begin(begun, out, path, *words, "--resume")
    assert again.code == 0, again.err
    (out / "manifest.json").unlink()
    save_file({**state, "stages.stem.norm.bias": state["stages.stem.norm.bias"] + 1}, path)
    outcome = begin(begun, out, path, *words, "--resume")
    assert outcome.code == 2
    plain(outcome, "was begun with another recipe (weights_sha256: ")


def test_the_help_is_tidy_and_says_what_is_taken() -> None:
    outcome = striate_apart("train", "--help", COLUMNS="99")
    assert outcome.code == 0
    assert max(map(len, outcome.out.splitlines())) < 100
    for words in ("--weights", "--freeze STAGE", "--head KIND", "[default: compact]", "torchvision:NAME"):
        assert words in outcome.out, words

"""Every promise of `recipes/` against the log that it names, every page against the promises, every step in small."""

import doctest
import importlib
import json
import platform
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import doors
import striate
from recipes import cost, cuts, promise, step
from recipes.book import ENTRIES, HERE, log_of
from recipes.promise import Figure, literal, promised_by
from recipes.running import Place, read_log, run_seed
from recipes.stand_ins import STAND_INS
from recipes.step import Step
from recipes.table import page

RUN = [name for name, entry in ENTRIES.items() if entry.promise.log_sha256]
STEPS = [(name, one) for name, entry in ENTRIES.items() for one in entry.steps]


@pytest.mark.parametrize("name", RUN)
def test_a_promise_is_what_its_log_says(name: str) -> None:
    lines, digest = read_log(log_of(name))
    assert promised_by(lines, digest) == ENTRIES[name].promise
    assert [line["seed"] for line in lines] == list(range(len(lines)))
    assert not any(line["smoke"] for line in lines)


@pytest.mark.parametrize("name", RUN)
def test_a_log_is_of_the_recipe_as_it_stands(name: str) -> None:
    """Whoever changes a recipe runs it again."""
    for line in read_log(log_of(name))[0]:
        assert list(line["runs"]) == [one.name for one in ENTRIES[name].steps]
        for one in ENTRIES[name].steps:
            logged = line["runs"][one.name]["recipe"]
            assert {**one.settings, "seed": line["seed"]}.items() <= logged.items()
            assert logged["weights"] == one.weights


@pytest.mark.skipif("transfer_digits" not in RUN, reason="not run yet")
def test_so_many_writers_as_the_name_says() -> None:
    for line in read_log(log_of("transfer_digits"))[0]:
        for run, facts in line["runs"].items():
            if run != "mnist":
                assert facts["images"]["train"] == 10 * int(run.partition("-")[2])


@pytest.mark.parametrize("name", RUN)
def test_every_seed_reaches_what_is_promised_at_least(name: str) -> None:
    for run, least in ENTRIES[name].at_least.items():
        assert ENTRIES[name].promise.accuracy[run].low >= least


@pytest.mark.parametrize("name", sorted(set(ENTRIES) - set(RUN)))
def test_without_a_log_only_the_cost_is_promised(name: str) -> None:
    entry = ENTRIES[name]
    assert not entry.promise.accuracy
    assert not entry.promise.difference
    assert not log_of(name).exists()
    found = {}
    for one in entry.steps:
        model, images, classes, shape, width = entry.not_run[one.name]
        recipe = one.recipe(0, Path("runs"), smoke=False)
        assert recipe.model in (model, "auto")
        changes = striate.Changes(width=width)
        network = striate.create_model(
            model, classes=classes, channels=shape[0], size=shape[1:], changes=changes
        )
        found[one.name] = cost.training_cost(recipe, network, shape, images)
    assert entry.promise.cost == found


def test_the_page_says_what_is_promised() -> None:
    """`python -m recipes --table` writes it."""
    assert (HERE / "README.md").read_text(encoding="utf8") == page()


def test_logs_name_no_machine_and_no_folder() -> None:
    for path in (HERE / "logs").glob("*.jsonl"):
        assert path.stem in RUN
        text = path.read_text(encoding="utf8")
        assert not re.search(r'["= ]/[a-z]', text), "an absolute path"
        assert platform.node() not in text


@pytest.mark.parametrize(("name", "one"), STEPS, ids=lambda given: getattr(given, "name", given))
def test_every_file_shows_its_commands(name: str, one: Step) -> None:
    """Each setting stands in the file's own words, as an option or after --set."""
    text = importlib.import_module(f"recipes.{name}").__doc__ or ""
    assert f"striate train {one.source}" in text
    for field, value in one.settings.items():
        option = f"--{field} {value}" if field in step.OPTIONS else f"--set {field}={step.plain(value)}"
        assert re.search(rf"{re.escape(option)}(?![\w.])", text), option
    if one.group_from:
        assert f"--group-from '{one.group_from}'" in text


LONG = (
    "chars74k",
    "mlp_mnist",
    "resnet20_cifar10",
    "resnet20_cifar10_short",
    "transfer_cifar",
    "transfer_digits",
)
"""Longer than others that take the same steps."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in LONG else ()) for name in ENTRIES]
)
def test_a_recipe_runs_in_small(name: str, tmp_path: Path) -> None:
    """From pictures to verdict and comparison, and its log supports a promise."""
    said: list[str] = []
    line = run_seed(name, ENTRIES[name], 0, Place(tmp_path, None), said.append)
    entry = ENTRIES[name].small()
    assert len(said) == len(entry.steps) + len(entry.pairs)
    found = promised_by([json.loads(json.dumps(line, allow_nan=False))], "0" * 64)
    assert set(found.accuracy) == {one.name for one in entry.steps}
    assert set(found.difference) == {f"{other} - {reference}" for reference, other in entry.pairs}
    assert all(figure.n == 1 and 0 <= figure.mean <= 1 for figure in found.accuracy.values())
    assert min(found.cost.values()) > 0
    assert str(tmp_path) not in json.dumps(line)
    assert platform.node() not in json.dumps(line)
    if name == "transfer_digits":
        same_by_command(entry.steps, tmp_path)


def same_by_command(steps: tuple[Step, ...], work: Path) -> None:
    """The words of a step, typed, end with the same weights bit for bit; the most involved step stands for all."""
    place, folder = Place(work, None), work / "transfer_digits" / "0"
    one = next(one for one in steps if one.name == "finetune-5")
    cut = step.Cut(folder / "classes.csv", folder / "groups-5.csv")
    words, _ = one.words(0, place.source(one.source), folder, cut, smoke=True)
    typed = [word for word in words[1:] if not word.startswith("--out=")]
    outcome = doors.striate_here(*typed, f"--out={work / 'typed'}", "--quiet")
    assert outcome.code == 0, outcome.err
    weights = [(run / "model.safetensors").read_bytes() for run in (folder / one.name, work / "typed")]
    assert weights[0] == weights[1]


def test_the_cost_of_a_training_by_hand() -> None:
    """LeNet-5 at 28×28: 117,600 + 240,000 + 48,000 in the stages, 10,080 + 840 in the head (LeCun et al. 1998)."""
    network = striate.create_model("lenet5", classes=10)
    base, head = 117_600 + 240_000 + 48_000, 10_080 + 840

    def of(**settings: object) -> int:
        recipe = striate.Recipe(**{"model": "lenet5", "epochs": 10, **settings})
        return cost.training_cost(recipe, network, (1, 28, 28), images=7)

    assert of() == 7 * 10 * 3 * (base + head)
    assert of(freeze="all") == 7 * 10 * (base + 3 * head)
    assert of(freeze="all", extract=True) == 7 * (base + 10 * 3 * head)
    assert of(head_epochs=4) == 7 * (4 * (base + 3 * head) + 6 * 3 * (base + head))
    assert of(freeze="c1") == 7 * 10 * (117_600 + 3 * (240_000 + 48_000 + head))


def test_figures_by_hand() -> None:
    numbers = [
        {"value": value, "low": value - 0.1, "high": value + 0.05, "n": n}
        for value, n in ((0.8, 40), (0.9, 38), (0.76, 41))
    ]
    assert Figure.of(numbers) == Figure(0.82, 0.76, 0.9, 3, (0.66, 0.95), 38)


def test_a_promise_reads_back_from_its_literal() -> None:
    given = next(iter(ENTRIES.values())).promise if RUN else promise.Promise(cost={"a": 1})
    names = {"Promise": promise.Promise, "Figure": Figure}
    exec(literal(given), names)
    assert names["PROMISE"] == given


@pytest.mark.parametrize("module", [cost, promise, step], ids=lambda module: module.__name__)
def test_examples(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # pyright: ignore[reportArgumentType]


def test_few_writers_are_among_more_and_none_straddles(tmp_path: Path) -> None:
    source = STAND_INS["chars74k_hnd.zip"](tmp_path / "sheets")
    before = sorted((path.name, path.stat().st_mtime_ns) for path in Path(source).rglob("*"))
    classes = [f"Sample{number:03d}" for number in range(1, 11)]
    found = {}
    for count in (2, 5):
        cutter = cuts.few_groups(classes, count, group_from=r"-(\d+)\.png", size=28, shares=(0.35, 0.15, 0.5))
        cut = cutter(source, 3, tmp_path)
        assert cut.audit is not None
        images = striate.load_images(source, group_from=r"-(\d+)\.png").decided(cut.audit)
        assert cut.splits is not None
        table = images.packed(size=28)[0].with_splits_from(cut.splits)
        assert table.straddling_groups() == []
        assert table.classes == tuple(classes)
        found[count] = {
            split: set(map(str, table.of_split(split).groups)) for split in ("train", "validation", "test")
        }
        assert len(table.of_split("train")) == 10 * count
    assert len(found[2]["train"]) == 2
    assert len(found[5]["train"]) == 5
    assert found[2]["train"] < found[5]["train"]
    assert found[2]["test"] == found[5]["test"]
    assert len(found[5]["test"]) == 12
    assert before == sorted((path.name, path.stat().st_mtime_ns) for path in Path(source).rglob("*"))


def test_few_images_of_some_classes(tmp_path: Path) -> None:
    source = STAND_INS["cifar10.zip"](tmp_path / "objects")
    counts = []
    for seed in (0, 1):
        cut = cuts.few_images(("cat", "dog"), 3, size=32)(source, seed, tmp_path)
        assert cut.audit is not None
        assert cut.splits is not None
        table = striate.load_images(source).decided(cut.audit).packed(size=32)[0].with_splits_from(cut.splits)
        counts.append(table.counts())
        names = table.of_split("train").names
    assert counts[0]["train"] == counts[1]["train"] == {"cat": 3, "dog": 3}
    assert counts[0]["test"] == {"cat": 4, "dog": 4}
    again = cuts.few_images(("cat", "dog"), 3, size=32)(source, 1, tmp_path).splits
    assert again is not None
    rows = [row.split(",") for row in again.read_text().splitlines()]
    assert [row[0] for row in rows if row[2] == "train"] == names
    assert np.isin([row[2] for row in rows[1:]], ["train", "validation", "test", "dropped"]).all()


def test_nearly_all_of_what_is_not_the_test(tmp_path: Path) -> None:
    source = STAND_INS["cifar10.zip"](tmp_path / "objects")
    usual = striate.load_images(source).packed(size=32)[0].with_splits(0)
    splits = cuts.nearly_all(2, size=32)(source, 0, tmp_path).splits
    assert splits is not None
    table = striate.load_images(source).packed(size=32)[0].with_splits_from(splits)
    held, before = set(table.of_split("validation").names), set(usual.of_split("validation").names)
    assert len(held) == 2
    assert held < before
    assert set(table.of_split("train").names) == set(usual.of_split("train").names) | before - held
    assert table.of_split("test").names == usual.of_split("test").names


def test_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRIATE_DATA", raising=False)
    root = HERE.parent

    def ask(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "recipes", *words]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)

    listed = ask()
    assert listed.returncode == 0
    assert all(f"{name}: {entry.title}" in listed.stdout for name, entry in ENTRIES.items())
    unknown = ask("lenet6")
    assert unknown.returncode == 2
    assert "invalid choice: 'lenet6'" in unknown.stderr
    assert "Set STRIATE_DATA to the folder that holds mnist.zip" in ask("lenet5_mnist").stderr

"""What others script against: verbs, options, lines of JSON, exit codes, signals."""

import csv
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import striate
from doors import QUICK, Outcome, command, striate_apart, striate_here, train

VERBS = ("train", "evaluate", "predict", "models")
HEAVY = {"torch", "numpy", "pydantic", "scipy", "sklearn", "PIL", "matplotlib"}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, digits_run: Path) -> tuple[Path, dict, str]:
    """A run on the digits with its verdict: the folder, the JSON printed, and the text printed."""
    folder = Path(shutil.copytree(digits_run, tmp_path_factory.mktemp("judged") / "run"))
    outcome = striate_here("evaluate", folder, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.count("\n") == 1
    text = striate_here("evaluate", folder)
    assert text.code == 0
    return folder, json.loads(outcome.out), text.out


# train


def test_train_json_is_a_line_an_epoch_and_done_last(tmp_path: Path) -> None:
    out = tmp_path / "run"
    outcome = striate_here("train", "digits", "--out", out, *QUICK, "--epochs", 2, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    assert [line["event"] for line in lines if line["event"] != "note"] == ["epoch", "epoch", "done"]
    assert lines[-1]["event"] == "done"
    assert lines[-1]["run"] == str(out)
    for number, line in enumerate((line for line in lines if line["event"] == "epoch"), start=1):
        assert line["epoch"] == number
        assert {"loss", "accuracy", "images_per_s"} <= set(line["train"])
        assert {"loss", "accuracy"} <= set(line["validation"])
        assert 0 <= line["train"]["accuracy"] <= 1
        assert line["train"]["images_per_s"] > 0
    history = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
    assert [{"event": "epoch", **record} for record in history] == [
        line for line in lines if line["event"] == "epoch"
    ]
    about = json.loads((out / "model.json").read_text())
    assert lines[-1]["kept_epoch"] == about["kept_epoch"]
    assert about["classes"] == list("0123456789")


def test_options_and_settings_are_the_same_recipe(tmp_path: Path) -> None:
    words = ["--model", "mlp", "--epochs", 1, "--seed", 5, "--set", "batch_size=32", "--set", "dropout=none"]
    words += ["--set", "device=cpu", "--set", "precision=float32"]
    assert striate_here("train", "digits", "--out", tmp_path / "run", *words).code == 0
    recipe = json.loads((tmp_path / "run" / "recipe.json").read_text())
    given = striate.Recipe(model="mlp", epochs=1, seed=5, batch_size=32, device="cpu", precision="float32")
    assert recipe == given.settled(striate.model_entry("mlp").learning_rate).model_dump()


def test_quiet_says_nothing(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for words in (["train", "digits", "--out", run, *QUICK], ["evaluate", run]):
        outcome = striate_here(*words, "--quiet")
        assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert (run / "report.html").is_file()


def test_the_default_folder_is_the_first_that_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("digits", "digits-2"):
        outcome = striate_here("train", "digits", *QUICK)
        assert outcome.code == 0
        assert f"next: striate evaluate runs/{name}" in outcome.out
        assert (tmp_path / "runs" / name / "manifest.json").is_file()


@pytest.mark.slow
def test_train_goes_on_when_its_reader_leaves(tmp_path: Path) -> None:
    words = shlex.join(command("train", "digits", "--out", tmp_path / "run", *QUICK, "--epochs", 3, "--json"))
    done = subprocess.run(f"{words} | head -1", shell=True, capture_output=True, text=True, check=True)
    assert (json.loads(done.stdout)["epoch"], done.stderr) == (1, "")
    assert (tmp_path / "run" / "manifest.json").is_file()


# evaluate


def test_evaluate_json_has_the_keys_that_were_promised(judged: tuple[Path, dict, str]) -> None:
    folder, verdict, _ = judged
    assert {"images", "classes", "accuracy", "balanced_accuracy", "per_class", "confusion_matrix"} <= set(
        verdict
    )
    assert verdict["classes"] == list("0123456789")
    for name in ("accuracy", "balanced_accuracy"):
        number = verdict[name]
        assert 0 <= number["low"] <= number["value"] <= number["high"] <= 1
    for row in verdict["per_class"]:
        assert {"class", "support", "precision", "recall", "specificity", "f1", "auc"} <= set(row)
    matrix = verdict["confusion_matrix"]
    assert sum(map(sum, matrix)) == verdict["images"]
    assert [sum(row) for row in matrix] == [row["support"] for row in verdict["per_class"]]
    right = sum(matrix[index][index] for index in range(10))
    assert verdict["accuracy"]["value"] == pytest.approx(right / verdict["images"])
    written = json.loads((folder / "evaluation.json").read_text())
    assert {name: written[name] for name in verdict} == verdict


def test_evaluate_writes_its_files_and_says_where(judged: tuple[Path, dict, str]) -> None:
    folder, verdict, text = judged
    assert f"report:   {folder / 'report.html'}" in text
    assert f"pictures: {folder / 'predictions.png'}" in text
    assert "Traceback" not in text
    with (folder / "predictions.csv").open() as file:
        assert len(list(csv.DictReader(file))) == verdict["images"]
    for name in ("report.html", "predictions.png"):
        assert (folder / name).stat().st_size > 10_000


@pytest.mark.parametrize("split", ["train", "validation"])
def test_evaluate_other_splits_go_to_a_folder_of_their_own(
    judged: tuple[Path, dict, str], split: str
) -> None:
    folder, test, _ = judged
    outcome = striate_here("evaluate", folder, "--split", split, "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["images"] not in {0, test["images"]}
    assert (folder / f"evaluation-{split}" / "report.html").is_file()
    assert json.loads((folder / "evaluation.json").read_text())["images"] == test["images"]


# predict


def test_predict_json_is_an_object_a_line(pictures: Path, pictures_run: Path) -> None:
    outcome = striate_here("predict", pictures_run, pictures / "dark", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    rows = [json.loads(line) for line in outcome.out.splitlines()]
    assert [row["source"] for row in rows] == [str(path) for path in sorted((pictures / "dark").iterdir())]
    for row in rows:
        assert list(row) == ["source", "class", "probability", "probabilities"]
        assert list(row["probabilities"]) == ["bright", "dark", "striped"]
        assert sum(row["probabilities"].values()) == pytest.approx(1)
        assert row["probability"] == max(row["probabilities"].values()) == row["probabilities"][row["class"]]


def test_predict_text_and_csv_say_the_same(pictures: Path, pictures_run: Path) -> None:
    table = striate_here("predict", pictures_run, pictures / "dark", "--csv")
    rows = list(csv.DictReader(table.out.splitlines()))
    assert list(rows[0]) == ["source", "class", "probability", "error", "p:bright", "p:dark", "p:striped"]
    text = striate_here("predict", pictures_run, pictures / "dark").out.splitlines()
    for row, line in zip(rows, text, strict=True):
        assert line.split() == [row["class"], f"{float(row['probability']):.2%}", row["source"]]


# models


def test_models_lists_and_shows() -> None:
    listed = striate_here("models").out
    for name in striate.model_names():
        assert re.search(rf"^{name} ", listed, re.MULTILINE)
    assert [entry["name"] for entry in json.loads(striate_here("models", "--json").out)] == list(
        striate.model_names()
    )
    assert "61,706" in striate_here("models", "lenet5", "--input", "1x28x28").out
    shown = json.loads(striate_here("models", "lesson", "--input", "3x32x32", "--classes", 10, "--json").out)
    assert shown["parameters"] == 2_230_186


# Help


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_every_verb_shows_an_example(verb: str) -> None:
    asked = [striate_here(verb, word) for word in ("-h", "--help")]
    assert asked[0] == asked[1]
    assert asked[0].code == 0
    assert f"Example:  striate {verb}" in asked[0].out


def test_the_examples_work_as_typed(tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(pictures / "dark" / "000.png", "photo.png")
    for verb in VERBS:
        example = re.search(r"Example:\s+striate (.*)", striate_here(verb, "-h").out)
        assert example is not None
        outcome = striate_here(*shlex.split(example[1]))
        assert (outcome.code, outcome.err) == (0, ""), example[1]
        assert outcome.out
    assert Path("runs/first/report.html").is_file()


def test_the_root_without_a_word_shows_every_verb() -> None:
    shown = striate_here("-h").out
    for verb in VERBS:
        assert f"striate {verb}" in shown
    assert striate_here() == Outcome(2, "", shown)
    assert striate_here("--version").out.startswith("striate ")


def test_an_unknown_verb_or_option_is_wrong_usage() -> None:
    for words in (["trian"], ["train", "digits", "--epoch-count", "3"], ["models", "--colour"]):
        outcome = striate_here(*words)
        assert (outcome.code, outcome.out) == (2, "")
        assert "No such" in outcome.err


def test_python_m_striate_is_the_same_door() -> None:
    apart, here = striate_apart("-h"), striate_here("-h")
    assert (apart.code, apart.err) == (0, "")
    assert apart.out.split() == here.out.split()


LEAVING = """
import atexit, sys, threading, time
import striate.cli as c
atexit.register(lambda: print("asked at the end"))
def work():
    time.sleep(0.3)
    print("the thread is done")
if {thread}:
    threading.Thread(target=work).start()
sys.argv = ["striate", *{words}]
c.command()
"""


@pytest.mark.parametrize(
    ("words", "code"), [(["--version"], 0), (["nonsense"], 2), (["models", "nosuch"], 2)]
)
@pytest.mark.parametrize("thread", [False, True])
def test_the_process_ends_at_once_with_everything_said(words: list[str], code: int, thread: bool) -> None:
    """Through a pipe, whose buffer is written last; a thread that works is waited for."""
    left = LEAVING.format(words=words, thread=thread)
    done = subprocess.run([sys.executable, "-c", left], capture_output=True, text=True, check=False)
    assert done.returncode == code
    said = done.stdout.splitlines()
    assert "asked at the end" in said
    assert ("the thread is done" in said) == thread
    assert "Traceback" not in done.stderr


HELP = "import sys; sys.argv = {}; import striate.cli as c\ntry: c.main()\nexcept SystemExit: pass"


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import striate", HEAVY),
        (HELP.format(["striate", "--help"]), HEAVY),
        (HELP.format(["striate", "train", "-h"]), HEAVY - {"pydantic"}),  # which typer itself may take
    ],
)
def test_help_and_import_load_nothing_heavy(code: str, unwanted: set[str]) -> None:
    check = f"import sys; print('loaded', sorted({unwanted} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{check}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "loaded []"


def test_every_public_name_is_there_and_unknown_ones_are_not() -> None:
    for name in striate.__all__:
        assert getattr(striate, name) is not None
        assert name in dir(striate)
    with pytest.raises(AttributeError, match="has no attribute 'Clasifier'"):
        striate.Clasifier  # noqa: B018


def test_a_run_trained_twice_is_the_same_run(tmp_path: Path, digits_run: Path) -> None:
    train("digits", tmp_path / "run")
    for name in ("model.safetensors", "splits.csv", "recipe.json"):
        assert (tmp_path / "run" / name).read_bytes() == (digits_run / name).read_bytes()

"""A network of the user's own: scikit-learn's contract, exact resume, a run that is known again, and no code in it."""

import copy
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from small_task import QUICK, Arrays, same_weights, weights
from torch import Tensor, nn
from typer.testing import CliRunner

import striate
from striate import Classifier, ModelError, Recipe, RunError, UsageError
from striate.cli import app

MINE = QUICK.changed(model="auto")


class Small(nn.Module):
    """A residual sum outside of every child, so that only the last layer can be cut off."""

    def __init__(self, width: int = 6, classes: int = 10, last: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.last = last()
        self.fc = nn.Linear(16 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.first(x)))
        x = self.last(x + self.second(x))
        return self.fc(nn.functional.max_pool2d(x, 2).flatten(1))


class Scaled(Small):
    """The same layers with another forward."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(2 * x + 1)


def small(seed: int = 0, **options: object) -> Small:
    torch.manual_seed(seed)
    return Small(**options)  # pyright: ignore[reportArgumentType]


def column() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(),
        nn.Dropout(0.2), nn.Linear(128, 10),
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(digits: Arrays, tmp_path_factory: pytest.TempPathFactory) -> Path:
    X, y = digits
    folder = tmp_path_factory.mktemp("own") / "run"
    Classifier(MINE, network=small()).fit(X[:300], y[:300], out=folder)
    return folder


def test_it_learns_and_the_module_given_stays_as_it_was(digits: Arrays) -> None:
    X, y = digits
    module = column()
    before = copy.deepcopy(module.state_dict())
    classifier = Classifier(MINE.changed(epochs=12, learning_rate=0.01), network=module).fit(X[:300], y[:300])
    assert classifier.score(X[300:], y[300:]) > 0.7
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert classifier.recipe_.model == "own"
    assert classifier.network_.stage_names == ("0", "1", "2", "3", "4")


def test_the_weights_that_it_has_are_those_it_begins_with(digits: Arrays) -> None:
    X, y = digits
    module = column()
    frozen = Classifier(MINE.changed(freeze="all"), network=module).fit(X[:300], y[:300])
    stages = frozen.network_.stages.state_dict()
    assert all(torch.equal(module.state_dict()[name], value) for name, value in stages.items())
    assert not torch.equal(frozen.network_.head.state_dict()["7.weight"], module[7].weight)


def test_scikit_learns_contract(digits: Arrays) -> None:
    X, y = digits
    module = small()
    classifier = Classifier(MINE, network=module)
    assert classifier.get_params() == {"recipe": MINE, "network": module}
    twin = clone(classifier)
    assert twin.network is not module
    one, other = classifier.fit(X[:200], y[:200]), twin.fit(X[:200], y[:200])
    assert same_weights(one, other)
    again = clone(one).fit(X[:200], y[:200])
    assert same_weights(one, again)
    assert "Small" in repr(classifier)
    scores = cross_val_score(
        Classifier(MINE.changed(epochs=8, learning_rate=0.01), network=column()),
        X,
        y,
        cv=2,
        error_score="raise",
    )
    assert scores.min() > 0.5


def test_a_run_is_loaded_with_the_network_and_not_without(digits: Arrays, run: Path) -> None:
    X, y = digits
    fitted = Classifier(MINE, network=small()).fit(X[:300], y[:300])
    loaded = Classifier.load(run, network=small(seed=7))
    assert same_weights(fitted, loaded)
    assert np.array_equal(fitted.predict_proba(X), loaded.predict_proba(X))
    assert loaded.evaluate(X[300:], y[300:]).accuracy == fitted.evaluate(X[300:], y[300:]).accuracy
    assert same_weights(
        clone(loaded).fit(X[:300], y[:300]).fit(X[:300], y[:300]), clone(loaded).fit(X[:300], y[:300])
    )
    with pytest.raises(RunError) as raised:
        Classifier.load(run)
    assert str(raised.value) == (
        f"{run} holds a network of your own, Small: a run keeps its weights and not its code, and striate runs no code"
        f" from it. In Python: striate.Classifier.load({str(run)!r}, network=Small(…))."
    )


@pytest.mark.parametrize("verb", [["evaluate"], ["predict"]])
def test_the_command_line_says_how_in_one_sentence(run: Path, tmp_path: Path, verb: list[str]) -> None:
    asked = [*verb, str(run), *([str(tmp_path)] if verb == ["predict"] else [])]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"striate: {run} holds a network of your own, Small: ")
    assert result.stderr.count("\n") == 1


def test_the_run_says_what_it_was_made_of(run: Path) -> None:
    about = json.loads((run / "model.json").read_text())
    assert about["model"] == "own"
    known = about["network"]
    assert known["made_of"].endswith("test_own_network.Small")
    assert (
        "stages.features.first: Conv2d(1, 6, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))"
        in known["layers"]
    )
    assert len(known["logits"]) == 10
    assert json.loads((run / "recipe.json").read_text())["model"] == "own"
    assert (run / "network.txt").read_text().splitlines() == known["layers"]


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (small(width=5), "does not fit the network (- what the network has, + what the file has):\n"
                         "- stages.features.first.weight  5 × 1 × 3 × 3 float32\n"
                         "+ stages.features.first.weight  6 × 1 × 3 × 3 float32\n"),
        (small(last=nn.Tanh), "was made by another network: with the run's weights, the one given does not answer as it"
                              " did (- the run's layers, + those given):\n"
                              "- stages.features.last: ReLU()\n+ stages.features.last: Tanh()"),
        (Scaled(), "was made by another network: with the run's weights, the one given does not answer as it did"
                   " (- the run's layers, + those given):\n- stages.features: Small()\n+ stages.features: Scaled()"),
        (small(classes=9), "The network given has 9 outputs, and the images have 10 classes: give it 10 outputs, or"
                           " let head=linear replace its head."),
    ],
)  # fmt: skip
def test_another_network_is_refused_like_a_diff(run: Path, module: nn.Module, words: str) -> None:
    with pytest.raises(RunError) as raised:
        Classifier.load(run, network=module)
    assert words in str(raised.value)


def test_a_network_for_a_run_of_the_catalogue_is_refused(digits_run: Path) -> None:
    with pytest.raises(UsageError, match="which striate builds itself: leave network out"):
        Classifier.load(digits_run, network=small())


def test_facts_that_are_none_are_refused(run: Path, tmp_path: Path) -> None:
    from striate.files import sha256_of

    for number, broken in enumerate(
        ({"made_of": 3}, {"layers": [1]}, {"logits": "abc"}, {"extra": 1}, {"input_shape": [1]})
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        for path in run.iterdir():
            if path.is_file():
                (folder / path.name).write_bytes(path.read_bytes())
        about = json.loads((run / "model.json").read_text())
        about["network"] |= broken
        (folder / "model.json").write_text(json.dumps(about))
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["model.json"] = sha256_of(folder / "model.json")
        (folder / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(RunError, match="was not written by this striate"):
            Classifier.load(folder, network=small())


@pytest.mark.parametrize(
    ("recipe", "module", "words"),
    [
        (Recipe(model="lenet5"), small(), "model=lenet5, and a network of your own is given; leave the model out, or"
                                          " the network."),
        (Recipe(model="own"), None, "model=own stands for a network of your own, which only Python can give: "
                                    "striate.Classifier(recipe, network=module)."),
        (MINE, small(classes=3), "The network given has 3 outputs, and the images have 10 classes: "),
        (MINE.changed(dropout=0.3), small(), "dropout=0.3: a network of your own has the dropout that its layers have"),
        (MINE.changed(freeze="second"), small(), "Nothing to freeze is called 'second'; "),
        (MINE.changed(size=12), small(), "The network given does not take images of 1 × 12 × 12 (channels × height ×"
                                         " width): mat1 and mat2 shapes cannot be multiplied"),
    ],
)  # fmt: skip
def test_what_does_not_go_together(
    digits: Arrays, recipe: Recipe, module: nn.Module | None, words: str
) -> None:
    with pytest.raises(UsageError) as raised:
        Classifier(recipe, network=module).fit(*digits)
    assert str(raised.value).startswith(words)
    assert isinstance(raised.value, ModelError) or recipe.model == "lenet5"


def test_a_new_head_makes_any_number_of_outputs_fit(digits: Arrays, tmp_path: Path) -> None:
    X, y = digits
    recipe = MINE.changed(head="linear", freeze="all", extract=True)
    classifier = Classifier(recipe, network=small(classes=3)).fit(X[:300], y[:300], out=tmp_path / "run")
    loaded = Classifier.load(tmp_path / "run", network=small(classes=5))
    assert np.array_equal(loaded.predict_proba(X), classifier.predict_proba(X))


def test_a_network_of_named_stages_and_one_that_was_wrapped(digits: Arrays) -> None:
    X, y = digits
    module = column()
    whole = Classifier(MINE, network=module).fit(X[:200], y[:200])
    named = striate.Network({"all_of_it": module[:5]}, head=module[5:])
    twice = [striate.wrap(module), striate.wrap(module, stages=list("01234"), head=list("567")), named]
    for network in twice:
        other = Classifier(MINE, network=network).fit(X[:200], y[:200])
        assert np.array_equal(other.predict_proba(X), whole.predict_proba(X))


def test_a_run_gives_another_one_its_weights(digits: Arrays, run: Path) -> None:
    X, y = digits
    recipe = MINE.changed(weights=str(run), freeze="all")
    classifier = Classifier(recipe, network=small(seed=9)).fit(X[:300], y[:300])
    taken = Classifier.load(run, network=small()).network_.stages.state_dict()
    found = classifier.network_.stages.state_dict()
    assert all(torch.equal(taken[name], found[name]) for name in taken)
    with pytest.raises(UsageError, match=r"model=own stands for a network of your own"):
        Classifier(MINE.changed(weights=str(run))).fit(X, y)


def test_resuming_with_other_layers_is_refused(digits: Arrays, tmp_path: Path) -> None:
    X, y = digits
    steps = iter(range(100))
    folder = tmp_path / "run"
    with pytest.raises(striate.Interrupted):
        Classifier(MINE, network=small()).fit(X, y, out=folder, stop=lambda: next(steps) > 5)
    with pytest.raises(RunError) as raised:
        Classifier(MINE, network=small(last=nn.Tanh)).fit(X, y, out=folder, resume=True)
    assert str(raised.value) == (
        f"--resume: the network given is not the one that {folder} was begun with. Give that one, or train into another"
        " folder (- begun with, + given):\n- stages.features.last: ReLU()\n+ stages.features.last: Tanh()"
    )
    whole = Classifier(MINE, network=small()).fit(X, y)
    gone_on = Classifier(MINE, network=small()).fit(X, y, out=folder, resume=True)
    assert same_weights(whole, gone_on)
    finished = Classifier(MINE, network=small()).fit(X, y, out=folder, resume=True)
    assert same_weights(whole, finished)


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
import test_own_network
test_own_network.train({out!r})
"""


def train(out: str | Path) -> Classifier:
    """A run of some seconds with dropout and batch normalisation."""
    X, y = load_digits(return_X_y=True)
    recipe = Recipe(epochs=6, batch_size=32)
    return Classifier(recipe, network=column()).fit(X[:300].reshape(-1, 8, 8), y[:300], out=out, resume=True)


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    script = SCRIPT.format(tests=str(Path(__file__).parent), out=str(folder))
    killed = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not list(folder.glob("checkpoint/*.safetensors")) and time.monotonic() < end:
        assert killed.poll() is None
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not (folder / "manifest.json").exists()
    assert same_weights(train(folder), train(tmp_path / "whole"))


def test_outputs_are_checked_before_anything_is_written(digits: Arrays, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        Classifier(MINE, network=small(classes=3)).fit(*digits, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert weights(Classifier(MINE, network=small()).fit(*digits))

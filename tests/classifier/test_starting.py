"""What a process that only predicts must not import: each costs up to as much time as torch itself."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import get_tags
from torch.utils.flop_counter import FlopCounterMode

import striate
from striate.classifier.contract import Contract
from striate.models.geometry import stage_shapes
from striate.models.products import Products

HEAVY = ("sklearn", "scipy.stats", "sympy", "torch._dynamo", "tensorboard", "matplotlib")


def test_predicting_imports_neither_scikit_learn_nor_torchs_compiler(
    fitted: striate.Classifier, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "run")
    code = (
        "import sys, numpy, striate\n"
        "classifier = striate.Classifier.load(sys.argv[1])\n"
        "print(classifier.predict_one(numpy.zeros((8, 8), numpy.float32)).label)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run")], capture_output=True, text=True, check=True
    )
    label, loaded = done.stdout.splitlines()
    assert label in fitted.class_names_
    assert loaded == "[]"


class Theirs(ClassifierMixin, BaseEstimator):
    """The same constructor with scikit-learn's own base classes."""

    def __init__(self, label: str = "cat", *, seed: int = 0) -> None:
        self.label, self.seed = label, seed


class Ours(Contract):
    """The same constructor with ours."""

    def __init__(self, label: str = "cat", *, seed: int = 0) -> None:
        self.label, self.seed = label, seed


def test_the_contract_is_what_scikit_learns_base_classes_give() -> None:
    ours, theirs = Ours("dog", seed=3), Theirs("dog", seed=3)
    assert ours.get_params() == theirs.get_params()
    assert get_tags(ours) == get_tags(theirs)
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert clone(ours).get_params() == clone(theirs).get_params()


def test_products_are_those_of_torchs_counter() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(144, 5))
    image = torch.zeros(1, 3, 8, 8)
    with FlopCounterMode(display=False) as theirs:
        network(image)
    with Products() as ours:
        network(image)
    assert 2 * ours.count == theirs.get_total_flops() > 0


def test_shapes_of_a_small_image_change_neither_weights_nor_statistics() -> None:
    stage = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Dropout(0.5)
    ).train()
    before = {name: value.clone() for name, value in stage.state_dict().items()}
    drawn = torch.get_rng_state()
    small = stage_shapes({"one": stage}, (1, 28, 28))
    large = stage_shapes({"one": stage}, (1, 300, 300))
    assert (small, large) == ({"one": (4, 26, 26)}, {"one": (4, 298, 298)})
    assert stage.training
    assert torch.equal(drawn, torch.get_rng_state())
    assert all(np.array_equal(before[name], value) for name, value in stage.state_dict().items())

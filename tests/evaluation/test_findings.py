"""The computed sentences: each says what its figure shows."""

import numpy as np

from striate.evaluation import Verdict, judge
from striate.evaluation.reporting import findings


def a_verdict(matrix: list[list[int]], names: list[str]) -> Verdict:
    """A verdict with this confusion matrix; every prediction has probability 0.9."""
    cells = np.argwhere(np.array(matrix) > 0)
    truth, called = np.repeat(cells, [matrix[row][column] for row, column in cells], axis=0).T
    others = 0.1 / (len(names) - 1)
    return judge(truth, np.where(np.arange(len(names)) == called[:, None], 0.9, others), names)


def test_the_worst_class_and_the_most_frequent_confusion() -> None:
    verdict = a_verdict([[90, 9, 1], [0, 50, 2], [1, 0, 30]], ["cat", "dog", "owl"])
    assert findings.on_matrix(verdict) == (
        "The most frequent confusion: 9 of 100 images of cat are called dog. "
        "Off the diagonal lie 13 of 183 images, in 4 cells."
    )
    said = findings.on_classes(verdict)
    assert said.startswith("cat is recognised least often: 90 % (83–94, n = 100); owl most often: 97 %")
    assert said.endswith("their intervals overlap, so this split does not tell them apart.")
    clear = a_verdict([[50, 50], [1, 99]], ["cat", "dog"])
    assert findings.on_classes(clear).endswith("; their intervals do not overlap.")
    assert "1 of 100 images of dog is" not in findings.on_matrix(clear)
    assert "in 1 cell." in findings.on_matrix(a_verdict([[5, 1], [0, 5]], ["cat", "dog"]))


def test_equal_classes_are_not_ranked() -> None:
    said = findings.on_classes(a_verdict([[9, 1], [1, 9]], ["cat", "dog"]))
    assert said == "Every class has the same recall: 90 % (60–98, n = 10) for cat."


def test_training_says_which_epoch_and_the_gap() -> None:
    history = [
        {"epoch": 1, "train": {"loss": 0.9, "accuracy": 0.7}, "validation": {"loss": 1.0, "accuracy": 0.75}},
        {"epoch": 2, "train": {"loss": 0.2, "accuracy": 0.99}, "validation": {"loss": 1.1, "accuracy": 0.74}},
    ]
    assert findings.on_training(history, 1) == (
        "Epoch 1 of 2 was kept: loss 0.900 in training and 1.000 in validation; "
        "accuracy 70.0 % in training and 75.0 % in validation."
    )
    assert findings.on_training(history, 2).endswith("accuracy 99.0 % in training and 74.0 % in validation.")
    assert (
        findings.on_training([{"epoch": 1, "train": {"loss": 1.0, "accuracy": 0.5}}], 1)
        == "Epoch 1 of 1 was kept."
    )


def test_what_was_left_out() -> None:
    assert findings.left_out(0, 1797) == "Nothing was left out: all 1,797 images could be read."
    assert findings.left_out(1, 5).startswith("1 file was left out because no picture could be read from it")
    assert findings.left_out(3, 5).startswith("3 files were left out")

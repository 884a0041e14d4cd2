"""A verdict with every part there is, and the report of it: of chances that are too sure, three classes, 400 images."""

from dataclasses import replace
from functools import cache

import numpy as np

from striate.evaluation import Report, Verdict, WrongImage, judge
from striate.evaluation.decisions.abstention import choose_abstention
from striate.evaluation.decisions.calibration import fit_temperature, logits_of
from striate.evaluation.decisions.conformal import calibrate_sets
from striate.evaluation.decisions.decided import choose_operating_point, judge_decision
from striate.evaluation.decisions.decision import Decided, Decision
from striate.evaluation.decisions.unknown import Unknown, judge_unknown
from striate.evaluation.intervals import wilson
from striate.evaluation.subgroups import subgroups
from striate.evaluation.verdict import Uncalibrated

NAMES = ["benign", "malignant, of the left breast", "normal"]


def drawn(images: int, seed: int, classes: int = 3, strength: float = 2.5) -> tuple[np.ndarray, np.ndarray]:
    """Truth, and probabilities that are surer than they are right."""
    generator = np.random.default_rng(seed)
    truth = generator.choice(classes, size=images, p=generator.dirichlet(np.full(classes, 5.0)))
    logits = generator.normal(size=(images, classes), scale=1.5)
    logits[np.arange(images), truth] += strength
    powers = np.exp(1.8 * logits)
    return truth, powers / powers.sum(axis=1, keepdims=True)


@cache
def whole_verdict(seed: int = 0, prevalence: float | None = 0.02) -> Verdict:
    """Calibrated, with an operating point, abstention, sets, unknown pictures and subgroups."""
    truth, raw = drawn(400, seed)
    there_truth, there_raw = drawn(300, seed + 1)
    fitted = fit_temperature(there_truth, logits_of(there_raw))
    chances, there = fitted.apply(logits_of(raw)), fitted.apply(logits_of(there_raw))
    before = judge(truth, raw, NAMES)
    verdict = judge(
        truth, chances, NAMES, leaks="None of the 400 images has the pixels of one that was trained on."
    )
    sites = [
        ["north", "south", "a site of a very long name, on the other side of the river", ""][n % 4]
        for n in range(400)
    ]
    unknown = drawn(150, seed + 2, strength=0.3)[1]
    return replace(
        verdict,
        uncalibrated=Uncalibrated(
            fitted.to_dict(), 300, before.log_loss, before.brier, before.calibration, changed=0
        ),
        decided=decided(there_truth, there, truth, chances, prevalence),
        unknown=Unknown(
            source="/data/other <things>",
            images=150,
            unreadable=(),
            scores=(
                judge_unknown("probability", chances.max(axis=1), unknown.max(axis=1)),
                judge_unknown("energy", raw.max(axis=1), unknown.max(axis=1)),
            ),
            called={NAMES[n]: int((unknown.argmax(axis=1) == n).sum()) for n in range(3)},
            answered=wilson(61, 150),
        ),
        subgroups_by="site",
        subgroups=tuple(subgroups(truth, chances, NAMES, sites)),
    )


def decided(
    there_truth: np.ndarray,
    there: np.ndarray,
    truth: np.ndarray,
    chances: np.ndarray,
    prevalence: float | None,
) -> Decided:
    """Points for two classes, a threshold for abstaining, sets: chosen there, judged here."""
    operating = tuple(
        choose_operating_point(
            NAMES[positive],
            wish,
            there_truth,
            there,
            tuple(NAMES),
            chosen_on=f"{len(there)} validation images",
        )
        for positive, wish in ((1, "sensitivity>=0.95"), (0, "youden"))
    )
    right = there.argmax(axis=1) == there_truth
    decision = Decision(
        images=len(there),
        operating=operating,
        abstention=choose_abstention("coverage>=0.9", "probability", there.max(axis=1), right),
        sets=calibrate_sets(there_truth, there, 0.9),
        caveats=("The temperature was fitted to the other half of the validation images.",),
    )
    return judge_decision(
        decision, truth, chances, tuple(NAMES), sureness=chances.max(axis=1), prevalence=prevalence
    )


def report_of(verdict: Verdict, seed: int = 0) -> Report:
    """A report with pictures of noise: mistakes, and images of every cell of the matrix."""
    generator = np.random.default_rng(seed)

    def picture(row: int, column: int, number: int) -> WrongImage:
        return WrongImage(
            source=f"patient {row}/{column}-{number}.png",
            truth=verdict.classes[row],
            predicted=verdict.classes[column],
            probability=0.9 - 0.01 * number,
            truth_probability=0.05,
            pixels=generator.integers(0, 255, (16, 16, 1), dtype=np.uint8),
        )

    filled = [
        (row, column)
        for row, line in enumerate(verdict.confusion_matrix)
        for column, n in enumerate(line)
        if n
    ]
    cells = {
        cell: [picture(*cell, n) for n in range(min(9, verdict.confusion_matrix[cell[0]][cell[1]]))]
        for cell in filled
    }
    wrong = [one for (row, column), images in cells.items() if row != column for one in images]
    epochs = [
        {
            "epoch": epoch,
            "train": {"loss": 1 / epoch, "accuracy": 1 - 0.3 / epoch, "images_per_s": 800.0},
            "validation": {"loss": 1.2 / epoch, "accuracy": 1 - 0.35 / epoch},
        }
        for epoch in (1, 2, 3)
    ]
    return Report(
        title="breast",
        verdict=verdict,
        history=epochs,
        kept_epoch=2,
        counts={"train": dict.fromkeys(verdict.classes, 700), "test": dict.fromkeys(verdict.classes, 133)},
        leaks=verdict.leaks or "None of the images has the pixels of one that was trained on.",
        recipe={"model": "compact", "epochs": 3},
        preparation={"height": 16, "mean": [0.5]},
        model={"name": "compact", "parameters": 61706},
        versions={"striate": "0.1.0"},
        command="striate train breast",
        evaluate_command="striate evaluate runs/x",
        seed=0,
        created="2026-01-01",
        wrong=wrong,
        cells=cells,
    )

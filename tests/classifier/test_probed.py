"""What a probe found, in its forms: each number under its own name."""

import csv
import json
from pathlib import Path

import pytest

from striate import Probe, Recipe
from striate.classifier.probes.probed import ProbedStage
from striate.evaluation.intervals import wilson


@pytest.fixture
def probe() -> Probe:
    """Two stages whose every number differs from every other."""
    stages = (
        ProbedStage("conv", (8, 14, 14), 1568, wilson(61, 100), wilson(72, 100), 0.1, 1.0),
        ProbedStage("deep", (32,), 32, wilson(83, 100), wilson(54, 100), 0.01, 10.0),
    )
    return Probe(
        recipe=Recipe(model="lesson", weights="runs/a"),
        source="/data/photos",
        classes=("owl", "wren"),
        stages=stages,
        guessing=wilson(55, 100),
        images={"train": 400, "validation": 100, "test": 0},
    )


def test_every_form_has_each_number_under_its_own_name(probe: Probe, tmp_path: Path) -> None:
    conv, deep = probe.to_dict()["stages"]
    assert (conv["accuracy"]["value"], conv["untrained"]["value"]) == (0.61, 0.72)
    assert (deep["strength"], deep["untrained_strength"], deep["output_shape"]) == (0.01, 10.0, [32])
    row = next(iter(csv.DictReader(probe.to_csv().splitlines())))
    assert (row["output"], row["features"], row["n"]) == ("8x14x14", "1568", "100")
    assert (float(row["accuracy"]), float(row["untrained"])) == (0.61, 0.72)
    assert float(row["low"]) < 0.61 < float(row["high"]) < 0.72 < float(row["untrained_high"])
    assert 0.61 < float(row["untrained_low"]) < 0.72
    probe.write(tmp_path, "striate probe a b")
    assert json.loads((tmp_path / "probe.json").read_text())["guessing"]["value"] == 0.55
    text = [line.split() for line in probe.to_text().splitlines()]
    assert ["conv", "8", "×", "14", "×", "14", "1,568", "61", "(51–70)", "72", "(63–80)"] in text
    assert ["deep", "32", "32", "83", "(74–89)", "54", "(44–63)"] in text


def test_the_sentence_measures_the_best_stage_against_the_best_untrained_one(probe: Probe) -> None:
    assert probe.title() == "lesson, weights of runs/a, on photos"
    assert probe.sentence() == (
        "deep is highest: 83 % (74–89, n = 100); untrained, conv is: 72 %; always the commonest class: 55 %."
    )

"""The card in a run's folder: what it says is found again in the run's other files, by other means."""

import csv
import hashlib
import json
import shutil
from collections import Counter, defaultdict
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

import striate
from doors import write_pictures
from striate import Classifier, Recipe
from striate.classifier.carding import NAME, card_of, columns, write_card
from striate.classifier.judging import Asked, Judged, judge_images
from striate.evaluation.reporting.card import render_card
from striate.evaluation.reporting.checklist import ITEMS, look_up
from striate.evaluation.reporting.markdown import plain


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, digits_run: Path) -> Path:
    """A run on digits, judged on its test images."""
    found = tmp_path_factory.mktemp("carded") / "run"
    shutil.copytree(digits_run, found)
    Classifier.load(found).report(found, command="striate evaluate run")
    return found


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf8") as file:
        return list(csv.DictReader(file))


def read(folder: Path) -> dict[str, Any]:
    """The files of a run as anyone reads them."""
    names = ("evaluation.json", "model.json", "data.json", "recipe.json", "manifest.json")
    found = {name: json.loads((folder / name).read_text(encoding="utf8")) for name in names}
    found["history.jsonl"] = [
        json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()
    ]
    found["splits.csv"] = columns((folder / "splits.csv").read_bytes())
    return found


def rows_of(card: str) -> dict[str, str]:
    """What the checklist answers, by the item's name."""
    cells = [line.strip("| ").split(" | ") for line in card.splitlines() if line.startswith("|")]
    return {row[-3]: row[-2] for row in cells if len(row) >= 4 and (".json" in row[-1] or ".csv" in row[-1])}


def test_every_answer_is_computed_again_from_the_files(folder: Path) -> None:
    files, said = read(folder), rows_of((folder / "README.md").read_text(encoding="utf8"))
    assert len(said) == len(ITEMS)
    for item in ITEMS:
        unsaid = "to be written by whoever uses it."
        assert said[plain(item.name)] == plain(item.of(files)).replace(unsaid, f"*{unsaid}*")
        optional = {
            "splits.csv: group",
            "model.json: network",
            "evaluation.json: decided",
            "evaluation.json: unknown",
        }
        optional |= {"evaluation.json: subgroups_by", "evaluation.json: groups", "recipe.json: early_stop"}
        for field in item.fields:
            assert look_up(files, field) is not None or field in optional, field


def test_answers_are_what_other_means_find(folder: Path) -> None:
    """Counted, hashed and computed here once more, by no function of the card."""
    files, said = read(folder), rows_of((folder / "README.md").read_text(encoding="utf8"))
    split_rows, predicted = lines(folder / "splits.csv"), lines(folder / "predictions.csv")
    sizes = Counter(row["split"] for row in split_rows)
    truth, called = ([row[name] for row in predicted] for name in ("truth", "prediction"))
    where = defaultdict(set)
    for row in split_rows:
        where[row["digest"]].add(row["split"])
    wrong = Counter((is_, was) for is_, was in zip(truth, called, strict=True) if is_ != was)
    (worst, most), count = min(wrong.items(), key=lambda one: (-one[1], one[0]))
    recalls = reference.recall_score(truth, called, average=None, labels=sorted(set(truth)))
    best = max(files["history.jsonl"], key=lambda one: one["validation"]["accuracy"])["epoch"]
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert f"| SHA-256 of model.safetensors | {digest} |" in (folder / "README.md").read_text()
    parts = f"{sizes['train']:,} train, {sizes['validation']:,} validation, {sizes['test']:,} test"
    assert not [one for one in where.values() if len(one) > 1]
    expected = {
        "Data sources": "Trained on digits;",
        "Inclusion and exclusion criteria": "0 files that could not be read, 0 pictures dropped",
        "Data preprocessing": "8 × 8 pixels, 1 channel, uint8",
        "De-identification methods": "pictures keep the names of their files",
        "How missing data were handled": "never replaced by other pixels: 0 files.",
        "How data were assigned to partitions": parts,
        "Level at which partitions are disjoint": "Image level. No identical pixels are in two splits.",
        "Detailed description of model": f"{parameters(folder):,} parameters",
        "Software libraries, frameworks, packages": f"torch {version('torch')}",
        "Initialisation of model parameters": "Drawn anew",
        "Details of training approach": "epochs 1, batch\\_size 16",
        "Method of selecting the final model": f": {best} of {len(files['history.jsonl'])}.",
        "Ensembling techniques": "One network, one view",
        "Class imbalance methods": imbalance(split_rows),
        "Model output": "each of 10 classes; the most probable is the answer",
        "Metrics of model performance": "accuracy, balanced accuracy, top-5 accuracy,",
        "Statistical measures of uncertainty": f"{len(predicted)} images taken as independent",
        "Robustness or sensitivity analysis": "No subgroups were judged. Pictures of none",
        "Methods for explainability": "Grad-CAM",
        "Evaluation on internal data": f"{len(predicted)} test images of the run's own source.",
        "Testing on external data": "None in this evaluation",
        "Model updating": "Nothing was changed after this evaluation.",
        "How predictions were calculated": files["evaluation.json"]["created"],
        "Numbers included and excluded": f"{len(split_rows):,} pictures found; 0 unreadable, 0 dropped,"
        f" {len(split_rows):,} used ({parts}); {len(predicted)} images judged here.",
        "Numbers in each analysis": ", ".join(f"{name} {n}" for name, n in sorted(Counter(truth).items())),
        "Performance metrics and their uncertainty": f"Accuracy {100 * np.mean(np.equal(truth, called)):.1f} %",
        "Estimates of diagnostic performance": f"sensitivity {100 * recalls.min():.0f} %",
        "Failure analysis of incorrect results": f"{sum(wrong.values())} of {len(truth)} wrong; most often {worst} is"
        f" called {most} ({count} of {truth.count(worst)})",
        "Availability of software, model, data": f"SHA-256 {digest[:12]}…. Where",
    }
    assert set(expected) == set(said)
    for name, words in expected.items():
        assert words in said[name], name


def parameters(folder: Path) -> int:
    from safetensors.numpy import load_file

    return sum(one.size for one in load_file(folder / "model.safetensors").values())


def imbalance(rows: list[dict[str, str]]) -> str:
    sizes = sorted(Counter(row["label"] for row in rows if row["split"] == "train").values())
    return f"have {sizes[0]} to {sizes[-1]} images"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of patients: names that must not be told, classes that look like mark-up, a file without a picture."""
    root = write_pictures(
        tmp_path_factory.mktemp("Klinik Eisenbart") / "scans", each=30, classes=("bright", "dark")
    )
    for old, name in (("dark", "a|b <i>dark"), ("bright", "bright *no*")):
        folder = (root / old).rename(root / name)
        for number, path in enumerate(sorted(folder.iterdir())):
            path.rename(folder / f"Erika Mustermann {old} {number // 3:02d} {number}.png")
    (root / "bright *no*" / "Max Mustermann.png").write_bytes(b"no picture")
    return root


def trained(clinic: Path, out: Path, **options: Any) -> tuple[Classifier, Judged]:
    images = striate.load_images(clinic, group_from=r"Mustermann \w+ \d\d", **options)
    recipe = Recipe(model="mlp", epochs=1, batch_size=16)
    classifier = Classifier(recipe).fit(images, out=out, command=f"striate train '{clinic}' --out {out}")
    return classifier, judge_images(classifier, None, None, Asked())


def written(folder: Path, classifier: Classifier, judged: Judged) -> str:
    said = {"created": "2026-01-01", "command": f"striate evaluate {folder}", "reasons": None}
    return render_card(card_of(folder, classifier, judged, {**judged.verdict.to_dict(), **said}))


def test_patients_are_not_named_and_mark_up_stays_text(clinic: Path, tmp_path: Path) -> None:
    card = written(tmp_path, *trained(clinic, tmp_path))
    assert "Mustermann" not in card
    assert "a\\|b &lt;i&gt;dark" in card
    assert "<i>" not in card.split("---\n", 2)[2]
    assert "Group level: none of 20 groups is in two splits." in card
    assert "Left out: 1 file that could not be read" in card
    assert "No groups (patients" not in card
    assert "groups, not the images, as independent" in card
    assert str(clinic) in card.split("## How to get it again")[1].split("## ")[0]


def test_under_pseudonyms_no_folder_is_told(clinic: Path, tmp_path: Path) -> None:
    card = written(tmp_path / "run", *trained(clinic, tmp_path / "run", pseudonymous=True))
    assert "Mustermann" not in card
    assert "Eisenbart" not in card
    assert str(tmp_path) not in card
    assert "striate train scans --out run" in card
    assert "keyed digests in every file" in card


def test_only_the_runs_own_test_images_make_a_card(clinic: Path, tmp_path: Path) -> None:
    classifier, judged = trained(clinic, tmp_path / "run")
    for split in ("given", "validation"):
        write_card(tmp_path, classifier, replace(judged, verdict=replace(judged.verdict, split=split)), {})
        assert not (tmp_path / NAME).exists()


def test_columns_hold_no_name() -> None:
    found = columns(b"source,label,split,digest,group\nErika.png,owl,train,05ec,p1\n")
    assert found == {"split": ["train"], "digest": ["05ec"], "group": ["p1"]}
    assert columns(b"source,label,split,digest\n") == {}

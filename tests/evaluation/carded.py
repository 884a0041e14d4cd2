"""A card of a verdict, with files as a run has them, and a strict reader of the little YAML that it begins with."""

import json
from typing import Any

from striate.evaluation import Verdict
from striate.evaluation.reporting.card import Card

PICTURE = "Patient_Mustermann_1961.png"
GROUP = "Erika Mustermann"


def files_of(verdict: Verdict) -> dict[str, Any]:
    """What the files of a run say that was judged so."""
    classes = list(verdict.classes)
    return {
        "evaluation.json": {
            **json.loads(json.dumps(verdict.to_dict(), allow_nan=False)),
            "source": "/data/clinic/breast",
            "unreadable": [[PICTURE, "no picture"]],
            "created": "2026-01-02T03:04:05+00:00",
            "command": "striate evaluate runs/breast",
            "reasons": "Grad-CAM of stage3 for the class it chose.",
        },
        "model.json": {
            "model": "compact",
            "classes": classes,
            "parameters": 61706,
            "multiply_adds": 4_200_000,
            "weights": [],
            "kept_epoch": 2,
            "calibration": {"kind": "temperature", "value": 1.3, "images": 300}
            if verdict.uncalibrated
            else {"kind": "none", "reason": "the recipe asks for none"},
            "preparation": {
                "height": 32,
                "width": 48,
                "channels": 1,
                "depth": "uint8",
                "fit": "pad",
                "patch": None,
                "mean": [0.5],
                "std": [0.25],
                "window": None,
                "draft": False,
            },
            "provenance": {
                "command": "striate train /data/clinic/breast --out runs/breast",
                "finished": "2026-01-01T03:04:05+00:00",
                "seed": 7,
                "threads": 2,
                "machine": {"system": "Linux", "processor": "x86_64", "cores": 2},
                "versions": {"python": "3.11.7", "striate": "0.1.0", "torch": "2.13.0"},
            },
        },
        "data.json": {
            "source": "/data/clinic/breast",
            "splits_sha256": "5" * 64,
            "counts": {
                "train": {name: 700 - 650 * n for n, name in enumerate(classes[:2])}
                | dict.fromkeys(classes[2:], 700),
                "test": dict.fromkeys(classes, 133),
            },
            "unreadable": [[PICTURE, "no picture"]],
            "dropped": [["other.png", "as in the run"]],
            "grouping": [None, None],
            "pseudonyms": False,
            "notes": [f"Pictures such as {PICTURE} are scaled."],
        },
        "recipe.json": {
            "optimiser": "adamw",
            "learning_rate": 0.002,
            "schedule": "onecycle",
            "epochs": 3,
            "batch_size": 128,
            "weight_decay": None,
            "seed": 7,
            "translation": None,
            "reflection": False,
            "patch": None,
            "colour_jitter": 0.0,
            "dropout": None,
            "label_smoothing": 0.0,
            "initialisation": "own",
            "freeze": "none",
            "keep": "best",
            "early_stop": None,
            "views": "one",
            "balance": "none",
        },
        "history.jsonl": [
            {
                "epoch": epoch,
                "train": {"loss": 1 / epoch, "accuracy": 1 - 0.3 / epoch},
                "validation": {"loss": 1.2 / epoch, "accuracy": 1 - 0.35 / epoch},
            }
            for epoch in (1, 2, 3)
        ],
        "splits.csv": {"split": ["train", "test"], "digest": ["aa", "bb"], "group": [GROUP, "p2"]},
        "manifest.json": {"model.safetensors": "ab" * 32},
    }


def card_of(verdict: Verdict, **changes: Any) -> Card:
    return Card(**{"title": "breast", "verdict": verdict, "files": files_of(verdict), **changes})


def front_of(card: str) -> Any:
    """The front matter: block mappings and sequences, comments, plain and double-quoted scalars; nothing else."""
    start, found, _ = card.split("---\n", 2)
    assert start == ""
    lines = [line for line in found.splitlines() if not line.startswith("#")]
    return _node([(len(line) - len(line.lstrip(" ")), line.lstrip(" ")) for line in lines])


def _node(lines: list[tuple[int, str]]) -> Any:
    indent, first = lines[0]
    starts = [at for at, (depth, _) in enumerate(lines) if depth == indent]
    assert min(depth for depth, _ in lines) == indent
    parts = [lines[at:end] for at, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
    if first.startswith("- "):
        return [_entry([(indent + 2, part[0][1].removeprefix("- ")), *part[1:]]) for part in parts]
    found: dict[str, Any] = {}
    for (_, line), *below in parts:
        key, _, rest = line.partition(":")
        assert _key(line), line
        assert key not in found, f"{key} twice"
        assert bool(rest.strip()) != bool(below), line
        found[key] = _node(below) if below else _scalar(rest.strip())
    return found


def _entry(lines: list[tuple[int, str]]) -> Any:
    return _node(lines) if _key(lines[0][1]) else _scalar(lines[0][1])


def _key(text: str) -> bool:
    key, colon, rest = text.partition(":")
    return bool(colon) and key.replace("_", "").replace("-", "").isalnum() and (not rest or rest[0] == " ")


def _scalar(text: str) -> Any:
    if text.startswith('"'):
        return json.loads(text)  # the escapes of JSON are among those of YAML
    if text == "[]":
        return []
    assert not set(text) & set("\"'#{}[]&*!|>%@`,:"), text
    try:
        return float(text)
    except ValueError:
        return text

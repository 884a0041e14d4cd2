"""A folder of damaged pictures through every verb that reads one: each is named, counts add up, no file is touched."""

import json
import sys
from pathlib import Path

import pytest

from doors import striate_apart, tree, write_pictures

sys.path.append(str(Path(__file__).parents[1] / "pixels"))
from mutations import mutated, seeds


def damaged(root: Path, count: int) -> Path:
    """Two classes of good pictures, and damaged ones of every format among them."""
    write_pictures(root, each=20, classes=("bright", "dark"))
    known = seeds(None)
    for number in range(count):
        name, data, _ = known[number % len(known)]
        _, content = mutated(name, data, known[(7 * number + 3) % len(known)][1], number)
        (root / ("bright", "dark")[number % 2] / f"damaged{number:05d}.png").write_bytes(content)
    return root


def check(tmp_path: Path, count: int) -> None:
    root = damaged(tmp_path / "set", count)
    before = tree(root)
    looked = striate_apart("data", "inspect", root, "--json", "--no-sheets")
    assert looked.code == 0, looked.err
    told = json.loads(looked.out)
    assert told["images"] + len(told["unreadable"]) == 40 + count
    assert all(reason and "\n" not in reason for _, reason in told["unreadable"])
    audited = striate_apart("data", "audit", root, "--out", tmp_path / "audit", "--json")
    assert audited.code == 0, audited.err
    found = {one["finding"]: one for one in json.loads(audited.out)["findings"]}
    assert found["unreadable"]["count"] == len(told["unreadable"])
    trained = striate_apart("train", root, "--out", tmp_path / "run", "--set", "model=mlp", "--epochs", "1")
    assert trained.code == 0, trained.err
    assert "Traceback" not in looked.err + audited.err + trained.err
    assert tree(root) == before


def test_a_folder_of_damaged_pictures(tmp_path: Path) -> None:
    check(tmp_path, 250)


@pytest.mark.slow
def test_a_folder_of_ten_thousand_damaged_pictures(tmp_path: Path) -> None:
    check(tmp_path, 10_000)

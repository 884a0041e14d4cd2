"""What is said of the images before training, and that nothing is said without cause."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import striate


class Heard(striate.Events):
    """Everything that was said."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def said(self, text: str) -> None:
        self.notes.append(text)


def folder(root: Path, counts: dict[str, int], side: int = 8) -> Path:
    random = np.random.default_rng(0)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 256, (side, side), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    return root


def notes(root: Path, **settings: object) -> tuple[list[str], striate.Classifier]:
    heard = Heard()
    recipe = striate.Recipe(epochs=1, **settings)
    return heard.notes, striate.Classifier(recipe).fit(striate.load_images(root), events=[heard])


def test_balanced_small_pictures_need_no_word(tmp_path: Path) -> None:
    assert notes(folder(tmp_path / "set", {"cat": 60, "owl": 60}))[0] == []


def test_large_pictures_are_said_to_lose_detail(tmp_path: Path) -> None:
    root = folder(tmp_path / "set", {"cat": 70, "owl": 70}, side=140)
    said, classifier = notes(root)
    assert len(said) == 1
    assert "(140 × 140 pixels) are scaled to 128 × 128; --set size=256" in said[0]
    assert "(140 × 140 pixels) are scaled to 64 × 64; --set size=128" in notes(root, model="mlp")[0][0]
    assert classifier.about_["data"]["notes"] == said
    assert notes(root, size=16)[0] == []


@pytest.mark.parametrize(("balance", "count"), [("none", 1), ("weights", 0), ("sampling", 0)])
def test_rare_classes_are_pointed_out(tmp_path: Path, balance: str, count: int) -> None:
    said, _ = notes(folder(tmp_path / "set", {"cat": 200, "owl": 14}), balance=balance)
    assert len([note for note in said if "'cat' has" in note and "balance=weights" in note]) == count


def test_identical_pictures_across_ready_made_splits_are_named(tmp_path: Path) -> None:
    for split in ("train", "test"):
        folder(tmp_path / "set" / split, {"cat": 20, "owl": 20}, side=8 if split == "train" else 9)
    leaked = (tmp_path / "set" / "train" / "cat" / "3.png").read_bytes()
    (tmp_path / "set" / "test" / "cat" / "leak.png").write_bytes(leaked)
    said, classifier = notes(tmp_path / "set")
    assert any("1 pictures stand in more than one split" in note and "leak.png" in note for note in said)
    with pytest.raises(striate.SourceError, match=r"1 of 41 images were trained on"):
        classifier.evaluate()


def test_unreadable_files_are_counted_and_named(tmp_path: Path) -> None:
    root = folder(tmp_path / "set", {"cat": 20, "owl": 20})
    for number in range(25):
        (root / "cat" / f"bad{number}.png").write_bytes(b"no picture")
    said, _ = notes(root)
    assert said[0] == "25 of 65 files cannot be read and are left out:"
    assert len([note for note in said if note.startswith("cat/bad")]) == 20
    assert said[21] == "and 5 more, all in splits.csv as unreadable"

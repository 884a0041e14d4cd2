"""Parts of a source, as small tables that `striate train` takes: no pixel is copied, no file of yours is touched."""

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

import striate
from recipes.step import Cut, Cutter

LEFT_OUT = "dropped"


def of_classes(classes: Iterable[str]) -> Cutter:
    """The images of some classes alone, with the splits that the source has."""
    wanted = frozenset(classes)

    def cut(source: str, seed: int, folder: Path) -> Cut:
        del seed
        return Cut(audit=only(striate.load_images(source), wanted, folder / "classes.csv"))

    return cut


def few_groups(
    classes: Iterable[str], count: int, *, group_from: str, size: int, shares: tuple[float, float, float]
) -> Cutter:
    """Some classes; groups shared out to the splits, and all but `count` of those to train on left out.

    The groups of a smaller count are among those of a larger one. The seed decides who is where.
    """
    wanted = frozenset(classes)

    def cut(source: str, seed: int, folder: Path) -> Cut:
        images = striate.load_images(source, group_from=group_from)
        audit = only(images, wanted, folder / "classes.csv")
        # At the size that the training asks for, so that the pictures are decoded once.
        decoded, _, _ = images.decided(audit).packed(size=size)
        table = decoded.with_splits(seed, fractions=shares, stratify=True)
        train = table.of_split("train")
        groups = sorted({str(name) for name in train.groups}) if train.groups is not None else []
        kept = set(np.random.default_rng(seed).permutation(groups)[:count].tolist())
        path = folder / f"groups-{count}.csv"
        rewritten(table, path, lambda row: row["split"] == "train" and row["group"] not in kept)
        return Cut(audit, path)

    return cut


def shared_out(*, group_from: str, size: int, shares: tuple[float, float, float]) -> Cutter:
    """All images; groups shared out to the splits as near to the shares as whole groups allow, by the seed.

    The usual split draws each group by its name, so that of few groups a split may get hardly any.
    """

    def cut(source: str, seed: int, folder: Path) -> Cut:
        images = striate.load_images(source, group_from=group_from)
        decoded, _, _ = images.packed(size=size)
        table = decoded.with_splits(seed, fractions=shares, stratify=True)
        path = folder / "groups.csv"
        rewritten(table, path, lambda _: False)
        return Cut(splits=path)

    return cut


def few_images(classes: Iterable[str], count: int, *, size: int) -> Cutter:
    """Some classes; of each, `count` images to train on and as many to validate with. All of the test split stays."""
    wanted = frozenset(classes)

    def cut(source: str, seed: int, folder: Path) -> Cut:
        images = striate.load_images(source)
        audit = only(images, wanted, folder / "few-classes.csv")
        decoded, _, _ = images.decided(audit).packed(size=size)
        table = decoded.with_splits(seed)
        kept = {
            name
            for split in ("train", "validation")
            for label in range(len(table.classes))
            for name in drawn(table.of_split(split), label, count, seed)
        }
        path = folder / f"images-{count}.csv"
        rewritten(
            table, path, lambda row: row["split"] in ("train", "validation") and row["source"] not in kept
        )
        return Cut(audit, path)

    return cut


def nearly_all(held: int, *, size: int) -> Cutter:
    """All images; of the validation split only `held` stay, drawn by the seed, and the others are trained on.

    For a recipe that was settled before on the usual split: what is held back still calibrates. The test split stays.
    """

    def cut(source: str, seed: int, folder: Path) -> Cut:
        decoded, _, _ = striate.load_images(source).packed(size=size)
        table = decoded.with_splits(seed)
        names = sorted(table.of_split("validation").names)
        kept = set(np.random.default_rng(seed).permutation(names)[:held].tolist())
        path = folder / f"held-{held}.csv"
        rewritten(
            table, path, lambda row: row["split"] == "validation" and row["source"] not in kept, into="train"
        )
        return Cut(splits=path)

    return cut


def drawn(images: "striate.Images", label: int, count: int, seed: int) -> list[str]:
    """Some images of a class, by the seed."""
    names = sorted(images.select(images.labels == label).names)
    return np.random.default_rng([seed, label]).permutation(names)[:count].tolist()


def only(images: "striate.Images", classes: frozenset[str], path: Path) -> Path:
    """Write the decisions that drop every image of another class."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("source", "action"))
    kept = np.isin(images.labels, [number for number, name in enumerate(images.classes) if name in classes])
    writer.writerows((name, "drop") for name in images.select(~kept).names)
    path.write_text(text.getvalue(), encoding="utf8")
    return path


def rewritten(
    table: "striate.Images", path: Path, chosen: Callable[[dict[str, str]], bool], into: str = LEFT_OUT
) -> None:
    """Write the splits of a table, some rows moved into another split, or marked as left out."""
    rows = list(csv.DictReader(io.StringIO(table.splits_csv().decode())))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "split": into} if chosen(row) else row for row in rows)
    path.write_text(text.getvalue(), encoding="utf8")

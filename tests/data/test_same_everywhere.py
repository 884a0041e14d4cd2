"""The same 1,000 pictures give the same table and the same batches, whatever they lie in."""

from pathlib import Path

import made_archives as made
import numpy as np
import pytest

from striate.data import load_images, pack_source
from striate.data.batches import Batches

COUNT = 1000
WRITERS = {
    "zip": made.write_zip,
    "tar": made.write_tar,
    "tar.gz": lambda path, root: made.write_tar(path, root, "w:gz"),
    "parquet": made.write_parquet,
    "npz": made.write_npz,
}


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> dict[str, Path]:
    """One path for each form; the csv lies in the folder that it is about."""
    base = tmp_path_factory.mktemp("same")
    root = made.write_tree(base / "set", COUNT)
    found = {form: write(base / f"set.{form}", root) for form, write in WRITERS.items()}
    return {"folder": root, "csv": made.write_csv(root / "table.csv", root), **found}


@pytest.fixture(scope="module")
def reference(places, tmp_path_factory):
    return packed(places["folder"], tmp_path_factory.mktemp("cache"))


def packed(place: Path, cache: Path):
    images = load_images(place)
    preparation, pack = pack_source(images.source, cache=cache, workers=1)
    images = images.with_pack(pack)
    return images, preparation, pack


def first_batches(images, preparation, pack):
    training = images.of_split("train")
    batches = Batches(
        pack.pixels, training.rows, training.labels, preparation, batch_size=64, seed=3, translation=1
    )
    return list(batches.epoch(1))


@pytest.mark.parametrize("form", ["csv", *WRITERS])
def test_same_table_and_same_batches(places, reference, tmp_path, form):
    expected, preparation, pack = reference
    images, its_preparation, its_pack = packed(places[form], tmp_path)
    assert images.names == expected.names
    assert images.classes == expected.classes == made.CLASSES
    np.testing.assert_array_equal(images.labels, expected.labels)
    np.testing.assert_array_equal(images.splits, expected.splits)
    np.testing.assert_array_equal(images.digests, expected.digests)
    assert images.splits_csv() == expected.splits_csv()
    assert its_preparation == preparation
    np.testing.assert_array_equal(its_pack.pixels, pack.pixels)
    theirs, ours = first_batches(*reference), first_batches(images, its_preparation, its_pack)
    assert len(theirs) == len(ours) > 4
    for one, other in zip(theirs, ours, strict=True):
        np.testing.assert_array_equal(one.rows, other.rows)
        assert one.inputs.numpy().tobytes() == other.inputs.numpy().tobytes()
        assert one.labels.tolist() == other.labels.tolist()


def test_the_thousand_are_what_they_should_be(reference):
    images, _, _ = reference
    assert len(images) == COUNT
    assert not images.unreadable
    assert len(set(images.digests.tolist())) == COUNT
    assert {split: sum(counts.values()) for split, counts in images.counts().items()} == {
        "train": 334,
        "validation": 334,
        "test": 332,
    }

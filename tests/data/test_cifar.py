"""CIFAR batches in both versions, from folders, archives and single files, and all that can be wrong with them."""

import gzip
import io
import pickle
import tarfile

import numpy as np
import pytest
from made_cifar import NAMES, binary, packed, pickled, pictures, python2, records, ten_batches

from striate.data.sources.cifar import CifarSource
from striate.errors import SourceError


@pytest.fixture
def ten() -> dict[str, tuple[np.ndarray, list[int]]]:
    return ten_batches()


def check_ten(source: CifarSource, ten: dict[str, tuple[np.ndarray, list[int]]]) -> None:
    assert source.names[:2] == ["data_batch_1/0001", "data_batch_1/0002"]
    assert source.names[-1] == "test_batch/0003"
    assert source.splits == ["train"] * 15 + ["test"] * 3
    assert source.labels == [NAMES[label] for _, labels in ten.values() for label in labels]
    for stem, (images, _) in ten.items():
        for number, image in enumerate(images, 1):
            np.testing.assert_array_equal(source.read(f"{stem}/{number:04d}"), image)


def test_both_versions_from_folder_and_archive(tmp_path, ten):
    plain, python = binary(tmp_path / "bin", ten), pickled(tmp_path / "py", ten)
    places = [
        plain,
        python,
        packed(plain, tmp_path / "b.tar.gz", "cifar-10-batches-bin"),
        packed(python, tmp_path / "p.tar.gz", "cifar-10-batches-py"),
    ]
    for place in places:
        assert CifarSource.accepts(place)
        check_ten(CifarSource(place), ten)
    assert CifarSource(plain).columns == ()
    assert CifarSource(python).column("filename")[3] == "x_data_batch_2_0.png"
    assert CifarSource(plain).notes == []


def test_one_batch_alone(tmp_path, ten):
    folder = binary(tmp_path / "bin", ten)
    assert CifarSource.accepts(folder / "test_batch.bin")
    source = CifarSource(folder / "test_batch.bin")
    assert (len(source.names), source.splits, source.notes) == (3, None, [])
    assert source.labels[0] in NAMES
    assert "data_batch_2, data_batch_3" in CifarSource(folder / "data_batch_1.bin").notes[0]


@pytest.mark.parametrize("version", ["binary", "python"])
def test_cifar_100_has_fine_and_coarse_classes(tmp_path, version):
    fine, coarse = [f"fine {n}" for n in range(100)], [f"coarse {n}" for n in range(20)]
    for name, labels, families in (("train", [99, 4, 0], [19, 0, 3]), ("test", [7, 8, 9], [1, 1, 2])):
        images = pictures(3)
        if version == "binary":
            (tmp_path / f"{name}.bin").write_bytes(records(images, families, labels))
        else:
            entries = {"fine_labels": labels, "coarse_labels": families}
            (tmp_path / name).write_bytes(python2(entries, images))
    if version == "binary":
        (tmp_path / "fine_label_names.txt").write_text("\n".join(fine))
        (tmp_path / "coarse_label_names.txt").write_text("\n".join(coarse))
    else:
        meta = {"fine_label_names": fine, "coarse_label_names": coarse}
        (tmp_path / "meta").write_bytes(pickle.dumps(meta, protocol=2))
    for place in (tmp_path, packed(tmp_path, tmp_path.parent / f"{version}.tgz", "cifar-100")):
        assert CifarSource.accepts(place)
        source = CifarSource(place)
        assert source.names[0] == "test/0001"
        assert source.labels == ["fine 7", "fine 8", "fine 9", "fine 99", "fine 4", "fine 0"]
        assert source.column("coarse") == [f"coarse {n}" for n in (1, 1, 2, 19, 0, 3)]
        with pytest.raises(SourceError, match="no column 'corse'; did you mean coarse"):
            source.column("corse")


def test_without_names_classes_are_numbers_and_it_is_said(tmp_path, ten):
    folder = binary(tmp_path / "bin", ten)
    (folder / "batches.meta.txt").unlink()
    source = CifarSource(folder)
    assert source.labels[:3] == [str(label) for label in ten["data_batch_1"][1]]
    assert "called by their numbers" in source.notes[0]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("test_batch.bin", bytes(3073 * 2 - 1), "6,145 bytes are no whole number of 3073-byte images"),
        ("test_batch.bin", b"", "0 bytes are no whole number"),
        ("data_batch_1.bin", bytes([10]) + bytes(3072), "has the label 10, but only 10 classes have names"),
        ("train.bin", bytes(3074), "mixes CIFAR-10 and CIFAR-100"),
        (
            "test_batch",
            python2({"labels": [1]}, np.zeros((1, 32, 32, 3), np.uint8)),
            "test_batch more than once",
        ),
        ("data_batch_6", b"", None),
    ],
)
def test_damaged_binary_batches(tmp_path, ten, name, data, words):
    folder = binary(tmp_path / "bin", ten)
    (folder / name).write_bytes(data)
    if words is None:
        check_ten(CifarSource(folder), ten)
        return
    with pytest.raises(SourceError, match=words):
        CifarSource(folder)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"labels": [1, 2]}, "holds 3 images but 2 labels"),
        ({"labels": ["a", "b", "c"]}, "no list 'labels' of class numbers"),
        ({}, "no list 'labels'"),
    ],
)
def test_pickled_batches_that_do_not_fit(tmp_path, ten, entries, words):
    folder = pickled(tmp_path / "py", ten)
    (folder / "data_batch_1").write_bytes(python2(entries, ten["data_batch_1"][0]))
    with pytest.raises(SourceError, match=words):
        CifarSource(folder)
    (folder / "data_batch_1").write_bytes(pickle.dumps({"data": np.zeros((3, 3071), np.uint8)}, protocol=2))
    with pytest.raises(SourceError, match="no entry 'data' with 3,072 values"):
        CifarSource(folder)


def tar_of(*members: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def test_hostile_archives(tmp_path, ten):
    images, labels = ten["test_batch"]
    good = ("cifar/test_batch.bin", records(images, labels))
    bomb = ("cifar/data_batch_1.bin", bytes(3073 * 20_000))
    cases = {
        "bomb": (tar_of(bomb), "inflates to 20 times its size"),
        "other": (tar_of(good, ("cifar/film.mp4", bytes(2 << 20))), "'cifar/film.mp4' does not belong there"),
        "cut": (tar_of(good)[:-2000], "cannot be read as an archive|cut short"),
        "no gz": (b"PK\3\4", "cannot be read as an archive"),
        "none": (tar_of(("readme.html", b"x")), "holds no CIFAR batches"),
    }
    for name, (data, words) in cases.items():
        path = tmp_path / f"{name}.tar.gz"
        path.write_bytes(data)
        with pytest.raises(SourceError, match=words):
            CifarSource(path)
    outside = tmp_path / "out.tar.gz"
    outside.write_bytes(tar_of(("../../test_batch.bin", good[1])))
    assert CifarSource(outside).names[0] == "test_batch/0001"
    assert not (tmp_path.parent / "test_batch.bin").exists()


def test_a_long_name_that_inflates_without_end(tmp_path):
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 1 << 27
    head = member.tobuf(tarfile.GNU_FORMAT)
    path = tmp_path / "long.tar.gz"
    path.write_bytes(gzip.compress(head + bytes(1 << 27), 1))
    assert not CifarSource.accepts(path)
    with pytest.raises(SourceError, match="inflates to 20 times its size"):
        CifarSource(path)


def test_what_is_no_cifar_is_not_accepted(tmp_path):
    for name in ("train", "test"):
        (tmp_path / "folders" / name / "cat").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    other = tmp_path / "other.tar.gz"
    other.write_bytes(tar_of(("train/cat/1.png", b"x"), ("test/cat/1.png", b"x")))
    for place in (tmp_path / "folders", tmp_path / "empty", other, tmp_path / "missing", "/dev/null"):
        assert not CifarSource.accepts(place)

"""NumPy's .npz files: keys of several kinds, ready splits, and everything that can be wrong with them."""

import io
import pickle
import zipfile

import numpy as np
import pytest

from striate.data.sources.npz import NpzSource
from striate.errors import SourceError, UsageError

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (6, 4, 5, 3), dtype=np.uint8)
LABELS = np.array([2, 0, 1, 1, 0, 2])


@pytest.fixture
def saved(tmp_path):
    def save(**arrays) -> NpzSource:
        np.savez(tmp_path / "set.npz", **arrays)
        return NpzSource(tmp_path / "set.npz")

    return save


@pytest.mark.parametrize(
    ("images", "labels"), [("images", "labels"), ("x", "y"), ("X", "Y"), ("data", "targets")]
)
def test_one_pair(saved, images, labels):
    source = saved(**{images: IMAGES, labels: LABELS})
    assert source.names == [f"{images.lower()}/{number:04d}" for number in range(1, 7)]
    assert (source.labels, source.splits, source.groups) == (list("201102"), None, None)
    np.testing.assert_array_equal(source.read(source.names[4]), IMAGES[4])
    assert NpzSource.accepts(source.location)


@pytest.mark.parametrize(
    "keys", ["x_train y_train x_test y_test", "train_images train_labels test_images test_labels"]
)
@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None], LABELS.astype("u1")])
def test_keras_and_medmnist_keys(saved, keys, labels):
    first, second, third, fourth = keys.split()
    grey = IMAGES[..., 0]
    source = saved(**{first: grey[:4], second: labels[:4], third: grey[4:], fourth: labels[4:]})
    assert source.names == ["test/0001", "test/0002", "train/0001", "train/0002", "train/0003", "train/0004"]
    assert source.splits == ["test"] * 2 + ["train"] * 4
    assert source.labels == list("022011")
    np.testing.assert_array_equal(source.read("train/0003")[..., 0], grey[2])


def test_a_validation_split_of_its_own(saved):
    pairs = {f"{split}_images": IMAGES for split in ("train", "val", "test")}
    pairs |= {f"{split}_labels": LABELS for split in ("train", "val", "test")}
    assert saved(**pairs).splits == ["test"] * 6 + ["train"] * 6 + ["validation"] * 6


def test_names_bring_everything_into_natural_order(saved):
    source = saved(
        images=IMAGES,
        labels=np.array(["dog", "cat", "owl", "owl", "cat", "dog"]),
        names=np.array(["b/10.png", "b/9.png", "a/2.png", "a/1.png", "c/1.png", "b/1.png"]),
        splits=np.array(["train", "Val", "test", "train", "validation", "testing"]),
        groups=np.array([4, 4, 5, 5, 6, 6]),
    )
    assert source.names == ["a/1.png", "a/2.png", "b/1.png", "b/9.png", "b/10.png", "c/1.png"]
    assert source.labels == ["owl", "owl", "dog", "cat", "dog", "cat"]
    assert source.splits == ["train", "test", "test", "validation", "train", "validation"]
    assert source.groups == list("556446")
    for name, row in zip(source.names, (3, 2, 5, 1, 0, 4), strict=True):
        np.testing.assert_array_equal(source.read(name), IMAGES[row])


def test_classes_name_numbered_labels(saved):
    source = saved(images=IMAGES, labels=LABELS, classes=np.array([b"cat", b"dog", "Käuz".encode()]))
    assert source.labels == ["Käuz", "cat", "dog", "dog", "cat", "Käuz"]


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "f4", "f8", ">u2", ">i2"])
def test_every_depth(saved, dtype):
    source = saved(images=IMAGES.astype(dtype), labels=LABELS)
    image = source.read(source.names[1])
    np.testing.assert_array_equal(image, IMAGES[1])
    assert image.dtype == np.dtype({"f8": "f4"}.get(dtype, dtype)).newbyteorder("=")


def test_images_without_labels_are_listed(saved):
    assert saved(images=IMAGES).labels is None


def objects() -> np.ndarray:
    return np.array([{"a": 1}, None, 3, 4, 5, 6], dtype=object)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"weights": IMAGES}, r"holds weights \(6, 4, 5, 3\); expected are images and labels \(or x and y\)"),
        ({}, "holds nothing"),
        ({"images": np.zeros((6, 20), np.uint8), "labels": LABELS}, r"holds images \(6, 20\)"),
        ({"images": IMAGES, "labels": LABELS[:5]}, "has 6 images but 5 labels"),
        ({"images": IMAGES, "labels": LABELS, "groups": LABELS[:2]}, "6 images but 2 groups"),
        ({"images": IMAGES, "labels": LABELS / 2}, "labels in .* is float64; give whole numbers or text"),
        ({"images": IMAGES, "labels": np.eye(6, dtype=int)}, r"has the shape \(6, 6\); one entry an image"),
        (
            {"images": IMAGES, "labels": LABELS, "classes": ["a", "b"]},
            "label 2, but classes are numbered 0 to 1",
        ),
        ({"images": IMAGES, "labels": -LABELS, "classes": list("abc")}, "has the label -2"),
        ({"images": IMAGES, "labels": LABELS, "names": ["a"] * 6}, "names that are empty or there twice"),
        (
            {"images": IMAGES, "labels": LABELS, "splits": ["train"] * 5 + ["tets"]},
            "'tets'; did you mean test?",
        ),
        ({"images": IMAGES, "x": IMAGES, "y": LABELS}, "two arrays of images for one split"),
        ({"images": IMAGES, "x_train": IMAGES}, "has images beside the arrays of splits"),
        ({"x_train": IMAGES, "x_test": IMAGES, "y_train": LABELS}, "no labels for x_test, though"),
        ({"x_train": IMAGES, "x_test": IMAGES[:, :2]}, "splits of different sizes or types"),
        ({"x_train": IMAGES, "x_test": IMAGES, "groups": LABELS}, "groups beside several splits"),
        (
            {"images": objects(), "labels": LABELS},
            "images.npy in .* holds Python objects, which would have to be",
        ),
        ({"images": IMAGES.astype(int), "labels": LABELS}, "dtype int64 are not taken"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_in_words(tmp_path, arrays, words):
    np.savez(tmp_path / "set.npz", **arrays)
    with pytest.raises(SourceError, match=words):
        NpzSource(tmp_path / "set.npz")


class Evil:
    """Runs a command when unpickled."""

    def __reduce__(self):
        return eval, ("open('/tmp/striate_unpickled', 'w')",)


def test_nothing_is_unpickled(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pickle, "load", lambda *given, **options: pytest.fail("unpickled"))
        np.savez(tmp_path / "set.npz", images=np.array([Evil()], dtype=object), labels=[1])
        with pytest.raises(SourceError, match="Python objects"):
            NpzSource(tmp_path / "set.npz")


def npy(shape: str, body: bytes = b"", dtype: str = "|u1") -> bytes:
    """An .npy file whose header promises a shape, whatever follows."""
    head = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\1\0" + len(head).to_bytes(2, "little") + head + body


def test_a_header_that_promises_too_much(tmp_path, monkeypatch):
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", npy("(60000, 28000, 28000)"))
    with pytest.raises(SourceError, match="is cut short or damaged: 47,040,000,000,000 bytes are promised"):
        NpzSource(path)
    np.savez(path, images=IMAGES, labels=LABELS)
    monkeypatch.setenv("STRIATE_MAX_ARRAY_BYTES", "400")
    with pytest.raises(
        SourceError, match=r"holds 408 bytes .* limit is 400, and STRIATE_MAX_ARRAY_BYTES raises it"
    ):
        NpzSource(path)
    monkeypatch.setenv("STRIATE_MAX_ARRAY_BYTES", "much")
    with pytest.raises(UsageError, match="'much'; give a whole number of bytes"):
        NpzSource(path)


def test_a_bomb_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("images.npy", "w") as member,
    ):
        member.write(npy("(100, 1024, 1024)"))
        for _ in range(100):
            member.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(SourceError, match=r"inflates to 104,857,600 bytes from .*: no pictures do that"):
        NpzSource(path)


@pytest.mark.parametrize("keep", [0, 3, 25, 60, 200, -30, -1])
def test_cut_files_are_refused(tmp_path, keep):
    np.savez(tmp_path / "whole.npz", images=IMAGES, labels=LABELS)
    path = tmp_path / "cut.npz"
    path.write_bytes((tmp_path / "whole.npz").read_bytes()[:keep])
    with pytest.raises(SourceError, match=r"cannot be read as an .npz file|cut short"):
        NpzSource(path)


def test_damaged_members_are_refused(tmp_path):
    data = bytearray()
    stream = io.BytesIO()
    np.savez(stream, images=IMAGES, labels=LABELS)
    for place in range(0, len(stream.getvalue()), 7):
        data[:] = stream.getvalue()
        data[place] ^= 0xFF
        (tmp_path / "x.npz").write_bytes(data)
        try:
            NpzSource(tmp_path / "x.npz")
        except SourceError as error:
            if str(tmp_path) not in str(error):
                pytest.fail(f"byte {place}: {error}")


def test_what_is_no_npz_is_not_accepted(tmp_path):
    np.save(tmp_path / "one.npy", IMAGES)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("cat/1.png", b"")
    for place in (tmp_path, tmp_path / "one.npy", tmp_path / "a.zip", tmp_path / "missing", "/dev/null"):
        assert not NpzSource.accepts(place)

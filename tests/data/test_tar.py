"""The walk over tar headers against the standard library's, compressed tars, and shards of webdataset."""

import io
import os
import pickle
import subprocess
import sys
import tarfile

import made_archives as made
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.data import list_pictures, open_source
from striate.data.sources.inflated import is_tar
from striate.data.sources.tar import is_header, walk_tar
from striate.data.sources.tars import TarStore
from striate.errors import ImageError, SourceError

FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
NAMES = st.text(
    st.characters(exclude_characters="\0/\\:.", exclude_categories=["Cs"]), min_size=1, max_size=150
)


def walked(data: bytes) -> list[tuple[str, bytes]]:
    """Names and bytes by our walk."""
    entries = walk_tar(lambda place, count: data[place : place + count], len(data), "some.tar")
    return [(name, data[offset : offset + size]) for name, offset, size, reason in entries if not reason]


def standard(data: bytes) -> list[tuple[str, bytes]]:
    """The same by the standard library."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return [(info.name, archive.extractfile(info).read()) for info in archive if info.isreg()]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 200_000])
def test_members_are_those_of_the_standard_library(kind, size):
    names = ["a/1.png", "deep/" * 20 + "2.png", "ünï/3.png", "b/4.png"]
    data = made.tar_of([(made.member(name), os.urandom(size)) for name in names], kind)
    assert walked(data) == standard(data)
    assert [name for name, _ in walked(data)] == names


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(NAMES, st.binary(max_size=1500)), max_size=6),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
)
def test_any_names_and_contents(members, kind):
    data = made.tar_of([(made.member(f"x{name}"), content) for name, content in members], kind)
    assert walked(data) == standard(data)


def test_sizes_beyond_octal_are_read():
    info = made.member("a.png")
    info.size = 9 << 30
    head = info.tobuf(tarfile.GNU_FORMAT)
    assert is_header(head)
    entries = walk_tar(lambda place, count: (head + bytes(count))[place : place + count], 1 << 40, "big.tar")
    first = next(entries)
    assert (first.name, first.offset, first.size) == ("a.png", 512, 9 << 30)


def test_sparse_members_are_left_out_and_what_follows_is_found(tmp_path):
    path = tmp_path / "holes"
    with path.open("wb") as file:
        for place in range(0, 80 << 20, 2 << 20):
            file.seek(place)
            file.write(b"x" * 4096)
    (tmp_path / "after.png").write_bytes(made.png())
    for kind in ("gnu", "pax"):
        words = ["tar", f"--format={kind}", "-S", "-cf", f"{kind}.tar", "holes", "after.png"]
        subprocess.run(words, cwd=tmp_path, check=True)
        data = (tmp_path / f"{kind}.tar").read_bytes()
        entries = list(walk_tar(lambda place, count, d=data: d[place : place + count], len(data), "some.tar"))
        assert "sparse" in entries[0].reason
        assert (entries[1].name, entries[1].reason) == ("after.png", "")
        assert data[entries[1].offset :].startswith(made.png())


@pytest.mark.parametrize("cut", [1, 600, 1100])
def test_a_tar_cut_short_inside_a_member_is_refused(tmp_path, cut):
    data = made.tar_of([(made.member("cat/1.png"), bytes(3000)), (made.member("dog/1.png"), bytes(3000))])
    short = data[: 512 + 3072 + 512 + 3000 - cut]
    with pytest.raises(SourceError, match=r"cut short: its member 'dog/1.png' ends beyond the file"):
        walked(short)


def test_a_damaged_header_is_told_by_its_place():
    data = bytearray(made.tar_of([(made.member("a.png"), b"x"), (made.member("b.png"), b"y")]))
    data[1024 + 3] ^= 1
    with pytest.raises(SourceError, match="there is no header at byte 1,024"):
        walked(bytes(data))


@pytest.fixture
def tree(tmp_path):
    return made.write_tree(tmp_path / "set", 24)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_reads_like_its_folder(tree, tmp_path, mode):
    path = made.write_tar(tmp_path / "any name at all", tree, mode)
    before = path.read_bytes(), sorted(os.listdir(tmp_path))
    source, folder = open_source(path), open_source(tree)
    assert (source.names, source.labels, source.splits) == (folder.names, folder.labels, folder.splits)
    copy = pickle.loads(pickle.dumps(source))
    for name in folder.names:
        np.testing.assert_array_equal(copy.read(name), folder.read(name))
        assert copy.describe(name) == folder.describe(name)
    assert (path.read_bytes(), sorted(os.listdir(tmp_path))) == before
    with pytest.raises(ImageError, match=r"there is no member 'cat/0.png'"):
        source.read("cat/0.png")


def test_what_was_inflated_has_no_name_and_is_shared_with_workers(tree, tmp_path, cache):
    path = made.write_tar(tmp_path / "set.tar.gz", tree, "w:gz")
    source = open_source(path)
    assert not list(cache.rglob("*"))
    (tmp_path / "source.pickle").write_bytes(pickle.dumps(source))
    path.unlink()  # a worker that inflated it again would not find it
    program = "import pickle, sys; s = pickle.load(open(sys.argv[1], 'rb')); print(s.read(s.names[0]).sum())"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "source.pickle")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) == source.read(source.names[0]).sum()


def test_a_copy_that_outlives_its_process_inflates_again(tree, tmp_path):
    path = made.write_tar(tmp_path / "set.tar.gz", tree, "w:gz")
    program = (
        "import pickle, sys; from striate.data import open_source; "
        "pickle.dump(open_source(sys.argv[1]), open(sys.argv[2], 'wb'))"
    )
    subprocess.run([sys.executable, "-c", program, str(path), str(tmp_path / "kept")], check=True)
    source = pickle.loads((tmp_path / "kept").read_bytes())
    np.testing.assert_array_equal(source.read(source.names[0]), open_source(tree).read(source.names[0]))


def test_another_file_under_the_same_number_is_not_taken(tree, tmp_path):
    """Process and file numbers come again: only the very file that was shared is read."""
    source = open_source(made.write_tar(tmp_path / "set.tar.gz", tree, "w:gz"))
    other = open_source(made.write_tar(tmp_path / "other.tar.gz", made.write_tree(tmp_path / "o", 2), "w:gz"))
    inflated, wrong = source.store._inflated, other.store._inflated
    state = inflated.__getstate__() | {"shared": wrong.__getstate__()["shared"]}
    again = type(inflated).__new__(type(inflated))
    again.__setstate__(state)
    assert again.read(0, again.length) == inflated.read(0, inflated.length) != wrong.read(0, wrong.length)


@pytest.mark.parametrize("cut", [30, 300])
def test_a_compressed_tar_cut_short(tree, tmp_path, cut):
    path = made.write_tar(tmp_path / "set.tar.gz", tree, "w:gz")
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(SourceError, match="cannot be inflated: it is damaged or cut short"):
        open_source(path)


def test_a_tar_that_changes_is_noticed(tree, tmp_path):
    path = made.write_tar(tmp_path / "set.tar", tree)
    source = open_source(path)
    stamps = source.stamps
    os.utime(path, ns=(1, 1))
    with pytest.raises(ImageError, match="has changed since it was listed"):
        source.read(source.names[0])
    assert (open_source(path).stamps != stamps).any()


def test_only_tars_are_tars(tree, tmp_path):
    (tmp_path / "text").write_text("hello" * 500)
    (tmp_path / "zeros").write_bytes(bytes(10240))
    assert not any(is_tar(str(tmp_path / name)) for name in ("text", "zeros", "gone"))
    assert not is_tar(str(tree / "train/cat/0.png"))


def test_pictures_to_predict_in_a_tar(tree, tmp_path):
    path = made.write_tar(tmp_path / "set.tar", tree)
    listed = dict(list_pictures([path]))
    assert sorted(listed) == sorted(f"{path}/{name}" for name in open_source(tree).names)
    name = f"{path}/train/cat/0.png"
    np.testing.assert_array_equal(listed[name]().pixels, open_source(tree).read("train/cat/0.png"))


def write_shard(path, samples: list[tuple[str, bytes]]):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(made.tar_of([(made.member(name), data) for name, data in samples]))
    return path


def test_webdataset(tmp_path):
    samples = [
        ("b/2.jpg", made.png(2)),
        ("b/2.cls", b"1\n"),
        ("a/10.png", made.png(10)),
        ("a/10.cls", b"0"),
        ("a/10.json", b'{"label": "not asked"}'),
        ("a/9.png", made.png(9)),
        ("a/9.txt", b"owl"),
        ("c.png", made.png(1)),
        ("c.json", b'{"label": 7, "caption": "a cat"}'),
        ("d.png", made.png(3)),
    ]
    source = open_source(write_shard(tmp_path / "set.tar", samples))
    assert source.names == ["a/9.png", "a/10.png", "b/2.jpg", "c.png"]
    assert source.labels == ["owl", "0", "1", "7"]
    assert source.notes == ["1 file left out, without a class beside them: d.png"]
    assert source.read("b/2.jpg").shape == (8, 8, 1)


def test_texts_beside_pictures_are_classes_where_folders_are_none(tmp_path):
    pairs = [("1.png", made.png(1)), ("1.txt", b"cat"), ("2.png", made.png(2)), ("2.txt", b"dog")]
    assert open_source(write_shard(tmp_path / "pairs.tar", pairs)).labels == ["cat", "dog"]
    captions = [(f"{folder}/{name}", data) for folder, (name, data) in zip("aabb", pairs, strict=True)]
    source = open_source(write_shard(tmp_path / "captions.tar", captions))
    assert source.labels == ["a", "b"]
    assert source.notes == ["2 files left out, without a picture's ending: a/1.txt, …"]
    (odd,) = open_source(write_shard(tmp_path / "odd.tar", [*pairs, ("x.md", b"")])).notes
    assert odd == "1 file left out, without a picture's ending: x.md"


def test_shards_with_splits_in_their_names(tmp_path):
    for number, stem in enumerate(["train-0002", "train-0010", "val-0000", "test-0000"]):
        samples = [
            pair
            for row in range(2)
            for pair in ((f"{row}.png", made.png(10 * number + row)), (f"{row}.cls", b"%d" % row))
        ]
        write_shard(tmp_path / "shards" / f"{stem}.tar", samples)
    source = pickle.loads(pickle.dumps(open_source(tmp_path / "shards")))
    assert source.names[:5] == [
        "test-0000/0.png",
        "test-0000/1.png",
        "train-0002/0.png",
        "train-0002/1.png",
        "train-0010/0.png",
    ]
    assert source.splits == ["test"] * 2 + ["train"] * 4 + ["validation"] * 2
    assert source.labels == ["0", "1"] * 4
    assert len(source.stamps) == 8
    assert source.read("train-0010/1.png").shape == (8, 8, 1)
    with pytest.raises(ImageError, match=r"no member 'train-0003/1.png'"):
        source.read("train-0003/1.png")


def test_shards_of_one_split_have_none(tmp_path):
    for number in range(2):
        samples = [("a.png", made.png(number)), ("a.cls", b"%d" % number)]
        write_shard(tmp_path / "shards" / f"train-{number}.tar", samples)
    assert open_source(tmp_path / "shards").splits is None


@pytest.mark.parametrize(
    ("beside", "words"),
    [
        (("1.cls", b"\xff"), r"1.cls is not UTF-8 text"),
        (("1.json", b"{"), "1.json is not UTF-8 text, or no JSON"),
        (("1.cls", bytes(1 << 17)), "1.cls has 131,072 bytes; a class has a few"),
        (("2.cls", b"cat"), "holds no picture with its class beside it; expected pairs such as 0001.jpg"),
        (("1.cls", b"cat"), "one class only, 'cat'"),
    ],
)
def test_webdatasets_that_are_refused(tmp_path, beside, words):
    path = write_shard(tmp_path / "set.tar", [("1.png", made.png()), beside])
    with pytest.raises(SourceError, match=words):
        open_source(path)


@pytest.mark.slow
def test_a_million_members_in_bounded_memory(tmp_path):
    """Each header is written by hand; the table of a million takes under 1 GB, measured in a fresh process."""
    path = tmp_path / "million.tar"
    with path.open("wb") as file:
        for number in range(1_000_000):
            info = made.member(f"set/class_{number % 10}/{number}.png")
            info.size = 1
            file.write(info.tobuf(tarfile.USTAR_FORMAT) + b"x".ljust(512, b"\0"))
        file.write(bytes(1024))
    made.opens_in_bounded_memory(path)


def test_the_store_lists_what_tar_lists(tree, tmp_path):
    path = tmp_path / "gnu.tar"
    subprocess.run(["tar", "-cf", str(path), "-C", str(tree), "."], check=True)
    listing = TarStore(path).listing()
    assert sorted(listing.files) == sorted(name for name, _, _ in made.rows_of(tree))

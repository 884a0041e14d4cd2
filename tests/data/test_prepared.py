"""The courses' own preparation of each data set, on made-up miniatures and on the real characters."""

import io
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_server import ANSWERS, CHARACTERS, CONTENT, fresh_home, png, published, serve, serving, tgz

import striate
from striate.data.named import prepared, registry
from striate.data.named.downloads import download_data, named_source
from striate.data.named.registry import NamedData, NamedFile
from striate.errors import SourceError


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    return fresh_home(tmp_path / "home", monkeypatch)


@pytest.fixture
def characters(server, monkeypatch) -> NamedData:
    content = {"EnglishHnd.tgz": CHARACTERS}
    return serve(published("chars74k", content, server, hashed=False, images=18), content, monkeypatch)


def test_chars74k_becomes_characters_and_writers(characters):
    download_data("chars74k")
    source = named_source("chars74k")
    assert sorted(set(source.labels)) == ["0", "9", "A", "Z", "a", "z"]
    assert sorted(set(source.groups)) == ["writer 1", "writer 2", "writer 55"]
    image = source.names.index("Sample036/img036-055.png")
    assert (source.labels[image], source.groups[image]) == ("Z", "writer 55")
    again = pickle.loads(pickle.dumps(source))
    assert again.read(again.names[0]).shape == (6, 5, 3)
    assert again.load(again.names[0]).description.format == "PNG"


def test_the_real_characters(real_data, monkeypatch):
    source = prepared.characters(striate.load_images(real_data / "chars74k_hnd.zip").source, "chars74k")
    counts = {label: source.labels.count(label) for label in set(source.labels)}
    assert counts == dict.fromkeys(prepared.CHARACTERS, 55)
    writers = {group: source.groups.count(group) for group in set(source.groups)}
    assert writers == {f"writer {number}": 62 for number in range(1, 56)}
    assert source.read(source.names[0]).shape == (900, 1200, 3)


def test_every_sample_has_its_character():
    found = [prepared.character_of(f"Sample{number:03d}") for number in range(1, 63)]
    assert "".join(found) == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    for wrong in ("Sample000", "Sample063", "sample001", "img"):
        with pytest.raises(SourceError, match=f"'{wrong}' is none of Chars74K's"):
            prepared.character_of(wrong)
    with pytest.raises(SourceError, match="names no writer"):
        prepared.writer_of("Sample001/img001.png")


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("C33P1thinF_IMG_20150619_114756a_cell_179.png", "patient C33P1"),
        ("Uninfected/C33P1thinF_IMG_20150619_114756a_cell_7.png", "patient C33P1"),
        ("C100P61ThinF_IMG_20150918_144104_cell_162.png", "patient C100P61"),
        ("C47P8thin_Original_Motic_IMG_1_cell_1.png", "patient C47P8"),
        ("C47P8thinOriginalOlympusCX21_IMG_1_cell_1.png", "patient C47P8"),
        ("C39AP4thinF_IMG_1_cell_1.png", "patient C39P4"),
        ("C1_thinF_IMG_20150604_104722_cell_9.png", "slide C1"),
        ("C241NThinF_IMG_20151207_124115_cell_1.png", "slide C241"),
        ("cell_9.png", "picture cell_9.png"),
    ],
)
def test_the_patient_in_a_name(name, group):
    assert prepared.patient_of(name) == group


def test_malaria_without_its_repeated_folder(server, monkeypatch):
    names = ["Parasitized/C33P1thinF_IMG_1_cell_1.png", "Parasitized/C33P2thinF_IMG_1_cell_1.png"]
    names += ["Uninfected/C1_thinF_IMG_1_cell_1.png", "Uninfected/C33P1thinF_IMG_1_cell_9.png"]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for top in ("cell_images/", "cell_images/cell_images/"):
            for value, name in enumerate(names):
                archive.writestr(top + name, png(value))
            archive.writestr(f"{top}Parasitized/Thumbs.db", b"x")
    entry = published("malaria", {"cell_images.zip": stream.getvalue()}, server, images=4)
    monkeypatch.setitem(registry.REGISTRY, "malaria", entry)
    ANSWERS["/a/cell_images.zip"] = (200, {}, stream.getvalue())
    download_data("malaria")
    source = named_source("malaria")
    assert source.names == names
    assert source.labels == ["Parasitized"] * 2 + ["Uninfected"] * 2
    assert source.groups == ["patient C33P1", "patient C33P2", "slide C1", "patient C33P1"]
    assert source.notes[-2] == "pictures left out because the archive holds its folder cell_images twice: 4"
    assert "no patient (C1_thinF_…, not C33P1thinF_…): 1; their slide" in source.notes[-1]
    assert len(source.stamps) == 4
    assert source.read(names[3])[0, 0, 0] == 3


def test_clothing_has_names(server, monkeypatch):
    monkeypatch.setitem(registry.REGISTRY, "fashion-mnist", published("fashion-mnist", CONTENT, server))
    ANSWERS.update({f"/a/{file}": (200, {}, data) for file, data in CONTENT.items()})
    download_data("fashion-mnist")
    source = named_source("fashion-mnist")
    assert source.labels[:10] == list(prepared.CLOTHING)
    assert source.in_memory


def test_cifar_is_read_from_its_archive(server, monkeypatch):
    record = bytes([7]) + bytes(3072)
    members = {f"cifar-10-batches-bin/data_batch_{number}.bin": record for number in range(1, 6)}
    members |= {"cifar-10-batches-bin/test_batch.bin": record, "cifar-10-batches-bin/readme.html": b"x"}
    members |= {"cifar-10-batches-bin/batches.meta.txt": b"\n".join(b"class %d" % n for n in range(10))}
    data = tgz(members)
    entry = published("cifar10", {"cifar-10-binary.tar.gz": data}, server, images=60_000)
    monkeypatch.setitem(registry.REGISTRY, "cifar10", entry)
    ANSWERS["/a/cifar-10-binary.tar.gz"] = (200, {}, data)
    download_data("cifar10")
    source = named_source("cifar10")
    assert source.labels == ["class 7"] * 6
    assert source.notes == ["6 pictures are there, and 60,000 were published"]


def test_cracks_come_packed_and_the_way_to_unpack_them_is_said(server, monkeypatch, home):
    data = b"Rar!\x1a\x07\x00" + bytes(40)
    file = "Concrete Crack Images for Classification.rar"
    entry = published("concrete-cracks", {file: data}, server, images=4)
    entry = NamedData(
        **{**vars(entry), "files": (NamedFile(file, (f"{server}/a/x",), entry.files[0].hashes, 47),)}
    )
    monkeypatch.setitem(registry.REGISTRY, "concrete-cracks", entry)
    ANSWERS["/a/x"] = (200, {}, data)
    folder = download_data("concrete-cracks")
    with pytest.raises(SourceError) as caught:
        named_source("concrete-cracks")
    assert f"`bsdtar -xf '{folder / file}' -C '{folder}'`" in str(caught.value)
    for value, name in enumerate(("Positive/1.jpg", "Positive/2.jpg", "Negative/1.jpg", "Negative/2.jpg")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(png(value))
    source = named_source("concrete-cracks")
    assert source.labels == ["Negative"] * 2 + ["Positive"] * 2
    assert "cut from 458 photographs" in source.notes[-1]
    assert source.read("Positive/1.jpg")[0, 0, 0] == 0

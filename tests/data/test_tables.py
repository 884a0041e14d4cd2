"""Tables of files, and tables that hold the pictures: what is taken, and what is told with its line."""

import pickle
import tarfile
import zipfile

import made_archives as made
import numpy as np
import pytest

from striate.data import load_images, open_source, pack_source
from striate.errors import ImageError, SourceError


@pytest.fixture
def folder(tmp_path):
    """cat/1.png, cat/2.png, dog/1.png, dog/2.png and a TIFF of three pages."""
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in (1, 2):
            (tmp_path / name / f"{number}.png").write_bytes(made.png(number + len(name[0])))
    (tmp_path / "scan.tif").write_bytes(made.pages(3))
    return tmp_path


def table(folder, text: str, name: str = "table.csv", encoding: str = "utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


GOOD = "file,label\ndog/2.png,dog\ncat/1.png,cat\ncat/2.png,cat\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (GOOD, "table.csv"),
        (GOOD.replace(",", ";"), "table.csv"),
        (GOOD.replace(",", "\t"), "table.tsv"),
        (GOOD.replace(",", ", "), "table.csv"),
        (GOOD.replace("\n", "\r\n"), "table.csv"),
        ("\ufeff" + GOOD, "table.csv"),
        (GOOD.replace("file,label", "FileName, Class "), "table.csv"),
        (GOOD.replace("file,label", '"path","target"'), "table.csv"),
        (GOOD.replace("dog/2.png", '"dog/2.png"'), "table.csv"),
        (GOOD.replace("dog/2.png", "dog\\2.png"), "table.csv"),
        (GOOD.replace("dog/2.png", "./dog//2.png"), "table.csv"),
        (GOOD.replace("dog/2.png", "cat/../dog/2.png"), "table.csv"),
        (GOOD + "\n\n", "table.csv"),
        (
            '{"file_name": "dog/2.png", "label": "dog"}\n{"file_name": "cat/1.png", "label": "cat"}\n'
            '{"file_name": "cat/2.png", "label": "cat"}\n',
            "table.jsonl",
        ),
    ],
)
def test_tables_that_are_taken(folder, text, name):
    source = open_source(table(folder, text, name))
    assert source.names == ["cat/1.png", "cat/2.png", "dog/2.png"]
    assert source.labels == ["cat", "cat", "dog"]
    assert (source.splits, source.groups, source.notes) == (None, None, [])
    assert source.location == str(folder / name)
    np.testing.assert_array_equal(source.read("dog/2.png"), open_source(folder / name).read("dog/2.png"))


@pytest.mark.parametrize("ending", ["zip", "tar"])
def test_a_table_in_an_archive_is_opened_again_by_the_archives_path(folder, ending):
    table(folder, GOOD, "metadata.csv")
    path = folder / f"cells.{ending}"
    files = ("metadata.csv", "cat/1.png", "cat/2.png", "dog/2.png")
    with zipfile.ZipFile(path, "w") if ending == "zip" else tarfile.open(path, "w") as archive:
        for name in files:
            (archive.write if ending == "zip" else archive.add)(folder / name, name)
    source = open_source(path)
    assert source.location == str(path)
    assert open_source(source.location).names == source.names == ["cat/1.png", "cat/2.png", "dog/2.png"]


def test_absolute_paths_inside_the_folder_are_taken(folder):
    source = open_source(table(folder, GOOD.replace("cat/1.png", str(folder / "cat/1.png"))))
    assert source.names == ["cat/1.png", "cat/2.png", "dog/2.png"]


def test_groups_splits_and_other_columns(folder):
    text = (
        "label,age,file,split,group\n"
        'dog,7,dog/2.png,Training,p2\ncat,"1,5",cat/1.png,val,p1\ncat,,cat/2.png,,p1\n'
    )
    source = pickle.loads(pickle.dumps(open_source(table(folder, text))))
    assert source.splits == ["validation", "", "train"]
    assert source.groups == ["p1", "p1", "p2"]
    assert source.columns == ("label", "age", "file", "split", "group")
    assert source.column("age") == ["1,5", "", "7"]
    with pytest.raises(SourceError, match="has no column 'ages'; did you mean age"):
        source.column("ages")


def test_pages_and_frames(folder):
    source = open_source(table(folder, "file,label\nscan.tif,tiff\ncat/1.png,cat\n"))
    assert source.names == ["cat/1.png", "scan.tif#1", "scan.tif#2", "scan.tif#3"]
    assert source.labels == ["cat", "tiff", "tiff", "tiff"]
    assert [int(source.read(name).mean()) for name in source.names[1:]] == [10, 20, 30]
    source = open_source(table(folder, "file,label\nscan.tif#3,three\nscan.tif#1,one\nscan.tif#9,none\n"))
    assert source.names == ["scan.tif#1", "scan.tif#3", "scan.tif#9"]
    assert source.labels == ["one", "three", "none"]
    assert source.describe("scan.tif#3").images == 3
    with pytest.raises(ImageError):
        source.read("scan.tif#9")


def test_a_file_with_a_number_sign_in_its_name(folder):
    (folder / "cat/a#2").write_bytes(made.png(5))
    source = open_source(table(folder, "file,label\ncat/a#2,odd\ncat/1.png,cat\n"))
    assert source.names == ["cat/1.png", "cat/a#2"]
    assert source.read("cat/a#2").shape == (8, 8, 1)


def test_missing_files_are_rows_that_cannot_be_read(folder):
    images = load_images(table(folder, GOOD + "gone.png,cat\n"))
    _, pack = pack_source(images.source, workers=1)
    images = images.with_pack(pack)
    assert len(images) == 3
    assert images.unreadable == (("gone.png", "there is no such file"),)


def test_repeated_rows_are_told_and_left_out(folder):
    source = open_source(table(folder, GOOD + "cat/1.png,cat\n./cat/2.png,cat\n"))
    assert source.names == ["cat/1.png", "cat/2.png", "dog/2.png"]
    assert source.notes == ["lines 5 and 6 of table.csv repeat earlier rows and are left out"]


BAD = [
    ("file,label\n", "has no rows below its header"),
    ("", "names no files: it has the columns \\(none\\)"),
    (
        "picture,label\na.png,cat\n",
        "names no files: it has the columns picture, label; one must be called file, path",
    ),
    (
        "file,kind\ncat/1.png,cat\nloose.png,dog\n",
        "has no labels: it has the columns file, kind; one must be called label",
    ),
    ("file,label\na.png,cat\nb.png,\nc.png,dog\nd.png, \n", "lines 3 and 5, have no label"),
    ("file,label\na.png,cat\n,dog\n", "line 3: there is no file"),
    (
        "file,label\na.png,cat\nb.png,dog\na.png,owl\n",
        "lines 2 and 4: a.png has the label 'cat' and the label 'owl'",
    ),
    (
        "file,label,split\na.png,cat,trainn\nb.png,dog,test\n",
        "line 2: there is no split 'trainn'; did you mean train",
    ),
    (
        "file,label,split\na.png,cat,val\nb.png,dog,test\n",
        "images for validation and test, but none to train on",
    ),
    (
        "file,label,group\na.png,cat,1\nb.png,dog,\n",
        "line 3, has no group; give each row one, or leave the column out",
    ),
    ("file,label\na.png,cat\nb.png,dog,7\n", "line 3: there are 3 fields, but 2 columns"),
    ("file,label\na.png\nb.png,dog\n", "line 2: there are 1 fields, but 2 columns"),
    ('file,label\na.png,"cat\nb.png,dog\n', "line 3: its quotes are wrong"),
    ('file,label\n"a.png"x,cat\nb.png,dog\n', "line 2: its quotes are wrong"),
    ("file,label\na.png,cat\nb.png,cat\n", "one class only, 'cat'"),
]


@pytest.mark.parametrize(("text", "words"), BAD)
def test_tables_that_are_refused(folder, text, words):
    with pytest.raises(SourceError, match=words):
        open_source(table(folder, text))


def test_encodings(folder):
    text = "file,label\na.png,cat\nb.png,käse\n"
    with pytest.raises(SourceError, match="line 3: it is not UTF-8 text; save the table as csv in UTF-8"):
        open_source(table(folder, text, encoding="latin-1"))
    with pytest.raises(SourceError, match=r"line 1: it is not UTF-8 text \(it looks like UTF-16\)"):
        open_source(table(folder, text, encoding="utf-16"))


@pytest.mark.parametrize("line", ["[]", "7", "{", "hello"])
def test_json_lines_that_are_none(folder, line):
    text = '{"file": "a.png", "label": "cat"}\n' + line + "\n"
    with pytest.raises(SourceError, match="line 2: it is no JSON object"):
        open_source(table(folder, text, "table.jsonl"))


@pytest.mark.parametrize("pack", [None, "zip", "tar"])
@pytest.mark.parametrize("name", ["metadata.csv", "labels.csv"])
def test_a_table_beside_its_pictures(folder, tmp_path_factory, pack, name):
    (folder / "scan.tif").unlink()
    for path in sorted(folder.glob("*/*.png")):
        path.rename(folder / f"{path.parent.name}{path.name}")
    for name_of_folder in ("cat", "dog"):
        (folder / name_of_folder).rmdir()
    table(folder, "file_name,label\ndog2.png,dog\ncat1.png,cat\n", name)
    place = folder
    if pack == "zip":
        place = tmp_path_factory.mktemp("packed") / "set.zip"
        with zipfile.ZipFile(place, "w") as file:
            for path in folder.iterdir():
                file.write(path, f"set/{path.name}")
    if pack == "tar":
        place = tmp_path_factory.mktemp("packed") / "set.tar"
        with tarfile.open(place, "w") as file:
            file.add(folder, "set")
    source = pickle.loads(pickle.dumps(open_source(place)))
    assert source.names == ["cat1.png", "dog2.png"]
    assert source.labels == ["cat", "dog"]
    assert source.column("label") == ["cat", "dog"]
    np.testing.assert_array_equal(source.read("cat1.png"), open_source(folder).read("cat1.png"))


def test_class_folders_come_before_a_table_of_another_name(folder):
    (folder / "scan.tif").unlink()
    table(folder, GOOD, "results.csv")
    source = open_source(folder)
    assert len(source.names) == 4
    assert source.notes == ["1 file left out, without a picture's ending: results.csv"]


def test_metadata_in_every_split_folder(tmp_path):
    for number, split in enumerate(("train", "test")):
        (tmp_path / split).mkdir()
        for label in ("a", "b"):
            (tmp_path / split / f"{label}.png").write_bytes(made.png(number))
        table(tmp_path / split, f"file_name,label,{split}_only\na.png,0,x\nb.png,1,y\n", "metadata.csv")
    source = open_source(tmp_path)
    assert source.names == ["test/a.png", "test/b.png", "train/a.png", "train/b.png"]
    assert source.labels == ["0", "1", "0", "1"]
    assert source.splits == ["test", "test", "train", "train"]
    assert source.columns == ("file_name", "label")
    assert source.column("file_name") == ["a.png", "b.png", "a.png", "b.png"]
    assert source.read("train/b.png").shape == (8, 8, 1)


def test_metadata_without_labels_takes_the_folders(folder):
    (folder / "scan.tif").unlink()
    table(folder, "file_name,age\ndog/2.png,7\ncat/1.png,3\n", "metadata.csv")
    source = open_source(folder)
    assert (source.names, source.labels) == (["cat/1.png", "dog/2.png"], ["cat", "dog"])
    assert source.column("age") == ["3", "7"]

"""Tables in parquet, of paths and of the pictures themselves."""

import json
import pickle
import zipfile

import made_archives as made
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import striate.data.sources.parquet_pictures
from striate.data import open_source
from striate.errors import ImageError, SourceError


@pytest.fixture
def folder(tmp_path):
    for name in ("cat/1.png", "dog/2.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(made.png())
    return tmp_path


def test_a_parquet_table_of_paths(folder):
    content = {"path": ["dog/2.png", "cat/1.png"], "label": [1, 0], "group": ["x", "y"]}
    pq.write_table(pa.table(content), folder / "table.parquet")
    source = open_source(folder / "table.parquet")
    assert (source.names, source.labels, source.groups) == (
        ["cat/1.png", "dog/2.png"],
        ["0", "1"],
        ["y", "x"],
    )
    assert source.column("group") == ["y", "x"]
    pq.write_table(pa.table({**content, "label": [1, None]}), folder / "table.parquet")
    with pytest.raises(SourceError, match="row 2, has no label"):
        open_source(folder / "table.parquet")


def pictures(paths: list[str | None], labels: list, **more) -> pa.Table:
    cells = [{"bytes": made.png(number), "path": path} for number, path in enumerate(paths)]
    return pa.table({"image": pa.array(cells), "label": labels, **more})


def test_pictures_in_parquet_without_paths(tmp_path):
    pq.write_table(pictures([None] * 5, [0, 1, 0, 1, 1]), tmp_path / "set.parquet", row_group_size=2)
    source = pickle.loads(pickle.dumps(open_source(tmp_path / "set.parquet")))
    assert source.names == [f"row-{number:06d}" for number in range(1, 6)]
    assert source.labels == ["0", "1", "0", "1", "1"]
    assert source.columns == ("label",)
    for number, name in enumerate(source.names):
        assert source.file_bytes(name) == made.png(number)
    with pytest.raises(ImageError, match="there is no row 'row-000006'"):
        source.read("row-000006")


def test_paths_that_are_not_distinct_are_told(tmp_path):
    pq.write_table(pictures(["a.png", "a.png"], [0, 1]), tmp_path / "set.parquet")
    source = open_source(tmp_path / "set.parquet")
    assert source.names == ["row-000001", "row-000002"]
    assert source.notes == ["the paths in the table are missing or not distinct; rows are named by number"]


def test_a_column_of_bytes(tmp_path):
    pq.write_table(pa.table({"image": [made.png(0), None], "label": ["a", "b"]}), tmp_path / "set.parquet")
    source = open_source(tmp_path / "set.parquet")
    assert source.read("row-000001").shape == (8, 8, 1)
    with pytest.raises(ImageError, match="its row of the table holds no bytes"):
        source.read("row-000002")


def test_a_folder_of_parquet_files_with_splits_in_their_names(tmp_path):
    (tmp_path / "data").mkdir()
    for split, count in (
        ("train-00000-of-00002", 2),
        ("train-00001-of-00002", 1),
        ("test-00000-of-00001", 2),
    ):
        names = {"info": {"features": {"label": {"names": ["cat", "dog"]}}}}
        content = pictures([f"{split}/{row}.png" for row in range(count)], [row % 2 for row in range(count)])
        content = content.replace_schema_metadata({"huggingface": json.dumps(names)})
        pq.write_table(content, tmp_path / "data" / f"{split}.parquet")
    (tmp_path / "README.md").write_text("a card")
    source = open_source(tmp_path)
    assert source.splits == ["test", "test", "train", "train", "train"]
    assert source.labels == ["cat", "dog", "cat", "dog", "cat"]
    assert source.column("label") == source.labels
    assert source.file_bytes("train-00001-of-00002/0.png") == made.png(0)


def test_scattered_rows_are_unrolled_once(tmp_path, monkeypatch):
    order = np.random.default_rng(0).permutation(40)
    cells = [{"bytes": made.png(int(row)), "path": f"{row}.png"} for row in order]
    path = tmp_path / "set.parquet"
    pq.write_table(
        pa.table({"image": cells, "label": [int(row) % 2 for row in order]}), path, row_group_size=4
    )
    reads = []
    read_group = striate.data.sources.parquet_pictures.read_group
    monkeypatch.setattr(
        striate.data.sources.parquet_pictures,
        "read_group",
        lambda *given: reads.append(given) or read_group(*given),
    )
    monkeypatch.setattr(striate.data.sources.parquet_pictures, "SCATTERED_BYTES", 1)
    opened = open_source(path)
    source = pickle.loads(pickle.dumps(opened))
    assert len(reads) == 20  # once for the sizes, once for the bytes
    assert [source.file_bytes(name) for name in source.names] == [made.png(row) for row in range(40)]
    assert len(reads) == 20


def test_a_row_group_is_read_once_when_rows_are_in_order(tmp_path, monkeypatch):
    pq.write_table(pictures([None] * 12, [0, 1] * 6), tmp_path / "set.parquet", row_group_size=4)
    source = open_source(tmp_path / "set.parquet")
    reads = []
    read_group = striate.data.sources.parquet_pictures.read_group
    monkeypatch.setattr(
        striate.data.sources.parquet_pictures,
        "read_group",
        lambda *given: reads.append(given[1]) or read_group(*given),
    )
    for name in source.names:
        source.read(name)
    assert reads == [0, 1, 2]


@pytest.mark.parametrize("cut", [3, 100])
def test_a_parquet_file_cut_short(tmp_path, cut):
    path = tmp_path / "set.parquet"
    pq.write_table(pictures(["a.png", "b.png"], [0, 1]), path)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(SourceError, match="is no parquet file that can be read"):
        open_source(path)


@pytest.mark.slow
def test_a_million_rows_in_bounded_memory(tmp_path):
    names = [f"class_{number % 10}/{number}.png" for number in range(1_000_000)]
    labels = [f"class_{number % 10}" for number in range(1_000_000)]
    text = "".join(f"{name},{label}\n" for name, label in zip(names, labels, strict=True))
    (tmp_path / "table.csv").write_text("file,label\n" + text)
    made.opens_in_bounded_memory(tmp_path / "table.csv")
    pq.write_table(pa.table({"file": names, "label": labels}), tmp_path / "paths.parquet")
    made.opens_in_bounded_memory(tmp_path / "paths.parquet")
    cells = pa.array([{"bytes": b"x", "path": name} for name in names])
    pq.write_table(pa.table({"image": cells, "label": labels}), tmp_path / "pictures.parquet")
    made.opens_in_bounded_memory(tmp_path / "pictures.parquet")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as file:
        for name in names:
            file.writestr(name, b"x")
    made.opens_in_bounded_memory(tmp_path / "set.zip")

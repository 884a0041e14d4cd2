"""Where images come from, one kind of source a file: folders, archives, tables, shards, array files.

`door.py` finds the kind by content. `stored.py`, `table_source.py`, `parquet_pictures.py` and `webdataset.py` are
sources on top of a store of files (`folder.py`, `archive.py`, `tars.py`); `idx.py`, `cifar.py`, `npz.py` and
`arrays.py` hold arrays.
"""

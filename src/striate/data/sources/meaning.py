"""What the files of a store amount to: a table's pictures, pairs of webdataset, parquet, shards, or class folders."""

import os

from striate.data.sources.folder import FolderStore
from striate.data.sources.kinds import kind_of
from striate.data.sources.parquet_pictures import ParquetSource
from striate.data.sources.pictures import PictureSource
from striate.data.sources.sheet import names_files
from striate.data.sources.stored import StoredSource
from striate.data.sources.stores import Listing, Store
from striate.data.sources.table_source import TableSource
from striate.data.sources.tars import ShardsStore, TarStore
from striate.data.sources.webdataset import WebDatasetSource, has_classes, has_pairs
from striate.errors import SourceError

METADATA = ("metadata.csv", "metadata.tsv", "metadata.jsonl", "metadata.parquet")
"""Names that make a table the table of its folder, as in a data set of Hugging Face."""


def open_store(store: Store) -> PictureSource:
    """The source that the files of a store amount to.

    A table called `metadata` comes first, then classes in `key.cls`. Class folders come before any other table and
    before texts beside the pictures, which may as well be captions: those count where the folders name no classes.
    """
    listing = store.listing()
    metadata = [file for file in listing.files if file.rpartition("/")[2].lower() in METADATA]
    if metadata:
        return TableSource(store, metadata)
    if isinstance(store, FolderStore):
        found = _of_archives(store.location, listing)
        if found is not None:
            return found
    elif has_classes(listing.files):
        return WebDatasetSource(store, listing)
    try:
        return StoredSource(store, listing)
    except SourceError:
        tables = [file for file in listing.files if kind_of(file) == "table"]
        if len(tables) == 1 and names_files(store, tables[0]):
            return TableSource(store, (tables[0],))
        if isinstance(store, TarStore) and has_pairs(listing.files):
            return WebDatasetSource(store, store.listing())
        raise


def _of_archives(folder: str, listing: Listing) -> PictureSource | None:
    """A folder of parquet files or of tars with no picture beside them."""
    kinds = {file: kind_of(file) for file in listing.files}
    if {"picture", "several"} & set(kinds.values()):
        return None
    parquets = [os.path.join(folder, file) for file, kind in kinds.items() if kind == "parquet"]
    if parquets:
        return ParquetSource(folder, parquets)
    tars = [file for file, kind in kinds.items() if kind == "tar"]
    if not tars:
        return None
    shards = ShardsStore(folder, tars)
    inside = shards.listing()
    return WebDatasetSource(shards, inside) if has_pairs(inside.files) else None

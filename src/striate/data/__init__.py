"""Many images: sources, the table, splits, the pack, augmentation and batches.

Only `striate.data.batches` imports torch; it is not imported here, so that listing and packing start at once.
"""

from striate.data.images import Images
from striate.data.loading import load_images
from striate.data.packing.choice import choose_preparation
from striate.data.packing.pack import Pack, build_pack, pack_source
from striate.data.packing.statistics import channel_statistics
from striate.data.sources.arrays import ArraySource, DigitsSource
from striate.data.sources.door import Source, open_source
from striate.data.sources.listing import list_pictures
from striate.data.split import assign_splits

__all__ = [
    "ArraySource",
    "DigitsSource",
    "Images",
    "Pack",
    "Source",
    "assign_splits",
    "build_pack",
    "channel_statistics",
    "choose_preparation",
    "list_pictures",
    "load_images",
    "open_source",
    "pack_source",
]

"""Many images: sources, the table, splits, the pack, augmentation and batches.

Only `striate.data.batches` imports torch; it is not imported here, so that listing and packing start at once.
"""

from striate.data.arrays import ArraySource, DigitsSource
from striate.data.choice import choose_preparation
from striate.data.images import Images, load_images
from striate.data.listing import list_pictures
from striate.data.pack import Pack, build_pack, channel_statistics, pack_source
from striate.data.sources import Source, open_source
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

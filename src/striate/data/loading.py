"""The door to a table of images: from a location to every picture's name, class, split and group."""

import os

import numpy as np

from striate.data.groups import groups_of
from striate.data.images import Images
from striate.data.sources.door import Source, open_source
from striate.errors import SourceError


def load_images(
    location: str | os.PathLike | Source,
    *,
    group: str | None = None,
    group_from: str | None = None,
    pseudonymous: bool = False,
) -> Images:
    """The table of images at a location: a folder, archive, table or array file, a known name, or an open source.

    >>> images = load_images("digits")
    >>> len(images), images.classes[:3], images.counts()[""]["0"]
    (1797, ('0', '1', '2'), 178)

    `group` names a column of the source's table or a DICOM attribute such as PatientID, `group_from` is a regular
    expression for file names; see `striate.data.groups`. With `pseudonymous` pictures and groups are called by keyed
    digests from here on. Raises SourceError for what is no source of labelled images.
    """
    source = location if isinstance(location, Source) else open_source(location)
    if source.labels is None:
        raise SourceError(f"{source.location} has no labels; a table of images needs one for each image")
    groups, said = groups_of(source, group, group_from)
    count = len(source.names)
    unlabelled = Images(
        source=source,
        rows=np.arange(count),
        classes=(),
        labels=np.zeros(count, np.int32),
        splits=np.array(source.splits, dtype="U10")
        if source.splits is not None
        else np.full(count, "", "U10"),
        groups=None if groups is None else np.array(groups, dtype=np.str_),
        grouping=(group, group_from),
        notes=(*source.notes, *said),
    )
    images = unlabelled.relabelled(source.labels)
    return images.pseudonymised() if pseudonymous else images

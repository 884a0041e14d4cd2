"""A small set of pictures, and a cache of its own for every test."""

import os
from pathlib import Path

import pytest
from made_pictures import write_pictures


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("STRIATE_CACHE", str(folder))
    return folder


@pytest.fixture
def pictures(tmp_path) -> Path:
    """root/<class>/1.png … 20.png, grey, 8 × 8, all different."""
    return write_pictures(tmp_path / "set")


@pytest.fixture
def real_data() -> Path:
    folder = os.environ.get("STRIATE_DATA")
    if not folder:
        pytest.skip("STRIATE_DATA is unset: the folder with mnist.zip and cifar10.zip is needed")
    return Path(folder)

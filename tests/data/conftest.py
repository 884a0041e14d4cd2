"""A small set of pictures, and a cache of its own for every test."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from evil import Child
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


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    process = Child()
    yield process
    process.end()


@pytest.fixture
def asked(child, tmp_path) -> Callable[..., dict]:
    """Opens, reads and lists what means harm in another process."""

    def ask(path: Path, **environment: str) -> dict:
        return child.ask(path, STRIATE_CACHE=str(tmp_path / "cache"), **environment)

    return ask

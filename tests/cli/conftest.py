"""What more than one of these files needs."""

import shutil
from pathlib import Path

import pytest

from doors import write_pictures


@pytest.fixture
def run(tmp_path: Path, pictures_run: Path) -> Path:
    """A finished run of one's own."""
    return Path(shutil.copytree(pictures_run, tmp_path / "run"))


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """A small folder of class folders of one's own."""
    return write_pictures(tmp_path / "data", each=8)

"""Files that pass for weights and are none: one sentence each, no code run, the file untouched."""

from pathlib import Path

import pytest

from hostile_weights import HOSTILE, write_hostile
from striate.errors import RunError
from striate.files import sha256_of
from striate.models import read_published


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_and_not_run(tmp_path: Path, kind: str) -> None:
    path, marker, cache = tmp_path / "model.pth", tmp_path / "marker", tmp_path / "cache"
    words = write_hostile(kind, path, marker)
    before = sha256_of(path)
    with pytest.raises(RunError) as raised:
        read_published(path, cache=cache)
    assert str(raised.value).startswith(str(path))
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not marker.exists()
    assert not cache.exists()
    assert sha256_of(path) == before


@pytest.mark.parametrize("kind", HOSTILE)
def test_another_ending_makes_it_no_better(tmp_path: Path, kind: str) -> None:
    path, marker = tmp_path / "model.safetensors", tmp_path / "marker"
    write_hostile(kind, path, marker)
    with pytest.raises(RunError, match="is not a safetensors file"):
        read_published(path)
    assert not marker.exists()

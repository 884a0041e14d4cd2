"""A pack begun ahead is the one that is found, and whatever goes wrong is met again by whoever asks."""

from pathlib import Path

import numpy as np
import pytest

from striate.data import load_images, open_source, pack_source
from striate.data.packing.ahead import begin_packing
from striate.errors import SourceError


def test_whoever_asks_meanwhile_gets_the_same_pack(pictures: Path) -> None:
    source, told = open_source(pictures), []

    def tell(done: int, total: int) -> None:
        told.append((done, total))

    thread = begin_packing(source, tell, size=8)
    assert thread is not None
    _, pack = pack_source(source, size=8, progress=tell)
    thread.join()
    _, again = pack_source(source, size=8)
    assert pack.path == again.path
    assert np.array_equal(pack.digests, again.digests)
    assert told.count((len(source.names), len(source.names))) == 1  # one of the two decoded, once


def test_errors_are_met_by_whoever_asks(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(b"no picture")
    source = open_source(tmp_path)
    thread = begin_packing(source)
    assert thread is not None
    thread.join()
    with pytest.raises(SourceError, match="none of 2 pictures"):
        pack_source(source)


def test_nothing_is_begun_that_could_not_be_found_again(pictures: Path) -> None:
    assert begin_packing(open_source("digits")) is None
    assert begin_packing(open_source(pictures), stream=True) is None
    load_images("digits").pack_ahead()

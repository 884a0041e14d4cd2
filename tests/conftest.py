"""What every test shares: one thread, and a cache of packs and a home of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, so that green stays green; `make test-slow` draws new ones.
settings.register_profile("same", derandomize=True)
settings.register_profile("new", print_blob=True)
settings.load_profile(os.environ.get("STRIATE_EXAMPLES", "same"))

# Tiny networks gain nothing from a second thread, and lose much when the machine is busy.
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache that no other session shares; processes that a test starts inherit it."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIATE_CACHE", str(folder))
        patch.setenv("STRIATE_HOME", str(tmp_path_factory.mktemp("home")))
        yield folder


@pytest.fixture(scope="module", autouse=True)
def fewer_resamples(request: pytest.FixtureRequest) -> Iterator[None]:
    """A thousand resamples in place of ten thousand wherever it is not the intervals that are tested."""
    from striate.evaluation import resampling

    with pytest.MonkeyPatch.context() as patch:
        if request.path.parent.name in ("classifier", "cli", "export", "serving", "tests"):
            patch.setattr(resampling, "RESAMPLES", 1000)
        yield


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory, cache_of_the_session: Path) -> Path:
    """A finished run on the embedded digits; to be read, or copied, never written to."""
    import doors

    folder = tmp_path_factory.mktemp("digits") / "run"
    doors.train("digits", folder)
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 3 × 20 small pictures; to be read, or copied, never written to."""
    import doors

    return doors.write_pictures(tmp_path_factory.mktemp("pictures") / "shapes")


@pytest.fixture(scope="session")
def pictures_run(
    tmp_path_factory: pytest.TempPathFactory, pictures: Path, cache_of_the_session: Path
) -> Path:
    """A finished run on `pictures`."""
    import doors

    folder = tmp_path_factory.mktemp("shapes") / "run"
    doors.train(str(pictures), folder)
    return folder

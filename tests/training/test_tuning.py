"""Tuning: every candidate is really timed, what the user set stays, and the rule of choice."""

from collections.abc import Iterator

import pytest
import torch

from striate.models import create_model
from striate.training import tuning
from striate.training.recipe import Recipe
from striate.training.tuning import Clock, Timed, tuned

NETWORK = create_model("lenet5", classes=3, channels=1, size=(28, 28))
FASTER = {"float32": 1.0, "bfloat16": 3.0}


def trial(recipe: Recipe, count: int):
    return NETWORK, torch.zeros(count, 1, 28, 28)


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """Rates that rise with threads and, up to 128, with the batch; what was asked for is noted."""
    asked = list[tuple[str, int, int]]()

    def time(self: Clock, precision: str, threads: int, size: int) -> Timed:
        asked.append((precision, threads, size))
        return Timed(precision, threads, size, FASTER[precision] * threads * min(size, 125))

    monkeypatch.setattr(Clock, "time", time)
    monkeypatch.setattr(tuning, "thread_counts", lambda: [1, 2])
    return asked


def test_the_fastest_is_taken_with_the_smallest_batch_near_it(made_up: list) -> None:
    found = tuned(trial, Recipe(model="lenet5", device="cpu", epochs=100), set(), 600, None)
    assert (found.recipe.precision, found.recipe.batch_size) == ("bfloat16", 128)
    assert torch.get_num_threads() == 2
    assert made_up[:4] == [(p, t, 128) for p in ("float32", "bfloat16") for t in (1, 2)]
    assert [size for _, _, size in made_up[4:]] == [32, 64, 256, 512]  # no more than there are images
    first, *table = found.sentence.splitlines()
    assert first.endswith(" s; taken: bfloat16, threads 2, batch_size=128.")
    assert len(table) == 1 + len(made_up)
    assert table[-1] == "  bfloat16        2        512          750"


def test_what_the_user_set_stays(made_up: list) -> None:
    recipe = Recipe(model="lenet5", device="cpu", precision="float32", batch_size=48)
    found = tuned(trial, recipe, recipe.model_fields_set, 600, None)
    assert (found.recipe.precision, found.recipe.batch_size) == ("float32", 48)
    assert made_up == [("float32", 1, 48), ("float32", 2, 48)]


def test_larger_batches_leave_a_hundred_steps(made_up: list) -> None:
    """And the recipe's own is tried in any case, and smaller ones."""
    tuned(trial, Recipe(model="lenet5", device="cpu", epochs=20), set(), 1500, None)
    assert [size for _, _, size in made_up[4:]] == [32, 64, 256]
    made_up.clear()
    tuned(trial, Recipe(model="lenet5", device="cpu", epochs=2), set(), 1500, None)
    assert [size for _, _, size in made_up[4:]] == [32, 64]


def test_batches_fit_into_memory(made_up: list) -> None:
    memory = tuning.step_memory(*trial(Recipe(), 4), Recipe(model="lenet5", precision="bfloat16"))
    tuned(trial, Recipe(model="lenet5", device="cpu"), set(), 6000, memory.peak(300))
    assert max(size for _, _, size in made_up) == 256


def test_real_steps_are_timed_and_the_network_learns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "SECONDS", 0.0)
    before = {name: value.clone() for name, value in NETWORK.state_dict().items()}
    state = torch.random.get_rng_state()
    clock = Clock(trial, Recipe(model="lenet5", device="cpu"))
    found = clock.time("float32", 1, 4)
    assert found.rate > 0
    assert all(torch.equal(value, before[name]) for name, value in NETWORK.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())
    copied = clock.network.state_dict()
    assert any(not torch.equal(value, before[name]) for name, value in copied.items())

"""A compiled step is the step up to rounding, on the same weights; and what torch's compiler refuses is told."""

import math

import pytest
import torch
from batches_of_noise import batch_of, gradients_of
from torch import Tensor, nn

from striate.errors import TrainingError, UsageError
from striate.training import compiling, step, tuning
from striate.training.compiling import Compiled, stepped
from striate.training.recipe import Recipe
from striate.training.tuning import Clock, Timed, run_seconds, tuned

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # of torch's compiler itself

PLAIN = Recipe(precision="float32", device="cpu")
COMPILED = PLAIN.changed(compile=True)


def small() -> nn.Module:
    torch.manual_seed(0)
    layers = (
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(288, 3),
    )
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def near(found: list[Tensor], expected: list[Tensor]) -> None:
    largest = max(float(one.abs().max()) for one in expected)
    assert len(found) == len(expected) > 0
    for mine, other in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-3, atol=1e-5 * largest)


def without_dropout() -> nn.Module:
    network = small()
    network[4].p = 0.0  # pyright: ignore
    return network


def test_a_compiled_step_is_the_step_up_to_rounding() -> None:
    """Gradients, loss, right answers and statistics; in two parts of six and seven images too."""
    one, other, batch = without_dropout(), without_dropout(), batch_of(13, (3, 8, 8))
    compiled = stepped(other, COMPILED)
    assert isinstance(compiled, Compiled)
    assert [p.data_ptr() for p in compiled.parameters()] == [p.data_ptr() for p in other.parameters()]
    for parts in (1, 2):
        expected, seen = gradients_of(one, PLAIN.changed(accumulate=parts), batch)
        found, told = gradients_of(compiled, COMPILED.changed(accumulate=parts), batch)
        near(found, expected)
        torch.testing.assert_close(told.loss, seen.loss)
        assert int(told.correct) == int(seen.correct)
    for mine, theirs in zip(other.buffers(), one.buffers(), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_dropout_is_the_seeds() -> None:
    compiled, batch = stepped(small(), COMPILED), batch_of(13, (3, 8, 8))
    first, _ = gradients_of(compiled, COMPILED, batch)
    again, _ = gradients_of(compiled, COMPILED, batch)
    assert all(torch.equal(mine, other) for mine, other in zip(first, again, strict=True))


def test_more_sizes_than_are_translated_end_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not, as torch would have it, in steps that are silently not compiled. The next training begins anew."""
    monkeypatch.setattr(compiling, "SHAPES", 1)
    compiled = stepped(small(), COMPILED)
    gradients_of(compiled, COMPILED, batch_of(13, (3, 8, 8)))
    with pytest.raises(TrainingError, match=r"^compile=true: .* 1 forms of its steps are compiled already"):
        gradients_of(compiled, COMPILED, batch_of(14, (3, 8, 8)))
    gradients_of(stepped(small(), COMPILED), COMPILED, batch_of(14, (3, 8, 8)))


def test_gradients_of_parts_are_in_memory_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph's memory is written again by the next part; here the processor plays it by keeping what it was given."""
    given = list[Tensor]()

    class Graph(torch.autograd.Function):
        @staticmethod
        def forward(ctx, weight: Tensor) -> Tensor:
            return weight.clone()

        @staticmethod
        def backward(ctx, grad: Tensor) -> Tensor:
            for one in given:  # what earlier parts gave is overwritten
                one.fill_(math.nan)
            given.append(grad.clone())
            return given[-1].detach()  # the same memory

    class Replayed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3, 192))

        def forward(self, inputs: Tensor) -> Tensor:
            return inputs.flatten(1) @ Graph.apply(self.weight).T

    network, batch = Replayed(), batch_of(12, (3, 8, 8))
    whole, _ = gradients_of(network, COMPILED, batch)
    expected = [one.clone() for one in whole]
    given.clear()
    found, _ = gradients_of(network, COMPILED.changed(accumulate=3), batch)
    near(found, expected)


def test_auxiliary_heads_learn_too() -> None:
    class Aside(nn.Module):
        auxiliary_weight = 0.5

        def __init__(self) -> None:
            super().__init__()
            self.head, self.aside = nn.Linear(192, 3), nn.Linear(192, 3)

        def all_logits(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
            return self.head(inputs.flatten(1)), self.aside(inputs.flatten(1))

    network, batch = Aside(), batch_of(13, (3, 8, 8))
    expected, seen = gradients_of(network, PLAIN, batch)
    found, told = gradients_of(stepped(network, COMPILED), COMPILED, batch)
    near(found, expected)
    assert len(found) == 4
    torch.testing.assert_close(told.loss, seen.loss)


def test_the_products_for_small_maps_stay_out_of_it() -> None:
    layer, recipe = nn.Conv2d(96, 96, 3), PLAIN.changed(precision="bfloat16")
    with step.small_maps(layer, recipe, torch.device("cpu")):
        assert "forward" in vars(layer)
    with step.small_maps(layer, recipe.changed(compile=True), torch.device("cpu")):
        assert "forward" not in vars(layer)


def test_recomputing_is_the_compilers_own_affair() -> None:
    with pytest.raises(
        UsageError, match="compile=true decides itself what is computed again; leave recompute"
    ):
        Recipe(compile=True, recompute=True)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Rates that a test sets: 100 images a second as they are, and what it says compiled."""
    said = {"rate": 200.0, "compiling": 30.0, "asked": 0.0}

    def time(self: Clock, precision: str, threads: int, size: int) -> Timed:
        return Timed(precision, threads, size, 100.0)

    def time_compiled(self: Clock, plain: Timed) -> Timed:
        said["asked"] += 1
        failed = "no compiler." if math.isnan(said["rate"]) else ""
        return Timed(
            plain.precision, plain.threads, plain.batch_size, said["rate"], said["compiling"], failed
        )

    monkeypatch.setattr(Clock, "time", time)
    monkeypatch.setattr(Clock, "time_compiled", time_compiled)
    monkeypatch.setattr(tuning, "thread_counts", lambda: [torch.get_num_threads()])
    return said


def tune(recipe: Recipe, chosen: set[str] | None = None) -> tuning.Tuned:
    """Of 6,400 images: 100 batches, and 64 seconds an epoch as they are."""
    return tuned(
        lambda recipe, count: (small(), torch.zeros(count, 3, 8, 8)), recipe, chosen or set(), 6400, None
    )


def test_steps_are_compiled_where_the_run_then_ends_earlier(made_up: dict[str, float]) -> None:
    long = PLAIN.changed(batch_size=64, epochs=10)
    found = tune(long, {"batch_size"})
    assert found.recipe.compile
    assert "batch_size=64, compile=true." in found.sentence
    assert found.sentence.splitlines()[-1].endswith("          200  compiled in 30 s")
    made_up["compiling"] = 340.0
    assert not tune(long, {"batch_size"}).recipe.compile  # 640 s against 320 s and 340 s
    made_up["compiling"] = 300.0
    assert tune(long, {"batch_size"}).recipe.compile
    assert not tune(long.changed(batch_size=63), {"batch_size"}).recipe.compile  # two sizes of batches
    made_up.update(rate=math.nan)
    failed = tune(long, {"batch_size"})
    assert not failed.recipe.compile
    assert failed.sentence.endswith("         64 not compiled: no compiler.")


def test_compiling_is_not_tried_where_it_cannot_pay_or_was_decided(made_up: dict[str, float]) -> None:
    short, long = PLAIN.changed(epochs=4), PLAIN.changed(epochs=10)
    assert not tune(short).recipe.compile
    assert tune(long.changed(compile=True), {"compile"}).recipe.compile
    assert not tune(long, {"compile"}).recipe.compile
    assert not tune(long.changed(recompute=True)).recipe.compile
    assert made_up["asked"] == 0
    assert tune(long).recipe.compile


def test_compiled_steps_are_really_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "SECONDS", 0.0)
    clock = Clock(lambda recipe, count: (small(), torch.zeros(count, 3, 8, 8)), PLAIN)
    plain = clock.time("float32", torch.get_num_threads(), 13)
    found = clock.time_compiled(plain)
    assert (found.precision, found.threads, found.batch_size) == ("float32", plain.threads, 13)
    assert found.rate > 0
    assert found.compiling is not None
    assert found.compiling > 10 * 13 / found.rate  # the first step was translated

    def without(self: Compiled, inputs: Tensor) -> tuple[Tensor, ...]:
        raise TrainingError("compile=true: …") from RuntimeError("\nNo compiler found\nat length")

    monkeypatch.setattr(Compiled, "all_logits", without)
    failed = clock.time_compiled(plain)
    assert math.isnan(failed.rate)
    assert failed.failed == "No compiler found."
    assert not run_seconds(failed, PLAIN, 1000) < run_seconds(plain, PLAIN, 1000)

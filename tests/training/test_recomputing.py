"""A step with recomputation is, bit for bit, the step without it."""

import pytest
import torch
from batches_of_noise import batch_of, gradients_of
from torch import nn

from striate.models import Network, create_model, model_entry, model_names
from striate.training.recipe import Recipe
from striate.training.recomputing import run_recomputed

SMALL = {"compact": 16, "lesson": 16, "lenet5": 28, "mlp": 12}


def same_step(name: str, side: int, precision: str) -> None:
    torch.manual_seed(0)
    entry = model_entry(name)
    dropout = 0.4 if entry.dropout is not None else None
    network = create_model(name, classes=3, channels=3, size=(side, side), dropout=dropout)
    network.to(memory_format=torch.channels_last)
    first = {key: value.clone() for key, value in network.state_dict().items()}
    batch, recipe = batch_of(6, (3, side, side)), Recipe(model=name, precision=precision)
    plain, seen = gradients_of(network, recipe, batch)
    after = {key: value.clone() for key, value in network.state_dict().items()}
    network.load_state_dict(first)
    again, found = gradients_of(network, recipe.changed(recompute=True), batch)
    assert torch.equal(found.loss, seen.loss)
    assert len(plain) == len(again) > 0
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(again, plain, strict=True))
    assert all(torch.equal(value, after[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_gradients_and_statistics_are_the_same_bits(name: str, precision: str) -> None:
    same_step(name, SMALL[name], precision)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in model_names() if name not in SMALL])
def test_of_every_network(name: str) -> None:
    same_step(name, max(32, model_entry(name).smallest), "float32")


class Counting(nn.Module):
    """Multiplies by a number that is another one after each pass: its first pass must be the one repeated."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(3.0))
        self.register_buffer("passes", torch.tensor(1.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = x * self.weight * self.passes.clone()
        self.passes += 1
        return made.sin()


def test_the_second_pass_begins_where_the_first_began() -> None:
    stage, x = Counting(), torch.arange(4.0)
    run_recomputed(stage, x).sum().backward()
    again = Counting()
    again(x).sum().backward()
    assert torch.equal(stage.weight.grad, again.weight.grad)
    assert stage.passes == 2


def test_less_is_kept() -> None:
    """Of two convolutions in a stage only what enters the stage is left for the way back."""
    torch.manual_seed(0)
    stages = {
        f"stage{n}": nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 4, 3, padding=1))
        for n in (1, 2)
    }
    network = Network(stages, nn.Sequential(nn.Flatten(), nn.Linear(4 * 8 * 8, 3)))
    inputs = torch.randn(2, 4, 8, 8)

    def saved(**more: object) -> int:
        found: dict[int, int] = {}

        def save(tensor: torch.Tensor) -> torch.Tensor:
            found[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor):
            answers = network.all_logits(inputs, **more)
        weights = {p.untyped_storage().data_ptr() for p in network.parameters()}
        size = sum(size for place, size in found.items() if place not in weights)
        assert answers[0].requires_grad
        return size

    one_map = 2 * 4 * 8 * 8 * 4
    assert saved() == 5 * one_map  # two stages' inputs and tanh's answers, and what enters the head
    assert saved(run=run_recomputed) == 3 * one_map

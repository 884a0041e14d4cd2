"""Schedules against torch's own."""

import pytest
import torch
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    LinearLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

from striate.training.recipe import Recipe
from striate.training.schedule import learning_rate


def optimiser() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)


def test_constant() -> None:
    recipe = Recipe(schedule="constant", learning_rate=0.3)
    assert {learning_rate(recipe, epoch, epoch / 9) for epoch in range(9)} == {0.3}


def test_step_equals_torch() -> None:
    recipe = Recipe(schedule="step", optimiser="sgd", learning_rate=0.1, epochs=30, step_epochs=7, drop=0.5)
    reference = optimiser()
    schedule = StepLR(reference, step_size=7, gamma=0.5)
    for epoch in range(30):
        assert learning_rate(recipe, epoch, epoch / 30) == pytest.approx(reference.param_groups[0]["lr"])
        reference.step()
        schedule.step()


def test_cosine_equals_torch() -> None:
    recipe = Recipe(schedule="cosine", optimiser="sgd", learning_rate=0.1)
    reference = optimiser()
    schedule = CosineAnnealingLR(reference, T_max=50)
    for step in range(50):
        assert learning_rate(recipe, 0, step / 50) == pytest.approx(reference.param_groups[0]["lr"])
        reference.step()
        schedule.step()


def test_onecycle_equals_torch() -> None:
    recipe = Recipe(schedule="onecycle", optimiser="sgd", learning_rate=0.1, warmup=0.25)
    reference, steps = optimiser(), 100
    schedule = OneCycleLR(
        reference,
        max_lr=0.1,
        total_steps=steps + 1,
        pct_start=26 / 101,
        final_div_factor=1e9,
        cycle_momentum=False,
    )
    for step in range(steps):
        ours = learning_rate(recipe, 0, step / steps)
        assert ours == pytest.approx(reference.param_groups[0]["lr"], abs=1e-6)
        reference.step()
        schedule.step()


def test_triangular_equals_two_of_torchs_straight_lines() -> None:
    recipe = Recipe(schedule="triangular", optimiser="sgd", learning_rate=0.1, warmup=0.25)
    reference, steps = optimiser(), 100
    up = LinearLR(reference, start_factor=0.2, end_factor=1.0, total_iters=25)
    down = LinearLR(reference, start_factor=1.0, end_factor=0.0, total_iters=75)
    schedule = SequentialLR(reference, [up, down], milestones=[25])
    for step in range(steps):
        ours = learning_rate(recipe, 0, step / steps)
        assert ours == pytest.approx(reference.param_groups[0]["lr"])
        reference.step()
        schedule.step()


@pytest.mark.parametrize("patience", [1, 2, 4])
def test_plateau_equals_torch(patience: int) -> None:
    recipe = Recipe(schedule="plateau", optimiser="sgd", learning_rate=0.1, plateau_epochs=patience)
    reference = optimiser()
    schedule = ReduceLROnPlateau(
        reference, factor=0.1, patience=patience, threshold=0.0, threshold_mode="abs"
    )
    errors = [0.5, 0.4, 0.41, 0.4, 0.42, 0.39, 0.39, 0.39, 0.39, 0.2, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]
    for epoch in range(len(errors)):
        ours = learning_rate(recipe, epoch, 0.0, errors[:epoch])
        assert ours == pytest.approx(reference.param_groups[0]["lr"])
        schedule.step(errors[epoch])

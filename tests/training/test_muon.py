"""Muon: against a plain loop with an exact orthogonal factor, against torch's own, and across a stop."""

import pytest
import torch
from torch import nn

from striate.models import create_model
from striate.training.muon import Muon, orthogonal
from striate.training.optimiser import (
    BESIDE_MUON,
    create_optimiser,
    load_state_tensors,
    state_tensors,
)
from striate.training.recipe import Recipe


@pytest.mark.parametrize("shape", [(4, 4), (6, 54), (54, 6), (96, 864)])
def test_the_direction_has_the_singular_vectors_of_the_matrix_and_values_near_one(
    shape: tuple[int, int],
) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    found = orthogonal(torch.stack([torch.ones(shape), matrix]), torch.float32)[1]
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    inner = left.T @ found @ right.T  # diagonal, where the singular vectors are kept
    values = inner.diagonal()
    assert float((inner - values.diag()).abs().max()) < 2e-3
    assert 0.6 < float(values.min()) <= float(values.max()) < 1.3


@pytest.mark.parametrize("rows", [5, 40])
def test_kernels_step_as_torchs_muon_does_on_matrices(rows: int) -> None:
    torch.manual_seed(0)
    kernel = nn.Parameter(torch.randn(rows, 2, 3, 3))
    matrix = nn.Parameter(kernel.detach().flatten(1).clone())
    group = {"params": [kernel], "kernels": True, "weight_decay": 0.2}
    ours = Muon([group], 0.05, momentum=0.8, dtype=torch.bfloat16)
    theirs = torch.optim.Muon([matrix], lr=0.05, weight_decay=0.2, momentum=0.8, adjust_lr_fn="original")
    scale = max(1.0, rows / matrix.shape[1]) ** 0.5  # theirs is longer for tall matrices
    for _ in range(3):
        kernel.grad = torch.randn_like(kernel)
        matrix.grad = kernel.grad.flatten(1).clone()
        ours.step()
        before = matrix.detach().clone()
        theirs.step()
        decayed = before * (1 - 0.05 * 0.2)
        matrix.data = decayed + (matrix.data - decayed) / scale
    assert torch.allclose(kernel.flatten(1), matrix, atol=2e-3)


def test_kernels_before_a_normalisation_keep_their_length() -> None:
    """Rows of mean square length 1 before each step, whatever they were; others decay."""
    recipe = Recipe(optimiser="muon", learning_rate=0.1, rescale=True)
    network = create_model("compact", classes=3, size=(8, 8))
    optimiser = create_optimiser(network, recipe)
    marked = {id(p) for group in optimiser.param_groups if group["rescaled"] for p in group["params"]}
    kernels = {name: p for name, p in network.named_parameters() if p.ndim == 4}
    assert {id(p) for p in kernels.values()} == marked
    for kernel in kernels.values():
        kernel.data *= 7
        kernel.grad = torch.zeros_like(kernel)
    optimiser.step()
    for name, kernel in kernels.items():
        assert float(kernel.detach().norm()) == pytest.approx(len(kernel) ** 0.5, rel=1e-5), name
    plain = create_model("lenet5", classes=3, size=(28, 28))
    assert not any(group["rescaled"] for group in create_optimiser(plain, recipe).param_groups)


def test_what_is_no_hidden_kernel_steps_as_adamw_at_its_share_of_the_rate() -> None:
    recipe = Recipe(model="compact", optimiser="muon", learning_rate=0.1, weight_decay=0.3)
    torch.manual_seed(0)
    network = create_model("compact", classes=3, size=(8, 8))
    before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    optimiser = create_optimiser(network, recipe)
    gradients = {name: torch.randn_like(parameter) for name, parameter in network.named_parameters()}
    for group in optimiser.param_groups:
        group["lr"] = 0.1 * group["factor"]
    for name, parameter in network.named_parameters():
        parameter.grad = gradients[name].clone()
    optimiser.step()
    for name, parameter in network.named_parameters():
        if name.startswith("stages.") and parameter.ndim > 1:
            length = (parameter - before[name] * (1 - 0.1 * 0.3)).norm() / min(
                parameter.flatten(1).shape
            ) ** 0.5
            assert 0.07 < float(length.detach()) < 0.12, name
            continue
        other = nn.Parameter(before[name].clone())
        other.grad = gradients[name].clone()
        decay = 0.3 if parameter.ndim > 1 else 0.0
        torch.optim.AdamW([other], lr=0.1 * BESIDE_MUON, weight_decay=decay, fused=True).step()
        assert torch.equal(parameter, other), name


def test_a_stopped_optimiser_goes_on_to_the_last_bit() -> None:
    recipe = Recipe(model="compact", optimiser="muon")

    def steps(network: nn.Module, optimiser: torch.optim.Optimizer, seeds: range) -> None:
        for seed in seeds:
            torch.manual_seed(seed)
            optimiser.zero_grad()
            network(torch.randn(4, 1, 8, 8)).square().sum().backward()
            optimiser.step()

    torch.manual_seed(0)
    whole = create_model("compact", classes=3, size=(8, 8))
    halves = create_model("compact", classes=3, size=(8, 8))
    halves.load_state_dict(whole.state_dict())
    optimiser = create_optimiser(whole, recipe)
    steps(whole, optimiser, range(4))
    first, second = create_optimiser(halves, recipe), create_optimiser(halves, recipe)
    steps(halves, first, range(2))
    load_state_tensors(second, {name: tensor.clone() for name, tensor in state_tensors(first).items()})
    steps(halves, second, range(2, 4))
    for mine, theirs in zip(whole.parameters(), halves.parameters(), strict=True):
        assert torch.equal(mine, theirs)

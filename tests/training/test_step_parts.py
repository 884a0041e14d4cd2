"""A batch taken in parts is the whole batch up to rounding."""

import pytest
import torch
import torch.nn.functional as F
from batches_of_noise import batch_of, gradients_of
from torch import nn

from striate.models import create_model
from striate.training.recipe import Recipe
from striate.training.step import add_gradients, parts_of, total_norm

SHAPES = {"lesson": (3, 16, 16), "lenet5": (1, 28, 28), "mlp": (1, 12, 12), "googlenet2014": (3, 31, 31)}
WEIGHTS = torch.tensor([0.3, 1.0, 2.5])


def network_of(name: str) -> nn.Module:
    torch.manual_seed(0)
    channels, *size = SHAPES[name]
    dropout = None if name == "lenet5" else 0.0
    network = create_model(name, classes=3, channels=channels, size=tuple(size), dropout=dropout)
    return network.to(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("parts", [2, 3, 7])
def test_parts_add_up_to_the_whole_batch(name: str, parts: int) -> None:
    """Class weights, label smoothing and auxiliary heads included; seven parts of thirteen images are uneven."""
    if name == "googlenet2014" and parts != 3:
        pytest.skip("once is enough for the large one")
    network, batch = network_of(name), batch_of(13, SHAPES[name])
    recipe = Recipe(model=name, precision="float32", label_smoothing=0.1)
    whole, seen = gradients_of(network, recipe, batch, WEIGHTS)
    added, found = gradients_of(network, recipe.changed(accumulate=parts), batch, WEIGHTS)
    assert len(whole) == len(added) > 0
    for mine, expected in zip(added, whole, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-3, atol=1e-5 * float(expected.abs().max() + 1e-3))
    torch.testing.assert_close(found.loss, seen.loss, rtol=1e-5, atol=1e-6)
    assert int(found.correct) == int(seen.correct)


def test_the_loss_of_parts_is_the_weighted_mean_of_the_whole_batch() -> None:
    """Worked out by hand: the weights of the labels divide, not their number."""
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.0], [0.0, 3.0, 0.0]], requires_grad=True)
    batch = batch_of(3, (1, 1, 3))
    network = nn.Sequential(nn.Flatten(), nn.Linear(3, 3, bias=False))
    with torch.no_grad():
        network[1].weight.copy_(torch.eye(3))
    batch.inputs.copy_(logits.detach().view(3, 1, 1, 3))
    loss, _ = add_gradients(network, Recipe(precision="float32", accumulate=3), batch, WEIGHTS)
    each = -logits.detach().log_softmax(1)[torch.arange(3), batch.labels]
    weights = WEIGHTS[batch.labels]
    torch.testing.assert_close(loss, (weights * each).sum() / weights.sum())


def test_one_part_is_bit_for_bit_a_plain_step() -> None:
    network, batch = network_of("lesson"), batch_of(12, SHAPES["lesson"])
    found, _ = gradients_of(network, Recipe(precision="float32"), batch, WEIGHTS)
    network.zero_grad()
    F.cross_entropy(network(batch.inputs), batch.labels, weight=WEIGHTS).backward()
    plain = [parameter.grad for parameter in network.parameters()]
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(found, plain, strict=True))


def test_a_part_has_the_images_that_batch_normalisation_needs() -> None:
    normalised = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).train()
    assert parts_of(normalised, Recipe(accumulate=99), 9) == 4
    assert parts_of(normalised.eval(), Recipe(accumulate=99), 9) == 9
    assert parts_of(normalised, Recipe(accumulate=99), 1) == 1
    assert parts_of(nn.Linear(2, 2), Recipe(accumulate=4), 3) == 3


@pytest.mark.parametrize("factor", [1.0, 1e-20, 1e25, float("inf"), float("nan")])
def test_the_length_of_all_gradients_is_torchs(factor: float) -> None:
    """In any layout, and where squares leave float32 at either end."""
    torch.manual_seed(0)
    kernel = torch.randn(8, 4, 3, 3).contiguous(memory_format=torch.channels_last)
    gradients = [kernel * factor, torch.randn(5) * factor, torch.randn(6, 4).T * factor]
    expected = nn.utils.get_total_norm(gradients)
    for given in (gradients, gradients[:2]):
        expected = nn.utils.get_total_norm(given)
        found = total_norm(given)
        assert found.isfinite() == expected.isfinite()
        if factor == 1.0:
            assert float(found) == pytest.approx(float(expected), rel=1e-5)

"""Kernels' gradients in one product: against torch's own, and only where they were asked for."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.data.batches import Batch
from striate.models import create_model
from striate.training import small_maps
from striate.training.optimiser import create_optimiser
from striate.training.recipe import Recipe
from striate.training.small_maps import kernel_gradient, small_maps_at_once
from striate.training.step import take_step

PROCESSOR = torch.device("cpu")
SHAPES = [  # inputs, window, stride, padding
    ((5, 64, 4, 4), (3, 3), (1, 1), (1, 1)),
    ((2, 96, 3, 5), (3, 3), (1, 1), (1, 1)),
    ((3, 64, 9, 7), (5, 3), (3, 2), (2, 0)),
    ((1, 70, 2, 2), (2, 1), (1, 1), (0, 1)),
]


@pytest.mark.parametrize(("shape", "window", "stride", "padding"), SHAPES)
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_the_gradient_of_kernels_is_torchs(
    shape: tuple[int, ...],
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    layout: torch.memory_format,
) -> None:
    """In float64, where only the order of sums could differ."""
    torch.manual_seed(0)
    inputs = torch.randn(shape, dtype=torch.float64).contiguous(memory_format=layout)
    weight = torch.randn(6, shape[1], *window, dtype=torch.float64, requires_grad=True)
    out = F.conv2d(inputs, weight, None, stride, padding)
    grad = torch.randn_like(out).contiguous(memory_format=layout)
    out.backward(grad)
    found = kernel_gradient(inputs, grad, weight.shape, stride, padding)
    assert weight.grad is not None
    assert torch.allclose(found, weight.grad, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_in_the_context_gives_what_it_gives_outside(bias: bool) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(64, 32, 3, padding=1, bias=bias)
    found = list[tuple[Tensor, ...]]()
    for precision in ("float32", "bfloat16"):
        torch.manual_seed(1)
        inputs = torch.randn(8, 64, 4, 4, requires_grad=True)
        layer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16), small_maps_at_once(layer, precision, PROCESSOR):
            out = layer(inputs)
        out.float().square().sum().backward()
        gradients = [parameter.grad for parameter in (inputs, *layer.parameters())]
        found.append((out.detach().float(), *(grad for grad in gradients if grad is not None)))
    assert len(found[0]) == (4 if bias else 3)
    for plain, other in zip(*found, strict=True):
        assert float((plain - other).abs().max()) <= 0.02 * float(plain.abs().max())


@pytest.mark.parametrize(
    ("layer", "side"),
    [
        (nn.Conv2d(64, 8, 3, padding=1), 5),
        (nn.Conv2d(32, 8, 3, padding=1), 4),
        (nn.Conv2d(64, 8, 3, padding=1, groups=2), 4),
        (nn.Conv2d(64, 8, 3, padding=1).requires_grad_(False), 4),
        (nn.Conv2d(64, 8, 3, padding="same"), 4),
        (nn.Conv2d(64, 8, 3, padding=2, dilation=2), 4),
        (nn.Conv2d(64, 8, 3, padding=1, padding_mode="reflect"), 4),
        (nn.Conv2d(64, 8, 1), 4),
    ],
)
def test_what_gains_nothing_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, layer: nn.Conv2d, side: int
) -> None:
    """Maps too large, too few maps, groups, kernels that do not learn, and what the product does not know."""
    inputs = torch.randn(2, layer.in_channels, side, side, requires_grad=True)
    plain = layer(inputs)
    monkeypatch.setattr(small_maps, "kernel_gradient", None)
    with small_maps_at_once(layer, "bfloat16", PROCESSOR):
        found = layer(inputs)
    found.sum().backward()
    assert torch.equal(plain, found)
    assert "forward" not in vars(layer)


@pytest.mark.parametrize(
    ("changes", "products"),
    [
        ({"precision": "bfloat16"}, 2),
        ({"precision": "float32"}, 0),
        ({"precision": "bfloat16", "recompute": True}, 2),
    ],
)
def test_a_step_takes_it_where_it_computes_in_bfloat16(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], products: int
) -> None:
    """`compact` of 32 pixels: both residual convolutions of the last stage, 96 maps of 4 × 4."""
    recipe = Recipe(model="compact").changed(**changes)
    network = create_model("compact", classes=3, channels=3, size=(32, 32)).train()
    asked = list[int]()

    def counted(*given: object) -> Tensor:
        asked.append(1)
        return kernel_gradient(*given)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(small_maps, "kernel_gradient", counted)
    batch = Batch(0, torch.arange(4).numpy(), torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 2, 0]))
    take_step(network, create_optimiser(network, recipe), recipe, batch)
    assert len(asked) == products

"""Grad-CAM, Grad-CAM++ and Layer-CAM against captum, against formulas written out, and against figures by hand."""

import copy
from collections.abc import Callable

import pytest
import torch
from networks_to_explain import SHAPES, WEIGHTS, images_for, network_of, network_to_explain
from torch import Tensor, nn

from striate.explanation import METHODS, attribute, map_shapes
from striate.explanation.grad_cam import grad_cam
from striate.explanation.grad_cam_plus_plus import grad_cam_plus_plus
from striate.explanation.gradient import target_gradient
from striate.explanation.layer_cam import layer_cam
from striate.models import Network, create_model, model_entry, model_names, wrap

CAMS: dict[str, Callable[..., Tensor]] = {
    "gradcam": grad_cam,
    "gradcam_plus_plus": grad_cam_plus_plus,
    "layercam": layer_cam,
}
SIDES = {"alexnet": 63, "alexnet2012": 63, "zfnet": 47, "googlenet2014": 31}
"""Of networks that take no smaller image; 32 of the others, or the smallest."""
QUICK = ("compact", "lenet5_1998")
AGAINST_CAPTUM = [
    name if name in ("compact", "lenet5", "resnet18_small") else pytest.param(name, marks=pytest.mark.slow)
    for name in SHAPES
]
every_weight = pytest.mark.parametrize("weights", WEIGHTS)
every_method = pytest.mark.parametrize("method", CAMS)


def same(found: Tensor, expected: Tensor, share: float = 1e-5) -> bool:
    """Whether the largest difference is at most a share of the largest value; 0 where that is."""
    return bool((found - expected).abs().max() <= share * expected.abs().max())


@every_weight
@pytest.mark.parametrize("name", AGAINST_CAPTUM)
def test_grad_cam_is_captums_at_every_stage(name: str, weights: str) -> None:
    from captum.attr import LayerGradCam

    network, (inputs, targets) = network_to_explain(name, weights), images_for(name)
    for stage in map_shapes(network, SHAPES[name]):
        theirs = LayerGradCam(network, network.stages[stage])
        expected = theirs.attribute(inputs, targets, relu_attributions=True)
        assert isinstance(expected, Tensor)
        assert same(grad_cam(network, inputs, targets, stage=stage), expected), stage


def by_hand() -> tuple[Network, Tensor, Tensor]:
    """Two maps of two cells, and one class whose logit is a weighted sum of them."""
    head = nn.Linear(4, 1, bias=False)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[2.0, 4.0, -6.0, 2.0]]))
    maps = torch.tensor([1.0, 2.0, 3.0, 1.0]).view(1, 2, 1, 2)
    return Network({"same": nn.Identity()}, nn.Sequential(nn.Flatten(), head)), maps, torch.tensor([0])


def test_two_maps_by_hand() -> None:
    # mean gradients 3 and -2: 3 - 6 and 6 - 2
    assert grad_cam(*by_hand(), stage="same").flatten().tolist() == [0, 4]
    # 2 × 1 + 0 and 4 × 2 + 2 × 1
    assert layer_cam(*by_hand(), stage="same").flatten().tolist() == [2, 10]
    # the maps sum to 3 and 4; shares 4/(8+24), 16/(32+192), and 4/(8+32): weights 2/8 + 4/14 and 2/10
    expected = [15 / 28 + 3 / 5, 30 / 28 + 1 / 5]
    assert grad_cam_plus_plus(*by_hand(), stage="same").flatten().tolist() == pytest.approx(expected)


def small() -> tuple[Network, Tensor, Tensor]:
    """Rectified maps of 3 × 3 × 3, a convolution, pooling and two layers after them, in double precision."""
    torch.manual_seed(8)
    stages = {
        "conv": nn.Conv2d(1, 3, 2),
        "relu": nn.ReLU(),
        "next": nn.Conv2d(3, 4, 2),
        "pool": nn.MaxPool2d(2, 1),
    }
    head = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    network = Network(stages, head).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(2)
    return network, torch.randn(4, 1, 4, 4, dtype=torch.float64), torch.tensor([2, 0, 1, 1])


def derivatives(network: Network, maps: Tensor, target: int, cell: tuple[int, ...]) -> list[float]:
    """The first three derivatives of exp(logit) along one cell of the maps, by torch."""

    def score(value: Tensor) -> Tensor:
        moved = maps.clone()
        moved[cell] = value
        return network.run_from(moved[None], "relu")[0, target].exp()

    value = maps[cell].clone().requires_grad_()
    found, order = [], score(value)
    for _ in range(3):
        (order,) = torch.autograd.grad(order, value, create_graph=True)
        found.append(order.item())
    return found


def test_grad_cam_plus_plus_is_the_papers_by_second_and_third_derivatives() -> None:
    network, inputs, targets = small()
    found = grad_cam_plus_plus(network, inputs, targets, stage="relu")
    assert bool((found > 0).any())
    for image, target, cam in zip(inputs, targets.tolist(), found, strict=True):
        maps = network.run_to(image[None], "relu")[0].detach()
        logit = network(image[None])[0, target].item()
        expected = torch.zeros(3, 3, dtype=torch.float64)
        for channel in range(3):
            weight = 0.0
            for row in range(3):
                for column in range(3):
                    first, second, third = derivatives(network, maps, target, (channel, row, column))
                    below = 2 * second + maps[channel].sum().item() * third
                    weight += max(first, 0.0) * second / below if below else 0.0
            expected += weight * maps[channel]
        expected = expected.clamp(min=0) / torch.tensor(logit, dtype=torch.float64).exp()
        assert same(cam[0], expected, 1e-9)


def test_layer_cam_is_the_papers_cell_by_cell() -> None:
    network, inputs, targets = small()
    found = layer_cam(network, inputs, targets, stage="relu")
    for image, target, cam in zip(inputs, targets.tolist(), found, strict=True):
        maps = network.run_to(image[None], "relu").detach()
        jacobian = torch.autograd.functional.jacobian(lambda x: network.run_from(x, "relu"), maps)
        assert isinstance(jacobian, Tensor)
        for row in range(3):
            for column in range(3):
                gradients, values = jacobian[0, target, 0, :, row, column], maps[0, :, row, column]
                terms = [max(g, 0.0) * v for g, v in zip(gradients.tolist(), values.tolist(), strict=True)]
                assert cam[0, row, column].item() == pytest.approx(max(sum(terms), 0.0), rel=1e-9)


def built(name: str, channels: int) -> tuple[Network, Tensor, Tensor]:
    torch.manual_seed(4)
    side = SIDES.get(name, max(model_entry(name).smallest, 28 if name.startswith("lenet") else 32))
    network = create_model(name, classes=7, channels=channels, size=(side, side)).eval()
    return network, torch.randn(2, channels, side, side), torch.tensor([6, 1])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in model_names()]
)
def test_every_network_at_every_stage(name: str, channels: int) -> None:
    """Against the gradient of one whole pass, in which no stage was cut; in double precision, since maps cancel."""
    network, inputs, targets = built(name, channels)
    network, inputs = network.double(), inputs.double()
    shapes = map_shapes(network, (channels, inputs.shape[2], inputs.shape[3]))
    assert shapes or name == "mlp"
    maps, x = {}, inputs.clone().requires_grad_()
    for stage, layer in network.stages.items():
        maps[stage] = x = layer(x).clone()
    chosen = network.head(x)[torch.arange(2), targets].sum()
    for stage, shape in shapes.items():
        (gradient,) = torch.autograd.grad(chosen, maps[stage], retain_graph=True)
        found = {method: cam(network, inputs, targets, stage=stage) for method, cam in CAMS.items()}
        for method, cam in found.items():
            assert cam.shape == (2, 1, *shape[1:]), (stage, method)
            assert bool((cam >= 0).all()), (stage, method)
        means = gradient.mean(dim=(2, 3))
        expected = torch.einsum("bk,bkij->bij", means, maps[stage]).clamp(min=0)[:, None]
        assert same(found["gradcam"], expected), stage
        expected = torch.einsum("bkij,bkij->bij", gradient.clamp(min=0), maps[stage]).clamp(min=0)[:, None]
        assert same(found["layercam"], expected), stage


@every_method
def test_auxiliary_heads_take_no_part(method: str) -> None:
    class Never(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise AssertionError("an auxiliary head was run")

    stages = {"conv": nn.Conv2d(1, 4, 3), "relu": nn.ReLU(), "pool": nn.MaxPool2d(2)}
    head = nn.Sequential(nn.Flatten(), nn.Linear(4 * 9, 3))
    network = Network(stages, head, auxiliaries={"conv": Never(), "pool": Never()})
    inputs, targets = torch.randn(2, 1, 8, 8), torch.tensor([0, 2])
    assert attribute(network, inputs, targets, method=method, stage="relu").raw.shape == (2, 1, 6, 6)


@every_method
def test_a_network_of_ones_own(method: str) -> None:
    torch.manual_seed(5)
    output = nn.Linear(8 * 8 * 8, 4)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.ReLU(inplace=True),  # overwrites the maps it is given
        nn.Conv2d(8, 8, 3),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        output,
    )
    network, inputs = wrap(module, example=(3, 12, 12)), torch.randn(2, 3, 12, 12)
    reason = attribute(network, inputs, torch.tensor([0, 3]), method=method)
    assert (reason.stage, tuple(reason.raw.shape)) == ("3", (2, 1, 8, 8))
    maps = module[:4](inputs).detach()
    weights = output.weight[[0, 3]].view(2, 8, 8, 8)
    means = weights.mean(dim=(2, 3), keepdim=True)
    positive = weights.clamp(min=0)
    shares = positive / (2 + positive * maps.sum(dim=(2, 3), keepdim=True))
    expected = {
        "gradcam": means * maps,
        "gradcam_plus_plus": shares.sum(dim=(2, 3), keepdim=True) * maps,
        "layercam": positive * maps,
    }
    assert same(reason.raw, expected[method].sum(dim=1, keepdim=True).clamp(min=0))
    if method != "gradcam_plus_plus":
        assert attribute(network, inputs, torch.tensor([0, 3]), method=method, stage="0").raw.shape[2] == 10


@every_method
def test_a_map_does_not_depend_on_the_other_images(method: str) -> None:
    network, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact", images=5)
    together = CAMS[method](network, inputs, targets, stage="stage2")
    for one in range(5):
        assert same(CAMS[method](network, inputs[[one]], targets[[one]], stage="stage2"), together[[one]])


@every_method
def test_no_method_is_the_plain_gradient(method: str) -> None:
    network, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact")
    found = attribute(network, inputs, targets, method=method, stage="stem")
    gradient = target_gradient(network, inputs, targets)
    for plain in (gradient.sum(dim=1), gradient.abs().amax(dim=1), gradient.sum(dim=1).relu()):
        assert not same(found.maps / found.maps.max(), plain / plain.max(), 0.1)


@every_method
@pytest.mark.parametrize("training", [True, False])
def test_nothing_of_the_network_changes(method: str, training: bool) -> None:
    network = copy.deepcopy(network_to_explain("compact", "trained")).train(training)
    network.freeze("stem")
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    inputs, targets = images_for("compact")
    before, seen = copy.deepcopy(network), inputs.clone()
    with torch.no_grad():
        found = attribute(network, inputs, targets, method=method)
    assert torch.equal(found.raw, attribute(network, inputs, targets, method=method).raw)
    assert torch.equal(inputs, seen)
    assert not inputs.requires_grad
    assert [layer.training for layer in network.modules()] == [layer.training for layer in before.modules()]
    for (name, tensor), old in zip(network.state_dict().items(), before.state_dict().values(), strict=True):
        assert torch.equal(tensor, old), name
    for now, was in zip(network.parameters(), before.parameters(), strict=True):
        assert now.requires_grad == was.requires_grad
        assert now.grad is not None
        assert torch.equal(now.grad, torch.ones_like(now))
    assert not any(layer._forward_hooks or layer._backward_hooks for layer in network.modules())


@every_method
def test_a_first_layer_in_place_leaves_the_images_alone(method: str) -> None:
    network = network_of(nn.ReLU(inplace=True), nn.ReLU(inplace=True))
    images, targets = torch.tensor([-1.0, 2.0]).view(1, 1, 1, 2), torch.tensor([1])
    found = CAMS[method](network, images, targets, stage="layer1")
    assert images.flatten().tolist() == [-1, 2]
    assert found.flatten()[0] == 0
    assert found.flatten()[1] > 0


def test_the_table_lists_them() -> None:
    for name, function in CAMS.items():
        method = METHODS[name]
        assert (method.name, method.function, method.seam, method.signed) == (name, function, "stage", False)

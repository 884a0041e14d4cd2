"""Occlusion against captum, against loops, and against figures by hand; and where the windows are put."""

import copy
import math
from typing import Any

import pytest
import torch
from networks_to_explain import SHAPES, WEIGHTS, images_for, in_double, network_to_explain
from torch import Tensor, nn

from striate.errors import ModelError, UsageError
from striate.explanation import METHODS, attribute, gradient
from striate.explanation.occlusion import occlusion, occlusion_maps
from striate.explanation.windows import windows_over
from striate.models import Network, wrap

every_weight = pytest.mark.parametrize("weights", WEIGHTS)
QUICK = [
    name if name in ("compact", "lenet5") else pytest.param(name, marks=pytest.mark.slow) for name in SHAPES
]


@every_weight
@pytest.mark.parametrize("measure", ["probability", "logit"])
@pytest.mark.parametrize("name", QUICK)
def test_occlusion_is_captums(name: str, measure: str, weights: str) -> None:
    from captum.attr import Occlusion

    network, inputs, targets = in_double(name, weights)
    channels, side, _ = SHAPES[name]
    fill = torch.linspace(-1, 0.5, channels, dtype=torch.float64).view(-1, 1, 1)

    def said(x: Tensor) -> Tensor:
        return network(x).softmax(1) if measure == "probability" else network(x)

    # one whose windows fit, and one whose last rows and columns are cut off
    for window, stride in [
        ((side // 2, side // 2), (side // 4, side // 4)),
        ((side // 3, side // 2 + 1), (5, 7)),
    ]:
        expected = Occlusion(said).attribute(
            inputs,
            (channels, *window),
            strides=(channels, *stride),
            baselines=fill.expand_as(inputs).clone(),
            target=targets,
        )
        assert isinstance(expected, Tensor)
        with torch.no_grad():
            found = occlusion(
                network, inputs, targets, window=window, stride=stride, fill=fill, measure=measure
            )
        assert found.dtype == torch.float64
        assert (found * channels - expected).abs().max() <= 1e-5 * expected.abs().max()


@every_weight
def test_occlusion_is_captums_in_single_precision(weights: str) -> None:
    from captum.attr import Occlusion

    network, (inputs, targets) = network_to_explain("compact", weights), images_for("compact")
    expected = Occlusion(network).attribute(inputs, (3, 4, 4), strides=(3, 2, 2), target=targets)
    assert isinstance(expected, Tensor)
    found = occlusion(network, inputs, targets, window=4, stride=2, measure="logit")
    assert found.dtype == torch.float32
    assert (found.sum(dim=1) - expected[:, 0]).abs().max() <= 1e-5 * expected.abs().max()


def weighted() -> tuple[Network, Tensor, Tensor]:
    """Four pixels of 1, whose weights for one class are 1, 2, 3 and 4; the other class gets nothing."""
    head = nn.Linear(4, 2, bias=False)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0]]))
    network = Network({"same": nn.Identity()}, nn.Sequential(nn.Flatten(), head)).eval()
    return network, torch.ones(1, 1, 1, 4), torch.tensor([0])


def test_four_pixels_by_hand() -> None:
    network, image, target = weighted()
    # windows on pixels 0 1, 1 2 and 2 3 take 3, 5 and 7
    found = occlusion(network, image, target, window=(1, 2), stride=1, measure="logit")
    assert found.flatten().tolist() == [3, 4, 6, 7]
    # by steps of 2 of a window of 3: 0 to 2 takes 6, and 2 to 4, cut off at 3, takes 7
    found = occlusion(network, image, target, window=(1, 3), stride=(1, 2), measure="logit")
    assert found.flatten().tolist() == [6, 6, 6.5, 7]
    # filled with 2 instead of 0, the logit grows by as much as it fell
    found = occlusion(network, image, target, window=(1, 2), stride=1, fill=2.0, measure="logit")
    assert found.flatten().tolist() == [-3, -4, -6, -7]

    def probability(logit: float) -> float:
        return 1 / (1 + math.exp(-logit))

    found = occlusion(network, image, target, window=(1, 2), stride=(1, 2))
    near, far = probability(10) - probability(7), probability(10) - probability(3)
    assert found.flatten().tolist() == pytest.approx([near, near, far, far])
    other = occlusion(network, image, torch.tensor([1]), window=(1, 2), stride=(1, 2))
    assert other.flatten().tolist() == pytest.approx([-near, -near, -far, -far])


def test_one_window_takes_everything() -> None:
    network, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact")
    logits = network(torch.cat([inputs, torch.zeros_like(inputs)])).detach()
    loss = (logits[:2] - logits[2:]).gather(1, targets[:, None])[:, 0]
    found = occlusion(network, inputs, targets, window=16, stride=16, measure="logit").sum(dim=1)
    assert torch.allclose(found, loss[:, None, None].expand(2, 16, 16), rtol=1e-4)


def test_what_is_covered_already_takes_nothing() -> None:
    network, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact")
    still = torch.full_like(inputs, 0.25)
    assert occlusion(network, still, targets, fill=0.25, measure="logit").abs().max() < 1e-5
    assert occlusion(network, inputs, targets, fill=inputs[0], measure="logit")[0].abs().max() < 1e-5


def test_the_papers_three_maps_by_loops() -> None:
    network, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact")
    maps = occlusion_maps(network, inputs, targets, stage="stage2", window=(6, 5), stride=(4, 3), fill=-0.5)
    assert (maps.stage, maps.window, maps.stride) == ("stage2", (6, 5), (4, 3))
    assert maps.probability.shape == (2, 4, 5)  # rows from 0, 4, 8, 12; columns from 0, 3, 6, 9, 12
    for number in range(2):
        whole = network.run_to(inputs[[number]], "stage2")[0]
        strongest = max(range(32), key=lambda channel: whole[channel].max().item())
        assert int(maps.channel[number]) == strongest
        for down in range(4):
            for across in range(5):
                copied = inputs[[number]].clone()
                copied[:, :, 4 * down : 4 * down + 6, 3 * across : 3 * across + 5] = -0.5
                said = network(copied).softmax(1)[0]
                assert maps.probability[number, down, across].item() == pytest.approx(
                    said[targets[number]].item(), rel=1e-4
                )
                assert maps.top_class[number, down, across].item() == said.argmax().item()
                total = network.run_to(copied, "stage2")[0, strongest].sum().item()
                assert maps.activity[number, down, across].item() == pytest.approx(total, rel=1e-4)


def test_the_three_maps_before_a_layer_in_place() -> None:
    network = Network(
        {"same": nn.Identity(), "relu": nn.ReLU(inplace=True)}, nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    ).eval()
    image = torch.tensor([-3.0, -1.0, -2.0, -4.0]).view(1, 1, 1, 4)
    maps = occlusion_maps(network, image, torch.tensor([1]), stage="same", window=(1, 2), stride=(1, 2))
    assert maps.activity.flatten().tolist() == [-6, -4]
    assert image.flatten().tolist() == [-3, -1, -2, -4]


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(len(x))
        return x


def test_few_images_at_once_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    inner, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact", images=4)
    counting = Counting()
    network = Network({"count": counting, **dict(inner.stages.items())}, inner.head).eval()
    whole = occlusion(network, inputs, targets, window=8, stride=4, measure="logit")
    maps = occlusion_maps(network, inputs, targets, window=8, stride=4)
    counting.seen.clear()
    monkeypatch.setattr(gradient, "VALUES_AT_ONCE", 3 * 16 * 16 * 3 + 1)
    again = occlusion(network, inputs, targets, window=8, stride=4, measure="logit")
    assert (again - whole).abs().max() <= 1e-5 * whole.abs().max()
    assert torch.equal(occlusion_maps(network, inputs, targets, window=8, stride=4).top_class, maps.top_class)
    assert max(counting.seen) == 3
    windows = windows_over((16, 16), 8, 4)
    assert sum(counting.seen) == 2 * (4 + 4 * windows.rows.shape[0] * windows.columns.shape[0]) + 4


def test_a_map_does_not_depend_on_the_other_images() -> None:
    network, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact", images=3)
    together = occlusion(network, inputs, targets)
    for one in range(3):
        alone = occlusion(network, inputs[[one]], targets[[one]])
        assert (alone - together[[one]]).abs().max() <= 1e-5 * together[[one]].abs().max()


def test_no_occlusion_is_the_plain_gradient() -> None:
    network, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact")
    found = occlusion(network, inputs, targets, measure="logit")
    plain = gradient.target_gradient(network, inputs, targets)
    assert (found / found.abs().max() - plain / plain.abs().max()).abs().max() > 0.1


@pytest.mark.parametrize("training", [True, False])
def test_nothing_of_the_network_changes(training: bool) -> None:
    network = copy.deepcopy(network_to_explain("compact", "trained")).train(training)
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    inputs, targets = images_for("compact")
    before, seen = copy.deepcopy(network), inputs.clone()
    reason = attribute(network, inputs, targets, method="occlusion")
    assert torch.equal(inputs, seen)
    assert network.training == training
    for (name, tensor), old in zip(network.state_dict().items(), before.state_dict().values(), strict=True):
        assert torch.equal(tensor, old), name
    for now, was in zip(network.parameters(), before.parameters(), strict=True):
        assert now.requires_grad == was.requires_grad
        assert now.grad is not None
        assert torch.equal(now.grad, torch.ones_like(now))
    assert not reason.raw.requires_grad
    assert (reason.raw.shape, reason.maps.shape) == (inputs.shape, (2, 16, 16))
    assert torch.equal(reason.maps, reason.raw.sum(dim=1))
    assert METHODS["occlusion"].signed


def test_a_network_of_ones_own() -> None:
    torch.manual_seed(5)
    output = nn.Linear(3 * 6 * 6, 4)
    module = nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), output)
    inputs, targets = torch.randn(2, 3, 6, 6), torch.tensor([0, 3])
    seen = inputs.clone()
    found = occlusion(wrap(module), inputs, targets, window=1, stride=1, measure="logit").sum(dim=1)
    assert torch.equal(inputs, seen)
    weights = output.weight[targets].view(2, 3, 6, 6).detach()
    assert torch.allclose(found, (inputs.relu() * weights).sum(dim=1), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"window": 29},
            "window=29: a window over images of 28 × 28 pixels has 1 to 28 pixels here; a quarter of the side, 7, is"
            " common.",
        ),
        (
            {"window": (4, 0)},
            r"window=(4, 0): a window over images of 28 × 28 pixels has 1 to 28 pixels here;",
        ),
        (
            {"window": 6, "stride": 7},
            "stride=7: windows of 6 pixels move by 1 to 6, so that they leave no pixel out; a third of the window, 2,"
            " is common.",
        ),
        ({"stride": 0}, "stride=0: windows of 7 pixels move by 1 to 7"),
        (
            {"fill": float("nan")},
            "fill=nan: give one finite number, one a channel (1, 1, 1) or one a pixel (1, 28, 28)",
        ),
        ({"fill": torch.zeros(3, 1, 1)}, "fill=(3, 1, 1): give one finite number"),
        ({"fill": torch.zeros(28)}, "fill=(28,): give one finite number"),
        (
            {"measure": "probabilty"},
            "There is no measure 'probabilty'; did you mean probability? Allowed: probability,",
        ),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], words: str) -> None:
    network, (inputs, targets) = network_to_explain("lenet5", "random"), images_for("lenet5")
    with pytest.raises(UsageError) as caught:
        attribute(network, inputs, targets, method="occlusion", **options)
    assert str(caught.value).startswith(words)


def test_wrong_targets_and_stages_are_refused() -> None:
    network, (inputs, targets) = network_to_explain("lenet5", "random"), images_for("lenet5")
    with pytest.raises(ModelError) as caught:
        occlusion(network, inputs, targets, stage="s2")
    assert str(caught.value) == (
        "stage='s2': occlusion covers pixels and watches the target, and knows no stages; leave stage out."
    )
    for function in (occlusion, occlusion_maps):
        with pytest.raises(
            ModelError, match=r"Target 10 is no class of the network, whose classes are 0 to 9\."
        ):
            function(network, inputs, torch.tensor([3, 10]))
    with pytest.raises(ModelError, match=r"no stage 's5'; did you mean s4\?"):
        occlusion_maps(network, inputs, targets, stage="s5")

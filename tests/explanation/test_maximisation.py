"""Pictures made by gradient: the regularisers by hand, optima in closed form, classes that are found again."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from networks_to_explain import network_of
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from striate.errors import ModelError, UsageError
from striate.explanation.ascent import (
    PixelScale,
    Regularisers,
    blurred,
    penalty,
    standard_pixels,
    total_variation,
)
from striate.explanation.inversion import invert
from striate.explanation.maximisation import maximise
from striate.models import Network, create_model

SMALL = Regularisers(total_variation=0.2, l2=0.1, jitter=0, blur=0.3)
"""For pictures of 8 × 8 pixels, where a shift by two is a quarter of a digit."""
FREE = Regularisers(total_variation=0.0, l2=0.0, jitter=0, blur=0.0, bounded=False)


@pytest.fixture(scope="module")
def digits() -> tuple[Network, Tensor, Tensor, PixelScale]:
    """A network that knows the digits of scikit-learn, with images, labels and their pixels."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    pixels = PixelScale(np.full(1, 1 / 6.0, np.float32), np.full(1, -4.9 / 6.0, np.float32), full=16.0)
    inputs = torch.from_numpy(images.reshape(-1, 1, 8, 8)).float() / 6.0 - 4.9 / 6.0
    targets = torch.from_numpy(labels)
    torch.manual_seed(0)
    stages = {
        "conv1": nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU()),
        "conv2": nn.Sequential(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        "conv3": nn.Sequential(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()),
    }
    network = Network(stages, head=nn.Sequential(nn.Flatten(), nn.Linear(32 * 16, 10)))
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    for start in 3 * list(range(0, 1600, 100)):
        optimiser.zero_grad()
        F.cross_entropy(network(inputs[start : start + 100]), targets[start : start + 100]).backward()
        optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return network.eval(), inputs, targets, pixels


def linear(weights: Tensor) -> Network:
    """One class, whose logit is a weighted sum of the pixels."""
    layer = nn.Linear(weights.numel(), 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(weights.view(1, -1))
    return Network({"flatten": nn.Flatten()}, head=layer)


def test_total_variation_by_loops() -> None:
    picture = torch.rand(1, 2, 4, 5, generator=torch.Generator().manual_seed(2))
    total = 0.0
    for channel, row, column in itertools.product(range(2), range(4), range(5)):
        here = picture[0, channel, row, column]
        below = picture[0, channel, row + 1, column] - here if row < 3 else 0.0
        right = picture[0, channel, row, column + 1] - here if column < 4 else 0.0
        total += math.sqrt(float(below) ** 2 + float(right) ** 2)
    assert float(total_variation(picture)) == pytest.approx(total / 40, rel=1e-5)
    assert float(total_variation(torch.full((1, 1, 3, 3), 0.7))) < 1e-5


@pytest.mark.parametrize("deviation", [0.4, 1.0, 1.7])
def test_the_blur_is_scipys(deviation: float) -> None:
    picture = np.random.default_rng(1).random((3, 12, 15))
    expected = [gaussian_filter(plane, deviation, mode="nearest", truncate=4.0) for plane in picture]
    found = blurred(torch.from_numpy(picture)[None], deviation)[0].numpy()
    assert found == pytest.approx(np.stack(expected), abs=1e-9)


def test_penalties_are_weighted() -> None:
    picture = torch.rand(1, 1, 3, 3, generator=torch.Generator().manual_seed(4))
    grey = float((picture - 0.5).square().mean())
    both = penalty(picture, Regularisers(total_variation=3.0, l2=5.0))
    assert float(both) == pytest.approx(3 * float(total_variation(picture)) + 5 * grey, rel=1e-5)
    assert float(penalty(picture, FREE)) == 0


def test_the_optimum_of_a_linear_class_with_l2_is_known() -> None:
    """The gradient of w·x / |w|₁ is w / |w|₁, that of l2 · mean (x - ½)² is 2 l2 (x - ½) / n."""
    weights = torch.tensor([[1.0, -2.0], [0.5, 4.0]])
    pixels = PixelScale(np.ones(1, np.float32), np.zeros(1, np.float32), full=1.0)
    only_l2 = Regularisers(total_variation=0.0, l2=3.0, jitter=0, blur=0.0, bounded=False)
    made = maximise(
        linear(weights), (1, 2, 2), label=0, pixels=pixels, regularisers=only_l2, steps=300, rate=0.005
    )
    expected = 0.5 + weights / weights.abs().sum() * 4 / (2 * 3.0)
    assert made.picture[:, :, 0] == pytest.approx(expected.numpy(), abs=2e-3)
    assert made.reached == pytest.approx(float((expected * weights).sum()), rel=1e-2)


def test_bounds_let_no_pixel_leave_its_range() -> None:
    weights = torch.tensor([[1.0, -2.0], [0.5, 4.0]])
    bounded = Regularisers(total_variation=0.0, l2=0.0, jitter=0, blur=0.0)
    made = maximise(linear(weights), (1, 2, 2), label=0, regularisers=bounded, steps=60)
    assert made.picture[:, :, 0].tolist() == [[255, 0], [255, 255]]
    free = maximise(linear(weights), (1, 2, 2), label=0, regularisers=FREE, steps=60)
    assert free.picture.max() > 255


def test_a_picture_for_a_class_is_of_that_class(digits: tuple[Network, Tensor, Tensor, PixelScale]) -> None:
    network, _, _, pixels = digits
    for label in (0, 3, 7):
        made = maximise(
            network, (1, 8, 8), label=label, pixels=pixels, regularisers=SMALL, steps=60, rate=0.05
        )
        assert made.unit == f"class {label}"
        assert made.picture.shape == (8, 8, 1)
        assert made.picture.min() >= 0
        assert made.picture.max() <= 16
        inputs = torch.from_numpy(made.picture).permute(2, 0, 1)[None] / 6.0 - 4.9 / 6.0
        with torch.no_grad():
            logits = network(inputs)[0]
        assert int(logits.argmax()) == label
        assert float(logits.softmax(0)[label]) > 0.9
        # the value told is the one that the picture has
        assert made.reached == pytest.approx(float(logits[label]), rel=1e-4)
        assert made.reached > made.start + 1
        assert len(made.history) == 61


def test_a_channel_is_raised_before_its_rectifier(digits: tuple[Network, Tensor, Tensor, PixelScale]) -> None:
    network, _, _, pixels = digits
    made = maximise(network, (1, 8, 8), stage="conv2", channel=5, pixels=pixels, steps=40, rate=0.05)
    inputs = torch.from_numpy(made.picture).permute(2, 0, 1)[None] / 6.0 - 4.9 / 6.0
    with torch.no_grad():
        hidden = network.stages["conv1"](inputs)
        raw = F.max_pool2d(network.get_submodule("stages.conv2.0")(hidden), 2)
    assert made.reached == pytest.approx(float(raw[0, 5].mean()), rel=1e-4)
    assert (made.unit, made.reached > made.start) == ("conv2:5", True)


def test_a_channel_that_is_silent_at_first_wakes_up() -> None:
    layer = nn.Conv2d(1, 1, 3)
    with torch.no_grad():
        layer.weight.fill_(0.2)
        layer.get_parameter("bias").fill_(-0.5)
    network = network_of(nn.Sequential(layer, nn.ReLU()))
    made = maximise(network, (1, 6, 6), stage="layer1", channel=0, steps=60)
    assert made.start < 0 < made.reached


def test_the_seed_decides_and_total_variation_smooths(
    digits: tuple[Network, Tensor, Tensor, PixelScale],
) -> None:
    network, _, _, pixels = digits

    def made(seed: int, **regularisers: float) -> np.ndarray:
        chosen = Regularisers(**regularisers)  # type: ignore[arg-type]
        return maximise(
            network, (1, 8, 8), label=2, pixels=pixels, steps=30, seed=seed, regularisers=chosen
        ).picture

    assert np.array_equal(made(1), made(1))
    assert not np.array_equal(made(1), made(2))
    assert not np.array_equal(made(1, jitter=0), made(1, jitter=2))

    def roughness(picture: np.ndarray) -> float:
        return float(total_variation(torch.from_numpy(picture)[None, :, :, 0][None]))

    rough, smooth = made(1, total_variation=0.0, blur=0.0), made(1, total_variation=2.0, blur=0.0)
    assert roughness(smooth) < 0.8 * roughness(rough)
    assert roughness(made(1, total_variation=0.0, blur=1.0, blur_every=4)) < 0.8 * roughness(rough)


def test_features_are_inverted_to_the_picture(digits: tuple[Network, Tensor, Tensor, PixelScale]) -> None:
    network, inputs, _, pixels = digits
    given = inputs[[7]]
    original = (given[0, 0].numpy() + 4.9 / 6.0) * 6.0
    found = {}
    for stage in ("conv1", "conv3"):
        made = invert(network, given, stage, pixels=pixels, steps=150)
        assert made.distance < 0.05 < made.history[0]
        found[stage] = float(np.corrcoef(made.picture[:, :, 0].ravel(), original.ravel())[0, 1])
    assert found["conv1"] > 0.95
    assert found["conv3"] < found["conv1"]
    with torch.no_grad():
        wanted = network.run_to(given, "conv3")
        reached = network.run_to(
            torch.from_numpy(made.picture).permute(2, 0, 1)[None] / 6.0 - 4.9 / 6.0, "conv3"
        )
    distance = float((reached - wanted).square().sum() / wanted.square().sum())
    assert made.distance == pytest.approx(distance, rel=1e-3)


def test_a_stage_that_keeps_everything_gives_everything_back() -> None:
    network = Network({"as_it_is": nn.Identity()}, head=nn.Flatten())
    picture = torch.rand(1, 3, 5, 5, generator=torch.Generator().manual_seed(3)) * 4 - 2
    made = invert(network, picture, "as_it_is", regularisers=FREE, steps=600, rate=0.01)
    shares = (picture + 2) / 4
    assert made.picture == pytest.approx(shares[0].permute(1, 2, 0).numpy() * 255, abs=0.5)


def test_nothing_of_the_network_changes(digits: tuple[Network, Tensor, Tensor, PixelScale]) -> None:
    network = copy.deepcopy(digits[0]).train()
    before = copy.deepcopy(network.state_dict())
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    with torch.no_grad():
        maximise(network, (1, 8, 8), label=1, steps=3)
        maximise(network, (1, 8, 8), channel=1, steps=3)
        invert(network, digits[1][[0]], "conv2", steps=3)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    for parameter in network.parameters():
        assert parameter.requires_grad
        assert parameter.grad is not None
        assert torch.equal(parameter.grad, torch.ones_like(parameter))


def test_wrong_input_is_refused() -> None:
    network = create_model("compact", classes=10, channels=3, size=(16, 16)).eval()
    shape = (3, 16, 16)
    with pytest.raises(
        UsageError, match="stage=None, channel=None, label=None: give a channel, of a stage or"
    ):
        maximise(network, shape)
    with pytest.raises(UsageError, match="not both"):
        maximise(network, shape, stage="stem", label=3)
    with pytest.raises(ModelError) as caught:
        maximise(network, shape, stage="stem", channel=16)
    assert str(caught.value) == "Stage stem has no channel 16; its channels are 0 to 15."
    with pytest.raises(ModelError, match="has no class 10; its classes are 0 to 9"):
        maximise(network, shape, label=10)
    with pytest.raises(ModelError, match="No stage 'stm' makes maps; did you mean stem"):
        maximise(network, shape, stage="stm", channel=0)
    with pytest.raises(UsageError, match=r"steps=0, rate=0\.02: at least one step"):
        maximise(network, shape, label=0, steps=0)
    with pytest.raises(UsageError, match="The pixels given have 1 channels, the network's input 3"):
        maximise(network, shape, label=0, pixels=standard_pixels(1))
    with pytest.raises(UsageError, match="none may be below 0, and blur_every is at least 1"):
        Regularisers(jitter=-1)
    with pytest.raises(
        UsageError, match="2 pictures were given; features are inverted one picture at a time"
    ):
        invert(network, torch.zeros(2, *shape), "stem")
    with pytest.raises(ModelError, match="has no stage 'stm'; did you mean stem"):
        invert(network, torch.zeros(1, *shape), "stm")
    silent = network_of(nn.ReLU())
    with pytest.raises(ModelError, match="Every feature of this picture at layer1 is 0"):
        invert(silent, -torch.ones(1, 3, 4, 4), "layer1")

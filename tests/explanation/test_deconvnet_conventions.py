"""The conventions of the deconvnet, each with numbers of its own, and what it leaves as it was."""

import pytest
import torch
from networks_to_explain import apart, images_for, network_of, network_to_explain
from torch import Tensor, nn
from turned_round import one_layer_each

from striate.explanation import METHODS, attribute
from striate.explanation import deconvnet as module
from striate.explanation.deconvnet import deconvnet, project


def followed_back(layer: nn.Module, values: list[float], signal: list[float]) -> list[float]:
    """A signal behind a layer, sent back through it to the values, which lie side by side in one map."""
    inputs = torch.tensor(values).view(1, 1, 1, -1).requires_grad_()
    ruled = module.turned_round(network_of(layer))
    answered = ruled.features(inputs * 1)
    (back,) = torch.autograd.grad(answered, inputs, torch.tensor(signal).view_as(answered))
    return [round(value, 6) for value in back.flatten().tolist()]


class SumOf(nn.Module):
    """Two branches added, then a rectifier if there is one."""

    def __init__(self, behind: nn.Module) -> None:
        super().__init__()
        self.twice, self.relu, self.behind = nn.Conv2d(1, 1, 1, bias=False), nn.ReLU(), behind
        nn.init.constant_(self.twice.weight, 2.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.behind(x + self.relu(self.twice(x)))


class Concatenation(nn.Module):
    """Two branches above each other: the values, and the rectified values."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.relu(x)], dim=1)


def test_a_sum_sends_the_signal_down_both_branches() -> None:
    # 5 + 2 · 5; of -5 the branch's rectifier stops one half
    assert followed_back(SumOf(nn.Identity()), [3.0, -3.0, 3.0], [5.0, 5.0, -5.0]) == [15, 15, -5]


def test_a_rectifier_behind_a_sum_comes_first() -> None:
    # the sum at -3 is negative and its signal passes; a negative signal reaches neither branch
    assert followed_back(SumOf(nn.ReLU()), [3.0, -3.0, 3.0], [5.0, 5.0, -5.0]) == [15, 15, 0]


def test_a_concatenation_is_split_by_channels() -> None:
    assert followed_back(Concatenation(), [1.0, -1.0], [5.0, -7.0, 20.0, -40.0]) == [25, -7]


@pytest.mark.parametrize("scale", [3.0, -3.0])
def test_batch_normalisation_scales_and_shifts_nothing(scale: float) -> None:
    norm = nn.BatchNorm2d(1, eps=0.0)
    norm.weight.data, norm.bias.data = torch.tensor([scale]), torch.tensor([100.0])
    norm.running_mean, norm.running_var = torch.tensor([50.0]), torch.tensor([4.0])
    assert followed_back(norm, [1.0, 2.0], [8.0, -2.0]) == [8 * scale / 2, -2 * scale / 2]


def test_average_pooling_spreads_evenly() -> None:
    assert followed_back(nn.AvgPool2d((1, 4)), [9.0, 0.0, 1.0, 2.0], [8.0]) == [2, 2, 2, 2]


def test_overlapping_windows_add_up_at_a_common_switch() -> None:
    assert followed_back(nn.MaxPool2d((1, 3), stride=2), [1.0, 2.0, 9.0, 3.0, 4.0], [5.0, 7.0]) == [
        0,
        0,
        12,
        0,
        0,
    ]


def test_a_window_of_equal_cells_has_its_first_as_switch() -> None:
    assert followed_back(nn.MaxPool2d((1, 3)), [4.0, 4.0, 4.0], [5.0]) == [5, 0, 0]


def test_response_normalisation_passes_the_signal_as_it_is() -> None:
    norm = nn.LocalResponseNorm(5, k=2.0, alpha=1.0)
    assert followed_back(norm, [1.0, -4.0], [8.0, -2.0]) == [8, -2]
    network, inputs = network_of(norm).eval(), torch.randn(1, 3, 4, 4)
    assert torch.equal(module.turned_round(network)(inputs), network(inputs))


def test_dropout_is_left_out() -> None:
    assert followed_back(nn.Dropout(0.9), [1.0, 2.0], [8.0, -2.0]) == [8, -2]


def test_what_is_not_positive_carries_no_signal() -> None:
    network = network_of(nn.Conv2d(1, 1, 1, bias=False))
    nn.init.constant_(network.get_parameter("stages.layer1.weight"), -2.0)
    inputs = torch.tensor([[1.0, 3.0], [-1.0, 3.0]]).view(2, 1, 1, 2)
    for which in ("strongest", "all"):
        assert project(network, inputs, "layer1", 0, which=which).flatten().tolist() == [0, 0, -4, 0]


def test_without_a_channel_each_image_has_its_strongest() -> None:
    network, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact", images=5)
    channels = network.run_to(inputs, "stage2").amax(dim=(2, 3)).argmax(dim=1)
    alone = [
        project(network, image, "stage2", int(one))
        for image, one in zip(inputs.split(1), channels, strict=True)
    ]
    assert apart(project(network, inputs, "stage2"), torch.cat(alone)) <= 1e-5
    assert apart(project(network, inputs, "stage2", channels), torch.cat(alone)) <= 1e-5
    assert apart(deconvnet(network, inputs, targets, stage="stage2"), torch.cat(alone)) <= 1e-5
    assert apart(deconvnet(network, inputs, targets, stage="stage2", channel=3), torch.cat(alone)) > 0.1


def test_an_image_does_not_depend_on_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    network, (inputs, _) = network_to_explain("compact", "trained"), images_for("compact", images=5)
    together = project(network, inputs, "stage2", 3)
    monkeypatch.setattr(module, "at_once", lambda image: 2)
    assert apart(project(network, inputs, "stage2", 3), together) <= 1e-5
    assert tuple(project(network, inputs[:0], "stage2", 3).shape) == (0, 3, 16, 16)


def test_the_network_and_the_inputs_are_left_as_they_were() -> None:
    network, inputs = one_layer_each()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    kept = inputs.clone()
    network.train()
    project(network, inputs, "s5", 3)
    deconvnet(network, inputs, torch.tensor([0, 3, 4]))
    assert network.training
    assert network.stages["s3"].training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert not any(layer._forward_hooks or layer._backward_hooks for layer in network.modules())
    assert torch.equal(inputs, kept)
    assert not inputs.requires_grad
    network.eval()


def test_is_a_method_of_the_table() -> None:
    network, (inputs, targets) = network_to_explain("compact", "trained"), images_for("compact")
    reason = attribute(network, inputs, targets, method="deconvnet")
    assert (METHODS["deconvnet"].title, reason.stage) == ("Deconvnet", None)
    assert torch.equal(reason.raw, deconvnet(network, inputs, targets))
    assert torch.equal(reason.maps, reason.raw.abs().amax(dim=1))
    of_a_channel = attribute(
        network, inputs, targets, method="deconvnet", stage="stage1", channel=2, which="all"
    )
    assert torch.equal(of_a_channel.raw, project(network, inputs, "stage1", 2, which="all"))

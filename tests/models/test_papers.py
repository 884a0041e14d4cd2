"""Parameter counts and stage shapes of the papers, at the papers' sizes, on shapes alone."""

import pytest
import torch
from torch import nn

from striate.models import Network, Summary, create_model, model_entry, model_names, summarize
from striate.models.alexnet2012 import response_normalisation
from striate.models.resnet_cifar import IdentityShortcut

# published counts at the default input and number of classes, auxiliary heads left out
PARAMETERS = {
    "compact": 225_498,
    "lesson": 2_230_186,
    "lenet5": 61_706,
    "lenet5_1998": 60_000,
    "mlp": 669_706,
    "alexnet": 61_100_840,
    "alexnet2012": 60_965_224,
    "zfnet": 62_357_608,
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "vgg11_bn": 132_868_840,
    "vgg13_bn": 133_053_736,
    "vgg16_bn": 138_365_992,
    "vgg19_bn": 143_678_248,
    "googlenet": 6_624_904,
    "googlenet2014": 6_998_552,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "resnet18_small": 11_173_962,
    "resnet34_small": 21_282_122,
    "resnet50_small": 23_520_842,
    "resnet20": 269_722,
    "resnet32": 464_154,
    "resnet44": 658_586,
    "resnet56": 853_018,
    "resnet110": 1_727_962,
}
WITH_AUXILIARIES = {"googlenet": 13_004_888, "googlenet2014": 13_378_280}

_CIFAR = {"stem": (16, 32, 32), "stage1": (16, 32, 32), "stage2": (32, 16, 16), "stage3": (64, 8, 8)}
_BASIC = {
    "stem": (64, 56, 56),
    "stage1": (64, 56, 56),
    "stage2": (128, 28, 28),
    "stage3": (256, 14, 14),
    "stage4": (512, 7, 7),
}
_BOTTLENECK = {
    "stem": (64, 56, 56),
    "stage1": (256, 56, 56),
    "stage2": (512, 28, 28),
    "stage3": (1024, 14, 14),
    "stage4": (2048, 7, 7),
}
_VGG = {
    "stage1": (64, 224, 224),
    "pool1": (64, 112, 112),
    "stage2": (128, 112, 112),
    "pool2": (128, 56, 56),
    "stage3": (256, 56, 56),
    "pool3": (256, 28, 28),
    "stage4": (512, 28, 28),
    "pool4": (512, 14, 14),
    "stage5": (512, 14, 14),
    "pool5": (512, 7, 7),
}
# Szegedy et al. 2015, table 1, the column "output size"
_GOOGLENET = {
    "conv1": (64, 112, 112),
    "pool1": (64, 56, 56),
    "conv2": (192, 56, 56),
    "pool2": (192, 28, 28),
    "3a": (256, 28, 28),
    "3b": (480, 28, 28),
    "pool3": (480, 14, 14),
    "4a": (512, 14, 14),
    "4b": (512, 14, 14),
    "4c": (512, 14, 14),
    "4d": (528, 14, 14),
    "4e": (832, 14, 14),
    "pool4": (832, 7, 7),
    "5a": (832, 7, 7),
    "5b": (1024, 7, 7),
}


def _columns(widths: tuple[int, ...], sides: tuple[int, ...]) -> dict[str, tuple[int, int, int]]:
    """conv1, pool1, conv2, pool2, conv3, conv4, conv5, pool5 of AlexNet and ZFNet."""
    names = ("conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5")
    return {name: (widths[int(name[-1]) - 1], side, side) for name, side in zip(names, sides, strict=True)}


STAGES = {
    "alexnet": _columns((64, 192, 384, 256, 256), (55, 27, 27, 13, 13, 13, 13, 6)),
    "alexnet2012": _columns((96, 256, 384, 384, 256), (55, 27, 27, 13, 13, 13, 13, 6)),
    "zfnet": _columns((96, 256, 384, 384, 256), (110, 55, 26, 13, 13, 13, 13, 6)),
    **{name: _VGG for name in model_names() if name.startswith("vgg")},
    "googlenet": _GOOGLENET,
    "googlenet2014": _GOOGLENET,
    **dict.fromkeys(("resnet18", "resnet34"), _BASIC),
    **dict.fromkeys(("resnet50", "resnet101", "resnet152"), _BOTTLENECK),
    **dict.fromkeys(("resnet20", "resnet32", "resnet44", "resnet56", "resnet110"), _CIFAR),
}
# layers with weights that the papers name their networks after; projections are not counted
DEPTHS = {
    name: int(name.removeprefix("resnet").removeprefix("vgg").removesuffix("_small").removesuffix("_bn"))
    for name in model_names()
    if name.startswith(("resnet", "vgg"))
}
# table 1's "params", in thousands of 1024
TABLE_1 = {"conv2": 112, "3a": 159, "3b": 380, "4a": 364, "4b": 437, "4d": 580, "4e": 840, "5b": 1388}
MISPRINTED = {"conv1": 2.7, "4c": 463, "5a": 1072}


def paper_size(name: str) -> tuple[Network, Summary]:
    entry = model_entry(name)
    network = create_model(name, classes=entry.default_classes, weights=False)
    return network, summarize(network, entry.default_input)


def weights_of(network: Network, stage: str) -> int:
    return sum(
        layer.weight.numel() for layer in network.stages[stage].modules() if isinstance(layer, nn.Conv2d)
    )


@pytest.mark.parametrize("name", model_names())
def test_counts_and_shapes_are_those_of_the_paper(name: str) -> None:
    network, summary = paper_size(name)
    assert summary.parameters == PARAMETERS[name]
    whole = sum(weight.numel() for weight in network.parameters())
    assert whole == WITH_AUXILIARIES.get(name, PARAMETERS[name])
    last = {row.stage: row.output_shape for row in summary.rows if row.stage != "head"}
    assert last == STAGES.get(name, last)
    if name in DEPTHS:
        weighted = [row for row in summary.rows if row.kind in ("convolution", "fully connected")]
        assert sum("shortcut" not in row.layer for row in weighted) == DEPTHS[name]


def test_the_table_has_every_model() -> None:
    assert tuple(PARAMETERS) == model_names()


@pytest.mark.parametrize(("depth", "field"), [(2, 5), (3, 7)])
def test_small_windows_in_a_row_see_what_a_large_one_sees(depth: int, field: int) -> None:
    stages = {f"conv{number}": nn.Conv2d(1, 1, 3, padding=1) for number in range(depth)}
    rows = summarize(Network(stages, nn.Flatten()), (1, 16, 16)).rows
    assert rows[depth - 1].receptive_field == (field, field)


def test_the_first_stages_of_vgg_see_five_and_the_third_of_vgg16_six_strides_more() -> None:
    fields = {row.stage: row.receptive_field[0] for row in paper_size("vgg16")[1].rows}
    assert fields["stage1"] == 5
    assert fields["stage3"] - fields["pool2"] == 3 * 2 * 4


def test_the_parameters_of_googlenets_table() -> None:
    network, _ = paper_size("googlenet2014")
    for stage, thousands in TABLE_1.items():
        assert weights_of(network, stage) / 1024 == pytest.approx(thousands, rel=0.02), stage
    for stage, thousands in MISPRINTED.items():
        assert weights_of(network, stage) / 1024 != pytest.approx(thousands, rel=0.04), stage


def test_googlenets_disagreements_are_computed() -> None:
    network, summary = paper_size("googlenet2014")
    remarks = " ".join(model_entry("googlenet2014").disagreements)
    assert f"{weights_of(network, 'conv1'):,}" in remarks
    assert f"4c 463K parameters; its weights are {weights_of(network, '4c'):,}" in remarks
    assert f"5a 1072K parameters; its weights are {weights_of(network, '5a'):,}" in remarks
    rows = {(row.stage, row.layer): row.output_shape for row in summary.rows}
    maps, height, width = rows["5b", "concatenation"]
    assert f"{height} × {width} × {maps} is {maps * height * width:,} numbers" in remarks
    assert rows["head", "flatten"] == (1024,)


def test_resnet50_with_the_stride_in_either_convolution() -> None:
    network, summary = paper_size("resnet50")
    remark = next(text for text in model_entry("resnet50").disagreements if "Table 1" in text)
    assert f"{summary.multiply_adds / 1e9:.2f} in the 3×3" in remark
    for layer in network.modules():
        if isinstance(layer, nn.Sequential) and hasattr(layer, "conv3") and layer.conv2.stride == (2, 2):
            layer.conv1.stride, layer.conv2.stride = (2, 2), (1, 1)
    moved = summarize(network, (3, 224, 224))
    assert moved.parameters == summary.parameters
    assert f"{moved.multiply_adds / 1e9:.2f} with the stride in the 1×1" in remark


def test_alexnets_neurons() -> None:
    _, summary = paper_size("alexnet2012")
    neurons = {row.stage: row.output_shape for row in summary.rows if row.layer == "conv"}
    counts = [maps * height * width for maps, height, width in neurons.values()]
    assert counts == [290_400, 186_624, 64_896, 64_896, 43_264]


@pytest.mark.parametrize("name", ["alexnet", "vgg11", "zfnet"])
@pytest.mark.parametrize("side", [224, 320])
def test_larger_images_need_no_other_weights(name: str, side: int) -> None:
    network = create_model(name, classes=1000, size=(side, side), weights=False)
    assert sum(weight.numel() for weight in network.parameters()) == PARAMETERS[name]
    assert network(torch.zeros(1, 3, side, side, device="meta")).shape == (1, 1000)


def test_identity_shortcuts_have_no_weights_and_pass_on_what_came_in() -> None:
    maps = torch.randn(2, 16, 8, 6)
    passed = IdentityShortcut()(maps)
    assert passed.shape == (2, 32, 4, 3)
    assert torch.equal(passed[:, 8:24], maps[:, :, ::2, ::2])
    assert not passed[:, :8].any()
    assert not passed[:, 24:].any()


def test_response_normalisation_is_the_papers_sum() -> None:
    maps = torch.rand(1, 9, 1, 1, dtype=torch.float64) * 50
    a = maps.flatten().tolist()
    expected = [
        a[i] / (2 + 1e-4 * sum(value**2 for value in a[max(0, i - 2) : i + 3])) ** 0.75 for i in range(9)
    ]
    assert response_normalisation()(maps).flatten().tolist() == pytest.approx(expected)


def test_the_two_groups_of_alexnet_do_not_see_each_other() -> None:
    network = create_model("alexnet2012", classes=2, size=(63, 63))
    maps = torch.randn(1, 96, 7, 7, requires_grad=True)
    network.stages["conv2"].conv(maps)[0, :128].sum().backward()  # pyright: ignore[reportCallIssue]
    assert maps.grad is not None
    assert maps.grad[0, :48].any()
    assert not maps.grad[0, 48:].any()

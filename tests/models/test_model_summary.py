"""Summaries against torch's flop counter, the gradients' reach, and the papers' shapes."""

import functools
import json
from xml.etree import ElementTree

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from striate.errors import ModelError
from striate.models import Network, Summary, create_model, model_entry, model_names, summarize

# the deepest repeat the blocks of the others; their counts and shapes are in test_papers
DEEP = (
    "resnet101",
    "resnet152",
    "resnet34_small",
    "resnet50_small",
    "resnet32",
    "resnet44",
    "resnet56",
    "resnet110",
)
every_model = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in DEEP)) for name in model_names()]
)


def shadow_of(name: str) -> Network:
    return create_model(name, classes=10, weights=False).eval()


@functools.cache
def summary_of(name: str) -> Summary:
    return summarize(shadow_of(name), model_entry(name).default_input)


# the kernels that table I leaves out are zeros to torch, and the radial basis is no matrix product
@every_model
def test_multiply_adds_are_half_of_torchs_flops(name: str) -> None:
    if name == "lenet5_1998":
        pytest.skip("its multiply-adds are counted by the paper's connections, in the next test")
    network = shadow_of(name)
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, *model_entry(name).default_input, device="meta"))
    assert summary_of(name).multiply_adds * 2 == counter.get_total_flops()


def test_multiply_adds_of_1998_from_the_papers_connections() -> None:
    # section II.B counts connections, biases included: C1 122,304, C3 151,600, C5 48,120, F6 10,164
    biases = 6 * 28 * 28 + 16 * 10 * 10 + 120 + 84
    assert summary_of("lenet5_1998").multiply_adds == 122_304 + 151_600 + 48_120 + 10_164 - biases + 84 * 10


@every_model
def test_rows_add_up_and_end_in_the_logits(name: str) -> None:
    summary = summary_of(name)
    assert sum(row.parameters for row in summary.rows) == summary.parameters == summary.trainable
    assert summary.rows[-1].output_shape == (10,)
    assert {row.stage for row in summary.rows} == {*shadow_of(name).stage_names, "head"}


@every_model
def test_shapes_are_those_of_real_maps(name: str) -> None:
    network = shadow_of(name)
    images = torch.zeros(1, *model_entry(name).default_input, device="meta")
    last = {row.stage: row.output_shape for row in summary_of(name).rows}
    for stage in network.stage_names:
        assert last[stage] == tuple(network.run_to(images, stage).shape[1:])


def test_the_shapes_of_the_paper() -> None:
    maps = {row.stage: row.output_shape for row in summary_of("lenet5").rows if row.stage != "head"}
    assert maps == {
        "c1": (6, 28, 28),
        "s2": (6, 14, 14),
        "c3": (16, 10, 10),
        "s4": (16, 5, 5),
        "c5": (120, 1, 1),
    }


def all_open(network: Network) -> Network:
    """The same windows, but every cell of a window counts: means for maxima, equal weights, no rectifiers."""
    for module in list(network.modules()):
        for name, layer in module.named_children():
            if isinstance(layer, nn.MaxPool2d):
                means = nn.AvgPool2d(
                    layer.kernel_size, layer.stride, layer.padding, ceil_mode=layer.ceil_mode
                )
                setattr(module, name, means)
            if isinstance(layer, nn.ReLU | nn.BatchNorm2d | nn.LocalResponseNorm | nn.Tanh):
                setattr(module, name, nn.Identity())
            if isinstance(layer, nn.Conv2d):
                nn.init.constant_(layer.weight, 1 / layer.weight[0].numel())
    return network.double().eval()


@pytest.mark.parametrize("name", ["compact", "lesson", "lenet5", "zfnet", "googlenet2014", "resnet20"])
def test_cells_see_what_their_gradients_reach(name: str) -> None:
    side = 160
    network = create_model(name, classes=2, channels=1, size=(side, side))
    rows = summarize(network, (1, side, side)).rows
    seen = {row.stage: row for row in rows}
    network.head = nn.Flatten()
    all_open(network)
    image = torch.ones(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    for stage in network.stage_names:
        if seen[stage].receptive_field[0] + seen[stage].receptive_stride[0] >= side // 2:
            break  # the border cuts off what a cell in the middle sees
        maps = network.run_to(image, stage)
        middle = maps.shape[-1] // 2
        reach = [
            torch.autograd.grad(maps[0, :, middle, cell].sum(), image, retain_graph=True)[0][0, 0].nonzero()
            for cell in (middle, middle + 1)
        ]
        span = reach[0].amax(dim=0) - reach[0].amin(dim=0) + 1
        row, first = seen[stage], int(reach[0][:, 1].min())
        assert tuple(span.tolist()) == row.receptive_field, stage
        assert int(reach[1][:, 1].min()) - first == row.receptive_stride[1], stage
        assert first - middle * row.receptive_stride[1] == row.receptive_start[1], stage


def test_a_residual_sum_is_a_row_with_the_wider_field() -> None:
    rows = [row for row in summary_of("compact").rows if row.stage == "stage1"]
    total = rows[-1]
    assert (total.kind, total.layer, total.parameters) == ("sum", "block.sum", 0)
    before = next(row for row in rows if row.layer == "relu")
    assert total.receptive_field[0] > before.receptive_field[0]


def test_windows_that_are_not_square() -> None:
    stage = nn.Sequential(nn.Conv2d(1, 2, (3, 5), stride=(1, 2), padding=(0, 1)), nn.MaxPool2d(2))
    network = Network({"stage": stage}, nn.Sequential(nn.Flatten(), nn.Linear(2 * 4 * 3, 2)))
    rows = summarize(network, (1, 10, 14)).rows
    assert rows[0].output_shape == (2, 8, 6)
    assert rows[1].receptive_field == (4, 7)
    assert rows[1].receptive_stride == (2, 4)
    assert rows[1].receptive_start == (0, -1)
    assert rows[-1].receptive_field == (10, 15)


def test_border_padding_moves_the_field() -> None:
    stage = nn.Sequential(nn.ReplicationPad2d((1, 2, 3, 4)), nn.Conv2d(1, 1, 3))
    rows = summarize(Network({"stage": stage}, nn.Flatten()), (1, 8, 8)).rows
    assert rows[1].output_shape == (1, 13, 9)
    assert rows[1].receptive_start == (-3, -1)


def test_weights_are_neither_touched_nor_needed() -> None:
    with torch.device("meta"):
        shadow = create_model("lenet5", classes=10)
    assert summarize(shadow, (1, 28, 28)) == summary_of("lenet5")
    network = create_model("compact", classes=10).train()
    before = {name: (tensor.data_ptr(), tensor.clone()) for name, tensor in network.state_dict().items()}
    random = torch.get_rng_state()
    summarize(network, (1, 28, 28))
    assert torch.equal(torch.get_rng_state(), random)
    assert network.training
    assert all(layer.training and not layer._forward_hooks for layer in network.modules())
    for name, tensor in network.state_dict().items():
        pointer, copy = before[name]
        assert tensor.data_ptr() == pointer
        assert torch.equal(tensor, copy)


def test_frozen_weights_are_not_trainable() -> None:
    network = create_model("lenet5", classes=10)
    network.stages["c1"].requires_grad_(False)
    summary = summarize(network, (1, 28, 28))
    assert (summary.parameters, summary.trainable) == (61_706, 61_706 - 156)
    assert "61,706 parameters, 61,550 trainable" in summary.to_text()


def test_a_layer_used_twice_is_counted_once() -> None:
    twice = nn.Conv2d(3, 3, 3, padding=1)
    network = Network({"first": twice, "second": twice}, nn.Sequential(nn.Flatten(), nn.Linear(3 * 16, 2)))
    summary = summarize(network, (3, 4, 4))
    assert [row.parameters for row in summary.rows if row.kind == "convolution"] == [84, 0]
    assert summary.parameters == sum(weight.numel() for weight in network.parameters())
    assert [row.receptive_field[0] for row in summary.rows[:2]] == [3, 5]


def test_the_text_is_an_aligned_table() -> None:
    text = summary_of("lenet5").to_text()
    caption, empty, head, *rows, total = text.splitlines()
    assert caption == "input 1 × 28 × 28 · 61,706 parameters, all of them trainable"
    assert empty == ""
    assert head.split() == [
        "stage",
        "layer",
        "kind",
        "output",
        "parameters",
        "multiply-adds",
        "sees",
        "every",
        "memory",
    ]
    assert total.split() == ["total", "61,706", "416,520", "57.0", "KiB"]
    assert len(rows) == len(summary_of("lenet5").rows)
    end = head.index("parameters") + len("parameters")
    assert all(row[end - 1].isdigit() and row[end] == " " for row in [*rows, total])


def test_the_dictionary_is_plain() -> None:
    found = summary_of("lenet5").to_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["multiply_adds"] == 416_520
    assert found["rows"][0]["output_shape"] == [6, 28, 28]


class Doubling(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return torch.nn.functional.interpolate(self.inner(x), scale_factor=2)


def test_an_image_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ModelError, match="The network cannot take an image of 1 × 8 × 8: "):
        summarize(Network({"stage": nn.Conv2d(3, 4, 3)}, nn.Flatten()), (1, 8, 8))


def test_after_an_unknown_operation_nobody_knows_what_a_cell_sees() -> None:
    stages = {
        "conv": nn.Conv2d(1, 2, 3),
        "selu": nn.SELU(),
        "doubling": Doubling(),
        "last": nn.Conv2d(2, 3, 1),
    }
    summary = summarize(Network(stages, nn.Flatten()), (1, 8, 8))
    seen = {row.stage: (row.kind, row.receptive_field, row.output_shape) for row in summary.rows}
    assert seen["selu"] == ("SELU", (3, 3), (2, 6, 6))
    assert seen["doubling"] == ("identity", (3, 3), (2, 6, 6))
    assert seen["last"] == ("convolution", None, (3, 12, 12))
    assert summary.multiply_adds == 6 * 6 * 9 * 2 + 12 * 12 * 2 * 3
    assert [line.split()[-4:-2] for line in summary.to_text().splitlines() if line.startswith("last")] == [
        ["?", "?"]
    ]
    assert 'sees 3 × 3"' not in summary.to_svg("own").split("last")[1]


class Attention(nn.Module):
    """Products outside every layer, and inside a layer that striate does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Flatten(2)
        self.mixed = Mixed()

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.inner(x)
        return self.mixed(tokens @ tokens.transpose(1, 2))


class Mixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(5, 4))

    def forward(self, x: Tensor) -> Tensor:
        return torch.nn.functional.linear(x, self.weight)


def test_products_of_strangers_are_counted() -> None:
    summary = summarize(Network({"attention": Attention()}, nn.Flatten()), (4, 8, 8))
    counted = {row.kind: row.multiply_adds for row in summary.rows if row.multiply_adds}
    assert counted == {"matmul": 4 * 4 * 64, "Mixed": 4 * 4 * 5}
    assert summary.parameters == 20


class OnValues(nn.Module):
    """Cannot run on shapes alone."""

    def forward(self, x: Tensor) -> Tensor:
        return x * 2 if x.sum().item() == 0 else x


def test_a_network_that_looks_at_values_is_summarised_with_its_weights() -> None:
    stages = {"looking": OnValues(), "conv": nn.Conv2d(1, 2, 3, padding="same")}
    rows = summarize(Network(stages, nn.Flatten()), (1, 8, 8)).rows
    assert [row.output_shape for row in rows] == [(1, 8, 8), (2, 8, 8), (128,)]


def test_the_same_padding_is_followed() -> None:
    network = Network({"conv": nn.Conv2d(1, 2, 5, padding="same", dilation=2)}, nn.Flatten())
    row = summarize(network, (1, 12, 12)).rows[0]
    assert (row.receptive_field, row.receptive_start) == ((9, 9), (-4, -4))


@pytest.mark.parametrize("name", model_names())
def test_what_a_cell_sees_is_known_everywhere_in_the_catalogue(name: str) -> None:
    assert all(row.receptive_field for row in summary_of(name).rows)


def test_memory_is_four_bytes_a_number() -> None:
    summary = summary_of("lenet5")
    numbers = 2 * 6 * 28 * 28 + 6 * 14 * 14 + 2 * 16 * 10 * 10 + 16 * 5 * 5 + 2 * 120 + 2 * 84 + 10
    assert summary.activation_bytes == 4 * numbers == summary.to_dict()["activation_bytes"]
    assert next(row for row in summary.rows if row.kind == "flatten").activation_bytes == 0


def test_branches_that_are_joined_see_the_widest() -> None:
    rows = [row for row in summary_of("googlenet2014").rows if row.stage == "3a"]
    joined = rows[-1]
    assert (joined.kind, joined.layer, joined.output_shape) == (
        "concatenation",
        "concatenation",
        (256, 28, 28),
    )
    five = next(row for row in rows if row.layer == "five.conv.conv")
    assert joined.receptive_field == five.receptive_field
    assert joined.receptive_start == five.receptive_start


@pytest.mark.parametrize(
    ("cells", "grid", "window", "stride"), [(14, 7, 2, 2), (7, 7, 1, 1), (10, 4, 3, 2), (9, 1, 9, 9)]
)
def test_pooling_to_a_grid(cells: int, grid: int, window: int, stride: int) -> None:
    network = Network({"pool": nn.AdaptiveAvgPool2d(grid)}, nn.Flatten())
    row = summarize(network, (1, cells, cells)).rows[0]
    assert row.output_shape == (1, grid, grid)
    assert row.receptive_field == (window, window)
    assert row.receptive_stride == (stride, stride)
    image = torch.zeros(1, 1, cells, cells, requires_grad=True)
    network(image)[0, -1].backward()
    assert image.grad is not None
    assert image.grad.any(dim=2).sum() <= window


def test_auxiliary_heads_are_counted_apart() -> None:
    summary = summary_of("googlenet")
    whole = sum(weight.numel() for weight in shadow_of("googlenet").parameters())
    assert summary.parameters + summary.auxiliary == whole
    assert summary.auxiliary_stages == ("4a", "4d")
    assert f"; {summary.auxiliary:,} more in auxiliary heads, used in training only" in summary.to_text()


@every_model
def test_a_drawing_has_every_stage(name: str) -> None:
    network, summary = shadow_of(name), summary_of(name)
    drawing = ElementTree.fromstring(summary.to_svg(name))
    boxes = [box.get("class") for box in drawing.iter("{http://www.w3.org/2000/svg}rect")]
    assert boxes == ["picture", *["map"] * len(network.stage_names), "head"]
    texts = ["".join(text.itertext()) for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == name
    assert set(network.stage_names) < set(texts)
    frames = [
        path for path in drawing.iter("{http://www.w3.org/2000/svg}path") if path.get("class") == "aside"
    ]
    assert len(frames) == len(network.auxiliaries)

"""Whole networks from the inside: the table beside the summary, maps beside the stages', cells beside torch's hooks."""

import random
from typing import Any

import numpy as np
import pytest
import torch
from networks_to_explain import SHAPES, images_for, network_to_explain
from torch import Tensor, nn

import striate
from striate.errors import ModelError
from striate.explanation.feature_maps import feature_maps
from striate.explanation.layer_maps import layer_maps, stage_maps
from striate.explanation.layers_of import network_table
from striate.explanation.recording import record, record_shapes
from striate.models import Network, create_model, summarize

MORE = {"lenet5_1998": (1, 28, 28), "mlp": (1, 12, 12), "googlenet2014": (3, 64, 64)}
QUICK = ("lenet5", "compact", "resnet18_small", "lenet5_1998", "mlp")


def network_and_shape(name: str) -> tuple[Network, tuple[int, int, int]]:
    """A network with weights that training moved, or a fresh one, and its input shape."""
    if name in SHAPES:
        return network_to_explain(name, "trained"), SHAPES[name]  # type: ignore[return-value]
    torch.manual_seed(3)
    shape = MORE.get(name, (3, 64, 64))
    return create_model(name, classes=10, channels=shape[0], size=shape[1:]).eval(), shape


def hooked(network: Network, inputs: Tensor) -> dict[str, Tensor]:
    """What every layer puts out, by torch's own hooks on the network itself."""
    made: dict[str, Tensor] = {}
    hooks = [
        layer.register_forward_hook(lambda _m, _i, out, path=path: made.__setitem__(path, out.clone()))
        for path, layer in network.named_modules()
        if next(layer.children(), None) is None
    ]
    with torch.no_grad():
        network(inputs.clone())
    for hook in hooks:
        hook.remove()
    return {path.removeprefix("stages."): out for path, out in made.items()}


@pytest.mark.parametrize("name", QUICK)
def test_the_table_has_every_row_of_the_summary(name: str) -> None:
    """Shapes, weights and fields are the summary's; what is read is there before."""
    network, shape = network_and_shape(name)
    table, summary = network_table(network, shape), summarize(network, shape)
    layers = [layer for stage in table.stages for layer in stage.layers]
    rows = [(row.kind, row.output_shape, row.parameters, row.receptive_field) for row in summary.rows]
    assert [(one.kind, one.shape, one.parameters, one.sees) for one in layers] == rows
    assert sum(stage.parameters for stage in table.stages) == summary.parameters
    before = {"picture"}
    for layer in layers:
        assert before.issuperset(layer.reads)
        before.add(layer.name)
    assert table.to_dict()["parameters"] == summary.parameters


@pytest.mark.parametrize("name", ["compact", "lenet5_1998"])
def test_what_is_recorded_is_what_the_network_does(name: str) -> None:
    """The values of torch's hooks, the network left as it was, and the same layers on shapes alone."""
    network, shape = network_and_shape(name)
    inputs = torch.randn(1, *shape)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    visits, made = record(network, inputs), hooked(network, inputs)
    assert all(torch.equal(visit.leaving, made[visit.name]) for visit in visits if visit.name in made)
    assert set(made) <= {visit.name for visit in visits}
    assert [visit.name for visit in visits] == [visit.name for visit in record_shapes(network, shape)]
    assert not any(layer._forward_hooks for layer in network.modules())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_layers_that_work_in_place_and_are_used_twice() -> None:
    """What entered is kept as it was, and the second use has a name of its own."""

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.relu = nn.Conv2d(1, 1, 1), nn.ReLU(inplace=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.relu(self.conv(self.relu(x)))

    network = Network({"twice": Twice()}, head=nn.Flatten())
    inputs = torch.tensor([[[[-2.0, 3.0]]]])
    visits = record(network, inputs)
    assert [visit.name for visit in visits] == ["twice.relu", "twice.conv", "twice.relu#2", "head"]
    assert visits[0].entering[0].flatten().tolist() == [-2.0, 3.0]
    assert visits[1].entering[0].flatten().tolist() == [0.0, 3.0]
    assert inputs.flatten().tolist() == [-2.0, 3.0]


def cells_agree(name: str, count: int) -> None:
    """Cells of many layers: every work is the network's own value, and a stage's chain ends in what leaves it."""
    network, shape = network_and_shape(name)
    inputs = torch.randn(1, *shape, generator=torch.Generator().manual_seed(4))
    table, made, chance = network_table(network, shape), hooked(network, inputs), random.Random(5)
    layers = [layer.name for stage in table.stages for layer in stage.layers]
    for layer in [*chance.sample(layers, min(count, len(layers))), *network.stage_names, "head"]:
        place = tuple(chance.randrange(size) for size in table.cells(layer))
        found = striate.work_cell(network, inputs, layer, *place, table=table)
        for work in found.works:
            assert work.operation != "unknown"
            if work.layer in made:
                assert work.value == number(made[work.layer], work.place)
            assert abs(work.result - work.value) <= 2e-6 * size_of(work)
        if layer in network.stage_names:
            with torch.no_grad():
                assert found.works[-1].value == number(network.run_to(inputs.clone(), layer), place)


def number(tensor: Tensor, place: tuple[int, ...]) -> float:
    """One number of maps or of a vector."""
    return float(tensor[0][place] if tensor.dim() == 4 else tensor[0, place[0]])


def size_of(work: Any) -> float:
    """How large the numbers are that were added up."""
    sums = [abs(term.value) for term in work.terms]
    if work.operation == "normalisation":
        numbers = work.numbers
        sums.append(
            abs(numbers["scale"])
            * (abs(numbers["given"]) + abs(numbers["mean"]))
            / numbers["variance"] ** 0.5
        )
    if work.window is not None:
        sums.append(
            float(np.abs(work.window.values if work.window.products is None else work.window.products).sum())
        )
    return max(1.0, *sums)


@pytest.mark.parametrize("name", QUICK)
def test_cells_of_whole_networks(name: str) -> None:
    """Convolution, pooling, residual sums, trainable subsampling, tables, radial basis, dense layers."""
    cells_agree(name, 8)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["resnet18", "vgg11_bn", "googlenet", "googlenet2014", "alexnet", "resnet50", "zfnet"]
)
def test_cells_of_larger_networks(name: str) -> None:
    """The same of every other kind of network in the catalogue."""
    cells_agree(name, 30)


def test_a_residual_cell_names_both_branches() -> None:
    """The cell of a ResNet's stage: the branch's convolution and normalisation, the sum with the shortcut, ReLU."""
    network, shape = network_and_shape("resnet18_small")
    inputs = torch.randn(1, *shape)
    found = striate.work_cell(network, inputs, "stage1", 2, 3, 4)
    assert [work.operation for work in found.works] == ["weighted sum", "normalisation", "sum", "function"]
    branch, passed = found.works[2].terms
    assert (branch.layer, passed.layer) == ("stage1.block2.branch.norm2", "stage1.block1.relu")
    assert found.works[2].value == pytest.approx(branch.value + passed.value, abs=1e-6)
    projected = striate.work_cell(network, inputs, "stage2.block1.sum", 2, 3, 4).works[0]
    assert {term.layer for term in projected.terms} == {
        "stage2.block1.branch.norm2",
        "stage2.block1.shortcut.norm",
    }
    assert found.end == "It leaves stage stage1."


@pytest.mark.parametrize("name", ["lenet5", "compact"])
def test_the_field_in_the_picture(name: str) -> None:
    """Pixels outside the box change nothing, and some inside it do."""
    network, shape = network_and_shape(name)
    inputs, _ = images_for(name, images=1)
    place, layer = (1, 2, 2), network.stage_names[1]
    found = striate.work_cell(network, inputs, layer, *place)
    assert found.clipped is not None
    top, left, height, width = found.clipped
    mask = torch.zeros(shape[1:], dtype=torch.bool)
    mask[top : top + height, left : left + width] = True
    with torch.no_grad():
        outside = network.run_to(torch.where(mask, inputs, torch.randn_like(inputs)), layer)[0][place]
        inside = network.run_to(torch.where(mask, inputs + 1, inputs), layer)[0][place]
    assert float(outside) == pytest.approx(found.works[-1].value, abs=1e-5)
    assert float(inside) != pytest.approx(found.works[-1].value, abs=1e-5)


def test_maps_of_stages_and_layers() -> None:
    """A stage's are those of `feature_maps`; a layer's those of torch's hook; the order is by magnitude."""
    network, shape = network_and_shape("compact")
    inputs = torch.randn(1, *shape)
    made = hooked(network, inputs)
    for stage in network.stage_names:
        expected = feature_maps(network, inputs, stage)
        found = layer_maps(network, inputs, stage)
        np.testing.assert_array_equal(found.maps, expected.maps[0].numpy())
        assert found.strongest() == expected.strongest()
        assert (found.sees, found.dead) == (expected.sees, expected.dead)
    raw = layer_maps(network, inputs, "stage1.conv")
    np.testing.assert_array_equal(raw.maps, made["stage1.conv"][0].numpy())
    assert raw.signed
    order = np.abs(raw.maps).max(axis=(1, 2))[raw.strongest()]
    assert (np.diff(order) <= 0).all()
    seen = stage_maps(network, inputs)
    assert [one.layer for one in seen] == [*network.stage_names, "head"]
    for one in seen:
        np.testing.assert_array_equal(one.maps, layer_maps(network, inputs, one.layer).maps)
    np.testing.assert_array_equal(layer_maps(network, inputs, "picture").maps, inputs[0].numpy())


def test_maps_in_steps() -> None:
    """Zero of a signed map is 128, the ends are 1 and 255; of others 0 and 255; dead maps are told."""
    maps = torch.tensor([[[[-2.0, 0.0, 2.0]], [[-1.0, 0.5, 0.0]], [[0.0, 0.0, 0.0]]]])
    network = Network({"as": nn.Identity()}, head=nn.Flatten())
    found = layer_maps(network, maps, "as")
    assert [found.coded(channel).tolist() for channel in range(3)] == [
        [[1, 128, 255]],
        [[1, 192, 128]],
        [[128] * 3],
    ]
    assert (found.dead, found.limit(1)) == ((2,), 1.0)
    assert "1 dead for this picture" in found.sentence()
    positive = layer_maps(network, maps.abs(), "as")
    assert positive.coded(0).tolist() == [[255, 0, 255]]
    strange = layer_maps(network, torch.tensor([[[[float("inf"), 1.0, float("nan")]]]]), "as")
    assert strange.coded(0).tolist() == [[255, 255, 0]]
    numbers = layer_maps(network, maps, "head")
    assert numbers.one_cell
    assert numbers.coded(3).item() == 128 - 64  # one scale for all numbers


def test_layers_that_there_are_not() -> None:
    """The nearest one and the stages are said."""
    network, shape = network_and_shape("compact")
    table = network_table(network, shape)
    with pytest.raises(
        ModelError, match=r"no layer 'stage1.con'; did you mean stage1.conv\? Stages: stem, stage1"
    ):
        table.layer("stage1.con")
    with pytest.raises(ModelError, match="no layer 'nowhere'"):
        layer_maps(network, torch.zeros(1, *shape), "nowhere", table=table)

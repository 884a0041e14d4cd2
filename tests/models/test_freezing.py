"""Frozen means frozen: parameters and statistics keep every bit while all the rest is trained."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from random_task import noise_material, trained
from striate.errors import ModelError, TrainingError
from striate.models import Network, create_model, initialise, model_entry, model_names
from striate.training.recipe import Recipe

CLASSES = 4
SIDES = {"alexnet": 63, "alexnet2012": 63, "zfnet": 47, "googlenet2014": 31}
BASICS = ("compact", "lesson", "lenet5", "lenet5_1998", "mlp")
QUICK = (*BASICS, "resnet20")
OPTIMISERS = {
    "sgd": {"learning_rate": 0.001, "weight_decay": 0.01},
    "adamw": {"learning_rate": 1e-5, "weight_decay": 0.1},
}
STEEP = ("resnet101", "resnet152")
"""Untrained, their gradients are so large that the rate of the others leads to infinity."""
every_model = pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in model_names()]
)


def shape_of(name: str) -> tuple[int, int, int]:
    channels, side, _ = model_entry(name).default_input
    side = side if name in BASICS else SIDES.get(name, 32)
    return channels, side, side


def build(name: str) -> Network:
    """A network whose normalisation has seen noise: without, depth multiplies the size of what frozen stages give."""
    torch.manual_seed(0)
    network = create_model(name, classes=CLASSES, channels=shape_of(name)[0], size=shape_of(name)[1:])
    if name == "compact":
        initialise(network, "he")  # between its own, which copy maps, a scale is taken back by the next norm
    layers = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    for layer in layers:
        layer.momentum = 1.0
    with torch.no_grad():
        network.all_logits(torch.randn(8, *shape_of(name)))
    for layer in layers:
        layer.momentum = 0.1
    return network


def stages_to_freeze(network: Network) -> list[str]:
    names = network.stage_names
    return [names[0], names[len(names) // 2], names[-1], "all", "none"]


def state_of(network: Network) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def rests(name: str, frozen: tuple[str, ...]) -> bool:
    """Whether a name of the state belongs to a frozen stage, or to an auxiliary head that reads one."""
    room, part, *_ = name.split(".")
    return room in {"stages", "auxiliaries"} and part in frozen


def learns(name: str, tensor: Tensor) -> bool:
    """Everything but the fixed codes of LeNet-5's radial basis output."""
    return not name.endswith("output.codes") and tensor.numel() > 0


@every_model
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_no_frozen_bit_changes_and_all_others_do(name: str, optimiser: str) -> None:
    network = build(name)
    recipe = Recipe(epochs=1, optimiser=optimiser, schedule="constant", keep="last", **OPTIMISERS[optimiser])
    recipe = recipe.changed(learning_rate=1e-5) if name in STEEP else recipe
    for upto in stages_to_freeze(network):
        before = state_of(network)
        frozen = network.freeze(upto)
        trained(network, recipe.changed(freeze=upto), noise_material(shape_of(name), classes=CLASSES))
        for path, tensor in network.state_dict().items():
            same = torch.equal(tensor, before[path])
            if rests(path, frozen):
                assert same, f"{path} changed below {upto}"
            elif learns(path, tensor):
                assert not same, f"{path} did not change above {upto}"


@pytest.mark.parametrize("name", ["compact", "googlenet"])
def test_the_state_holds_the_statistics_that_the_test_above_compares(name: str) -> None:
    kinds = {path.rpartition(".")[2] for path in build(name).state_dict()}
    assert {"running_mean", "running_var", "num_batches_tracked"} <= kinds


@every_model
def test_frozen_stages_are_as_in_prediction_and_leave_no_trace_for_gradients(name: str) -> None:
    network, images = build(name).train(), torch.randn(4, *shape_of(name))
    network.freeze("all")
    features = network.features(images)
    assert not features.requires_grad
    assert features.grad_fn is None
    assert torch.equal(features, network.features(images)), "dropout or statistics of the batch are at work"
    assert torch.equal(network.eval().features(images), features)
    assert not any(stage.training for stage in network.stages.children())


def graph(node: torch.autograd.graph.Node | None) -> Iterator[torch.autograd.graph.Node]:
    """Every node that a gradient would pass."""
    found, waiting = set(), [node]
    while waiting:
        current = waiting.pop()
        if current is not None and current not in found:
            found.add(current)
            waiting.extend(before for before, _ in current.next_functions)
            yield current


def test_below_a_frozen_stage_nothing_is_recorded() -> None:
    network, images = build("resnet20").train(), torch.randn(2, *shape_of("resnet20"))
    counts = []
    for upto in ("none", *network.stage_names):
        network.freeze(upto)
        counts.append(len(list(graph(network(images).grad_fn))))
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == len(counts)
    assert counts[-1] < 10  # the mean, the flattening, one layer and its two parameters


def test_an_auxiliary_head_of_a_frozen_stage_rests_and_the_others_learn() -> None:
    network, images = build("googlenet").train(), torch.randn(2, *shape_of("googlenet"))
    first, second = network.auxiliaries
    assert len(network.all_logits(images)) == 3
    network.freeze(first)
    assert len(network.all_logits(images)) == 2
    assert not any(weight.requires_grad for weight in network.auxiliaries[first].parameters())
    assert all(weight.requires_grad for weight in network.auxiliaries[second].parameters())
    network.freeze("all")
    assert len(network.all_logits(images)) == 1
    network.freeze("none")
    assert all(weight.requires_grad for weight in network.parameters())


def test_what_was_fixed_before_stays_fixed_when_the_stage_thaws() -> None:
    network = build("compact")
    fixed = network.stages["stem"].get_parameter("conv.weight").requires_grad_(False)
    network.freeze("stage1")
    network.freeze("none")
    assert [weight for weight in network.parameters() if not weight.requires_grad] == [fixed]


def test_training_and_prediction_mode_leave_frozen_stages_as_they_are() -> None:
    network = build("compact")
    assert network.freeze("stage1") == ("stem", "stage1")
    for mode in (network.eval(), network.train()):
        assert not mode.stages["stage1"].training
    assert network.stages["stage2"].training
    network.freeze("none")
    assert network.stages["stage1"].training


def test_an_unknown_stage_is_named_with_the_nearest() -> None:
    with pytest.raises(ModelError) as raised:
        build("compact").freeze("stage4")
    assert str(raised.value) == (
        "Nothing to freeze is called 'stage4'; did you mean stage3? Allowed: none, all, stem, stage1, stage2, stage3."
    )


def test_a_network_that_has_nothing_left_to_learn_says_so() -> None:
    network = Network({"body": nn.Sequential(nn.Flatten(), nn.Linear(16, CLASSES))}, head=nn.Identity())
    with pytest.raises(TrainingError) as raised:
        trained(network, Recipe(epochs=1, freeze="all"), noise_material((1, 4, 4), classes=CLASSES))
    assert str(raised.value) == (
        "No weight is left to train: what follows the frozen stages has none."
        " Freeze fewer stages, or add head=linear."
    )


def test_a_tail_takes_feature_maps_and_shares_its_weights() -> None:
    network, images = build("googlenet").eval(), torch.randn(2, *shape_of("googlenet"))
    logits = network.all_logits(images)
    for upto in ("pool1", "4a", "5b"):
        frozen = network.freeze(upto)
        tail, maps = network.tail(), network.run_to(images, upto)
        assert tail.extracted == frozen
        assert [*tail.extracted, *tail.stage_names] == list(network.stage_names)
        assert torch.equal(tail(maps), logits[0])
        assert set(tail.parameters()) == {weight for weight in network.parameters() if weight.requires_grad}
        assert set(tail.state_dict()) < set(network.state_dict())
    assert network.tail().auxiliaries.keys() == set()

"""What a step takes of memory, against values worked out by hand and against what the system says."""

import pytest
import torch
from torch import nn

from striate.models import Network, create_model
from striate.training.available import available_memory, of_groups, of_system, resident_memory
from striate.training.memory import count_saved, step_memory
from striate.training.optimiser import create_optimiser, state_tensors
from striate.training.recipe import Recipe


def two_stages() -> Network:
    stages = {
        "conv": nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU()),
        "more": nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.Tanh(), nn.Conv2d(8, 4, 3, padding=1)),
    }
    return Network(stages, nn.Sequential(nn.Flatten(), nn.Linear(4 * 16 * 16, 5)))


def test_saved_bytes_are_those_worked_out_by_hand() -> None:
    network, cells = two_stages(), 16 * 16 * 4
    found = step_memory(network, torch.zeros(4, 3, 16, 16), Recipe(precision="float32", optimiser="sgd"))
    assert found.input == 3 * cells
    assert found.saved == (8 + 8 + 4) * cells  # after the rectifier, after tanh, and what enters the head
    assert found.kept == (8 + 4) * cells  # what enters the second stage, and the head
    assert found.inside == 8 * cells  # tanh
    assert found.largest == 8 * cells


@pytest.mark.parametrize("name", ["compact", "lesson", "lenet5"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_saved_bytes_grow_in_a_straight_line(name: str, precision: str) -> None:
    network = create_model(name, classes=4, channels=1, size=(28, 28))
    inputs = torch.zeros(9, 1, 28, 28)
    found = step_memory(network, inputs, Recipe(model=name, precision=precision))
    two, nine = (count_saved(network, inputs[:count], precision).saved() for count in (2, 9))
    assert nine - two == 7 * found.saved


def test_counting_changes_nothing() -> None:
    network = create_model("compact", classes=4, channels=1, size=(28, 28), dropout=0.5).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.random.get_rng_state()
    step_memory(network, torch.randn(4, 1, 28, 28, generator=torch.Generator()), Recipe())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())
    assert not network.training
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("optimiser", ["sgd", "adam", "adamw"])
def test_what_stands_is_gradients_states_and_the_best_weights(optimiser: str) -> None:
    network = two_stages()
    recipe = Recipe(precision="float32", optimiser=optimiser, keep="best")
    found = step_memory(network, torch.zeros(4, 3, 16, 16), recipe)
    algorithm = create_optimiser(network, recipe)
    network(torch.zeros(2, 3, 16, 16)).sum().backward()
    algorithm.step()
    states = sum(value.nbytes for value in state_tensors(algorithm).values() if value.ndim)
    gradients = sum(parameter.grad.nbytes for parameter in network.parameters())
    weights = sum(value.nbytes for value in network.state_dict().values())
    largest = max(parameter.nbytes for parameter in network.parameters())
    assert found.standing == gradients + states + weights + 2 * largest


def test_frozen_stages_keep_nothing() -> None:
    network = two_stages()
    whole = step_memory(network, torch.zeros(4, 3, 16, 16), Recipe(precision="float32"))
    network.freeze("more")
    rest = step_memory(network, torch.zeros(4, 3, 16, 16), Recipe(precision="float32"))
    assert rest.saved == rest.kept == 4 * 16 * 16 * 4
    assert rest.inside == 0
    assert rest.standing < whole.standing


def test_parts_and_recomputation_take_less() -> None:
    found = step_memory(create_model("compact", classes=4), torch.zeros(4, 1, 28, 28), Recipe())
    assert found.peak(128, recompute=True) < found.peak(128)
    assert found.peak(128, accumulate=4) < found.peak(128, accumulate=2) < found.peak(128)
    assert found.peak(128, accumulate=3) == found.peak(128) - (128 - 43) * (found.saved + 3 * found.largest)


def group(folder, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content)


def test_the_tightest_control_group_counts(tmp_path) -> None:
    (tmp_path / "cgroup").write_text("0::/pod/box\n")
    group(tmp_path / "pod", memory__max="5000\n", memory__current="1000\n")
    group(
        tmp_path / "pod" / "box",
        memory__max="3000\n",
        memory__current="2500\n",
        memory__stat="anon 1\ninactive_file 700\n",
    )
    assert sorted(of_groups(tmp_path / "cgroup", tmp_path)) == [1200, 4000]
    (tmp_path / "pod" / "box" / "memory.max").write_text("max\n")
    assert of_groups(tmp_path / "cgroup", tmp_path) == [4000]


def test_groups_of_version_1_seen_from_inside_a_container(tmp_path) -> None:
    """There the path that the process is told does not exist; its group is the root of what is mounted."""
    (tmp_path / "cgroup").write_text("4:memory:/docker/abc\n2:cpu,cpuacct:/\n")
    files = {"memory__limit_in_bytes": "9000", "memory__usage_in_bytes": "4000"}
    group(tmp_path / "memory", **files, memory__stat="total_inactive_file 500\n")
    assert of_groups(tmp_path / "cgroup", tmp_path) == [5500]


def test_where_nothing_is_said_nothing_is_known(tmp_path) -> None:
    assert of_groups(tmp_path / "none", tmp_path) == []
    assert of_system(tmp_path / "none") is None
    (tmp_path / "odd").write_text("MemAvailable: many kB\n")
    assert of_system(tmp_path / "odd") is None


def test_this_machine_says_what_it_has() -> None:
    left, used = available_memory(torch.device("cpu")), resident_memory()
    assert left is not None
    assert left > 2**20
    assert 2**24 < used < 2**40

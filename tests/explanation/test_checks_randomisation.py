"""Weight randomisation: likeness against scipy and loops, the cascade, and maps that must be found out."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import STAGE, planted_task
from torch import Tensor, nn

from striate.errors import ModelError
from striate.explanation.checks import edge_maps, explainer, random_maps, randomisation
from striate.explanation.checks.likeness import (
    rank_correlations,
    shifted_limits,
    standard_ranks,
    structural_similarities,
    unrelated_pictures,
)
from striate.explanation.checks.means import mean_number
from striate.explanation.checks.randomisation import cascade
from striate.explanation.checks.randomised import Randomisation, RandomisedStep
from striate.models import Network, create_model, model_names, wrap


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6), rows=st.integers(2, 6), columns=st.integers(2, 6), kinds=st.integers(2, 30)
)
def test_rank_correlations_are_scipys(seed: int, rows: int, columns: int, kinds: int) -> None:
    from scipy.stats import spearmanr

    generator = np.random.default_rng(seed)
    some, others = generator.integers(0, kinds, (2, 3, rows, columns)).astype(np.float64)
    some[:, 0, :2] = 0, 1  # neither is without differences
    others[:, 0, :2] = 0, 1
    found = rank_correlations(some, others)
    for one in range(3):
        assert found[one] == pytest.approx(float(spearmanr(some[one].ravel(), others[one].ravel())[0]))
    pairs = [
        float(spearmanr(some[i].ravel(), others[j].ravel())[0]) for i in range(3) for j in range(3) if i != j
    ]
    assert unrelated_pictures(some, others) == pytest.approx(np.array(pairs))


def test_maps_without_differences_are_like_each_other_and_like_nothing_else() -> None:
    flat, noise = np.ones((1, 4, 4)), np.random.default_rng(1).normal(size=(1, 4, 4))
    assert rank_correlations(flat, 3 * flat).tolist() == [1]
    assert rank_correlations(flat, noise).tolist() == [0]
    two = np.concatenate([flat, 2 * flat])
    assert unrelated_pictures(two, two).tolist() == [1, 1]


def test_moved_and_mirrored_copies_are_those_of_loops() -> None:
    generator = np.random.default_rng(3)
    some, others = generator.normal(size=(2, 2, 4, 5))
    found = shifted_limits(some, others)
    for one in range(2):
        copies = []
        for axes in ((), (0,), (1,), (0, 1)):
            mirrored = np.flip(others[one], axes)
            for down in range(4):
                for right in range(5):
                    if axes or down or right:
                        moved = np.roll(mirrored, (down, right), (0, 1))
                        copies.append(float(rank_correlations(some[[one]], moved[None])[0]))
        assert len(copies) == 79
        assert found[one] == pytest.approx(np.quantile(copies, 0.95))


def test_structural_similarity_is_wangs_formula() -> None:
    generator = np.random.default_rng(5)
    some, others = generator.random((2, 1, 12, 13))
    offsets = np.arange(-5, 6)  # truncated at 3.5 deviations of 1.5
    line = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    for one, other, span in ((some[0], others[0], 1.0), (some[0] - 0.5, others[0] - 0.4, 2.0)):
        found = structural_similarities(one[None], other[None])
        x, y = one / np.abs(one).max(), other / np.abs(other).max()
        c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
        left, right = (np.pad(part, 5, mode="symmetric") for part in (x, y))
        values = []
        for row in range(12):
            for column in range(13):
                a, b = (part[row : row + 11, column : column + 11] for part in (left, right))
                mx, my = (window * a).sum(), (window * b).sum()
                vx, vy = (window * (a - mx) ** 2).sum(), (window * (b - my) ** 2).sum()
                both = (window * (a - mx) * (b - my)).sum()
                above = (2 * mx * my + c1) * (2 * both + c2)
                values.append(above / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
        assert found == pytest.approx([np.mean(values)])


def test_ranks_have_mean_nought_and_length_one() -> None:
    ranks = standard_ranks(np.array([[[5.0, 1.0], [1.0, 9.0]]]))
    # ranks 3, 1½, 1½, 4, less their mean 2½
    assert ranks.ravel() == pytest.approx(np.array([0.5, -1, -1, 1.5]) / np.sqrt(4.5))


def test_a_mean_has_students_interval() -> None:
    from scipy import stats

    values = np.random.default_rng(2).normal(size=12)
    number = mean_number(values)
    low, high = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    assert (number.value, number.low, number.high) == pytest.approx((values.mean(), low, high))
    assert mean_number(np.append(values, np.nan)).reason == "1 of 13 left out"
    within = mean_number(np.array([0.1, 0.9]), (0.0, 1.0))
    assert (within.value, within.low, within.high) == (0.5, 0.0, 1.0)
    assert mean_number(np.array([0.5])).low is None
    assert mean_number(np.array([np.nan])).value is None


def parameters(part: nn.Module) -> list[Tensor]:
    return [tensor.clone() for tensor in part.state_dict().values()]


def same(some: list[Tensor], others: list[Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(some, others, strict=True))


def test_parts_lose_their_weights_from_the_top_down() -> None:
    network = create_model("compact", classes=4, channels=1, size=(16, 16))
    for _ in range(3):
        network(torch.randn(8, 1, 16, 16) + 1)  # statistics to be forgotten
    before, order = copy.deepcopy(network), []
    parts = {"stem": network.stages["stem"], **dict(network.stages.items()), "head": network.head}
    for name, randomised in cascade(network, seed=1):
        order.append(name)
        fresh = {**dict(randomised.stages.items()), "head": randomised.head}
        for other, part in parts.items():
            assert same(parameters(part), parameters(fresh[other])) == (other not in order), (name, other)
        assert not randomised.training
    assert order == ["head", "stage3", "stage2", "stage1", "stem"]
    assert same(parameters(network), parameters(before))
    assert network.training
    norm = randomised.stages["stem"].get_submodule("norm")
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert not norm.running_mean.any()


def test_the_seed_decides_the_weights_and_nothing_else_is_drawn() -> None:
    network = create_model("lenet5", classes=3)
    torch.manual_seed(0)
    drawn = [parameters(list(cascade(network, seed=seed))[-1][1]) for seed in (1, 1, 2)]
    assert same(drawn[0], drawn[1])
    assert not same(drawn[0], drawn[2])
    first = torch.rand(1)
    torch.manual_seed(0)
    assert torch.equal(first, torch.rand(1))


QUICK = ("lenet5", "lenet5_1998", "mlp", "lesson", "resnet20")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in model_names()]
)
def test_every_parameter_of_every_network_is_made_anew_and_still_gives_figures(name: str) -> None:
    from striate.models import model_entry

    torch.manual_seed(5)
    network = create_model(name, classes=5)
    for parameter in network.parameters():
        parameter.data += 0.01 * torch.rand_like(parameter) + 0.001
    before = copy.deepcopy(network)
    (*_, (_, randomised)) = cascade(network, seed=0)
    asides = [f"auxiliaries.{aside}." for aside in network.auxiliaries]
    pairs = zip(randomised.named_parameters(), before.parameters(), strict=True)
    for (path, now), was in pairs:
        assert path.startswith(tuple(asides)) or not torch.equal(now, was), path
    with torch.no_grad():
        logits = randomised(torch.randn(2, *model_entry(name).default_input))
    assert bool(torch.isfinite(logits).all())
    assert float(logits.std()) > 1e-6


def test_tanh_gets_xaviers_weights_and_rectifiers_hes() -> None:
    for activation, deviation in ((nn.Tanh(), (2 / (400 + 200)) ** 0.5), (nn.ReLU(), (2 / 400) ** 0.5)):
        module = nn.Sequential(nn.Flatten(), nn.Linear(400, 200), activation, nn.Linear(200, 3))
        network = wrap(module, example=(1, 20, 20))
        (*_, (_, randomised)) = cascade(network, seed=0)
        weight = next(p for p in randomised.parameters() if p.shape == (200, 400))
        assert float(weight.detach().std()) == pytest.approx(deviation, rel=0.03)


Task = tuple[Network, Tensor, Tensor, Tensor]


@pytest.fixture(scope="module")
def task() -> Task:
    network, inputs, labels, corners = planted_task(0)
    return network, inputs[:24], labels[:24], corners[:24]


def in_the_middle(network: Network, inputs: Tensor, targets: Tensor) -> Tensor:
    """The same hill for every picture, whatever the network."""
    del network, targets
    line = torch.exp(-torch.linspace(-2, 2, inputs.shape[2]).square())
    return torch.outer(line, line).expand(len(inputs), -1, -1)


@pytest.mark.parametrize("images", [1, 24])
@pytest.mark.parametrize(
    "explain", [edge_maps, random_maps, in_the_middle, lambda *s: torch.ones_like(s[1][:, 0])]
)
def test_maps_that_know_nothing_of_the_network_are_found_out(
    explain: Callable[..., Tensor], images: int, task: Task
) -> None:
    network, inputs, targets, _ = task
    found = randomisation(network, inputs[:images], targets[:images], explain)
    assert found.verdict == "does not change"
    assert found.steps[-1].correlation.value == pytest.approx(1)
    assert found.sentence().endswith(": the map does not show what was learned.")
    assert all(one.structure == pytest.approx(1) for one in found.steps)


def weights_of_the_first_layer(network: Network, inputs: Tensor, targets: Tensor) -> Tensor:
    """A map that is the network's alone: noise that its first weights decide."""
    del targets
    seed = int(next(network.parameters()).detach().sum().abs() * 1e6)
    noise = torch.randn(inputs.shape[2:], generator=torch.Generator().manual_seed(seed))
    return noise.expand(len(inputs), -1, -1)


@pytest.mark.parametrize("images", [1, 24])
def test_grad_cam_shows_what_was_learned_and_the_first_layer_alone_does_not(images: int, task: Task) -> None:
    network, inputs, targets, _ = task
    inputs, targets = inputs[:images], targets[:images]
    right = randomisation(network, inputs, targets, explainer("gradcam", stage=STAGE))
    assert right.verdict == "changes", right.sentence()
    first = randomisation(network, inputs, targets, weights_of_the_first_layer)
    assert first.verdict == "changes late"
    assert first.depth == len(first.steps) - 1
    parts = [one["part"] for one in first.to_dict()["steps"]]
    assert parts == ["head", *reversed([name for name in network.stage_names if name in parts])]
    assert first.to_dict()["alike_down_to"] == parts[-2]


def test_the_network_is_left_as_it_was(task: Task) -> None:
    network, inputs, targets, _ = task
    before = parameters(network)
    randomisation(network, inputs[:2], targets[:2], explainer("saliency"))
    assert same(parameters(network), before)
    assert not network.training
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())


def step(*values: float, limit: float = 0.2, pictures: float | None = None) -> RandomisedStep:
    each = np.array(values)
    return RandomisedStep("part", each, each, each, limit, pictures)


ALIKE, UNLIKE, UNSURE = step(0.5, 0.6, 0.7), step(0.1, 0.0, 0.05), step(0.1, 0.2, 0.3)


def test_maps_are_alike_above_what_unrelated_ones_reach() -> None:
    assert [one.alike for one in (ALIKE, UNLIKE, UNSURE)] == [True, False, None]
    assert step(1.0, 1.0, limit=1.0).alike is True  # the same map for every picture and every network
    assert step(0.3).alike is True
    assert step(0.1).alike is False
    assert step(0.5, 0.6, 0.7, limit=0.1, pictures=0.9).alike is False
    assert step(0.5, 0.6, 0.7, limit=0.9, pictures=0.1).limit == 0.9


@pytest.mark.parametrize(
    ("steps", "depth", "verdict"),
    [
        ((ALIKE, ALIKE, ALIKE, ALIKE), 4, "does not change"),
        ((UNLIKE, UNLIKE, UNLIKE, ALIKE), 0, "does not change"),
        ((ALIKE, ALIKE, UNLIKE, UNLIKE), 2, "changes late"),
        ((ALIKE, ALIKE, ALIKE, UNSURE), 3, "changes late"),
        ((ALIKE, UNLIKE, UNLIKE, UNLIKE), 1, "changes"),
        ((ALIKE, UNSURE, UNLIKE, UNSURE), 1, "undecided"),
        ((UNLIKE,), 0, "changes"),
        ((ALIKE,), 1, "does not change"),
    ],
)
def test_verdicts(steps: tuple[RandomisedStep, ...], depth: int, verdict: str) -> None:
    found = Randomisation(steps, 0)
    assert (found.depth, found.verdict) == (depth, verdict)
    assert found.to_dict()["alike_down_to"] == ("part" if depth else None)


def test_a_sentence_says_the_number_and_the_limit() -> None:
    same = step(0.5, 0.6, 0.7, limit=0.1, pictures=0.214)
    assert Randomisation((same,), 0).sentence() == (
        "Fresh weights in all of the network leave a rank correlation of 0.60 (0.35 to 0.85); of maps of other"
        " pictures, or with values moved, 95 % stay below 0.21: the map does not show what was learned."
    )
    assert Randomisation((ALIKE, UNLIKE), 0).sentence() == (
        "Fresh weights in all of the network leave a rank correlation of 0.05 (−0.07 to 0.17); of maps with values"
        " moved 95 % stay below 0.20; down to part the maps stay alike: the map shows little of what the later layers"
        " learned."
    )


def test_a_network_without_parameters_is_refused() -> None:
    network = Network({"as_it_is": nn.Identity()}, head=nn.Flatten())
    with pytest.raises(ModelError, match="no parameters, so there is nothing that it could have learned"):
        randomisation(network, torch.ones(1, 1, 2, 2), torch.tensor([0]), random_maps)

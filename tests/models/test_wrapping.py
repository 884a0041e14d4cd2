"""Any module as a network: its stages found by trying, its weights kept, its own forward never changed."""

import copy
import inspect
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import theirs
from striate.errors import ModelError, UsageError
from striate.models import Changes, Network, wrap
from striate.models.own import own_network
from striate.models.wrapping import Wrapped


class Tutorial(nn.Module):
    """As torch's own introduction writes it: rectifiers and flattening in the forward."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 12)
        self.fc2 = nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        return self.fc2(F.relu(self.fc1(torch.flatten(x, 1))))


class Ordered(nn.Module):
    """Children in order, but for what `between` does in front of the last layer."""

    def __init__(self, between: Callable[[Tensor, bool], Tensor], drop_rate: float = 0.0) -> None:
        super().__init__()
        self.between, self.drop_rate = between, drop_rate
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.fc = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.between(self.pool(self.relu(self.norm(self.conv(x)))), self.training))


class Hidden(nn.Module):
    """Children in order as long as a weight is zero, which it is in the beginning."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(4 * 30 * 30, 4)
        self.shift = nn.Parameter(torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.flatten(self.conv(x))) + self.shift


class Only(nn.Module):
    def __init__(self, inside: nn.Module) -> None:
        super().__init__()
        self.net = inside

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Squeeze(nn.Module):
    """A convolution as the output, averaged in the forward: nothing to cut at but the end."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.output = nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(F.relu(self.conv(x))).mean(dim=(2, 3))


def chain() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 4),
    )  # fmt: skip


def flat(x: Tensor, _training: bool) -> Tensor:
    return x.flatten(1)


def dropped(x: Tensor, training: bool) -> Tensor:
    return F.dropout(x.flatten(1), 0.5, training)


def scaled(x: Tensor, _training: bool) -> Tensor:
    return 2 * x.flatten(1)


shared_relu = nn.ReLU()
CASES: dict[str, tuple[nn.Module, tuple[str, ...], list[str]]] = {
    "sequential": (chain(), tuple("01234"), list("56789")),
    "an only child": (Only(chain()), tuple("01234"), list("56789")),
    "the same layer twice": (
        nn.Sequential(
            nn.Conv2d(3, 4, 3), shared_relu, nn.Conv2d(4, 4, 3), shared_relu, nn.Flatten(), nn.Linear(3136, 4)
        ),
        tuple("0123"),
        list("45"),
    ),
    "no maps": (
        nn.Sequential(nn.Flatten(), nn.Linear(3072, 9), nn.ReLU(), nn.Linear(9, 4)),
        tuple("012"),
        ["3"],
    ),
    "flattened in the forward": (Ordered(flat), ("conv", "norm", "relu"), ["pool", "flatten", "fc"]),
    "its own drop rate": (Ordered(dropped, 0.5), ("conv", "norm", "relu"), ["pool", "flatten", "dropout", "fc"]),
    "dropout that shows in training alone": (Ordered(dropped), ("features",), ["fc"]),
    "something else in between": (Ordered(scaled), ("features",), ["fc"]),
    "a tutorial's": (Tutorial(), ("features",), ["fc2"]),
    "a weight that is zero": (Hidden(), ("network",), []),
    "an averaged output": (Squeeze(), ("network",), []),
    "resnet": (theirs.ResNet((1, 1, 1, 1), False, 4), ("features",), ["fc"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_stages_are_found_and_the_answers_stay(case: str) -> None:
    module, stages, head = CASES[case]
    module = copy.deepcopy(module)
    before = copy.deepcopy(module.state_dict())
    network = wrap(module, example=(3, 32, 32))
    assert network.stage_names == stages
    assert [name for name, _ in network.head.named_children()] == head
    images = torch.randn(3, 3, 32, 32)
    for training in (False, True):
        answers = []
        for asked in (copy.deepcopy(module), copy.deepcopy(network)):
            torch.manual_seed(5)
            answers.append(asked.train(training)(images))
        assert torch.equal(*answers)
    after = module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert {id(weight) for weight in module.parameters()} == {id(weight) for weight in network.parameters()}


def test_children_named_as_dictionaries_and_freezing_are() -> None:
    layers = {"all": nn.Conv2d(3, 4, 3), "values": nn.ReLU(), "head": nn.MaxPool2d(2), "flat": nn.Flatten()}
    module = nn.Sequential()
    for name, layer in (*layers.items(), ("last", nn.Linear(900, 4))):
        module.add_module(name, layer)
    assert wrap(module, example=(3, 32, 32)).stage_names == ("all_", "values_", "head_")


def test_without_an_example_the_stages_wait() -> None:
    network = wrap(chain())
    assert isinstance(network, Wrapped)
    assert network.stage_names == ("network",)
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 4)
    assert network.freeze("all") == ("network",)
    with pytest.raises(ModelError) as raised:
        network.freeze("conv1")
    assert str(raised.value) == (
        "Nothing to freeze is called 'conv1': this network is one stage, because running its children one after another"
        " does not give what it gives (or was not tried yet: wrap(module, example=(3, 32, 32)) does so). Name stages by"
        ' striate.wrap(module, stages=("conv1", "conv2"), head="fc").'
    )


def test_a_network_of_named_stages_is_left_as_it_is() -> None:
    network = Network({"conv": nn.Conv2d(1, 4, 3)}, nn.Flatten())
    assert wrap(network) is network


@pytest.mark.parametrize(
    ("stages", "head", "expected"),
    [
        (("conv", "norm", "relu"), ("pool", "fc"), (("conv", "norm", "relu"), ["pool", "flatten", "fc"])),
        (("conv", "norm"), None, (("conv", "norm"), ["relu", "pool", "flatten", "fc"])),
        (None, "fc", (("conv", "norm", "relu", "pool"), ["flatten", "fc"])),
    ],
)
def test_named_stages(
    stages: tuple[str, ...] | None, head: str | tuple[str, ...] | None, expected: tuple[tuple[str, ...], list[str]]
) -> None:  # fmt: skip
    module = Ordered(flat).eval()
    network = wrap(module, stages=stages, head=head, example=(3, 16, 16)).eval()
    assert (network.stage_names, [name for name, _ in network.head.named_children()]) == expected
    images = torch.randn(2, 3, 16, 16)
    assert torch.equal(module(images), network(images))


def test_stages_inside_of_children() -> None:
    module = Only(chain())
    names = [f"net.{place}" for place in range(10)]
    network = wrap(module, stages=names[:4], head=names[4:], example=(3, 32, 32))
    assert network.stage_names == ("net_0", "net_1", "net_2", "net_3")
    assert network.freeze("net_1") == ("net_0", "net_1")


@pytest.mark.parametrize(
    ("module", "named", "words"),
    [
        (
            Tutorial(),
            {"stages": ("conv1", "pool", "conv2"), "head": ("fc1", "fc2")},
            "Running conv1, pool, conv2, fc1, fc2 one after another does not give what the network gives: its forward"
            " does something else between them. Make that a layer, name other stages, or leave stages and head out.",
        ),
        (
            Tutorial(),
            {"stages": ("conv1", "conv3"), "head": "fc2"},
            "The network given has no part 'conv3'; did you mean conv2? Allowed: conv1, pool, conv2, fc1, fc2.",
        ),
        (
            Tutorial(),
            {"stages": ("conv1", "conv2"), "head": "fc2"},
            "fc1.weight is in none of the stages and not in the head; name what holds it.",
        ),
        (
            Tutorial(),
            {"stages": ("conv1", "fc2")},
            "Stages need a head after them: name both, as stages=(…) and head=….",
        ),
        (
            Tutorial(),
            {"example": (1, 32, 32)},
            "The network given does not take images of 1 × 32 × 32 (channels × height × width): ",
        ),
        (
            Tutorial(),
            {"example": (3, 40, 40)},
            "The network given does not take images of 3 × 40 × 40 (channels × height × width): mat1 and mat2 shapes"
            " cannot be multiplied (2x784 and 400x12). Give images of its channels and size (--set size=SIDE scales"
            " them), or another network.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_wrapped(module: nn.Module, named: dict, words: str) -> None:
    named = {"example": (3, 32, 32), **named}
    with pytest.raises(ModelError) as raised:
        wrap(module, **named)
    assert str(raised.value).startswith(words)


class Pair(nn.Module):
    def __init__(self, always: bool) -> None:
        super().__init__()
        self.always, self.fc = always, nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        logits = self.fc(x.flatten(1))
        return (logits, logits) if self.training or self.always else logits


@pytest.mark.parametrize(
    ("always", "words"),
    [
        (True, "The network given answers with a tuple; striate needs one tensor of logits."),
        (False, "The network given answers with a tuple while it is trained; striate needs one tensor of logits."
                " Switch its auxiliary outputs off."),
    ],
)  # fmt: skip
def test_more_than_one_answer(always: bool, words: str) -> None:
    with pytest.raises(ModelError) as raised:
        wrap(Pair(always), example=(3, 2, 2))
    assert str(raised.value) == words


def test_no_module_at_all() -> None:
    with pytest.raises(UsageError, match=r"A network must be a torch.nn.Module; got str\."):
        inspect.unwrap(wrap)("resnet18")  # without the types of its arguments checked, as users call it


def adopt(module: nn.Module, classes: int = 4, **changes: str) -> Network:
    return own_network(module, classes=classes, channels=3, size=(32, 32), changes=Changes(**changes))


def test_a_classifier_gets_a_copy() -> None:
    module = chain()
    network = adopt(module)
    with torch.no_grad():
        next(network.parameters()).zero_()
    assert next(module.parameters()).any()


@pytest.mark.parametrize("head", ["linear", "mlp"])
@pytest.mark.parametrize("case", CASES)
def test_a_new_head_takes_the_place_of_the_old_one(case: str, head: str) -> None:
    network = adopt(CASES[case][0], classes=7, head=head)
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 7)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (chain(), "The network given has 4 outputs, and the images have 5 classes: give it 5 outputs, or let"
                  " head=linear replace its head."),
        (nn.Sequential(nn.Flatten(), nn.Linear(3072, 5), nn.Softmax(1)), "The network given answers with"
         " probabilities, which add to 1; striate needs logits, and takes the softmax itself: leave the last softmax"
         " out."),
        (nn.Conv2d(3, 5, 3), "The network given answers two images with a Tensor of shape (2, 5, 30, 30); striate"
                             " needs one row of logits an image."),
        (chain().double(), "0.weight is float64 on cpu; striate trains float32 on the CPU: give"
                           " module.float().cpu()."),
        (chain().to("meta"), "0.weight is float32 on meta; "),
        (nn.Sequential(nn.Flatten(), nn.LazyLinear(5)), "1.weight has no shape yet: run the network on one batch of"
                                                         " images first."),
    ],
)  # fmt: skip
def test_what_cannot_be_adopted(module: nn.Module, words: str) -> None:
    with pytest.raises(ModelError) as raised:
        adopt(module, classes=5)
    assert str(raised.value).startswith(words)


def test_what_was_fixed_by_hand_stays_fixed() -> None:
    module = chain()
    module[0].requires_grad_(False)
    network = adopt(module)
    network.freeze("all")
    network.freeze("none")
    assert [weight.requires_grad for weight in network.stages["0"].parameters()] == [False, False]
    assert all(weight.requires_grad for weight in network.stages["3"].parameters())

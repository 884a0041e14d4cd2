"""The images that excite a channel most, against sorting all of them; and what a cell sees, against what moves it."""

import weakref
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks_to_explain import network_of, network_to_explain
from torch import Tensor, nn

from striate.errors import ModelError, UsageError
from striate.explanation.deconvnet import project
from striate.explanation.strongest import Box, Fields, strongest
from striate.models import Network, create_model


def passing() -> Network:
    """A network whose one stage answers with the image itself, so that images are activations."""
    layer = nn.Conv2d(2, 2, 1, bias=False)
    nn.init.dirac_(layer.weight)
    return Network({"same": layer}, head=nn.Flatten()).eval()


def batches(rows: Tensor, images: Tensor, sizes: list[int]) -> Iterator[tuple[Tensor, Tensor]]:
    start = 0
    for size in (*sizes, len(rows)):
        yield rows[start : start + size], images[start : start + size]
        start += size


@given(data=st.data(), count=st.integers(1, 12), images=st.integers(1, 30))
@settings(max_examples=20, deadline=None)
def test_it_is_what_sorting_all_of_them_gives(data: st.DataObject, count: int, images: int) -> None:
    sizes = data.draw(st.lists(st.integers(0, 9), max_size=5))
    levels = data.draw(
        st.lists(st.integers(-2, 3), min_size=images * 2 * 6, max_size=images * 2 * 6)
    )  # few levels, so that many are equal
    values = torch.tensor(levels, dtype=torch.float32).view(images, 2, 2, 3)
    rows = torch.arange(images) * 7 + 100
    found = strongest(passing(), batches(rows, values, sizes), "same", [1, 0], count)
    for channel in (0, 1):
        peaks = [(float(values[at, channel].max()), at) for at in range(images)]
        expected = sorted((peak for peak in peaks if peak[0] > 0), key=lambda peak: -peak[0])[:count]
        assert [(one.activation, one.row) for one in found[channel]] == [
            (peak, at * 7 + 100) for peak, at in expected
        ]
        for one in found[channel]:
            assert values[(one.row - 100) // 7, channel][one.cell] == one.activation
            assert one.box == Box(one.cell[0], one.cell[1], one.cell[0] + 1, one.cell[1] + 1)


def test_of_a_network_of_the_catalogue() -> None:
    network = network_to_explain("compact", "random")
    images = torch.randn(50, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    maps = network.run_to(images, "stage1").detach()
    found = strongest(network, batches(torch.arange(50), images, [20, 1]), "stage1", [5])[5]
    order = maps[:, 5].amax(dim=(1, 2)).argsort(descending=True)[:9].tolist()
    assert [one.row for one in found] == order
    for one in found:
        assert one.activation == pytest.approx(maps[one.row, 5].max().item(), rel=1e-5)
        assert divmod(int(maps[one.row, 5].argmax()), 8) == one.cell


def test_one_batch_at_a_time_is_held() -> None:
    network, alive = passing(), []

    def one_by_one() -> Iterator[tuple[Tensor, Tensor]]:
        for row in range(30):
            images = torch.rand(4, 2, 8, 8)
            alive.append(weakref.ref(images))
            yield torch.arange(4) + 4 * row, images
            del images
            assert sum(reference() is not None for reference in alive) <= 2

    assert len(strongest(network, one_by_one(), "same", 0)[0]) == 9


def test_a_channel_that_nothing_excites_has_no_images() -> None:
    images = torch.stack([torch.full((2, 4, 4), -1.0), torch.zeros(2, 4, 4)])
    assert strongest(passing(), [(torch.arange(2), images)], "same", 1) == {1: ()}


def test_what_is_no_number_does_not_excite() -> None:
    images = torch.ones(3, 2, 2, 2)
    images[0, 0, 0, 0], images[1, 0, 1, 1] = torch.nan, torch.inf
    found = strongest(passing(), [(torch.arange(3), images)], "same", [0])[0]
    assert [(one.row, one.activation) for one in found] == [(2, 1.0)]


def test_the_network_is_left_as_it_was() -> None:
    network = network_of(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU()).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    strongest(network, [(torch.arange(4), torch.randn(4, 1, 8, 8))], "layer3", [0, 1])
    assert all(layer.training for layer in network.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())


SEEN = {
    "lenet5": ((1, 28, 28), ("c1", "s2", "c3", "s4")),
    "compact": ((3, 32, 32), ("stem", "stage1", "stage2")),
    "resnet18": ((3, 96, 96), ("stem", "stage1", "stage2")),
    "googlenet": ((3, 96, 96), ("pool1", "conv2", "3b")),
}


@pytest.mark.parametrize(
    "name",
    [name if name in ("lenet5", "compact") else pytest.param(name, marks=pytest.mark.slow) for name in SEEN],
)
def test_what_lies_outside_of_the_box_moves_nothing(name: str) -> None:
    shape, stages = SEEN[name]
    torch.manual_seed(2)
    network = create_model(name, classes=3, channels=shape[0], size=shape[1:]).eval()
    image, other = torch.randn(2, 1, *shape)
    for stage in stages:
        fields = Fields.of(network, shape, stage)
        with torch.no_grad():
            maps = network.run_to(image, stage)
            rows, columns = maps.shape[2:]
            for cell in ((0, 0), (rows // 2, columns // 3), (rows - 1, columns - 1)):
                box = fields.box(cell)
                inside = torch.zeros(shape[1:], dtype=torch.bool)
                inside[box.top : box.bottom, box.left : box.right] = True
                moved = network.run_to(torch.where(inside, image, other), stage)
                assert torch.allclose(moved[0, :, *cell], maps[0, :, *cell], rtol=1e-4, atol=1e-5)
                if not inside.all():
                    within = network.run_to(torch.where(inside, other, image), stage)
                    assert not torch.allclose(within[0, :, *cell], maps[0, :, *cell], rtol=1e-2)


def test_the_box_is_exactly_what_a_smooth_network_feels() -> None:
    network = create_model("lenet5", classes=10).eval()
    for stage in ("c1", "c3", "s4"):
        fields = Fields.of(network, (1, 28, 28), stage)
        for cell in ((0, 0), (2, 4)):
            image = torch.randn(1, 1, 28, 28, requires_grad=True)
            (gradient,) = torch.autograd.grad(network.run_to(image, stage)[0, :, *cell].sum(), image)
            rows, columns = gradient[0, 0].nonzero(as_tuple=True)
            felt = (int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)
            assert felt == fields.box(cell)


def test_a_projection_stays_within_the_box() -> None:
    network = network_to_explain("compact", "random")
    images = torch.randn(20, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    found = strongest(network, [(torch.arange(20), images)], "stem", [0, 1], count=4)
    for channel, excitations in found.items():
        for one in excitations:
            projection = project(network, images[one.row : one.row + 1], "stem", channel)[0]
            within = projection[:, one.box.top : one.box.bottom, one.box.left : one.box.right]
            assert within.any()
            assert (within != 0).sum() == (projection != 0).sum()


class Unknown(nn.Module):
    """A layer that striate does not know, after one that it does."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.max_pool2d(self.conv(x), 2)


def test_where_the_field_is_not_known_it_is_the_whole_picture() -> None:
    fields = Fields.of(network_of(Unknown()), (1, 10, 12), "layer1")
    assert fields.along is None
    assert (fields.size, fields.box((1, 1)), fields.place((1, 1))) == ((10, 12), Box(0, 0, 10, 12), (0, 0))


def test_the_place_of_a_box_in_its_frame() -> None:
    """A 5×5 field with two pixels of padding, on pictures larger and smaller than the field."""
    network = network_of(nn.Conv2d(1, 1, 5, padding=2))
    large, small = (Fields.of(network, (1, side, side), "layer1") for side in (9, 4))
    assert (large.size, large.box((0, 4)), large.place((0, 4))) == ((5, 5), Box(0, 2, 3, 7), (2, 0))
    assert (large.box((8, 8)), large.place((8, 8))) == (Box(6, 6, 9, 9), (0, 0))
    assert (small.size, small.box((0, 3)), small.place((0, 3))) == ((4, 4), Box(0, 1, 3, 4), (0, 1))


def test_wrong_input_is_answered_in_one_sentence() -> None:
    network, pair = passing(), (torch.arange(2), torch.rand(2, 2, 4, 4))
    with pytest.raises(ModelError, match=r"^No stage 'sme' makes maps; did you mean same\?"):
        strongest(network, [pair], "sme", 0)
    for channel in (2, -1):
        with pytest.raises(ModelError, match=rf"^Stage 'same' has the channels 0 to 1; got {channel}\.$"):
            strongest(network, [pair], "same", channel)
    with pytest.raises(UsageError, match=r"^There are no images to look through; give at least one\.$"):
        strongest(network, [], "same", 0)
    with pytest.raises(UsageError, match=r"^count=0: the strongest must be at least one image"):
        strongest(network, [pair], "same", 0, 0)
    with pytest.raises(UsageError, match=r"^There are 3 row numbers for 2 images; give one an image\.$"):
        strongest(network, iter([(torch.arange(3), pair[1])]), "same", 0)
    other = (torch.arange(2), torch.rand(2, 2, 4, 5))
    with pytest.raises(UsageError, match=r"^Images of 2 × 4 × 4 and of 2 × 4 × 5 cannot be looked through"):
        strongest(network, [pair, other], "same", 0)

"""ZFNet's figure 2: the pixels of its frames, what it says, and that it opens as SVG and as PNG."""

import base64
import functools
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from networks_to_explain import network_of
from PIL import Image
from torch import nn

from striate.drawing.deconvnet_figure import Band, Channel, NineFigure, Patch
from striate.errors import ModelError, UsageError
from striate.explanation.deconvnet import project
from striate.explanation.strongest import Fields, strongest
from striate.explanation.top_nine import top_nine_figure
from striate.models import Network

SVG = "{http://www.w3.org/2000/svg}"


def images_of(planes: int, count: int = 12) -> torch.Tensor:
    return torch.rand(count, planes, 12, 12, generator=torch.Generator().manual_seed(3))


@functools.cache
def network(planes: int) -> Network:
    torch.manual_seed(1)
    return network_of(nn.Conv2d(planes, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))


def pictures_of(images: torch.Tensor) -> dict[int, np.ndarray]:
    return {
        row: np.rint(image.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
        for row, image in enumerate(images)
    }


def figure_of(planes: int, stage: str = "layer3", count: int = 12) -> NineFigure:
    images = images_of(planes, count)
    found = {stage: strongest(network(planes), [(torch.arange(count), images)], stage, [0, 2])}
    return top_nine_figure(network(planes), found, dict(enumerate(images)), pictures_of(images))


@pytest.mark.parametrize("planes", [1, 2, 3])
def test_the_patches_are_the_pixels_that_the_cell_sees(planes: int) -> None:
    images = images_of(planes)
    found = strongest(network(planes), [(torch.arange(12), images)], "layer3", [0, 2])
    fields = Fields.of(network(planes), (planes, 12, 12), "layer3")
    for drawn, (channel, excitations) in zip(figure_of(planes).bands[0].channels, found.items(), strict=True):
        for one, patch, projection in zip(excitations, drawn.patches, drawn.projections, strict=True):
            assert patch.frame == projection.frame == (4, 4)
            assert patch.place == projection.place == fields.place(one.cell)
            seen = np.s_[one.box.top : one.box.bottom, one.box.left : one.box.right]
            picture = pictures_of(images)[one.row]
            shown = picture if planes == 3 else np.rint(picture.mean(axis=2, keepdims=True)).repeat(3, axis=2)
            assert np.array_equal(patch.picture, shown[seen])
            back = project(network(planes), images[one.row : one.row + 1], "layer3", channel)[0].numpy()
            values = np.moveaxis(back, 0, 2)[seen]
            if planes == 3:
                grey = 127.5 + 127.5 * values / np.abs(back).max()
                assert np.abs(projection.picture - grey).max() <= 0.51
            else:
                total, colours = values.sum(axis=2), projection.picture.astype(int)
                red = colours[:, :, 0] > colours[:, :, 2]
                assert (red == (total > 0))[np.abs(total) > 0.05 * np.abs(total).max()].all()


def test_it_says_stage_field_channel_and_range() -> None:
    figure = figure_of(3)
    band = figure.bands[0]
    assert (band.name, band.line) == (
        "layer3",
        "3 × 6 × 6 · each cell sees 4 × 4 pixels, and its neighbour 2 further",
    )
    assert [channel.name for channel in band.channels] == ["channel 0", "channel 2"]
    assert re.fullmatch(r"9 pictures · activation \S+ to \S+", band.channels[0].line)
    assert "by the switches of max pooling" in figure.legend
    assert "Grey is 0" in figure.legend
    assert "White is 0, red above, blue below" in figure_of(1).legend
    without = figure_of(3, "layer2")
    assert "without switches, since there is no max pooling on the way" in without.legend
    assert re.fullmatch(r"1 picture · activation [\d.]+", figure_of(3, count=1).bands[0].channels[0].line)


def test_a_channel_that_nothing_excites_keeps_its_place() -> None:
    dead = network_of(nn.Conv2d(1, 2, 3, bias=False), nn.ReLU())
    nn.init.constant_(dead.get_parameter("stages.layer1.weight"), -1.0)
    images = images_of(1)
    found = {"layer2": strongest(dead, [(torch.arange(12), images)], "layer2", [1])}
    figure = top_nine_figure(dead, found, {}, {})
    assert figure.bands[0].channels[0].line == "no picture excites it"
    tree = ElementTree.fromstring(figure.svg())
    assert tree.findall(f"{SVG}image") == []
    assert figure.legend == "No picture excites any of these channels."
    assert figure.layout.height > 150


def test_the_svg_is_well_formed_and_has_the_frames_inside() -> None:
    figure = figure_of(3)
    tree = ElementTree.fromstring(figure.svg())
    drawn = tree.findall(f"{SVG}image")
    assert len(drawn) == 36
    encoded = drawn[0].attrib["href"].removeprefix("data:image/png;base64,")
    opened = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))
    assert np.array_equal(opened, figure.bands[0].channels[0].projections[0].picture)
    assert tree.attrib["aria-label"].startswith("What excites the channels most. Each channel: on the left")
    assert "http" not in figure.svg().replace("http://www.w3.org/2000/svg", "")
    assert min(int(text.attrib["font-size"]) for text in tree.iter(f"{SVG}text")) >= 12


def test_everything_lies_within_the_sheet_and_nothing_on_another() -> None:
    tall = Patch(np.full((8, 4, 3), 255, np.uint8), (0, 0), (8, 4))
    channels = [Channel(f"channel {number}", "", [tall] * 9, [tall] * 2) for number in range(6)]
    bands = [Band("low", "", channels), Band("high", "", channels[:1])]
    figure = NineFigure("title", "legend " * 60, bands)
    boxes = {
        (one.left, one.top, one.left + one.width, one.top + one.height) for one in figure.layout.pictures
    }
    assert len(boxes) == 7 * 11
    assert all((right - left, bottom - top) == (24, 48) for left, top, right, bottom in boxes)
    for left, top, right, bottom in boxes:
        assert 16 <= left < right <= figure.layout.width - 16
        assert 16 <= top < bottom <= figure.layout.height - 48
        assert not any(
            left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
            for other in boxes - {(left, top, right, bottom)}
        )
    assert all(text.top + text.size <= figure.layout.height for text in figure.layout.texts)
    picture = Image.open(io.BytesIO(figure.png(scale=2)))
    assert picture.size == (2 * figure.layout.width, 2 * figure.layout.height)


def test_a_patch_cut_off_at_the_border_leaves_paper() -> None:
    red = np.zeros((3, 4, 3), np.uint8)
    red[:, :] = (200, 10, 30)
    figure = NineFigure("t", "l", [Band("b", "", [Channel("c", "", [Patch(red, (1, 0), (4, 4))], [])])])
    (place,) = figure.layout.pictures
    assert (place.left, place.width, place.height) == (16, 48, 36)
    picture = Image.open(io.BytesIO(figure.png(scale=1)))
    assert picture.getpixel((place.left + 24, place.top + 18)) == (200, 10, 30)
    assert picture.getpixel((place.left + 24, place.top - 6)) == (255, 255, 255)


def test_hostile_titles_are_words() -> None:
    figure = NineFigure("<script>alert(1)</script>\u202e", 'l"&', [Band("<b>", "&", [])])
    tree = ElementTree.fromstring(figure.svg())
    assert tree.findall(f"{SVG}script") == []
    words = [text.text for text in tree.iter(f"{SVG}text")]
    assert words[:2] == ["<script>alert(1)</script>\\u202e", 'l"&']


def test_wrong_input_is_answered_in_one_sentence() -> None:
    images = images_of(3)
    found = {"layer3": strongest(network(3), [(torch.arange(12), images)], "layer3", [0])}
    inputs, pictures = dict(enumerate(images)), pictures_of(images)
    row = found["layer3"][0][0].row
    with pytest.raises(
        UsageError, match=rf"^Row {row} is among the strongest and has not an input; give one"
    ):
        top_nine_figure(network(3), found, {key: inputs[key] for key in inputs if key != row}, pictures)
    with pytest.raises(
        UsageError, match=rf"^Row {row} is among the strongest and has not a picture; give one"
    ):
        top_nine_figure(network(3), found, inputs, {key: pictures[key] for key in pictures if key != row})
    small = pictures | {row: pictures[row][1:]}
    with pytest.raises(
        UsageError, match=rf"^The input of row {row} is 12 × 12 and its picture 11 × 12; give the"
    ):
        top_nine_figure(network(3), found, inputs, small)
    for empty in ({}, {"layer3": {}}):
        with pytest.raises(
            UsageError, match=r"^There are no channels to draw; give what strongest\(\) found"
        ):
            top_nine_figure(network(3), empty, inputs, pictures)
    tanh = network_of(nn.Conv2d(3, 2, 3), nn.Tanh())
    found = {"layer2": strongest(tanh, [(torch.arange(12), images)], "layer2", [0])}
    with pytest.raises(ModelError, match=r"^Deconvnet cannot be right for this network: it has no ReLU"):
        top_nine_figure(tanh, found, inputs, pictures)

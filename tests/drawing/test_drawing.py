"""Scales, numbers and tiles: colours told apart, digits that are meant, pixels that stay pixels."""

import io
import itertools
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colormaps
from PIL import Image

from striate.drawing import figures, html, numbers, scales, tiles
from striate.drawing.text import shorten, visible
from striate.evaluation.intervals import Number, wilson

# Machado, Oliveira and Fernandes 2009, severity 1.0: normal sight, protanopia, deuteranopia, tritanopia.
SIGHT = np.array(
    [
        np.eye(3),
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ]
)
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour: str, sight: np.ndarray) -> np.ndarray:
    """CIE Lab of `#rrggbb` as seen with one kind of colour vision."""
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    white = XYZ @ np.clip(sight @ linear, 0, 1) / XYZ.sum(axis=1)
    f = np.where(white > 0.008856, np.cbrt(white), 7.787 * white + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize(
    ("palette", "paper"), [(scales.CATEGORICAL, "#ffffff"), (scales.CATEGORICAL_DARK, "#16181b")]
)
def test_classes_can_be_told_apart_and_from_the_paper(palette: tuple[str, ...], paper: str) -> None:
    for half in (palette[:4], palette[4:]):
        for (one, other), sight in itertools.product(itertools.combinations(half, 2), SIGHT):
            assert np.linalg.norm(lab(one, sight) - lab(other, sight)) > 10, (one, other)
    for colour in palette:
        low, high = sorted((scales.luminance(colour), scales.luminance(paper)))
        assert (high + 0.05) / (low + 0.05) >= 3, colour
    assert scales.categorical(1)[1] != scales.categorical(5)[1]


def test_sequential_is_viridis() -> None:
    positions = np.linspace(0, 1, 256)[None]
    expected = colormaps["viridis"](positions)[..., :3] * 255
    assert np.abs(scales.sequential(positions) - expected).max() < 6


def test_zero_is_neutral_whatever_the_range() -> None:
    coloured = scales.diverging(np.array([[-0.1, 0.0, 7.0]]))
    assert coloured[0, 1].tolist() == [247, 247, 247]
    assert scales.diverging(np.zeros((1, 2))).tolist() == [[[247, 247, 247]] * 2]
    assert scales.sequential(np.zeros((1, 1))).tolist() == [[[68, 1, 84]]]


def test_shares_of_a_row() -> None:
    assert [scales.share_step(share) for share in (0.0, 0.004, 0.01, 0.011, 0.5, 1.0)] == [0, 1, 1, 2, 7, 8]


@given(st.integers(1, 10**6), st.data())
def test_only_all_is_written_as_100_percent_and_only_none_as_0(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n) | st.sampled_from([0, 1, n - 1, n]))
    value, low, high = numbers.percent_parts(wilson(successes, n))
    assert (float(value) == 100) == (successes == n)
    assert (float(value) == 0) == (successes == 0)
    assert float(low) <= float(value) <= float(high)


def test_numbers_in_words() -> None:
    assert numbers.percent(Number(0.941, 0.9213, 0.9559, 712)) == "94.1 % (92.1–95.6, n = 712)"
    assert numbers.percent(Number(11 / 12, 0.6461, 0.9851, 12)) == "92 % (65–99, n = 12)"
    assert numbers.percent(Number(0.9996, 0.9977, 0.9999, 2501)) == "99.96 % (99.77–99.99, n = 2,501)"
    assert numbers.percent_parts(Number(0.9996, 0.95, 0.99999, 300)) == ("99.96", "95.0", "99.999")
    assert numbers.percent(Number(None, None, None, 0, "no cases")) == "–"
    assert numbers.decimal(Number(0.7, None, None, 1, "no spread")) == "0.70 (n = 1)"


def test_pixels_are_enlarged_by_whole_factors_without_smoothing() -> None:
    picture = np.arange(64, dtype=np.uint8).reshape(8, 8, 1) * 4
    sheet = np.asarray(tiles.contact_sheet([picture], ["eight"], scale=1))
    enlarged = sheet[12 : 12 + 96, 12 : 12 + 96, 0]
    assert (enlarged == np.kron(picture[:, :, 0], np.ones((12, 12), np.uint8))).all()


def test_a_contact_sheet_of_all_kinds() -> None:
    kinds = [
        np.zeros((8, 8, 1), np.uint16),
        np.ones((300, 20, 3), np.float32),
        np.full((1, 900, 4), 128, np.uint8),
        np.zeros((28, 28, 2), np.uint8),
    ]
    sheet = tiles.contact_sheet(
        kinds, ["a\nb", "x" * 200, "", "二"], columns=3, marks=[True, False, True, False]
    )
    assert sheet.mode == "RGB"
    with pytest.raises(ValueError, match="2 pictures need as many captions"):
        tiles.contact_sheet(kinds[:2], ["one"])
    with pytest.raises(ValueError, match="at least one picture"):
        tiles.contact_sheet([], [])


@given(st.sampled_from([1, 3, 4]), st.integers(1, 40), st.integers(1, 40))
def test_png_keeps_eight_bit_pictures(channels: int, height: int, width: int) -> None:
    picture = np.random.default_rng(height).integers(0, 255, (height, width, channels), dtype=np.uint8)
    read = np.asarray(Image.open(io.BytesIO(tiles.png_bytes(picture))))
    assert (read.reshape(picture.shape) == picture).all()


def test_other_depths_are_stretched_for_the_eye() -> None:
    odd = np.array([[[np.nan], [-1.0], [3.0], [np.inf]]])
    assert tiles.to_uint8(odd).ravel().tolist() == [0, 0, 255, 255]
    assert tiles.to_uint8(odd, 0.0, 2.0).ravel().tolist() == [0, 0, 255, 255]
    assert tiles.to_uint8(np.full((1, 1, 1), 4000, np.uint16)).item() == 0
    assert tiles.to_uint8(np.full((1, 1, 1), np.nan)).item() == 0


@given(st.text(st.characters(), max_size=30))
def test_visible_text_has_no_hidden_characters(name: str) -> None:
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not {unicodedata.category(letter) for letter in visible(name)} & hidden
    assert len(shorten(name, 9)) <= 9


def test_a_figure_is_the_same_twice_and_holds_text_as_text() -> None:
    series = [figures.Series("train", [1.0, 2.0, 3.0], [0.9, 0.5, 0.3]), figures.Series("v", [1.0], [0.8], 1)]
    drawn = figures.curves("loss", series, "loss", 2.0)
    assert drawn == figures.curves("loss", series, "loss", 2.0)
    assert ">epoch</text>" in drawn
    assert "http" not in drawn
    assert "var(--class-1)" in drawn
    assert "var(--muted)" in drawn


def test_a_matrix_names_its_cells() -> None:
    drawn = figures.matrix("m", [[3, 1], [0, 2]], ["<cat>", "owl"])
    assert "&lt;cat&gt;: 1 of 4 called owl" in drawn
    assert drawn.count("<rect") == 4
    assert "<cat>" not in drawn


def test_the_page_refuses_scripts_and_requests_and_has_both_papers() -> None:
    source = html.page("</title><script>", "<p>body</p>")
    assert "<script>" not in source
    assert "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\"" in source
    for step in range(1, 9):
        assert source.count(f"  --share-{step}: #") == 2
    assert "--share-9" not in source
    assert "@media screen and (prefers-color-scheme: dark)" in source

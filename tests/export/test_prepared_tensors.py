"""The preparation as tensor operations is the preparation, to the last bit, whatever picture and preparation meet."""

import numpy as np
import pytest
import torch
from exported_kit import KINDS, picture
from hypothesis import example, given, settings
from hypothesis import strategies as st

from striate.errors import ImageError
from striate.export.answering import Answering
from striate.export.preparing import Preparing, resampling_matrix
from striate.pixels import Preparation
from striate.pixels.picture import Description, LookUpTable, Picture, Window
from striate.pixels.preparation import resampling_matrix as known_matrix
from striate.pixels.raw import raw_values
from striate.pixels.windowing import parse_window

SIDE = st.integers(1, 40)
FEEDS = {**KINDS, "float32": [*KINDS["float32"], ("int16", 1)]}


def preparing_for(preparation: Preparation) -> Preparing:
    named = None
    if preparation.window not in (None, "file"):
        window = parse_window(preparation.window)
        named = window.centre, window.width
    return Preparing(preparation, named)


def both(preparation: Preparation, one: Picture) -> tuple[np.ndarray, np.ndarray]:
    """What the module makes of a picture, and what the preparation does."""
    pixels = preparation.pixels(one.pixels, one.description.window)
    scale, offset = preparation.affine()
    values, full_scale = raw_values(one, preparation)
    found = preparing_for(preparation)(torch.from_numpy(values)[None], torch.tensor(full_scale))[0]
    return found.numpy(), (pixels * scale + offset).transpose(2, 0, 1)


@settings(max_examples=40, deadline=None)
@example(
    "uint8", 0, (23, 15), (33, 22), 1, "pad", "100/1", 0
)  # 33 · 15 / 22 rows: a half, if each step is right
@given(
    kind=st.sampled_from(sorted(FEEDS)),
    number=st.integers(0, 11),
    wanted=st.tuples(SIDE, SIDE),
    given_size=st.tuples(SIDE, SIDE),
    channels=st.sampled_from([1, 3]),
    fit=st.sampled_from(["pad", "stretch"]),
    window=st.sampled_from(["-600/1500", "40/80", "100/1", "0.5/3.25"]),
    seed=st.integers(0, 2**20),
)
def test_to_the_last_bit(
    kind: str,
    number: int,
    wanted: tuple[int, int],
    given_size: tuple[int, int],
    channels: int,
    fit: str,
    window: str,
    seed: int,
) -> None:
    windowed = {"window": window} if kind == "windowed" else {}
    preparation = Preparation(
        height=wanted[0], width=wanted[1], channels=channels, depth="uint16" if windowed else kind, fit=fit,
        mean=(0.3,) * channels, std=(0.4,) * channels, **windowed,
    )  # fmt: skip
    depth, present = FEEDS[kind][number % len(FEEDS[kind])]
    one = picture(np.random.default_rng(seed), depth, present, given_size)
    found, known = both(preparation, one)
    if kind == "float32":  # nothing is rounded, and sums are made in another order
        assert np.abs(found - known).max() <= 4e-7 * max(np.abs(known).max(), 1.0)
    else:
        assert np.array_equal(found, known)


@pytest.mark.parametrize("sizes", [(1, 1), (7, 3), (3, 7), (400, 28), (28, 28), (5, 64)])
def test_the_matrix_is_the_one_of_the_preparation(sizes: tuple[int, int]) -> None:
    size_in, size_out = sizes
    places = torch.arange(size_in, dtype=torch.float64)
    inner = torch.full((1,), float(size_out), dtype=torch.float64)
    found = resampling_matrix(places, size_out, inner).numpy()
    assert np.abs(found - known_matrix(size_in, size_out)).max() < 1e-15


def test_the_border_repeats_the_outermost_row() -> None:
    places, inner = torch.arange(3.0).double(), torch.tensor([2.0]).double()
    rows = resampling_matrix(places, 5, inner).numpy()
    middle = known_matrix(3, 2)
    assert np.allclose(rows, middle[[0, 0, 1, 1, 1]])


@pytest.mark.parametrize("own", [Window(40.0, 400.0), Window(40.0, 400.0, "sigmoid"), None])
def test_a_window_of_the_files_own_comes_before(own: Window | None) -> None:
    preparation = Preparation(height=9, width=9, channels=1, depth="uint16", window="file")
    pixels = np.arange(-128, 128, dtype=np.int16).reshape(16, 16, 1)
    one = Picture(pixels, Description(16, 16, 1, "int16", window=own))
    found, known = both(preparation, one)
    assert np.array_equal(found, known)
    assert raw_values(one, preparation)[1] == 65535.0


def test_a_curve_of_the_files_own_comes_before() -> None:
    table = LookUpTable(-4, (0, 9, 40, 200, 255), 255)
    preparation = Preparation(height=2, width=2, channels=1, depth="uint16", window="file")
    one = Picture(
        np.array([[[-9], [-3]], [[-2], [7]]], np.int16), Description(2, 2, 1, "int16", window=table)
    )
    found, known = both(preparation, one)
    assert np.array_equal(found, known)
    assert found.ravel()[-1] == 1.0


def test_a_named_window_must_be_given_as_numbers() -> None:
    preparation = Preparation(height=2, width=2, channels=1, depth="uint16", window="lung")
    with pytest.raises(ValueError, match="is to be given as centre and width"):
        Preparing(preparation)


def test_hand_computed() -> None:
    """Two rows of 16 bits become one of 8: (0 + 257·2) / 2 = 257, and 257 / 257 = 1."""
    preparation = Preparation(height=1, width=1, channels=1, depth="uint8")
    values = torch.tensor([0.0, 514.0]).reshape(1, 2, 1, 1)
    assert Preparing(preparation)(values, torch.tensor(65535.0)).item() == pytest.approx(1 / 255)


def test_luma_that_falls_on_a_half_is_rounded_to_even() -> None:
    """A sum in floating point falls on either side of the half, as the machine adds it up; both are snapped to it."""
    red, green, blue = (one.ravel() for one in np.meshgrid(*[np.arange(256)] * 3, indexing="ij"))
    thousandths = 299 * red + 587 * green + 114 * blue
    halves = np.flatnonzero(thousandths % 1000 == 500)[::17]
    pixels = np.stack([red, green, blue], axis=1)[halves].astype(np.uint8)[None]
    whole = thousandths[halves] // 1000
    preparation = Preparation(height=1, width=len(halves), channels=1, depth="uint8", fit="stretch")
    known = preparation.pixels(pixels)
    assert np.array_equal(known[0, :, 0], whole + whole % 2)
    found = Preparing(preparation)(torch.from_numpy(pixels.astype(np.float32))[None], torch.tensor(255.0))
    assert np.array_equal(np.rint(found[0, 0, 0].numpy() * 255), known[0, :, 0])


@pytest.mark.parametrize("mean", [0.4, 118.0])
@pytest.mark.parametrize("wanted", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("depth", ["uint8", "uint16", "int16", "float32", "not finite"])
def test_what_the_preparation_refuses_is_not_a_number(depth: str, wanted: str, mean: float) -> None:
    preparation = Preparation(height=5, width=4, channels=1, depth=wanted, mean=(mean,), std=(0.3,))
    kind = "float32" if depth == "not finite" else depth
    one = picture(np.random.default_rng(3), kind, 1, (9, 7))
    if depth == "not finite":
        one.pixels[4, 4] = np.inf
    try:
        preparation.pixels(one.pixels)
        refused = False
    except ImageError:
        refused = True
    values, full_scale = raw_values(one, preparation)
    found = Preparing(preparation)(torch.from_numpy(values)[None], torch.tensor(full_scale))
    assert found.isnan().all() if refused else found.isfinite().all()


def test_pixels_divided_by_255_are_not_answered() -> None:
    """What other tools' files ask for; among 256 grey levels it would be a black picture."""
    preparation = Preparation(height=4, width=4, channels=3, depth="uint8")
    values = torch.arange(96.0).reshape(2, 4, 4, 3)
    values[1] /= 255
    found = Preparing(preparation)(values, torch.tensor(255.0))
    assert found[0].isfinite().all()
    assert found[1].isnan().all()


def test_a_network_that_swallows_what_is_not_a_number_does_not_answer() -> None:
    class Swallowing(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.flatten(1)[:, :2].nan_to_num()

    preparation = Preparation(height=4, width=4, channels=3, depth="uint8")
    answering = Answering(Preparing(preparation), Swallowing(), views=((0, 0, False),), patch=(4, 4))
    values = torch.arange(96.0).reshape(2, 4, 4, 3)
    values[1] += 0.5
    for said in answering(values, torch.tensor(255.0)):
        assert said[0].isfinite().all()
        assert said[1].isnan().all()

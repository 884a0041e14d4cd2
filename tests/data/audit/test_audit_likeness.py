"""Likeness: frequencies against scipy, positions against moved pixels, candidates against comparing all with all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_audits import material, noise
from scipy.fft import dctn

from striate.data.audit import likeness
from striate.data.audit.near import _positioned, near_pairs
from striate.data.audit.neighbours import LIKELY, candidates, cells, coarse

MOVES = {
    0: lambda picture: picture,
    1: lambda picture: picture[:, ::-1],
    2: lambda picture: picture[::-1],
    3: lambda picture: picture[::-1, ::-1],
    4: lambda picture: picture.T,
    5: lambda picture: np.rot90(picture, -1),
    6: np.rot90,
    7: lambda picture: picture[::-1, ::-1].T,
}


def bands_of(pictures):
    matrix = likeness.cosine_matrix(32, 16).astype(np.float32)
    return matrix @ pictures @ matrix.T


def smooth(count, seed=0):
    """Unrelated pictures with the spectrum of photographs."""
    random = np.random.default_rng(seed)
    scale = 1 / (1 + np.add.outer(np.arange(16), np.arange(16)))
    return (random.normal(size=(count, 16, 16)) * scale).astype(np.float32)


def test_frequencies_are_those_of_scipy():
    table = material(noise(5, side=32, channels=3), list("ababa"))
    luma = noise(5, side=32, channels=3) / 255 @ [0.299, 0.587, 0.114]
    expected = dctn(luma, axes=(1, 2), norm="ortho")[:, :16, :16]
    assert np.allclose(likeness.frequencies(table), expected, atol=1e-4)


@pytest.mark.parametrize("turn", range(8))
def test_turning_frequencies_is_turning_pixels(turn):
    picture = np.random.default_rng(0).random((1, 32, 32)).astype(np.float32)
    moved = np.ascontiguousarray(MOVES[turn](picture[0]))[None]
    assert np.allclose(likeness.turned(bands_of(picture), turn), bands_of(moved), atol=1e-4)
    assert np.array_equal(_positioned(picture[..., None], np.array([turn]))[..., 0], moved)
    assert np.array_equal(_positioned(moved[..., None], np.array([likeness.back(turn)]))[..., 0], picture)


@settings(max_examples=20, deadline=None)
@given(gain=st.floats(0.3, 2.0), offset=st.floats(-0.5, 0.5), seed=st.integers(0, 100))
def test_brightness_and_contrast_change_no_likeness(gain, offset, seed):
    picture = np.random.default_rng(seed).random((1, 32, 32)).astype(np.float32)
    white = likeness.whitening(smooth(100), 16, joint=True)
    changed = (picture * np.float32(gain) + np.float32(offset)).astype(np.float32)
    assert np.allclose(white(bands_of(picture)), white(bands_of(changed)), atol=2e-3)


def test_whitened_vectors_have_length_one_and_blank_ones_none():
    white = likeness.whitening(smooth(50), 8, joint=False)
    vectors = white(np.concatenate([smooth(3), np.zeros((1, 16, 16), np.float32)]))
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 0], atol=1e-5)


def planted():
    """200 pictures and 40 of them again, a little changed and in some position."""
    base = smooth(200)
    random = np.random.default_rng(1)
    turns = random.integers(0, 8, 40)
    copies = [likeness.turned(base[index : index + 1], int(turn)) for index, turn in enumerate(turns)]
    return np.concatenate([base, np.concatenate(copies) + smooth(40, seed=2) * 0.3]), turns


def test_candidates_are_those_of_comparing_all_with_all():
    bands, turns = planted()
    found = candidates(bands, seed=0)
    white = likeness.whitening(bands, 8, joint=False)
    filed = white(bands)
    best = {}
    for turn in range(8):
        products = white(likeness.turned(bands, turn)) @ filed.T
        for one in range(len(bands)):
            for other in range(one + 1, len(bands)):
                if products[one, other] > max(LIKELY, best.get((one, other), (0.0, 0))[0]):
                    best[one, other] = (products[one, other], turn)
    assert {(one, other): turn for one, turn, other in found.tolist()} == {
        pair: turn for pair, (_, turn) in best.items()
    }
    assert {(index, 200 + index) for index in range(40)} <= set(best)
    undone = {index: likeness.back(int(turn)) for index, turn in enumerate(turns)}
    assert all(
        likeness.back(turn) == undone[one] for one, turn, other in found.tolist() if other == 200 + one
    )


def test_many_cells_lose_few_pairs_and_one_cell_none():
    bands, _ = planted()
    whole = {tuple(pair) for pair in candidates(bands, seed=0)[:, ::2].tolist()}
    parted = {tuple(pair) for pair in candidates(bands, seed=0, size=10)[:, ::2].tolist()}
    assert parted <= whole
    assert len(parted) >= 0.95 * len(whole)
    split = cells(bands, 0, 10)
    assert len(split.centres) == 24
    assert np.array_equal(split.filed, (coarse(bands) @ split.centres.T).argmax(axis=1))


def test_pictures_of_the_same_shape_in_other_colours_are_no_duplicates():
    pictures = noise(40, side=32, channels=1, seed=3).repeat(3, axis=3) // 2
    shape = np.zeros((32, 32), np.uint8)
    shape[8:20, 10:28] = 200
    red, green, again = (np.zeros((32, 32, 3), np.uint8) for _ in range(3))
    red[..., 0], green[..., 1], again[..., 0] = shape, shape, shape // 2 + 20
    table = material(np.concatenate([pictures, np.stack([red, green, again])]), ["a"] * 42 + ["b"])
    found = near_pairs(table)
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == [(40, 42)]


def test_blank_pictures_and_equal_ones_are_left_to_other_findings():
    blank = np.full((6, 16, 16, 1), 200, np.uint8) + np.arange(6, dtype=np.uint8)[:, None, None, None]
    same = noise(1).repeat(3, axis=0)
    table = material(np.concatenate([blank, same, noise(5, seed=9)]), ["a", "b"] * 7)
    assert len(near_pairs(table)) == 0


@pytest.mark.parametrize(("dtype", "factor"), [("uint16", 257), ("float32", 1 / 255), ("int16", 10)])
def test_every_depth_is_compared_alike(dtype, factor):
    pictures = noise(30, side=32, seed=5)
    pictures = np.concatenate([pictures, np.ascontiguousarray(pictures[:4, :, ::-1])])
    table = material((pictures.astype(float) * factor).astype(dtype), ["a", "b"] * 17)
    found = near_pairs(table)
    assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == {
        (i, 30 + i) for i in range(4)
    }
    assert set(found.turn.tolist()) == {1}


def test_images_that_are_all_alike_are_not_taken_for_duplicates():
    from sklearn.datasets import load_digits

    values, labels = load_digits(return_X_y=True)
    pixels = np.rint(values.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    copies = np.clip(pixels[:30].astype(int) // 2 + 20, 0, 255).astype(np.uint8)
    table = material(np.concatenate([pixels, copies]), np.concatenate([labels, labels[:30]]))
    found = near_pairs(table)
    planted = found.second >= len(pixels)
    assert (found.second - found.first == len(pixels))[planted].sum() >= 20
    assert (~planted).sum() <= 5

"""Convolution against its definition in loops, torch and scipy."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from striate.errors import UsageError
from striate.pixels import engines, kernels
from striate.pixels.convolution import INDEXINGS, convolve
from striate.pixels.definitions import convolve_by_loops
from striate.pixels.sliding import BORDERS, slides

DTYPES = ("uint8", "int16", "uint16", "int64", "float32", "float64", "bool")
TORCH_BORDERS = {"zero": "constant", "edge": "replicate", "reflect": "reflect", "circular": "circular"}
CASES = 1_040


def numbers(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Random values over most of what a dtype holds."""
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype.startswith("float"):
        return (rng.normal(size=shape) * 10 ** rng.uniform(-3, 3)).astype(dtype)
    limit = {"uint8": 255, "int16": 32767, "uint16": 65535, "int64": 2**40}[dtype]
    return rng.integers(0 if dtype.startswith("u") else -limit, limit, shape, endpoint=True).astype(dtype)


def random_case(seed: int) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """An image or signal, a kernel and options that fit each other."""
    rng = np.random.default_rng(seed)
    axes = int(rng.integers(1, 3))
    channels, filters = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    indexing = INDEXINGS[rng.integers(3)]
    windows = rng.choice([1, 3] if indexing == "centred" else [1, 2, 3], axes)
    dilation = int(rng.integers(1, 3))
    sizes = rng.integers(2, 6, axes) + dilation * (windows - 1)
    form = rng.integers(4)
    image_shape = (*sizes, channels) if form else tuple(sizes)
    kernel_shape: tuple[int, ...] = (*windows, channels) if form >= 2 else tuple(windows)
    if form == 3 or (form == 0 and rng.random() < 0.3):
        kernel_shape = (filters, *kernel_shape)
    padding: Any = [("valid", "same", "full")[rng.integers(3)], int(rng.integers(0, 3))][rng.integers(2)]
    options = {
        "stride": int(rng.integers(1, 4)),
        "padding": padding,
        "border": list(BORDERS)[rng.integers(4)],
        "dilation": dilation,
        "indexing": indexing,
        "axes": axes,
    }
    image = numbers(rng, image_shape, DTYPES[rng.integers(len(DTYPES))])
    kernel = numbers(rng, kernel_shape, ("int16", "float64", "uint8")[rng.integers(3)])
    return image, kernel, options


def ends(options: dict[str, Any], reach: int) -> tuple[int, int]:
    """Padding before and after along one axis, written down a second time."""
    padding = options["padding"]
    if padding == "same":
        before = (reach - 1) // 2 if options["indexing"] == "cross-correlation" else reach // 2
        return before, reach - 1 - before
    both = {"valid": 0, "full": reach - 1}.get(padding, padding)
    return both, both


def laid_out(
    image: np.ndarray, kernel: np.ndarray, options: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray, tuple[int, ...], bool]:
    """Planes `batch channel space`, filters `filter channel space`, the result's shape after its space, and whether
    each plane stands alone."""
    axes = options["axes"]
    colour, more = image.ndim > axes, kernel.ndim - axes
    planes = np.moveaxis(image, -1, 0) if colour else image[None]
    if more == 0:
        return planes[:, None], kernel[None, None], (image.shape[-1],) if colour else (), True
    bank = kernel if more == 1 + colour else kernel[None]
    bank = np.moveaxis(bank, -1, 1) if colour else bank[:, None]
    return planes[None], bank, (len(bank),) if more == 1 + colour else (), False


def by_torch(image: np.ndarray, kernel: np.ndarray, options: dict[str, Any]) -> np.ndarray:
    """The same through torch's convolution, in float64."""
    axes, dilation = options["axes"], options["dilation"]
    planes, filters, tail, alone = laid_out(image.astype(np.float64), kernel.astype(np.float64), options)
    space = range(2, 2 + axes)
    if options["indexing"] != "cross-correlation":
        filters = np.flip(filters, tuple(space)).copy()
    pads = [
        end for axis in reversed(space) for end in ends(options, dilation * (filters.shape[axis] - 1) + 1)
    ]
    extended = torch.nn.functional.pad(torch.tensor(planes), pads, mode=TORCH_BORDERS[options["border"]])
    way = torch.nn.functional.conv1d if axes == 1 else torch.nn.functional.conv2d
    made = way(extended, torch.tensor(filters), None, options["stride"], 0, dilation).numpy()
    stacked = np.moveaxis(made[:, 0] if alone else made[0], 0, -1)
    return stacked.reshape(*stacked.shape[:-1], *tail)


def by_scipy(image: np.ndarray, kernel: np.ndarray, options: dict[str, Any]) -> np.ndarray:
    """The same through scipy's correlation, a dilated kernel written out with its zeros."""
    axes, dilation, stride = options["axes"], options["dilation"], options["stride"]
    planes, filters, tail, alone = laid_out(image.astype(np.float64), kernel.astype(np.float64), options)
    wide = np.zeros([*filters.shape[:2], *(dilation * (size - 1) + 1 for size in filters.shape[2:])])
    wide[(slice(None), slice(None), *[slice(None, None, dilation)] * axes)] = filters
    if options["indexing"] != "cross-correlation":
        wide = np.flip(wide, tuple(range(2, 2 + axes)))
    pads = [ends(options, size) for size in wide.shape[2:]]
    extended = np.pad(planes, [(0, 0), (0, 0), *pads], mode=BORDERS[options["border"]])  # type: ignore[call-overload]
    if alone:
        maps = [signal.correlate(plane[0], wide[0, 0], "valid", "direct") for plane in extended]
    else:
        maps = [
            sum(signal.correlate(extended[0, c], one[c], "valid", "direct") for c in range(len(one)))
            for one in wide
        ]
    stacked = np.stack([one[(slice(None, None, stride),) * axes] for one in maps], axis=-1)
    return stacked.reshape(*stacked.shape[:-1], *tail)


def by_loops(image: np.ndarray, kernel: np.ndarray, options: dict[str, Any]) -> np.ndarray:
    """The same through the definition."""
    planes, filters, tail, alone = laid_out(image, kernel, options)
    sliding = slides(
        planes.shape[2:],
        filters.shape[2:],
        options["stride"],
        options["padding"],
        options["dilation"],
        options["indexing"] != "cross-correlation",
    )

    def one(plane: np.ndarray, weights: np.ndarray) -> np.ndarray:
        wide = plane.astype(object) if plane.dtype.kind in "ui" else plane.astype(float)
        return convolve_by_loops(
            np.array(wide.tolist()), weights, sliding, border=options["border"], indexing=options["indexing"]
        )

    if alone:
        maps = [one(plane[0], filters[0, 0]) for plane in planes]
    else:
        maps = [sum(one(planes[0, c], each[c]) for c in range(len(each))) for each in filters]
    stacked = np.stack(maps, axis=-1)
    return stacked.reshape(*stacked.shape[:-1], *tail)


def torch_can(image: np.ndarray, kernel: np.ndarray, options: dict[str, Any]) -> bool:
    """Torch mirrors and wraps at most once; numpy and we go on."""
    axes = options["axes"]
    windows = laid_out(image, kernel, options)[1].shape[2:]
    most = [max(ends(options, options["dilation"] * (window - 1) + 1)) for window in windows]
    return options["border"] in ("zero", "edge") or all(
        pad < size for pad, size in zip(most, image.shape[:axes], strict=True)
    )


@pytest.mark.parametrize("part", range(4))
def test_loops_fast_torch_and_scipy_agree(part: int) -> None:
    compared = 0
    for seed in range(part, CASES, 4):
        image, kernel, options = random_case(seed)
        made = convolve(image, kernel, **options)
        whole = image.dtype.kind in "bui" and kernel.dtype.kind in "ui"
        assert made.dtype == (np.int64 if whole else np.float64), seed
        # Relative to the sum of the products' magnitudes, which is what rounding is relative to.
        scale = max(float(np.abs(image).max()) * float(np.abs(kernel).sum()), 1e-300)
        references = [by_loops, by_scipy, *([by_torch] if torch_can(image, kernel, options) else [])]
        for reference in references:
            expected = reference(image, kernel, options)
            assert made.shape == expected.shape, (seed, reference.__name__)
            assert np.abs(made - expected).max() <= 1e-12 * scale, (seed, reference.__name__)
            compared += 1
        if whole:
            assert np.array_equal(made, by_loops(image, kernel, options)), seed
    assert compared >= CASES // 4 * 2


FAST = [
    ("passes", np.outer([1, 2, 1.5], [0.5, 1, 3]), (40, 50, 3)),
    ("passes", kernels.smooth, (9, 11, 1)),
    ("bands", kernels.gaussian(5.0), (90, 101, 3)),
    ("bands", kernels.gaussian(3.0), (64, 51, 1)),
    ("fourier", np.random.default_rng(1).normal(size=(17, 12)), (120, 130, 3)),
    ("taps", np.random.default_rng(1).normal(size=(5, 4)), (120, 130, 2)),
    ("taps", kernels.scharr_x, (700, 300, 3)),
]


@pytest.mark.parametrize(("way", "kernel", "shape"), FAST, ids=lambda value: str(value)[:10])
@pytest.mark.parametrize("padding", ["valid", "same", "full"])
def test_every_fast_way_is_the_same_sum(
    monkeypatch: pytest.MonkeyPatch, way: str, kernel: np.ndarray, shape: tuple[int, ...], padding: str
) -> None:
    taken = []
    for name in ("by_passes", "by_bands", "by_fourier", "by_taps"):
        real = getattr(engines, name)
        monkeypatch.setattr(engines, name, lambda *a, real=real, name=name: (taken.append(name), real(*a))[1])
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    made = convolve(image, kernel, padding=padding)
    expected = np.stack(
        [signal.correlate(image[:, :, c].astype(float), kernel, padding, "direct") for c in range(shape[2])],
        axis=-1,
    )
    if padding == "same" and 0 in np.array(kernel.shape) % 2:
        assert made.shape == expected.shape  # an even window: our odd pixel of padding is at the end
    else:
        assert np.allclose(made, expected, rtol=1e-11, atol=1e-9)
    assert taken == [f"by_{way}"]


def test_a_large_kernel_on_floats_that_are_not_finite_spoils_only_its_neighbourhood() -> None:
    image = np.ones((150, 150))
    image[95, 95], image[50, 50] = np.nan, np.inf
    for kernel in (kernels.gaussian(5.0), np.random.default_rng(0).random((12, 12)), kernels.sobel_x):
        spoilt = ~np.isfinite(convolve(image, kernel))
        assert spoilt.sum() == 2 * kernel.size


def test_whole_numbers_never_wrap() -> None:
    image = np.full((4, 4), 65535, np.uint16)
    assert convolve(image, np.full((3, 3), 30000)).tolist() == [[9 * 65535 * 30000] * 2] * 2
    large = np.full((3, 3), 2**62, np.uint64)
    assert convolve(large, [[1]]).tolist() == [[2**62] * 3] * 3
    assert convolve(np.full((2, 2), -(2**61)), [[1, -1]]).tolist() == [[0], [0]]
    with pytest.raises(
        UsageError, match=r"may reach 1\.8e\+19, and int64 ends at 9\.2e\+18; pass the image as floating"
    ):
        convolve(large, [[1, 1], [1, 1]])
    deep = np.full((3, 3, 2), 2**30)
    assert convolve(deep, np.full((2, 2, 2), 2**29)).tolist() == [[8 * 2**59] * 2] * 2


def test_the_picture_is_never_changed() -> None:
    image = np.arange(48, dtype=np.float64).reshape(4, 4, 3)
    image.flags.writeable = False
    convolve(image, kernels.blur, padding="same", border="reflect")
    assert image.sum() == 48 * 47 / 2


@given(st.integers(0, 10_000), st.sampled_from(INDEXINGS))
def test_convolution_is_linear(seed: int, indexing: str) -> None:
    rng = np.random.default_rng(seed)
    one, two = rng.integers(-99, 99, (2, 7, 6))
    kernel = rng.integers(-9, 9, (3, 3))
    both = convolve(3 * one - two, kernel, padding="same", indexing=indexing)
    apart = 3 * convolve(one, kernel, padding="same", indexing=indexing) - convolve(
        two, kernel, padding="same", indexing=indexing
    )
    assert np.array_equal(both, apart)

"""Where the windows of occlusion are put."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from striate.explanation.windows import windows_over


@given(height=st.integers(1, 40), width=st.integers(1, 40), data=st.data())
def test_windows_leave_no_pixel_out(height: int, width: int, data: st.DataObject) -> None:
    window = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
    stride = data.draw(st.integers(1, window[0])), data.draw(st.integers(1, window[1]))
    windows = windows_over((height, width), window, stride)
    for side, reach, step, places in zip(
        (height, width), window, stride, (windows.rows, windows.columns), strict=True
    ):
        assert len(places) == math.ceil((side - reach) / step) + 1
        expected = [set(range(step * place, min(step * place + reach, side))) for place in range(len(places))]
        assert [set(place.nonzero()[:, 0].tolist()) for place in places] == expected
        assert set().union(*expected) == set(range(side))
    values = torch.full((1, *windows.grid), 3.0)
    assert torch.allclose(windows.to_pixels(values), torch.full((1, height, width), 3.0))


@pytest.mark.parametrize(
    ("side", "window", "stride", "grid"),
    [(1, 1, 1, 1), (8, 2, 1, 7), (28, 7, 2, 12), (32, 8, 2, 13), (64, 16, 5, 11), (224, 56, 18, 11)],
)
def test_windows_where_nothing_is_said(side: int, window: int, stride: int, grid: int) -> None:
    windows = windows_over((side, side), None, None)
    assert windows.window == (window, window)
    assert windows.stride == (stride, stride)
    assert windows.grid == (grid, grid)


def test_the_stride_follows_the_window_given() -> None:
    windows = windows_over((32, 20), 9, None)
    assert (windows.window, windows.stride) == ((9, 9), (3, 3))
    assert windows_over((32, 20), None, None).window == (8, 5)

"""The preparation of `striate.pixels.preparation` as tensor operations, so that an exported file holds it."""

import torch
from jaxtyping import Bool, Float32, Float64
from torch import Tensor, nn

from striate.pixels.preparation import FILE_WINDOW, FULL_SCALE, LUMA, Preparation

WINDOWED = 65535.0
"""What a window makes the largest value of a picture's."""
SNAP = 2.0**20
"""`Preparation` rounds to this fraction first, so that a half is a half in whatever order sums are made."""


class Preparing(nn.Module):
    """Decoded pictures of any size as normalised input, the same as `Preparation.pixels` and `affine` together.

    >>> preparing = Preparing(Preparation(height=28, width=28, channels=1, depth="uint8"))
    >>> tuple(preparing(torch.zeros(2, 1200, 900, 3), torch.tensor(255.0)).shape)
    (2, 1, 28, 28)

    Pictures are float32 `batch height width channel` with 1 or 3 channels, of raw values. `full_scale` is the largest
    value that their depth can hold: 255 of 8 bits, 65535 of 16, 1 of floating-point pixels and measured units. A window
    of the file's own is for whoever decodes the file; a window that the preparation names is part of this. A picture
    that the preparation refuses becomes not-a-number throughout, since a graph cannot raise an error.
    """

    scale: Tensor
    offset: Tensor
    luma: Tensor

    def __init__(self, preparation: Preparation, window: tuple[float, float] | None = None) -> None:
        super().__init__()
        if preparation.window not in (None, FILE_WINDOW) and window is None:
            raise ValueError(f"the window {preparation.window} is to be given as centre and width")
        self.preparation, self.window = preparation, window
        scale, offset = preparation.affine()
        self.register_buffer("scale", torch.from_numpy(scale)[:, None, None])
        self.register_buffer("offset", torch.from_numpy(offset)[:, None, None])
        self.register_buffer("luma", torch.from_numpy(LUMA))

    def forward(
        self, pixels: Float32[Tensor, "batch height width channel"], full_scale: Float32[Tensor, ""]
    ) -> Float32[Tensor, "batch prepared_channel prepared_height prepared_width"]:
        """The network's input, before a patch is cut out of it."""
        values, full = pixels.double(), full_scale.double()
        if self.window is not None:
            values, full = self._through_window(values, full)
        refused = self._refused(values, full)
        values = self._in_depth(self._in_channels(values, full), full)
        prepared = self._fitted(values).float() * self.scale + self.offset
        return torch.where(refused, torch.nan, prepared)

    def _refused(
        self, values: Float64[Tensor, "batch height width channel"], full: Float64[Tensor, ""]
    ) -> Bool[Tensor, "batch 1 1 1"]:
        """Which pictures `Preparation.pixels` raises ImageError for: not finite, in fractions, of another scale."""
        depth = self.preparation.depth
        if depth == "float32":
            proper = torch.isfinite(values)
            wrong_scale = full > (1.0 if self.preparation.other_scale() else WINDOWED)
        else:
            proper = values - torch.round(values) == 0
            wrong_scale = full > 1 if depth == "int16" else full <= 1
        return (~proper.flatten(1).all(dim=1) | wrong_scale)[:, None, None, None]

    def _through_window(
        self, values: Float64[Tensor, "batch height width channel"], full: Float64[Tensor, ""]
    ) -> tuple[Float64[Tensor, "batch height width channel"], Float64[Tensor, ""]]:
        """Grey pictures through the window, DICOM PS3.3, C.11.2.1.2.1 (LINEAR); colour is never windowed."""
        assert self.window is not None
        centre, width = self.window
        if width == 1:
            share = (values > centre - 0.5).double()
        else:
            share = ((values - (centre - 0.5)) / (width - 1) + 0.5).clamp(0.0, 1.0)
        grey = _places(values, axis=3)[-1] == 0
        return torch.where(grey, torch.round(share * WINDOWED), values), torch.where(grey, WINDOWED, full)

    def _in_channels(
        self, values: Float64[Tensor, "batch height width channel"], full: Float64[Tensor, ""]
    ) -> Float64[Tensor, "batch height width prepared_channel"]:
        """Colour as grey by its luma, rounded where values are whole; grey as colour by copying."""
        present = torch.arange(values.shape[3])
        if self.preparation.channels == 3:
            return values.index_select(3, torch.minimum(torch.arange(3), present[-1:]))
        weights = self.luma.index_select(0, present)
        luma = values @ (weights / weights.sum())[:, None]
        return torch.where(full > 1, _whole(luma), luma.float().double())

    def _in_depth(
        self, values: Float64[Tensor, "batch height width channel"], full: Float64[Tensor, ""]
    ) -> Float64[Tensor, "batch height width channel"]:
        depth = self.preparation.depth
        if depth == "int16":
            return values
        if depth == "float32":
            return (values / full).float().double()
        return torch.round(values * (FULL_SCALE[depth] / full))

    def _fitted(
        self, values: Float64[Tensor, "batch height width channel"]
    ) -> Float64[Tensor, "batch channel prepared_height prepared_width"]:
        """Resized by two matrix products, one an axis; the border that "pad" repeats is in the matrices."""
        wanted = self.preparation
        down, across = _places(values, axis=1), _places(values, axis=2)
        height, width = self._inner_sizes(down[-1:] + 1, across[-1:] + 1)
        rows = resampling_matrix(down, wanted.height, height)
        columns = resampling_matrix(across, wanted.width, width)
        batch, channels = values.shape[0], values.shape[3]
        by_rows = rows @ values.flatten(2)
        by_rows = by_rows.reshape(batch, wanted.height, -1, channels).permute(0, 3, 1, 2)
        resized = by_rows @ columns.T
        if wanted.depth == "float32":
            return resized
        return _whole(resized)

    def _inner_sizes(
        self, height: Float64[Tensor, " 1"], width: Float64[Tensor, " 1"]
    ) -> tuple[Float64[Tensor, " 1"], Float64[Tensor, " 1"]]:
        """The size of the picture within the border."""
        wanted = self.preparation
        # torch divides a number by a tensor as number · reciprocal, which rounds twice: 33 · (15 / 22) misses its half.
        whole_height, whole_width = (
            torch.full_like(height, wanted.height),
            torch.full_like(width, wanted.width),
        )
        if wanted.fit == "stretch":
            return whole_height, whole_width
        ratio = torch.minimum(whole_height / height, whole_width / width)
        down = torch.round(height * ratio).clamp(1, wanted.height)
        return down, torch.round(width * ratio).clamp(1, wanted.width)


def resampling_matrix(
    places: Float64[Tensor, " size_in"], size_out: int, inner: Float64[Tensor, " 1"]
) -> Float64[Tensor, "size_out size_in"]:
    """The weights with which pixels at 0, 1, … make `inner` ones, and these, the outer ones repeated, `size_out`.

    >>> resampling_matrix(torch.arange(4).double(), 2, torch.ones(1).double() * 2)
    tensor([[0.4286, 0.4286, 0.1429, 0.0000],
            [0.0000, 0.1429, 0.4286, 0.4286]], dtype=torch.float64)

    As `striate.pixels.preparation.resampling_matrix`, whose values these are.
    """
    wanted = torch.arange(size_out, dtype=torch.float64) - torch.floor((size_out - inner) / 2)
    step = (places[-1:] + 1) / inner
    centres = (torch.minimum(wanted.clamp(min=0.0), inner - 1) + 0.5) * step
    distances = torch.abs(places + 0.5 - centres[:, None])
    weights = torch.clamp(1.0 - distances / step.clamp(min=1.0), min=0.0)
    return weights / weights.sum(dim=1, keepdim=True)


def _places(values: Float64[Tensor, "batch height width channel"], axis: int) -> Float64[Tensor, " size"]:
    """0, 1, … along an axis: its length too, as tensors that an exported graph works out from what it is given."""
    return torch.arange(values.shape[axis], dtype=torch.float64)


def _whole(values: Float64[Tensor, "*shape"]) -> Float64[Tensor, "*shape"]:
    return torch.round(torch.round(values * SNAP) / SNAP)

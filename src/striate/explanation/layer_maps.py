"""The maps of any layer for one picture, the strongest first."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from striate.drawing.tile_sheet import brief
from striate.explanation.inside import constant_channels, sharing
from striate.explanation.layers_of import NetworkTable, network_table
from striate.explanation.recording import HEAD, PICTURE, record
from striate.models import Network

GREATEST, NEUTRAL = 255, 128


@dataclass(frozen=True, eq=False)
class LayerMaps:
    """What one layer, or a stage, makes of one picture; a vector is maps of one cell.

    `dead` channels have one value everywhere (of a single cell: 0). `sees` is the (height, width) in pixels that one
    cell sees, None where that is not known.
    """

    layer: str
    maps: Float32[np.ndarray, "channel rows columns"]
    sees: tuple[int, int] | None
    dead: tuple[int, ...]

    @property
    def signed(self) -> bool:
        """Whether any value is below zero."""
        return bool((self.maps < 0).any())

    @property
    def one_cell(self) -> bool:
        """Whether a map is a single number."""
        return self.maps[0].size == 1

    def strongest(self) -> list[int]:
        """The channels, the one with the largest magnitude first."""
        return np.argsort(-np.abs(self.maps).max(axis=(1, 2)), kind="stable").tolist()

    def limit(self, channel: int) -> float:
        """Where the scale of a map ends: at its largest magnitude, or for single numbers at that of all."""
        shown = self.maps if self.one_cell else self.maps[channel]
        return float(np.abs(shown[np.isfinite(shown)]).max(initial=0.0))

    def coded(self, channel: int) -> UInt8[np.ndarray, "rows columns"]:
        """A map in 256 steps: 0 to `limit` as 0 to 255, or, where maps are signed, -limit to limit as 1 to 255.

        Zero of a signed map is 128 exactly. Only for showing: no number is computed from it.
        """
        limit = self.limit(channel) or 1.0
        shares = np.nan_to_num(self.maps[channel].astype(np.float64) / limit, nan=0.0).clip(-1, 1)
        steps = NEUTRAL + shares * (GREATEST - NEUTRAL) if self.signed else shares * GREATEST
        return np.rint(steps).astype(np.uint8)

    def sentence(self) -> str:
        """Shape, range, layer, what one cell sees, and how many channels say nothing."""
        parts = [
            " × ".join(map(str, self.maps.shape)),
            f"{brief(float(self.maps.min()))} to {brief(float(self.maps.max()))}",
            self.layer,
        ]
        if self.sees:
            parts.append(f"each cell sees {self.sees[0]} × {self.sees[1]} pixels")
        if self.dead:
            parts.append(f"{len(self.dead)} dead for this picture")
        return " · ".join(parts)


def layer_maps(
    network: Network,
    inputs: Float[Tensor, "1 channel height width"],
    layer: str,
    *,
    table: NetworkTable | None = None,
) -> LayerMaps:
    """What a layer makes of a picture; of a stage, what leaves it; of "picture", what the network is given.

    >>> import torch
    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32))
    >>> found = layer_maps(network, torch.randn(1, 3, 32, 32), "stage2.conv")
    >>> found.maps.shape, found.sees, found.signed
    ((32, 16, 16), (18, 18), True)

    `inputs` are normalised as for prediction. `table` is the network's, where it is known already. Raises ModelError
    for a layer that there is not, and for one that makes neither maps nor a vector.
    """
    shape = (inputs.shape[1], inputs.shape[2], inputs.shape[3])
    if layer == PICTURE:
        return _of(PICTURE, inputs, (1, 1))
    table = table or network_table(network, shape)
    table.cells(layer)
    about = table.layer(layer)
    visits = record(network, inputs, layer.partition(".")[0])
    left = next(visit.leaving for visit in visits if visit.name == about.name)
    return _of(layer, left, about.sees)


def stage_maps(network: Network, inputs: Float[Tensor, "1 channel height width"]) -> list[LayerMaps]:
    """What each stage makes of a picture, and last the head: all in one run, for an overview.

    >>> import torch
    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32))
    >>> [(one.layer, one.maps.shape) for one in stage_maps(network, torch.randn(1, 3, 32, 32))][::2]
    [('stem', (16, 32, 32)), ('stage2', (32, 8, 8)), ('head', (10, 1, 1))]

    A stage that makes neither maps nor a vector is left out; `sees` is that of `layer_maps`, and not told here.
    """
    twin, maps, found = sharing(network), inputs.clone(), []
    with torch.no_grad():
        for name, part in (*twin.stages.items(), (HEAD, twin.head)):
            maps = part(maps)
            if maps.dim() in (2, 4):
                # the next stage may work in place
                found.append(_of(name, maps.clone(), None))
    return found


def _of(layer: str, maps: Tensor, sees: tuple[int, int] | None) -> LayerMaps:
    planes = maps if maps.dim() == 4 else maps[:, :, None, None]
    values = planes[0].float().cpu().contiguous().numpy()
    return LayerMaps(layer, values, sees, constant_channels(planes))

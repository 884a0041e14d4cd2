"""What the channels of a stage make of a picture: each map with its channel and range, rectified or raw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from striate.drawing.tile_sheet import SIDE, Panel, Tile, TileSheet, brief, value_tile
from striate.drawing.tiles import to_uint8
from striate.errors import ModelError, UsageError, suggestion
from striate.explanation.inside import constant_channels, sharing
from striate.explanation.raw_form import RawForm, activation_name, is_activation, raw_form
from striate.explanation.stages import default_stage, map_shapes
from striate.models import Network, summarize

ORDERS = ("strongest", "channel")
MOST_TILES = 64
AT_A_BOUND, MOSTLY = 0.01, 0.95
"""A cell is at a bound within this share of the activation's range; a channel is saturated where so many cells are."""


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """The maps of one stage for some images, `batch channel rows columns`, and what is known of them.

    `form` says in words what they are. `dead` channels have one value everywhere in all the images (of a single number:
    0). `saturated` ones have at least 95 % of their cells within a hundredth of a bound of the activation; where that
    has no upper bound, as ReLU, there are none. `sees` is the (height, width) in pixels that one cell sees, None where
    unknown.
    """

    stage: str
    activated: bool
    form: str
    maps: Float[Tensor, "batch channel rows columns"]
    sees: tuple[int, int] | None
    dead: tuple[int, ...]
    saturated: tuple[int, ...]

    @property
    def signed(self) -> bool:
        """Whether any value is below zero."""
        return bool((self.maps < 0).any())

    def strongest(self, image: int = 0) -> list[int]:
        """The channels of one image, the one with the largest value first; the largest magnitude after a tanh."""
        values = self.maps[image].abs() if self.signed and self.activated else self.maps[image]
        return values.flatten(1).amax(dim=1).argsort(descending=True, stable=True).tolist()

    def sentence(self) -> str:
        """Shape, largest value, stage and what one cell sees, and how many channels say nothing."""
        channels, rows, columns = self.maps.shape[1:]
        parts = [
            f"{channels} × {rows} × {columns}",
            f"max {brief(float(self.maps.max()))}",
            f"stage {self.stage}, {self.form}",
        ]
        if self.sees:
            parts.append(f"each cell sees {self.sees[0]} × {self.sees[1]} pixels")
        return " · ".join([*parts, *self.silence()])

    def silence(self) -> list[str]:
        """`2 dead`, `1 saturated`: only what there is."""
        counts = {"dead": self.dead, "saturated": self.saturated}
        return [f"{len(found)} {word}" for word, found in counts.items() if found]

    def sheet(self, image: int = 0, *, order: str = "strongest", most: int = MOST_TILES) -> TileSheet:
        """The maps of one image as tiles, each with its channel and its range.

        Raises UsageError for another order, and for an image that there is not.
        """
        if order not in ORDERS:
            raise UsageError(f"There is no order {order!r}; {suggestion(order, ORDERS)}")
        if not 0 <= image < len(self.maps):
            raise UsageError(f"There is no image {image} among {len(self.maps)}, which are counted from 0.")
        every = self.strongest(image) if order == "strongest" else list(range(self.maps.shape[1]))
        shown = every[:most]
        first = "strongest first" if order == "strongest" else "in order"
        count = f"{len(shown)} of {len(every)} channels" if len(shown) < len(every) else "all channels"
        lines = (self.sentence(), f"{count}, {first}; {self.colours()}")
        return TileSheet(
            f"Feature maps of {self.stage}",
            lines,
            [Panel(self.tiles(shown, image), side=40 if self.one_cell else SIDE)],
        )

    def tiles(self, channels: list[int], image: int = 0) -> list[Tile]:
        """One tile a channel; maps of a single cell are coloured by one scale for all, larger ones each by its own."""
        values = self.maps[image].float().cpu().numpy()
        limit = float(np.abs(values).max()) if self.one_cell else None
        return [
            value_tile(str(channel), values[channel], signed=self.signed, limit=limit) for channel in channels
        ]

    @property
    def one_cell(self) -> bool:
        """Whether a map is a single number."""
        return self.maps[0, 0].numel() == 1

    def colours(self) -> str:
        """What the colours of the tiles mean."""
        of = "of all" if self.one_cell else "of the tile"
        if self.signed:
            return f"blue below 0, red above, white 0, full colour at the largest magnitude {of}"
        return f"dark 0, bright the largest value {of}"


def feature_maps(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    stage: str | None = None,
    *,
    activated: bool = True,
) -> FeatureMaps:
    """What a stage makes of images, as it leaves the stage or, not `activated`, before the stage's last activation.

    >>> from striate.models import create_model
    >>> network = create_model("resnet18_small", classes=10, channels=3, size=(32, 32))
    >>> found = feature_maps(network, torch.randn(2, 3, 32, 32), "stage2", activated=False)
    >>> tuple(found.maps.shape), found.form, found.sees
    ((2, 128, 16, 16), 'before ReLU', (25, 25))

    `inputs` are normalised as for prediction; `stage` is `default_stage` unless given. Raw maps are those of
    `striate.explanation.raw_form`. Raises ModelError for a stage that makes no maps, and for raw maps of a stage in
    which no activation stands last.
    """
    shape = (inputs.shape[1], inputs.shape[2], inputs.shape[3])
    (found,) = maps_of_stages(network, inputs, [stage_of_maps(network, shape, stage)], activated=activated)
    return found


def maps_of_stages(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    stages: Sequence[str],
    *,
    activated: bool = True,
) -> list[FeatureMaps]:
    """What several stages make of images, as `feature_maps` gives it of one; what is alike is worked out once.

    The stages make maps, which `striate.explanation.map_shapes` tells.
    """
    shape = (inputs.shape[1], inputs.shape[2], inputs.shape[3])
    sees = {row.stage: row.receptive_field for row in summarize(network, shape).rows}
    whole, found = sharing(network), []
    for name in stages:
        raw = raw_form(network, shape, name)
        if raw is None and not activated:
            raise ModelError(_no_raw_form(network, name))
        with torch.no_grad():
            maps = (whole if raw is None or activated else raw.network).run_to(inputs.clone(), name)
        saturated = _saturated(maps, raw.activation) if raw and activated and not raw.left_out else ()
        dead = constant_channels(maps)
        found.append(FeatureMaps(name, activated, _form(raw, activated), maps, sees[name], dead, saturated))
    return found


def side_by_side(
    network: Network,
    inputs: Float[Tensor, "1 channel height width"],
    *,
    picture: Shaped[np.ndarray, "rows columns planes"] | None = None,
    stages: tuple[str, ...] | None = None,
    channels: int = 5,
) -> TileSheet:
    """One picture on its way: beside it, for stage after stage, the channels that it excites most.

    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=3, size=(32, 32))
    >>> [panel.title for panel in side_by_side(network, torch.randn(1, 3, 32, 32)).panels]
    ['picture', 'stem', 'stage1', 'stage2', 'stage3']

    `picture` is shown as the first column, the input itself where it is not given. Unless `stages` are given, they
    are the last ones of each size of maps. Raises ModelError as `feature_maps` does.
    """
    shape = (inputs.shape[1], inputs.shape[2], inputs.shape[3])
    found = maps_of_stages(network, inputs, _chosen(network, shape, stages))
    seen = inputs[0].permute(1, 2, 0).float().cpu().numpy() if picture is None else picture
    first = Panel([Tile(in_colour(seen))], "picture", (" × ".join(map(str, seen.shape)),), columns=1)
    panels = [first]
    for one in found:
        lines = (
            " × ".join(map(str, one.maps.shape[1:])),
            f"a cell sees {one.sees[0]} × {one.sees[1]}" if one.sees else "",
            ", ".join(one.silence()) or "none dead",
        )
        panels.append(Panel(one.tiles(one.strongest()[:channels]), one.stage, lines, columns=1))
    sentence = f"The {channels} channels of each stage that this picture excites most; {found[0].colours()}."
    return TileSheet("One picture, stage after stage", (sentence,), panels, across=True)


def stage_of_maps(network: Network, shape: tuple[int, int, int], stage: str | None) -> str:
    """The stage asked for, or the default one; ModelError where it makes no maps, or none does."""
    if stage is None or not (shapes := map_shapes(network, shape)):
        return default_stage(network, shape)
    if stage not in shapes:
        raise ModelError(f"No stage {stage!r} makes maps; {suggestion(stage, shapes)}")
    return stage


def in_colour(picture: Shaped[np.ndarray, "rows columns planes"]) -> Shaped[np.ndarray, "rows columns 3"]:
    """A picture of any depth as three planes of 8 bits; of other than three, the first one in grey."""
    shown = to_uint8(picture)
    return shown if shown.shape[2] == 3 else np.repeat(shown[:, :, :1], 3, axis=2)


def _form(raw: RawForm | None, activated: bool) -> str:
    if raw is None:
        return "as the stage leaves them"
    after = "".join(f" and {kind}" for kind in raw.left_out)
    return f"{'after' if activated else 'before'} {raw.name}{after}"


def _no_raw_form(network: Network, stage: str) -> str:
    own = sorted(
        {activation_name(layer) for layer in network.stages[stage].modules() if is_activation(layer)}
    )
    why = (
        f"its last step is no {' or '.join(own)} but a layer or a sum behind it"
        if own
        else "it has no activation layer of its own"
    )
    return f"Stage {stage!r} has no raw maps: {why}; ask for its maps as they leave it."


def _channels(chosen: Tensor) -> tuple[int, ...]:
    return tuple(chosen.nonzero().flatten().tolist())


def _saturated(maps: Tensor, activation: nn.Module) -> tuple[int, ...]:
    """Channels that are nearly everywhere at a bound; none where the activation grows without one."""
    with torch.no_grad():
        low, high = sharing(activation)(maps.new_tensor([-1e4, 1e4])).tolist()
    if high > 100:
        return ()
    near = AT_A_BOUND * (high - low)
    at_bound = (maps <= low + near) | (maps >= high - near)
    return _channels(at_bound.to(maps.dtype).mean(dim=(0, 2, 3)) >= MOSTLY)


def _chosen(network: Network, shape: tuple[int, int, int], stages: tuple[str, ...] | None) -> list[str]:
    """The stages asked for, or the last one of each size of maps."""
    if stages is not None:
        return [stage_of_maps(network, shape, name) for name in stages]
    sizes = {maps[1:]: name for name, maps in map_shapes(network, shape).items()}
    return list(sizes.values()) or [default_stage(network, shape)]

"""Which stages of a network can be looked at as maps, and which one a map of reasons is taken from."""

from striate.errors import ModelError
from striate.models import Network
from striate.models.geometry import stage_shapes

FEWEST_CELLS = 4
"""A stage whose maps have fewer cells along a side says little about where."""


def map_shapes(network: Network, input_shape: tuple[int, int, int]) -> dict[str, tuple[int, int, int]]:
    """The stages that make maps, in order, each with its `channel rows columns`.

    >>> from striate.models import create_model
    >>> map_shapes(create_model("lenet5", classes=10), (1, 28, 28))["s4"]
    (16, 5, 5)
    """
    shapes = stage_shapes(dict(network.stages.items()), input_shape)
    return {name: (shape[0], shape[1], shape[2]) for name, shape in shapes.items() if len(shape) == 3}


def default_stage(network: Network, input_shape: tuple[int, int, int]) -> str:
    """The deepest stage whose maps still say where: at least four cells along each side, or the most there are.

    >>> from striate.models import create_model
    >>> default_stage(create_model("resnet18", classes=10), (3, 224, 224))
    'stage4'
    >>> default_stage(create_model("compact", classes=10, channels=3, size=(32, 32)), (3, 32, 32))
    'stage3'

    Raises ModelError for a network without maps.
    """
    shapes = map_shapes(network, input_shape)
    if not shapes:
        raise ModelError("No stage of this network makes maps, so nothing can say where it looked.")
    cells = {name: min(shape[1:]) for name, shape in shapes.items()}
    enough = [name for name, side in cells.items() if side >= FEWEST_CELLS]
    if enough:
        return enough[-1]
    most = max(cells.values())
    return [name for name, side in cells.items() if side == most][-1]

"""One image's way through a network: a row a layer, and what every cell sees of the image."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from striate.errors import ModelError
from striate.models.layers import Layer
from striate.shapes import ReceptiveField

Fields = tuple[ReceptiveField, ReceptiveField]
FLOAT_BYTES = 4

KINDS: dict[type[nn.Module], str] = {
    nn.Conv2d: "convolution",
    nn.Linear: "fully connected",
    nn.MaxPool2d: "max pooling",
    nn.AvgPool2d: "average pooling",
    nn.AdaptiveAvgPool2d: "average pooling to a grid",
    nn.AdaptiveMaxPool2d: "max pooling to a grid",
    nn.BatchNorm2d: "batch normalisation",
    nn.LocalResponseNorm: "local response normalisation",
    nn.ReLU: "ReLU",
    nn.Tanh: "tanh",
    nn.Dropout: "dropout",
    nn.Flatten: "flatten",
    nn.ReplicationPad2d: "border padding",
}
GLOBAL_KINDS: dict[type[nn.Module], str] = {
    nn.AdaptiveAvgPool2d: "global average pooling",
    nn.AdaptiveMaxPool2d: "global max pooling",
}
JOINS = {
    "add": "sum",
    "__add__": "sum",
    "add_": "sum",
    "__iadd__": "sum",
    "cat": "concatenation",
}


@dataclass(frozen=True)
class Row:
    """One layer: what leaves it for one image, what it costs, and what one of its cells sees of the image.

    `output_shape` is `(channel, height, width)`, or `(feature,)` once flattened. The receptive field's size,
    its stride and the first pixel that cell 0 sees are (height, width) in pixels; a field may reach into the
    padding, where pixels are negative. `activation_bytes` is the memory of the output for one image in float32;
    a layer that only gives its input another shape has none of its own.
    """

    stage: str
    layer: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    receptive_field: tuple[int, int]
    receptive_stride: tuple[int, int]
    receptive_start: tuple[int, int]
    activation_bytes: int


class Walk(TorchFunctionMode):
    """Watches a network while one image passes through it, and writes down its layers.

    Put an image through the network inside `with walk:`; `walk.rows` then has them in order. The network
    keeps the hooks, so give it a copy.
    """

    def __init__(self, network: nn.Module, image: Tensor) -> None:
        super().__init__()
        self.rows: list[Row] = []
        # tensors are kept beside their fields, so that no identity is given out twice
        self._fields: dict[int, tuple[Tensor, Fields]] = {}
        self._inside: list[tuple[str, nn.Module]] = []
        self._counted: set[int] = set()
        self._remember(image, (ReceptiveField(), ReceptiveField()))
        for path, module in network.named_modules():
            module.register_forward_pre_hook(partial(self._enter, path))
            module.register_forward_hook(self._leave)

    def _remember(self, tensor: Tensor, fields: Fields) -> None:
        self._fields[id(tensor)] = (tensor, fields)

    def _enter(self, path: str, module: nn.Module, _inputs: tuple[Any, ...]) -> None:
        self._inside.append((path, module))

    def _leave(self, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        path, _ = self._inside[-1]
        if not _has_layers(module):
            self._follow(path, module, inputs[0], output)
        self._inside.pop()

    def _follow(self, path: str, module: nn.Module, maps: Tensor, output: Tensor) -> None:
        _, before = self._fields[id(maps)]
        fields = _through(module, maps, before)
        self._remember(output, fields)
        fresh = [weight for weight in module.parameters() if id(weight) not in self._counted]
        self._counted.update(map(id, fresh))
        self._record(
            path, _kind(module), output, fields, sum(w.numel() for w in fresh), _multiply_adds(module, output)
        )

    def _record(
        self,
        path: str,
        kind: str,
        output: Tensor,
        fields: Fields,
        parameters: int = 0,
        multiply_adds: int = 0,
    ) -> None:
        stage, _, layer = path.removeprefix("stages.").partition(".")
        self.rows.append(
            Row(
                stage=stage,
                layer=layer or stage,
                kind=kind,
                output_shape=tuple(output.shape[1:]),
                parameters=parameters,
                multiply_adds=multiply_adds,
                receptive_field=(fields[0].size, fields[1].size),
                receptive_stride=(fields[0].stride, fields[1].stride),
                receptive_start=(fields[0].start, fields[1].start),
                activation_bytes=0
                if kind == KINDS[nn.Flatten]
                else FLOAT_BYTES * math.prod(output.shape[1:]),
            )
        )

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Operations between layers: where branches join is a row of its own, anything else cannot be followed."""
        output = func(*args, **(kwargs or {}))
        if not self._inside or not isinstance(output, Tensor):
            return output
        path, module = self._inside[-1]
        if not _has_layers(module):
            return output
        branches = args[0] if func.__name__ == "cat" else args
        seen = [self._fields[id(value)][1] for value in branches if id(value) in self._fields]
        if func.__name__ not in JOINS or len(seen) < 2:
            raise ModelError(
                f"summarize cannot follow {func.__name__} in {path or 'forward'}; make it a layer."
            )
        fields = tuple(reduce(ReceptiveField.union, along) for along in zip(*seen, strict=True))
        self._remember(output, (fields[0], fields[1]))
        self._record(f"{path}.{JOINS[func.__name__]}", JOINS[func.__name__], output, (fields[0], fields[1]))
        return output


def _has_layers(module: nn.Module) -> bool:
    return next(module.children(), None) is not None


def _kind(module: nn.Module) -> str:
    if isinstance(module, Layer):
        return module.kind
    if isinstance(module, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d) and _pair(module.output_size) == (
        1,
        1,
    ):
        return GLOBAL_KINDS[type(module)]
    if type(module) not in KINDS:
        raise ModelError(
            f"summarize does not know the layer {type(module).__name__}; known: {', '.join(KINDS.values())}."
        )
    return KINDS[type(module)]


def _multiply_adds(module: nn.Module, output: Tensor) -> int:
    if isinstance(module, Layer):
        return module.multiply_adds(tuple(output.shape[1:]))
    if isinstance(module, nn.Conv2d | nn.Linear):
        return module.weight[0].numel() * math.prod(output.shape[1:])
    return 0


def _through(module: nn.Module, maps: Tensor, before: Fields) -> Fields:
    """What a cell sees after the layer, along height and along width."""
    if isinstance(module, nn.Flatten):
        sides = maps.shape[2:] or (1, 1)
        return before[0].then(sides[0]), before[1].then(sides[1])
    if isinstance(module, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        grid = _pair(module.output_size)
        return _to_grid(before[0], maps.shape[2], grid[0]), _to_grid(before[1], maps.shape[3], grid[1])
    if isinstance(module, nn.ReplicationPad2d):
        left, _, top, _ = module.padding
        return before[0].then(1, padding=top), before[1].then(1, padding=left)
    if isinstance(module, Layer):
        window, stride, dilation, padding = module.window, module.stride, 1, 0
    elif isinstance(module, nn.Conv2d | nn.MaxPool2d):
        window, stride, dilation, padding = module.kernel_size, module.stride, module.dilation, module.padding
    elif isinstance(module, nn.AvgPool2d):
        window, stride, dilation, padding = module.kernel_size, module.stride, 1, module.padding
    else:
        return before
    windows, strides, dilations, paddings = map(_pair, (window, stride, dilation, padding))
    return (
        before[0].then(windows[0], strides[0], dilations[0], paddings[0]),
        before[1].then(windows[1], strides[1], dilations[1], paddings[1]),
    )


def _to_grid(before: ReceptiveField, cells: int, grid: int) -> ReceptiveField:
    """Windows from ⌊i·cells/grid⌋ to ⌈(i+1)·cells/grid⌉; where those differ, the widest, at their mean distance."""
    widest = max(-(-(i + 1) * cells // grid) - i * cells // grid for i in range(grid))
    return before.then(widest, stride=max(1, round(cells / grid)))


def _pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)

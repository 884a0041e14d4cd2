"""One image's way through a network: a row a layer, and what every cell sees of the image."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from striate.models.layers import Layer
from striate.models.products import Products
from striate.shapes import ReceptiveField, same_padding_ends

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
    nn.Sigmoid: "sigmoid",
    nn.Dropout: "dropout",
    nn.Flatten: "flatten",
    nn.Identity: "identity",
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
POINTWISE = frozenset(
    (
        *("relu", "relu_", "leaky_relu", "relu6", "elu", "gelu", "silu", "mish", "sigmoid", "tanh"),
        *("hardswish", "hardsigmoid", "hardtanh", "dropout", "clone", "contiguous"),
    )
)
"""Functions after which a cell sees what it saw before."""
POINTWISE_MODULES = ("torch.nn.modules.activation", "torch.nn.modules.dropout")
MIXING = (nn.Softmax, nn.Softmax2d, nn.LogSoftmax, nn.Softmin, nn.GLU, nn.MultiheadAttention)
"""Of those modules, the layers whose cells see others."""


@dataclass(frozen=True)
class Row:
    """One layer: what leaves it for one image, what it costs, and what one of its cells sees of the image.

    `output_shape` is `(channel, height, width)`, or `(feature,)` once flattened. The receptive field's size,
    its stride and the first pixel that cell 0 sees are (height, width) in pixels; a field may reach into the
    padding, where pixels are negative. `activation_bytes` is the memory of the output for one image in float32;
    a layer that only gives its input another shape has none of its own. What a cell sees is None after a layer or
    operation of which striate does not know it; such a layer's kind is the name of its class.
    """

    stage: str
    layer: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    receptive_field: tuple[int, int] | None
    receptive_stride: tuple[int, int] | None
    receptive_start: tuple[int, int] | None
    activation_bytes: int


class Walk(TorchFunctionMode):
    """Watches a network while one image passes through it, and writes down its layers.

    Put an image through the network inside `with counter, walk:`; `walk.rows` then has them in order. The network
    keeps the hooks, so give it a copy. The `counter` knows the products of layers and operations that striate
    does not.
    """

    def __init__(self, network: nn.Module, image: Tensor, counter: Products) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._counter = counter
        # tensors are kept beside their fields, so that no identity is given out twice
        self._fields: dict[int, tuple[Tensor, Fields]] = {}
        self._inside: list[tuple[str, nn.Module, int]] = []
        self._counted: set[int] = set()
        self._remember(image, (ReceptiveField(), ReceptiveField()))
        for path, module in network.named_modules():
            module.register_forward_pre_hook(partial(self._enter, path))
            module.register_forward_hook(self._leave)

    def _remember(self, tensor: Tensor, fields: Fields) -> None:
        self._fields[id(tensor)] = (tensor, fields)

    def _enter(self, path: str, module: nn.Module, _inputs: tuple[Any, ...]) -> None:
        self._inside.append((path, module, self._products()))

    def _leave(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        path, _, before = self._inside[-1]
        if not _has_layers(module) and isinstance(output, Tensor):
            known = _multiply_adds(module, output)
            self._follow(path, module, inputs, output, self._products() - before if known is None else known)
        self._inside.pop()

    def _follow(
        self, path: str, module: nn.Module, inputs: tuple[Any, ...], output: Tensor, multiply_adds: int
    ) -> None:
        maps, before = self._fields.get(id(inputs[0]), (None, None)) if inputs else (None, None)
        fields = None
        if maps is not None and before is not None and _followed(module):
            fields = _through(module, maps, before)
            self._remember(output, fields)
        fresh = [weight for weight in module.parameters() if id(weight) not in self._counted]
        self._counted.update(map(id, fresh))
        self._record(path, _kind(module), output, fields, sum(w.numel() for w in fresh), multiply_adds)

    def _products(self) -> int:
        return self._counter.count

    def _record(
        self,
        path: str,
        kind: str,
        output: Tensor,
        fields: Fields | None,
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
                receptive_field=(fields[0].size, fields[1].size) if fields else None,
                receptive_stride=(fields[0].stride, fields[1].stride) if fields else None,
                receptive_start=(fields[0].start, fields[1].start) if fields else None,
                activation_bytes=0
                if kind in (KINDS[nn.Flatten], KINDS[nn.Identity])
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
        """Operations between layers: where branches join is a row of its own, and so is what multiplies."""
        before = self._products()
        output = func(*args, **(kwargs or {}))
        if not self._inside or not isinstance(output, Tensor) or not _has_layers(self._inside[-1][1]):
            return output
        path, name = self._inside[-1][0], func.__name__
        branches = args[0] if name == "cat" else args
        fields = self._joined(branches) if name in JOINS else None
        if fields:
            self._remember(output, fields)
            self._record(f"{path}.{JOINS[name]}", JOINS[name], output, fields)
        elif name in POINTWISE and id(args[0]) in self._fields:
            self._remember(output, self._fields[id(args[0])][1])
        elif products := self._products() - before:
            self._record(f"{path}.{name}", name, output, None, multiply_adds=products)
        return output

    def _joined(self, branches: Any) -> Fields | None:
        """What a cell sees where branches join; None where that of one of them is not known."""
        tensors = [value for value in branches if isinstance(value, Tensor)]
        seen = [self._fields[id(value)][1] for value in tensors if id(value) in self._fields]
        if len(seen) < max(2, len(tensors)):
            return None
        along = tuple(reduce(ReceptiveField.union, fields) for fields in zip(*seen, strict=True))
        return along[0], along[1]


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
    return KINDS.get(type(module), type(module).__name__)


def _followed(module: nn.Module) -> bool:
    """Whether it is known what a cell sees after the layer."""
    kind = type(module)
    pointwise = kind.__module__ in POINTWISE_MODULES and kind not in MIXING
    return isinstance(module, Layer) or kind in KINDS or pointwise


def _multiply_adds(module: nn.Module, output: Tensor) -> int | None:
    """Products of a layer that striate knows; None of any other."""
    if isinstance(module, Layer):
        return module.multiply_adds(tuple(output.shape[1:]))
    if type(module) in (nn.Conv2d, nn.Linear):
        return module.get_parameter("weight")[0].numel() * math.prod(output.shape[1:])
    return 0 if type(module) in KINDS else None


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
    if isinstance(padding, str):  # "same" or "valid"; the odd pixel of "same" goes to the end
        ends = [same_padding_ends(*along)[0] for along in zip(_pair(window), _pair(dilation), strict=True)]
        padding = (ends[0], ends[1]) if padding == "same" else 0
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

"""One image's way through a network, written down: every layer and join, what it reads, what enters and leaves it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from striate.errors import ModelError, suggestion
from striate.explanation.inside import sharing
from striate.models import Layer, Network
from striate.models.geometry import without_weights
from striate.models.walk import JOINS, KINDS

PICTURE, HEAD = "picture", "head"
"""What the first layer reads, and what follows the last stage."""


@dataclass(frozen=True, eq=False)
class Visit:
    """One layer, or one operation between layers, at work: its name, what it reads, what enters and leaves it.

    `name` is the path as in a summary, stage first; a layer that is used again has `#2` after it. `module` is None
    for an operation of a forward, such as the sum of a residual block. `reads` are the visits, or the picture, that
    wrote what enters, in the order of `entering`.
    """

    name: str
    stage: str
    kind: str
    module: nn.Module | None
    reads: tuple[str, ...]
    entering: tuple[Tensor, ...]
    leaving: Tensor


def record(
    network: Network, inputs: Float[Tensor, "1 channel height width"], part: str | None = None
) -> list[Visit]:
    """What one image meets up to the end of a stage, or up to the end of the head; values are those of that part.

    >>> network = Network({"conv": nn.Conv2d(1, 4, 3), "relu": nn.ReLU()}, head=nn.Flatten())
    >>> [(visit.name, visit.kind, visit.reads) for visit in record(network, torch.zeros(1, 1, 5, 5))]
    [('conv', 'convolution', ('picture',)), ('relu', 'ReLU', ('conv',)), ('head', 'flatten', ('relu',))]

    With a `part` the maps of other parts are not kept, and later parts do not run. The network is not touched: a copy
    that shares its weights runs, in evaluation mode and without gradients. Raises ModelError for a part that the
    network has not.
    """
    parts = (*network.stage_names, HEAD)
    if part is not None and part not in parts:
        raise ModelError(f"The network has no stage {part!r}; {suggestion(part, parts)}")
    return _recorded(sharing(network), inputs.clone(), part)


def record_shapes(network: Network, input_shape: tuple[int, int, int]) -> list[Visit]:
    """The same of an image without pixels through a network without weights: names, kinds and shapes.

    >>> network = Network({"conv": nn.Conv2d(1, 4, 3)}, head=nn.Flatten())
    >>> [tuple(visit.leaving.shape) for visit in record_shapes(network, (1, 28, 28))]
    [(1, 4, 26, 26), (1, 2704)]

    Raises ModelError for a network that does not take such images. One of somebody else's making that cannot run on
    shapes alone is run on an image of zeros.
    """
    empty = torch.empty((1, *input_shape), device="meta")
    try:
        return _recorded(without_weights(network), empty, None)
    except Exception:  # a stranger's forward may raise anything
        try:
            return _recorded(sharing(network), torch.zeros((1, *input_shape)), None)
        except Exception as error:
            size = " × ".join(map(str, input_shape))
            raise ModelError(f"The network cannot take an image of {size}: {error}") from error


def kind_of(module: nn.Module) -> str:
    """A layer's kind in the field's words, or the name of its class."""
    return module.kind if isinstance(module, Layer) else KINDS.get(type(module), type(module).__name__)


def readers(visits: Iterable[Visit], name: str) -> list[Visit]:
    """The visits that read what one wrote."""
    return [visit for visit in visits if name in visit.reads]


def _recorded(twin: Network, image: Tensor, part: str | None) -> list[Visit]:
    recorder = _Recorder(twin, image, part)
    with torch.no_grad(), recorder:
        if part is None or part == HEAD:
            twin(image)
        else:
            twin.run_to(image, part)
    return recorder.visits


class _Recorder(TorchFunctionMode):
    """Watches a network, whose hooks stay in it, so that it must be a copy."""

    def __init__(self, network: nn.Module, image: Tensor, part: str | None) -> None:
        super().__init__()
        self.visits: list[Visit] = []
        self._part = part
        self._copying = False
        self._names: dict[str, int] = {}
        # tensors are kept beside their writers, so that no identity is given out twice
        self._writers: dict[int, tuple[Tensor, str]] = {id(image): (image, PICTURE)}
        self._inside: list[tuple[str, nn.Module]] = []
        self._entered: list[tuple[list[str], list[Tensor]]] = []
        for path, module in network.named_modules():
            module.register_forward_pre_hook(partial(self._enter, path))
            module.register_forward_hook(self._leave)

    def _enter(self, path: str, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._inside.append((path, module))
        self._entered.append(self._known(path, inputs) if _is_leaf(module) else ([], []))

    def _leave(self, module: nn.Module, _inputs: tuple[Any, ...], output: Any) -> None:
        path, _ = self._inside.pop()
        reads, entering = self._entered.pop()
        if _is_leaf(module) and isinstance(output, Tensor):
            self._write(path, kind_of(module), module, reads, entering, output)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Operations between layers are visits too, where they take what was written down before."""
        between = bool(self._inside) and not _is_leaf(self._inside[-1][1])
        if self._copying or not between:
            return func(*args, **(kwargs or {}))
        path = self._inside[-1][0]
        reads, entering = self._known(path, args)
        output = func(*args, **(kwargs or {}))
        if reads and isinstance(output, Tensor):
            name = func.__name__.strip("_")
            kind = JOINS.get(func.__name__, name) if len(reads) > 1 else name
            self._write(f"{path}.{kind}", kind, None, reads, entering, output)
        return output

    def _known(self, path: str, given: Any) -> tuple[list[str], list[Tensor]]:
        """The tensors of what is given whose writers are known, as they are before anything works in place."""
        found = [tensor for tensor in _tensors(given) if id(tensor) in self._writers]
        return [self._writers[id(tensor)][1] for tensor in found], [self._kept(path, one) for one in found]

    def _write(
        self,
        path: str,
        kind: str,
        module: nn.Module | None,
        reads: list[str],
        entering: list[Tensor],
        output: Tensor,
    ) -> None:
        name = path.removeprefix("stages.")
        self._names[name] = self._names.get(name, 0) + 1
        name = name if self._names[name] == 1 else f"{name}#{self._names[name]}"
        self._writers[id(output)] = (output, name)
        self.visits.append(
            Visit(
                name=name,
                stage=_stage(path),
                kind=kind,
                module=module,
                reads=tuple(reads),
                entering=tuple(entering),
                leaving=self._kept(path, output),
            )
        )

    def _kept(self, path: str, tensor: Tensor) -> Tensor:
        """A copy, for layers may work in place; without its values where the part is not the one wanted."""
        self._copying = True
        wanted = self._part in (None, _stage(path))
        copied = tensor.clone() if wanted else torch.empty_like(tensor, device="meta")
        self._copying = False
        return copied


def _stage(path: str) -> str:
    return path.removeprefix("stages.").partition(".")[0]


def _is_leaf(module: nn.Module) -> bool:
    return next(module.children(), None) is None


def _tensors(given: Any) -> Iterator[Tensor]:
    """The tensors among arguments and in the lists among them."""
    for value in given:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from (inner for inner in value if isinstance(inner, Tensor))

"""Where a module can be cut into stages and a head, found by trying: the parts must answer exactly as the whole."""

import copy
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn

from striate.errors import ModelError

Parts = dict[str, nn.Module]
"""Modules that run one after another, by name."""
Cut = Callable[[nn.Module], Parts | None]
"""How a module is taken apart; None where it cannot be done."""

_LEVELLING = (
    *(nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d),
    *(nn.Flatten, nn.Dropout, nn.Identity),
)
"""What stands between the last maps and the first hidden layer, and belongs to the head."""
_SEED = 2026


class Trial:
    """What a module answers to two images of noise: as it is, and with other weights, in prediction and in training.

    Weights that happen to be zero hide what they belong to, and a function such as `F.dropout` shows in training
    alone: so a cut must agree in all three. Raises ModelError where the module does not take such images.
    """

    def __init__(self, module: nn.Module, input_shape: tuple[int, int, int]) -> None:
        self.images = _noise((2, *input_shape))
        self.module = module
        self.shaken = shaken(module)
        answered = answer(module, self.images)
        if not isinstance(answered, Tensor):
            raise ModelError(
                f"The network given answers with a {type(answered).__name__}; striate needs one tensor of logits."
            )
        trained = answer(self.shaken, self.images, training=True)
        if not isinstance(trained, Tensor):
            raise ModelError(
                f"The network given answers with a {type(trained).__name__} while it is trained; striate needs one"
                " tensor of logits. Switch its auxiliary outputs off."
            )
        self.answers: tuple[object, ...] = (answered, answer(self.shaken, self.images), trained)

    def agrees(self, cut: Cut) -> bool:
        """Whether the parts of a cut, one after another, answer bit for bit as the whole module."""
        asked = ((self.module, False), (self.shaken, False), (self.shaken, True))
        for (module, training), expected in zip(asked, self.answers, strict=True):
            parts = cut(module)
            try:
                found = answer(nn.Sequential(*parts.values()), self.images, training) if parts else None
            except ModelError:
                return False
            if not (
                isinstance(found, Tensor) and isinstance(expected, Tensor) and torch.equal(found, expected)
            ):
                return False
        return True

    def last_layer(self) -> str | None:
        """The path of the last layer with weights that an image meets, where it meets it once."""
        met: list[str] = []
        twin = copy.deepcopy(self.module)
        for path, layer in twin.named_modules():
            if path and next(layer.children(), None) is None and next(layer.parameters(), None) is not None:
                layer.register_forward_pre_hook(lambda *_, path=path: met.append(path))
        answer(twin, self.images)
        return met[-1] if met and met.count(met[-1]) == 1 else None

    def shapes(self, parts: Mapping[str, nn.Module]) -> list[tuple[int, ...]]:
        """What each part leaves of one image."""
        sizes: list[tuple[int, ...]] = []
        x: object = self.images
        with torch.no_grad():
            for part in copy.deepcopy(nn.Sequential(*parts.values())).eval():
                x = part(x)
                sizes.append(tuple(x.shape[1:]) if isinstance(x, Tensor) else ())
        return sizes


def answer(module: nn.Module, images: Tensor, training: bool = False) -> object:
    """What a copy of a module answers, its dropout drawn from one seed.

    Raises ModelError in the module's own words where it does not take the images.
    """
    twin = copy.deepcopy(module).train(training)
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(_SEED)
            return twin(images)
    except Exception as error:  # a stranger's forward may raise anything
        size = " × ".join(map(str, images.shape[1:]))
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise ModelError(
            f"The network given does not take images of {size} (channels × height × width): {reason}."
            " Give images of its channels and size (--set size=SIDE scales them), or another network."
        ) from error


def shaken(module: nn.Module) -> nn.Module:
    """A copy whose weights are a little different from the module's, none of them zero."""
    twin = copy.deepcopy(module)
    generator = torch.Generator().manual_seed(_SEED)
    with torch.no_grad():
        for weight in twin.parameters():
            if weight.is_floating_point():
                weight.add_(torch.randn(weight.shape, generator=generator), alpha=0.05)
    return twin


def in_order(glue: tuple[str, ...], dropout: float) -> Cut:
    """The children in the order in which they were given, with what a forward does in front of the last layer."""

    def cut(module: nn.Module) -> Parts | None:
        return glued(children(module), glue, dropout)

    return cut


def by_name(names: tuple[str, ...], glue: tuple[str, ...], dropout: float) -> Cut:
    """The submodules of these names, in this order."""

    def cut(module: nn.Module) -> Parts | None:
        return glued({name: module.get_submodule(name) for name in names}, glue, dropout)

    return cut


def before_layer(path: str) -> Cut:
    """The whole module without one layer, then that layer."""

    def cut(module: nn.Module) -> Parts | None:
        return {"features": without(module, path), path.rpartition(".")[2]: module.get_submodule(path)}

    return cut


def children(module: nn.Module) -> Parts:
    """A module's children by name, a child that stands there twice twice; those of an only child are its own."""
    # named_children() leaves out what it has seen before
    found = {name: child for name, child in module._modules.items() if child is not None}
    only = next(iter(found.values())) if len(found) == 1 else None
    return children(only) if only is not None and next(only.children(), None) is not None else found


def glued(parts: Parts, glue: tuple[str, ...], dropout: float) -> Parts | None:
    """The parts with flattening or dropout put in front of the last one that has weights."""
    if not glue:
        return parts or None
    place = last_weighted(parts)
    if place is None or any(name in parts for name in glue):
        return None
    made = {"flatten": nn.Flatten(), "dropout": nn.Dropout(dropout)}
    items = list(parts.items())
    return dict([*items[:place], *((name, made[name]) for name in glue), *items[place:]])


def glues(dropout: float) -> Iterator[tuple[str, ...]]:
    """What forwards do in front of the last layer without making it a layer."""
    yield from ((), ("flatten",))
    if dropout:
        yield from (("dropout",), ("flatten", "dropout"))


def last_weighted(parts: Mapping[str, nn.Module]) -> int | None:
    """The place of the last part that has parameters."""
    places = [at for at, part in enumerate(parts.values()) if next(part.parameters(), None) is not None]
    return places[-1] if places else None


def head_begins(parts: Mapping[str, nn.Module], shapes: list[tuple[int, ...]]) -> int | None:
    """The place from which on parts are the head: after the last maps, and never after the last layer with weights.

    >>> parts = {"conv": nn.Conv2d(1, 4, 3), "pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    >>> head_begins(parts | {"fc": nn.Linear(4, 2)}, [(4, 6, 6), (4, 1, 1), (4,), (2,)])
    1

    None where no stage would be left.
    """
    last = last_weighted(parts)
    if not last:
        return None
    layers = list(parts.values())
    maps = [at for at, shape in enumerate(shapes[:last]) if len(shape) == 3]
    start = maps[-1] + 1 if maps else last
    while maps and start > 1 and isinstance(layers[start - 1], _LEVELLING):
        start -= 1
    return start


def without(module: nn.Module, path: str) -> nn.Module:
    """The same module with an identity in place of one layer; every other layer is shared."""
    first, _, rest = path.partition(".")
    twin = copy.copy(module)
    twin._modules = dict(module._modules)
    twin._modules[first] = without(module.get_submodule(first), rest) if rest else nn.Identity()
    return twin


def _noise(shape: tuple[int, ...]) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(_SEED))

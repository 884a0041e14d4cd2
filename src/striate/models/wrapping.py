"""Any torch module as a network of striate: one line, its weights kept, its stages found where they can be."""

from collections.abc import Sequence

from torch import nn

from striate.errors import ModelError, UsageError, suggestion
from striate.models.layers import sequence
from striate.models.network import Network
from striate.models.seams import (
    Cut,
    Parts,
    Trial,
    before_layer,
    by_name,
    children,
    glues,
    head_begins,
    in_order,
)

WHOLE = "network"
"""The only stage of a module that could not be taken apart."""
_TAKEN = {"all", "none", "head", "picture", "keys", "items", "values", "pop", "update", "clear"}
"""Words that `freeze`, the drawings or torch's own dictionary use for something else."""


class Wrapped(Network):
    """A module whose stages are not known before the shape of an image is: one stage, `network`, and no head."""

    def __init__(self, module: nn.Module, named: tuple[tuple[str, ...], int] | None = None) -> None:
        super().__init__({WHOLE: module}, nn.Identity())
        self.named = named
        """The parts in order, and the place of the first one of the head; None where they are to be found."""

    def freeze(self, upto: str) -> tuple[str, ...]:
        """As a network's; says how stages get their names, for a module that has none."""
        if upto not in ("none", "all", WHOLE):
            raise ModelError(
                f"Nothing to freeze is called {upto!r}: this network is one stage, because running its children one"
                " after another does not give what it gives (or was not tried yet: wrap(module, example=(3, 32, 32))"
                ' does so). Name stages by striate.wrap(module, stages=("conv1", "conv2"), head="fc").'
            )
        return super().freeze(upto)


def wrap(
    module: nn.Module,
    *,
    stages: Sequence[str] | None = None,
    head: str | Sequence[str] | None = None,
    example: tuple[int, int, int] | None = None,
) -> Network:
    """Any `torch.nn.Module` from images to logits as a network with named stages and a head.

    >>> module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 26 * 26, 10))
    >>> network = wrap(module, example=(1, 28, 28))
    >>> network.stage_names, [name for name, _ in network.head.named_children()]
    (('0', '1'), ['2', '3'])

    Stages are found by trying, on an image of the shape `example`, `(channels, height, width)`; without one, that
    waits until a classifier knows its images. In this order, the first that answers bit for bit as the module does,
    in prediction and in training:

    - `stages` and `head`, where they are given: names of submodules in the order in which an image meets them. Of
      the one alone, the other is the rest of the children.
    - the module's children one after another, with flattening (and the module's own `drop_rate`) in front of the
      last one with weights where its forward does that. What follows the last maps is the head.
    - the module up to its last layer, one stage called `features`; that layer is the head.
    - else one stage called `network` and no head: all but freezing and a new head works.

    The network shares its layers with the module, whose weights it begins with; a classifier trains a copy. Images
    are float32 `batch channel height width`, the answer is float32 `batch class`, before any softmax.

    Raises ModelError for names that the module has not, and for stages that do not give what the module gives;
    UsageError for what is no module.
    """
    if not isinstance(module, nn.Module):
        raise UsageError(f"A network must be a torch.nn.Module; got {type(module).__name__}.")
    if isinstance(module, Network) and not isinstance(module, Wrapped):
        return module
    inside = module.stages[WHOLE] if isinstance(module, Wrapped) else module
    named = module.named if isinstance(module, Wrapped) else None
    if stages is not None or head is not None:
        named = _named(inside, stages, (head,) if isinstance(head, str) else head)
    wrapped = Wrapped(inside, named)
    return wrapped if example is None else opened(wrapped, example)


def opened(network: nn.Module, input_shape: tuple[int, int, int]) -> Network:
    """The network of a module for images of a shape, its stages found; see `wrap`."""
    wrapped = wrap(network)
    if not isinstance(wrapped, Wrapped):
        return wrapped
    module, named = wrapped.stages[WHOLE], wrapped.named
    trial = Trial(module, input_shape)
    dropout = float(getattr(module, "drop_rate", None) or 0.0)
    if named is not None:
        return _as_named(trial, named, dropout)
    for cut in (in_order(glue, dropout) for glue in glues(dropout)):
        if trial.agrees(cut) and (found := _cut_up(trial, cut)) is not None:
            return found
    if (path := trial.last_layer()) and trial.agrees(before_layer(path)):
        (stage, body), last = _parts(trial, before_layer(path)).items()
        return _network({stage: body}, dict([last]))
    return wrapped


def _cut_up(trial: Trial, cut: Cut) -> Network | None:
    parts = _parts(trial, cut)
    shapes = trial.shapes(parts)
    start = head_begins(parts, shapes)
    if start is None or not _channels_first(trial.module, shapes[start - 1]):
        return None
    return _split(parts, start)


def _as_named(trial: Trial, named: tuple[tuple[str, ...], int], dropout: float) -> Network:
    names, start = named
    for glue in glues(dropout):
        cut = by_name(names, glue, dropout)
        if trial.agrees(cut):
            parts = _parts(trial, cut)
            glue_inside = sum(list(parts).index(name) < start for name in glue)
            return _split(parts, start + glue_inside)
    raise ModelError(
        f"Running {', '.join(names)} one after another does not give what the network gives: its forward does"
        " something else between them. Make that a layer, name other stages, or leave stages and head out."
    )


def _named(
    module: nn.Module, stages: Sequence[str] | None, head: Sequence[str] | None
) -> tuple[tuple[str, ...], int]:
    """All parts in order, and where the head begins; the one that was not given is the rest of the children."""
    known = [name for name, _ in module.named_modules() if name]
    for name in (*(stages or ()), *(head or ())):
        if name not in known:
            raise ModelError(f"The network given has no part {name!r}; {suggestion(name, known)}")
    direct = list(children(module))
    if stages is None:
        stages = direct[: direct.index(head[0])] if head and head[0] in direct else ()
    if head is None:
        head = direct[direct.index(stages[-1]) + 1 :] if stages and stages[-1] in direct else ()
    if not stages or not head:
        raise ModelError("Stages need a head after them: name both, as stages=(…) and head=….")
    held = tuple(f"{name}." for name in (*stages, *head))
    if lost := [name for name, _ in module.named_parameters() if not name.startswith(held)]:
        raise ModelError(f"{lost[0]} is in none of the stages and not in the head; name what holds it.")
    return (*stages, *head), len(stages)


def _parts(trial: Trial, cut: Cut) -> Parts:
    parts = cut(trial.module)
    assert parts is not None, "a cut that agrees has parts"
    return parts


def _split(parts: Parts, start: int) -> Network:
    items = list(parts.items())
    return _network(dict(items[:start]), dict(items[start:]))


def _network(stages: Parts, head: Parts) -> Network:
    return Network(
        {_stage_name(name): stage for name, stage in stages.items()},
        sequence(**{name.replace(".", "_"): part for name, part in head.items()}),
    )


def _stage_name(name: str) -> str:
    plain = name.replace(".", "_")
    return f"{plain}_" if plain in _TAKEN else plain


def _channels_first(module: nn.Module, shape: tuple[int, ...]) -> bool:
    """Whether maps are `channel height width`, where the module says how many channels it leaves; timm's do."""
    said = {getattr(module, name, None) for name in ("num_features", "head_hidden_size")} - {None}
    return not said or len(shape) < 2 or (len(shape) == 3 and shape[0] in said)

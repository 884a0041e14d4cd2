"""What stands between an activation and the pixels: whether every step has a transpose, and which have switches."""

import copy
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from striate.errors import ModelError, suggestion
from striate.models import Network
from striate.models.geometry import without_weights

RECTIFIED = frozenset(("relu",))
SWITCHED = frozenset(("max_pool2d_with_indices", "adaptive_max_pool2d"))
LINEAR = frozenset(
    (
        *("add", "sub", "rsub", "neg", "sum", "mean", "cat", "stack"),
        *("avg_pool2d", "_adaptive_avg_pool2d", "upsample_nearest2d", "upsample_bilinear2d"),
        *("constant_pad_nd", "reflection_pad2d", "replication_pad2d", "pixel_shuffle", "pixel_unshuffle"),
        *("view", "_unsafe_view", "_reshape_alias", "unflatten", "expand", "alias", "clone", "_to_copy"),
        *("t", "transpose", "permute", "squeeze", "unsqueeze", "flip", "roll"),
        *("slice", "select", "split", "split_with_sizes", "unbind", "index", "index_select"),
        *("zeros_like", "ones_like", "empty_like", "full_like", "new_zeros", "new_ones"),
        "detach",  # autograd's own, of what it keeps for the way back
    )
)
PRODUCTS = {
    "convolution": slice(None),
    "mkldnn_convolution": slice(None),
    "mul": slice(None),
    "mm": slice(None),
    "bmm": slice(None),
    "addmm": slice(1, None),
    "baddbmm": slice(1, None),
    "div": slice(None),
}
"""Linear where one factor alone depends on the image; which of the arguments are factors."""
NORMALISATIONS = {"native_batch_norm": 5, "_native_batch_norm_legit": 5}
"""Linear where they use the statistics they have; which argument says that they do not."""
FIXED_NORMALISATIONS = frozenset(("_native_batch_norm_legit_no_training",))
_SEED = 2026


def untransposable(network: Network, input_shape: tuple[int, int, int], stage: str | None) -> str | None:
    """Why there is no way back from a stage, or from the logits where that is None.

    >>> from torch import nn
    >>> network = Network({"conv": nn.Conv2d(1, 4, 3), "norm": nn.GroupNorm(2, 4)}, head=nn.Flatten())
    >>> untransposable(network, (1, 8, 8), None)
    'it computes native_group_norm (norm), which is neither linear, nor a ReLU, nor max pooling'

    Found by one pass of an image without pixels through a copy without weights. Raises ModelError for a stage that
    the network has not.
    """
    strange = _watched(network, input_shape, stage).strange
    if not strange:
        return None
    listed = ", ".join(f"{name} ({part})" for name, part in strange.items())
    return f"it computes {listed}, which is neither linear, nor a ReLU, nor max pooling"


def switched(network: Network, input_shape: tuple[int, int, int], stage: str | None) -> tuple[str, ...]:
    """The stages with max pooling up to a stage, or up to the logits where that is None.

    >>> from torch import nn
    >>> network = Network({"conv": nn.Conv2d(1, 4, 3), "pool": nn.MaxPool2d(2)}, head=nn.Flatten())
    >>> switched(network, (1, 8, 8), None), switched(network, (1, 8, 8), "conv")
    (('pool',), ())

    Where there are none a deconvnet has no switches. Raises ModelError for a stage that the network has not.
    """
    return tuple(_watched(network, input_shape, stage).switched)


class _Watch(TorchDispatchMode):
    """Writes down, for the part that runs, what has no transpose and where there are switches."""

    def __init__(self) -> None:
        super().__init__()
        self.part = ""
        self.strange: dict[str, str] = {}
        self.switched: dict[str, None] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        plain = name.removesuffix("_") if name.endswith("_") else name
        if plain in SWITCHED:
            self.switched[self.part] = None
        elif any(map(_depends, args)) and not _has_transpose(plain, args):
            self.strange.setdefault(plain.removeprefix("_"), self.part)
        return func(*args, **(kwargs or {}))


def _has_transpose(name: str, args: tuple[Any, ...]) -> bool:
    if name in PRODUCTS:
        factors = args[PRODUCTS[name]]
        divisor = name == "div" and _depends(args[1])
        return sum(map(_depends, factors)) <= 1 and not divisor
    if name in NORMALISATIONS:
        return args[NORMALISATIONS[name]] is False
    return name in RECTIFIED | LINEAR | FIXED_NORMALISATIONS


def _depends(value: Any) -> bool:
    """Whether an argument depends on the image: weights are fixed before the pass."""
    if isinstance(value, list | tuple):
        return any(map(_depends, value))
    return isinstance(value, Tensor) and value.requires_grad


def _watched(network: Network, input_shape: tuple[int, int, int], stage: str | None) -> _Watch:
    if stage is not None and stage not in network.stages:
        raise ModelError(f"The network has no stage {stage!r}; {suggestion(stage, network.stage_names)}")
    try:
        return _pass(without_weights(network), torch.empty((1, *input_shape), device="meta"), stage)
    except (RuntimeError, NotImplementedError):  # somebody else's layer may look at the numbers
        twin = copy.deepcopy(network).eval()
        noise = torch.randn((1, *input_shape), generator=torch.Generator().manual_seed(_SEED))
        return _pass(twin, noise.to(next(twin.parameters(), noise)), stage)


def _pass(twin: Network, image: Tensor, stage: str | None) -> _Watch:
    twin.requires_grad_(False)
    watch = _Watch()
    with torch.enable_grad():
        maps = image.requires_grad_().clone()
        for name, part in (*twin.stages.items(), ("head", twin.head)):
            watch.part = name
            with watch:
                maps = part(maps)
            if name == stage:
                break
    return watch

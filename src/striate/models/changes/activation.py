"""One activation everywhere: the comparison of Krizhevsky et al. 2012, section 3.1 and figure 1."""

from torch import nn

from striate.errors import ModelError, suggestion
from striate.models.lenet5_1998 import ScaledTanh

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
REPLACED = (nn.ReLU, nn.Tanh, nn.Sigmoid, ScaledTanh)


def activate(network: nn.Module, name: str) -> None:
    """Put this activation in the place of every other, in stages, head and auxiliary heads.

    >>> network = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    >>> activate(network, "sigmoid")
    >>> network
    Sequential(
      (0): Linear(in_features=3, out_features=2, bias=True)
      (1): Sigmoid()
    )

    Raises ModelError for another name, and for a network that has no activation it knows.
    """
    if name not in ACTIVATIONS:
        raise ModelError(f"there is no activation {name!r}; {suggestion(name, ('own', *ACTIVATIONS))}")
    layers = network.named_modules(remove_duplicate=False)
    found = [path for path, layer in layers if isinstance(layer, REPLACED)]
    if not found:
        raise ModelError("it has no ReLU, tanh or sigmoid that could become another; leave activation out.")
    for path in found:
        network.set_submodule(path, ACTIVATIONS[name]())

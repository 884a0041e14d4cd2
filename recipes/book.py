"""Every recipe by name, and where its log lies."""

from pathlib import Path

from recipes import (
    chars74k,
    compact_chars74k,
    compact_cifar10,
    compact_cifar10_longer,
    compact_mnist,
    lenet5_mnist,
    mlp_mnist,
    resnet20_cifar10,
    resnet20_cifar10_short,
    transfer_cifar,
    transfer_digits,
)
from recipes.entry import Entry

HERE = Path(__file__).parent
ENTRIES: dict[str, Entry] = {
    "lenet5_mnist": lenet5_mnist.ENTRY,
    "mlp_mnist": mlp_mnist.ENTRY,
    "compact_mnist": compact_mnist.ENTRY,
    "compact_cifar10": compact_cifar10.ENTRY,
    "compact_cifar10_longer": compact_cifar10_longer.ENTRY,
    "chars74k": chars74k.ENTRY,
    "compact_chars74k": compact_chars74k.ENTRY,
    "transfer_digits": transfer_digits.ENTRY,
    "transfer_cifar": transfer_cifar.ENTRY,
    "resnet20_cifar10_short": resnet20_cifar10_short.ENTRY,
    "resnet20_cifar10": resnet20_cifar10.ENTRY,
}


def log_of(name: str) -> Path:
    """The log that a recipe's promise rests on."""
    return HERE / "logs" / f"{name}.jsonl"

"""The numbers that training computes with: float32, or bfloat16 where the hardware multiplies it faster.

Weights, their gradients, the optimiser's memory and the loss are float32 always; bfloat16 are the maps between
layers and the products inside convolutions and fully connected layers, which torch's autocast chooses.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

Precision = Literal["float32", "bfloat16"]


def own_precision(device: torch.device) -> Precision:
    """What a device trains with unless told otherwise: bfloat16 where there are units for it, else float32.

    Of processors those that multiply it: in tiles (Intel's AMX) or in vectors (AVX512-BF16, as AMD since Zen 4).
    Elsewhere bfloat16 is converted back and forth, and is slower than float32. A function of the machine alone,
    never of a measurement, so that the same seed gives the same weights.
    """
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    if device.type == "cpu":
        return "bfloat16" if processor_multiplies_bfloat16() else "float32"
    return "float32"


def processor_multiplies_bfloat16() -> bool:
    """Whether this processor has instructions for products of bfloat16: AMX or AVX512-BF16."""
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()  # pyright: ignore[reportPrivateUsage]


def computing(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """The context that a forward pass runs in.

    >>> with computing("bfloat16", torch.device("cpu")):
    ...     torch.nn.Linear(4, 2)(torch.zeros(1, 4)).dtype
    torch.bfloat16
    """
    if precision != "bfloat16":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)

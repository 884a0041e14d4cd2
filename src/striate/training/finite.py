"""Losses, gradients and weights that are no finite numbers: refused in words, and never saved."""

import math

import torch
from torch import nn

from striate.errors import TrainingError
from striate.training.material import Material
from striate.training.pace import Seen

ADVICE = "Try a lower rate, for example --set learning_rate=0.0005."


def require_finite_steps(material: Material, epoch: int, steps: list[Seen]) -> list[Seen]:
    """The steps as they are; the TrainingError of the first whose loss or gradient is no finite number."""
    for step in steps:
        if not step.finite:
            left = f"seen after step {steps[-1].index + 1}; nothing since was saved"
            raise not_finite(material, epoch, step, left)
    return steps


def not_finite(material: Material, epoch: int, step: Seen, left: str) -> TrainingError:
    """The error that names what was not finite, the step, how things were left, and the images of its batch."""
    names = material.names(step.rows.tolist())
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    loss, norm = f"loss became {step.loss}", f"gradient's norm became {step.norm}"
    return TrainingError(
        f"The {norm if math.isfinite(step.loss) else loss} at epoch {epoch + 1}, step {step.index + 1}; {left}. "
        f"Images of this batch: {shown}. {ADVICE}"
    )


def require_finite(network: nn.Module) -> None:
    """Refuse to save weights that are not numbers."""
    for name, parameter in network.named_parameters():
        if not torch.isfinite(parameter).all():
            raise TrainingError(
                f"The weights of {name} are no longer finite; they were not saved, the last checkpoint stands. {ADVICE}"
            )

"""Shapes without numbers: what each stage leaves of an image, whatever the precision of its weights."""

import torch
from torch import nn

from striate.models.geometry import stage_shapes


def test_shapes_do_not_depend_on_precision() -> None:
    conv = nn.Conv2d(1, 2, 3).double()
    layers = {"conv": conv, "norm": nn.BatchNorm2d(2).half()}
    assert stage_shapes(layers, (1, 8, 8)) == {"conv": (2, 6, 6), "norm": (2, 6, 6)}
    assert conv.weight.dtype == torch.float64
    assert conv.weight.device.type == "cpu"

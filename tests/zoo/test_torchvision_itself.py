"""Our AlexNet, VGG, GoogLeNet and ResNets against torchvision's own modules, and timm's where it has them."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from striate.models import create_model, from_timm, from_torchvision
from striate.models.timm_names import TIMM_NAMES
from striate.models.torchvision_names import RENAMINGS

LIMIT = 1e-5


def drawn(module: nn.Module) -> nn.Module:
    """The module in prediction, its statistics away from 0 and 1, as training leaves them."""
    generator = torch.Generator().manual_seed(4)
    for name, buffer in module.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.1, generator=generator)
        elif name.endswith("running_var"):
            buffer.uniform_(0.9, 1.1, generator=generator)
    return module.eval()


def apart(ours: Tensor, theirs: Tensor) -> float:
    return float(torch.linalg.vector_norm(ours - theirs) / torch.linalg.vector_norm(theirs))


def ours(name: str, state: dict[str, Tensor]) -> nn.Module:
    """Our network with every tensor of a state dict, none left over on either side."""
    network = create_model(name, classes=1000, size=(224, 224), weights=False)
    network.load_state_dict(state, strict=True, assign=True)
    return network.eval()


@pytest.mark.parametrize("name", RENAMINGS)
@torch.no_grad()
def test_torchvisions_weights_give_torchvisions_logits(name: str, record_property: Any) -> None:
    models = pytest.importorskip("torchvision.models")
    torch.manual_seed(1)
    more = {"aux_logits": True, "transform_input": False, "init_weights": True} if name == "googlenet" else {}
    module = drawn(models.get_model(name, weights=None, **more))
    images = torch.randn(2, 3, 224, 224)
    found = apart(ours(name, from_torchvision(name, module.state_dict()))(images), module(images))
    record_property(f"apart: {name} and torchvision's", found)
    assert found <= LIMIT


@pytest.mark.parametrize("name", TIMM_NAMES)
@torch.no_grad()
def test_timms_weights_give_timms_logits(name: str, record_property: Any) -> None:
    timm = pytest.importorskip("timm")
    torch.manual_seed(2)
    module = drawn(timm.create_model(name))
    images = torch.randn(2, 3, 224, 224)
    found = apart(ours(name, from_timm(name, module.state_dict()))(images), module(images))
    record_property(f"apart: {name} and timm's", found)
    assert found <= LIMIT

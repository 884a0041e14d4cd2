"""Files written tensor by tensor are what safetensors itself reads."""

import hashlib
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from striate.training.tensor_file import KINDS, write_tensors


def test_every_kind_and_shape_comes_back(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    tensors = {
        f"{kind}/{number}": (100 * torch.randn(shape, generator=generator)).to(kind)
        for kind in KINDS
        for number, shape in enumerate([(), (0,), (3,), (2, 0, 5), (2, 3, 4, 5)])
    }
    laid_out = torch.randn(4, 3, 5, 5, generator=generator).to(memory_format=torch.channels_last)
    tensors |= {
        "laid out": laid_out,
        "turned": laid_out[0, 0].T,
        "with gradient": torch.ones(2).requires_grad_(),
    }
    path = tmp_path / "a.safetensors"
    digest = write_tensors(path, tensors, {"progress": '{"epoch": "ü"}'})
    found = load_file(path)
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    with safe_open(path, "pt") as opened:
        assert opened.metadata() == {"progress": '{"epoch": "ü"}'}

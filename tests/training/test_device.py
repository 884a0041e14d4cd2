"""Which device trains and answers, as a machine with and without a GPU decides it."""

import re
from contextlib import nullcontext

import pytest
import torch

from striate.errors import UsageError
from striate.training.device import (
    answering_device,
    chosen_device,
    device_name,
    own_seeds,
    reproducible,
)
from striate.training.precision import own_precision
from striate.training.recipe import Recipe


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """A function that makes this machine one with the GPUs named."""

    def make(*gpus: str) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in gpus)
        monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU number {device.index}")
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in gpus)

    return make


@pytest.mark.parametrize(
    ("gpus", "asked", "expected"),
    [
        ((), "auto", "cpu"),
        (("cuda",), "auto", "cuda:1"),
        (("mps",), "auto", "mps"),
        (("cuda", "mps"), "auto", "cuda:1"),
        (("cuda", "mps"), "mps", "mps"),
        (("cuda",), "cpu", "cpu"),
    ],
)
def test_the_fastest_device_here_trains_unless_another_is_asked_for(machine, gpus, asked, expected) -> None:
    machine(*gpus)
    assert chosen_device(Recipe(device=asked)) == torch.device(expected)
    assert answering_device(Recipe(device=asked)) == torch.device(expected)


@pytest.mark.parametrize(
    ("gpus", "asked", "words"),
    [
        ((), "cuda", "device=cuda: this needs a GPU that torch reaches through CUDA or ROCm"),
        ((), "mps", "device=mps: this needs Apple's GPU"),
        ((), "cuda", "finds none; here is cpu. Leave device out to train on what is here"),
        (("mps",), "cuda", "here is mps and cpu."),
    ],
)
def test_a_device_that_is_not_here_cannot_train(machine, gpus, asked, words) -> None:
    machine(*gpus)
    with pytest.raises(UsageError, match=re.escape(words)):
        chosen_device(Recipe(device=asked))


def test_a_run_of_a_gpu_answers_on_the_processor_where_there_is_none(machine) -> None:
    machine()
    assert answering_device(Recipe(device="cuda")) == torch.device("cpu")
    machine("cuda")
    assert answering_device(Recipe(device="mps")) == torch.device("cpu")


def test_a_gpu_trains_in_bfloat16_where_it_has_it(machine) -> None:
    machine("cuda")
    assert own_precision(torch.device("cuda", 1)) == "bfloat16"
    machine("mps")
    assert own_precision(torch.device("mps")) == "float32"


@pytest.mark.parametrize(
    ("tiles", "vectors", "trains_in"),
    [
        (True, True, "bfloat16"),
        (True, False, "bfloat16"),
        (False, True, "bfloat16"),
        (False, False, "float32"),
    ],
)
def test_a_processor_trains_in_bfloat16_where_it_multiplies_it(
    monkeypatch, tiles, vectors, trains_in
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: vectors)
    assert own_precision(torch.device("cpu")) == trains_in


def test_a_gpu_is_named_by_its_maker(machine) -> None:
    machine("cuda")
    assert device_name(torch.device("cuda", 1)) == "GPU number 1"
    assert device_name(torch.device("mps")) == "mps"


def test_convolutions_of_a_gpu_are_the_same_every_time() -> None:
    flags = torch.backends.cudnn
    before = flags.deterministic, flags.benchmark, flags.allow_tf32
    with reproducible(torch.device("cuda", 0)):
        assert (flags.deterministic, flags.benchmark, flags.allow_tf32) == (True, False, False)
    assert (flags.deterministic, flags.benchmark, flags.allow_tf32) == before
    with reproducible(torch.device("cpu")):
        assert (flags.deterministic, flags.benchmark, flags.allow_tf32) == before


def test_seeds_of_the_caller_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.random.get_rng_state()
    with own_seeds(torch.device("cpu")):
        torch.manual_seed(3)
    assert torch.equal(before, torch.random.get_rng_state())
    kept = []

    def fork(devices: list[int]) -> nullcontext:
        kept.append(devices)
        return nullcontext()

    monkeypatch.setattr(torch.random, "fork_rng", fork)
    for name in ("cpu", "mps", "cuda", "cuda:2"):
        own_seeds(torch.device(name))
    assert kept == [[], [], [0], [2]]

"""What a step of training takes of memory, counted before the first one."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from striate.training.precision import computing
from striate.training.recipe import Recipe
from striate.training.recomputing import copies, put
from striate.training.step import all_logits

GIB = 2**30
STATES = {"sgd": 1, "adam": 2, "adamw": 2, "muon": 2}
"""Numbers that each optimiser keeps for a weight; of Muon the most, for weights that it leaves to AdamW."""
TRANSIENT = 3
"""Of the largest map, so many times more while a gradient is worked out: of what goes in, of what comes out, and
what the kernel between them lays out anew."""
COUNTED = (2, 4)
"""Images of the two forward passes that are counted; the difference is what an image takes."""


@dataclass(frozen=True)
class StepMemory:
    """Bytes that a step of training takes beyond the network itself.

    `standing` are gradients, the optimiser's memory, the weights that are kept and their copies in another precision;
    `saved` what an image leaves for the way back, `kept` what of that is left with recomputation, `inside` what the
    widest stage then computes again; `largest` the largest map of an image; `input` an image itself.
    """

    standing: int
    saved: int
    kept: int
    inside: int
    largest: int
    input: int

    def peak(self, images: int, *, accumulate: int = 1, recompute: bool = False) -> int:
        """The most that a step over so many images holds at once.

        >>> memory = StepMemory(standing=1000, saved=500, kept=100, inside=200, largest=50, input=10)
        >>> memory.peak(8), memory.peak(8, recompute=True), memory.peak(8, accumulate=4)
        (6360, 4760, 2460)
        """
        held = self.kept + self.inside if recompute else self.saved
        part = math.ceil(images / accumulate)
        # a second batch is prepared while the first is trained on
        return self.standing + 2 * images * self.input + part * (held + TRANSIENT * self.largest)


def step_memory(
    network: nn.Module, inputs: Float[Tensor, "images ..."], recipe: Recipe | None = None
) -> StepMemory:
    """The memory that training takes, counted over two forward passes of a few of `inputs`, four of which are needed.

    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    >>> step_memory(network, torch.zeros(4, 1, 8, 8), Recipe(optimiser="sgd")).saved
    576

    (There 4 × 36 numbers of four bytes leave the rectifier; the image itself is counted as `input`.) Network, random
    state and statistics are left as they are.
    """
    recipe = recipe or Recipe()
    few, more = (count_saved(network, inputs[:count], recipe.precision) for count in COUNTED)
    images = COUNTED[1] - COUNTED[0]
    stages = [stage for stage in more.blocks if stage]

    def an_image(part: Callable[[Counted], int]) -> int:
        return math.ceil((part(more) - part(few)) / images)

    saved = an_image(Counted.saved)
    blocks = zip(few.sizes(), more.sizes(), strict=True)
    return StepMemory(
        standing=standing_bytes(network, recipe) + few.saved() - COUNTED[0] * saved,
        saved=saved,
        kept=an_image(Counted.kept),
        inside=max((an_image(lambda counted, of=stage: counted.inside(of)) for stage in stages), default=0),
        largest=max((math.ceil((there - here) / images) for here, there in blocks), default=0),
        input=inputs[0].numel() * inputs.element_size(),
    )


def standing_bytes(network: nn.Module, recipe: Recipe) -> int:
    """Bytes of gradients, of the optimiser's memory, and of the weights of the best epoch.

    While the gradient of the largest weight is added to what is there, it stands there twice more.
    """
    trained = [p.numel() * p.element_size() for p in network.parameters() if p.requires_grad]
    whole = sum(value.numel() * value.element_size() for value in network.state_dict().values())
    states = STATES[recipe.optimiser or "adamw"]
    return sum(trained) * (1 + states) + 2 * max(trained, default=0) + whole * (recipe.keep == "best")


@dataclass
class Counted:
    """Bytes of the distinct blocks of memory that one forward pass leaves for the way back."""

    own: frozenset[int]
    """Where the network's own tensors and its inputs lie, which are there anyway."""
    blocks: dict[str, dict[int, int]] = field(default_factory=dict)
    """Of each stage what it saves first, and of "" what is saved outside of stages: bytes by address."""
    entering: dict[int, int] = field(default_factory=dict)
    """What enters the stages that learn."""
    stage: str = ""

    def save(self, tensor: Tensor) -> Tensor:
        """Count a tensor that is saved, unless its block is known already."""
        address, size = block_of(tensor)
        if address not in self.own and not any(address in known for known in self.blocks.values()):
            self.blocks.setdefault(self.stage, {})[address] = size
        return tensor

    def run(self, stage: nn.Module, x: Tensor) -> Tensor:
        """Run a stage and count what it saves as its own."""
        self.stage = f"stage {id(stage)}"
        made = stage(x)
        if made.requires_grad:
            address, size = block_of(x)
            self.entering[address] = size
        self.stage = ""
        return made

    def saved(self) -> int:
        """All of it."""
        return sum(self.sizes())

    def kept(self) -> int:
        """What enters stages, and what is saved outside of them."""
        return sum({**self.blocks.get("", {}), **self.entering}.values())

    def inside(self, stage: str) -> int:
        """What a stage saves beyond what enters stages."""
        known = self.blocks[stage].items()
        return sum(size for address, size in known if address not in self.entering)

    def sizes(self) -> list[int]:
        """The bytes of each block, in the order in which they are saved."""
        return [size for known in self.blocks.values() for size in known.values()]


def count_saved(network: nn.Module, inputs: Float[Tensor, "images ..."], precision: str) -> Counted:
    """What a forward pass of training over some images leaves for the way back."""
    tensors = [inputs, *network.parameters(), *network.buffers()]
    counted = Counted(frozenset(block_of(tensor)[0] for tensor in tensors))
    staged = hasattr(network, "stages")
    with as_it_was(network), torch.enable_grad():
        network.train()
        with torch.autograd.graph.saved_tensors_hooks(counted.save, lambda saved: saved):
            with computing(precision, inputs.device):
                answers = network.all_logits(inputs, counted.run) if staged else all_logits(network, inputs)  # pyright: ignore
            del answers
    return counted


@contextmanager
def as_it_was(network: nn.Module) -> Iterator[None]:
    """After the block a network has the buffers and the mode that it had, and torch its random state."""
    mode, buffers = network.training, list(network.buffers())
    before = copies(buffers)
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            put(buffers, before)
            network.train(mode)


def block_of(tensor: Tensor) -> tuple[int, int]:
    """Where the block of memory lies that a tensor looks into, and its bytes."""
    block = tensor.untyped_storage()
    return block.data_ptr(), block.nbytes()

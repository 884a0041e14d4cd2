"""A network: named stages, then a head. Everything that looks inside a network stands on its two seams."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from striate.errors import ModelError, suggestion


class Network(nn.Module):
    """Named stages that turn images into features, and a head that turns features into logits.

    >>> import torch
    >>> network = Network({"conv": nn.Conv2d(1, 4, 3), "pool": nn.MaxPool2d(2)},
    ...                   head=nn.Sequential(nn.Flatten(), nn.Linear(4 * 13 * 13, 10)))
    >>> images = torch.zeros(2, 1, 28, 28)
    >>> network.stage_names, tuple(network(images).shape)
    (('conv', 'pool'), (2, 10))
    >>> tuple(network.run_to(images, "conv").shape)
    (2, 4, 26, 26)

    Images are float32 `batch channel height width`, already normalised; channels-last memory is welcome. A `tail`
    takes feature maps in their place.
    Logits are float32 `batch class`. The head flattens if it needs to. `auxiliaries` are further heads, each
    under the name of the stage that it reads; only `all_logits` runs them, and only training asks for that.
    """

    auxiliary_weight: ClassVar[float] = 0.3
    """What the loss of each auxiliary head counts in training. Szegedy et al. 2015, section 5."""

    def __init__(
        self,
        stages: Mapping[str, nn.Module],
        head: nn.Module,
        auxiliaries: Mapping[str, nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleDict(stages)
        self.head = head
        self.auxiliaries = nn.ModuleDict(auxiliaries or {})
        self.frozen: tuple[str, ...] = ()
        """The stages that keep their weights and statistics while the rest is trained."""
        self.extracted: tuple[str, ...] = ()
        """Stages of another network whose feature maps this one takes in place of images; see `tail`."""
        self._resting: list[nn.Parameter] = []

    @property
    def stage_names(self) -> tuple[str, ...]:
        """The stages in the order in which an image meets them, the head left out."""
        return tuple(self.stages)

    def features(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        """What the last stage makes of the images; the head reads nothing else."""
        for stage in self.stages.values():
            x = stage(x)
        return x

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch class"]:
        """The logits: one number a class, the highest for the class that the network believes in."""
        return self.head(self.features(x))

    def all_logits(
        self,
        x: Float[Tensor, "batch ..."],
        run: Callable[[nn.Module, Tensor], Tensor] = lambda stage, x: stage(x),
    ) -> tuple[Float[Tensor, "batch class"], ...]:
        """The logits, then those of each auxiliary head in the order of its stage; what training learns from.

        >>> stages = {"conv": nn.Conv2d(1, 4, 3), "flatten": nn.Flatten()}
        >>> side = nn.Sequential(nn.Flatten(), nn.Linear(4 * 26 * 26, 10))
        >>> network = Network(stages, head=nn.Linear(4 * 26 * 26, 10), auxiliaries={"conv": side})
        >>> import torch
        >>> [tuple(logits.shape) for logits in network.all_logits(torch.zeros(2, 1, 28, 28))]
        [(2, 10), (2, 10)]

        A network without auxiliary heads gives its logits alone. `run` is what runs a stage on its input.
        """
        aside = []
        for name, stage in self.stages.items():
            x = run(stage, x)
            if name in self.auxiliaries and name not in self.frozen:
                aside.append(self.auxiliaries[name](x))
        return (self.head(x), *aside)

    def run_to(
        self, x: Float[Tensor, "batch channel height width"], stage: str
    ) -> Float[Tensor, "batch ..."]:
        """The feature maps of one stage: runs the stages up to it and including it.

        Raises ModelError for a stage that the network has not.
        """
        for name in self.stage_names[: self._position(stage) + 1]:
            x = self.stages[name](x)
        return x

    def run_from(self, x: Float[Tensor, "batch ..."], stage: str) -> Float[Tensor, "batch class"]:
        """The logits that follow from a stage's feature maps: runs on after it, through the head.

        Raises ModelError for a stage that the network has not.
        """
        for name in self.stage_names[self._position(stage) + 1 :]:
            x = self.stages[name](x)
        return self.head(x)

    def freeze(self, upto: str) -> tuple[str, ...]:
        """Let stages keep every bit while the rest is trained: "none", "all", or those up to and including one.

        >>> network = Network({"conv": nn.Conv2d(1, 4, 3), "norm": nn.BatchNorm2d(4)}, head=nn.Flatten())
        >>> network.freeze("all"), network.train().stages["norm"].training
        (('conv', 'norm'), False)

        Frozen parameters get no gradient; frozen normalisation uses the statistics it has and does not renew them.
        Parameters that were fixed before, by whoever built the network, stay fixed when it thaws. An auxiliary head
        that reads a frozen stage could teach nothing and rests too. Returns `frozen`. Raises ModelError for a stage
        that the network has not.
        """
        counts = {"none": 0, "all": len(self.stages)}
        counts |= {name: position for position, name in enumerate(self.stages, start=1)}
        if upto not in counts:
            raise ModelError(f"Nothing to freeze is called {upto!r}; {suggestion(upto, counts)}")
        self.frozen = self.stage_names[: counts[upto]]
        for parameter in self._resting:
            parameter.requires_grad_(True)
        modules = [
            kind[name] for kind in (self.stages, self.auxiliaries) for name in self.frozen if name in kind
        ]
        parameters = [parameter for module in modules for parameter in module.parameters()]
        self._resting = [parameter for parameter in parameters if parameter.requires_grad]
        for parameter in self._resting:
            parameter.requires_grad_(False)
        self.train(self.training)
        return self.frozen

    def tail(self) -> "Network":
        """What follows the frozen stages, as a network of its own that shares its modules with this one.

        >>> network = Network({"conv": nn.Conv2d(1, 4, 3), "pool": nn.MaxPool2d(2)}, head=nn.Flatten())
        >>> network.freeze("conv")
        ('conv',)
        >>> network.tail().stage_names, network.tail().extracted, network.tail().head is network.head
        (('pool',), ('conv',), True)

        It takes what the last frozen stage makes of images: `tail(run_to(images, frozen[-1]))` are the logits.
        """
        rest = {name: stage for name, stage in self.stages.items() if name not in self.frozen}
        asides = {name: head for name, head in self.auxiliaries.items() if name in rest}
        tail = Network(rest, self.head, asides)
        tail.extracted = (*self.extracted, *self.frozen)
        return tail.train(self.training)

    def train(self, mode: bool = True) -> "Network":
        """As torch's; frozen stages stay as they are in prediction: no dropout, no new statistics."""
        super().train(mode)
        for name in self.frozen:
            self.stages[name].eval()
        return self

    def _position(self, stage: str) -> int:
        if stage not in self.stages:
            raise ModelError(f"The network has no stage {stage!r}; {suggestion(stage, self.stage_names)}")
        return self.stage_names.index(stage)

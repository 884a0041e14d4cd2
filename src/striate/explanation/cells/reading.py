"""A visit with what is around it: how the arithmetic of a layer gets at what enters the layer."""

from typing import Any, TypeVar

from torch import Tensor, nn

from striate.explanation.cells.cell import Place, Term, Window, Work
from striate.explanation.recording import PICTURE, Visit

AnyLayer = TypeVar("AnyLayer", bound=nn.Module)
RESHAPING = frozenset(("flatten", "view", "reshape", "dropout", "identity", "contiguous", "clone"))
"""After these every number is what it was, in the same order."""


class Reading:
    """One visit among those that were recorded."""

    def __init__(self, visits: dict[str, Visit], visit: Visit) -> None:
        self.visits, self.visit = visits, visit

    @property
    def given(self) -> tuple[Tensor, ...]:
        """What enters, in order."""
        return self.visit.entering

    @property
    def reads(self) -> str:
        """Whose numbers enter first."""
        return self.visit.reads[0] if self.visit.reads else PICTURE

    def layer(self, kind: type[AnyLayer]) -> AnyLayer:
        """The layer, which is of this kind."""
        assert isinstance(self.visit.module, kind), "the table of arithmetic goes by kinds"
        return self.visit.module

    def entering(self) -> Tensor:
        """The maps that enter, `1 channel height width`."""
        return self.given[0]

    def flattened(self) -> tuple[str, tuple[int, int, int]]:
        """Whose maps a vector was before it was flattened, and their shape; of no maps, channels of one cell."""
        name, size = self.reads, self.given[0].numel()
        while name in self.visits and self.visits[name].kind in RESHAPING:
            before = self.visits[name]
            entered = before.entering[0]
            if entered.dim() == 4 and entered.numel() == size:
                return (before.reads[0], (entered.shape[1], entered.shape[2], entered.shape[3]))
            name = before.reads[0]
        return self.reads, (size, 1, 1)

    def work(
        self,
        place: Place,
        operation: str,
        result: float,
        formula: str,
        *,
        window: Window | None = None,
        terms: tuple[Term, ...] = (),
        numbers: dict[str, float] | None = None,
    ) -> Work:
        """The work of one cell, beside what the network put out there."""
        return Work(
            layer=self.visit.name,
            kind=self.visit.kind,
            operation=operation,
            place=place,
            shape=tuple(self.visit.leaving.shape[1:]),
            value=value_at(self.visit.leaving, place),
            result=result,
            formula=formula,
            window=window,
            terms=terms,
            numbers=numbers or {},
        )


def value_at(tensor: Tensor, place: Place) -> float:
    """One number of maps or of a vector of one image."""
    index: tuple[Any, ...] = place if tensor.dim() == 4 else place[:1]
    return float(tensor[(0, *index)])

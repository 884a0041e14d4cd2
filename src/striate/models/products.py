"""Products of whichever layers and operations, counted while they run: torch's own formulas, without its compiler."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class Products(TorchDispatchMode):
    """Counts the multiply-adds of what runs inside its block, by the formulas of `torch.utils.flop_counter`.

    >>> import torch
    >>> with Products() as products:
    ...     _ = torch.ones(2, 3) @ torch.ones(3, 5)
    >>> products.count
    30

    torch's `FlopCounterMode` gives the same numbers, but loads torch's compiler first, which takes a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False, or torch would load its compiler to keep it away from here."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        formula = flop_registry.get(getattr(func, "_overloadpacket", None))
        if formula is None and (not hasattr(func, "decompose") or func is torch.ops.prim.device.default):
            return func(*args, **options)
        if formula is None:
            with self:  # an operation made of others is counted by its parts
                parts = func.decompose(*args, **options)
            return func(*args, **options) if parts is NotImplemented else parts
        result = func(*args, **options)
        self.count += formula(*args, **options, out_val=result) // 2
        return result

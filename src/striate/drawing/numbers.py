"""How a number is written: with its interval, its n, and no more digits than the interval carries."""

import math
from typing import Protocol, runtime_checkable

MISSING = "–"


@runtime_checkable
class Estimate(Protocol):
    """Anything with a value, an interval and a number of cases."""

    @property
    def value(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def n(self) -> int: ...


def decimals(low: float | None, high: float | None) -> int:
    """The decimals that an interval carries: as many as show two digits of its width.

    >>> decimals(47.0, 91.0), decimals(92.1, 95.6), decimals(98.92, 99.29), decimals(None, None)
    (0, 1, 2, 2)
    """
    if low is None or high is None or high <= low:
        return 2
    return min(max(math.ceil(1 - math.log10(high - low)), 0), 6)


def percent_parts(number: Estimate) -> tuple[str, str, str]:
    """Value, low and high of a proportion in percent, without the sign: ("94.1", "92.1", "95.6")."""
    return _parts(number, 100)


def decimal_parts(number: Estimate) -> tuple[str, str, str]:
    """Value, low and high of a plain number: ("0.985", "0.971", "0.992")."""
    return _parts(number, 1)


def percent(number: Estimate) -> str:
    """A proportion with its interval and its n, or a dash where it is undefined.

    >>> from types import SimpleNamespace
    >>> percent(SimpleNamespace(value=0.9410, low=0.9213, high=0.9559, n=712))
    '94.1 % (92.1–95.6, n = 712)'
    """
    value, low, high = percent_parts(number)
    return MISSING if number.value is None else f"{value} % ({_between(low, high)}n = {number.n:,})"


def decimal(number: Estimate) -> str:
    """A plain number, such as an AUC or a log loss, with its interval and its n.

    >>> from types import SimpleNamespace
    >>> decimal(SimpleNamespace(value=0.9853, low=0.9712, high=0.9921, n=712))
    '0.985 (0.971–0.992, n = 712)'
    """
    value, low, high = decimal_parts(number)
    return MISSING if number.value is None else f"{value} ({_between(low, high)}n = {number.n:,})"


def _between(low: str, high: str) -> str:
    return "" if MISSING in (low, high) else f"{low}–{high}, "


def _parts(number: Estimate, scale: int) -> tuple[str, str, str]:
    low, high = (None if limit is None else limit * scale for limit in (number.low, number.high))
    digits = decimals(low, high)
    value = MISSING if number.value is None else _write(number.value * scale, digits, scale)
    written = [MISSING if limit is None else _write(limit, digits, scale) for limit in (low, high)]
    return value, written[0], written[1]


def _write(value: float, digits: int, scale: int) -> str:
    """Fixed decimals; only what is 100 % or 0 % is written so, and both are bare."""
    ends = (0, 100) if scale == 100 else ()
    if value in ends:
        return f"{value:.0f}"
    texts = [f"{value:.{more}f}" for more in range(digits, digits + 5)]
    return next((text for text in texts if float(text) not in ends), texts[-1])
